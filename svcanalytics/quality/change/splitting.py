"""What the groups of one dimension, or the cells of several, did to one measure: their own rates, and their mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from svcanalytics.quality.cells import MEASURES_Z
from svcanalytics.quality.change.decomposition import decompose_mix, decompose_structure

__all__ = ["Groups", "Split", "split_measure"]


@dataclass(frozen=True)
class Groups:
    """One measure by group (or cell), before and after; arrays have shape (2, groups).

    Attributes
    ----------
    value, low, high : numpy.ndarray
        NaN where the group had nothing; low and high at 95 %.
    size : numpy.ndarray
        Denominators, 0 where there is none; NaN throughout for a count, which is a plain sum of its groups.
    n : numpy.ndarray
        Rows behind the value.
    loose : numpy.ndarray, shape (2,)
        What numerators that stand by no group's denominator add to the whole's value; counted with the last group.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    size: NDArray[np.float64]
    n: NDArray[np.float64]
    loose: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))


@dataclass(frozen=True)
class Split:
    """Lines that add up to the measure's change, in its own unit; arrays have one entry per line.

    Attributes
    ----------
    source : numpy.ndarray of str
        rate (the group's own value moved), mix (its share did), new, vanished (it came or went: all of that is mix) or
        volume (of a count).
    dimension : numpy.ndarray of str
        The dimension of the group; "" for a cell of several.
    group : numpy.ndarray of int
        Place of the cell in `Groups`, or of the group among the codes of its dimension.
    effect, below, above : numpy.ndarray
        Change of the measure and how far its 95 % interval reaches down and up.
    reversal : bool
        Simpson's paradox: every group moved one way and the whole the other.
    """

    source: NDArray[np.str_]
    dimension: NDArray[np.str_]
    group: NDArray[np.intp]
    effect: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    reversal: bool


def split_measure(groups: Groups, dimensions: Mapping[str, NDArray[np.intp]]) -> Split:
    """Split the change of a measure over groups, or over the cells of several dimensions.

    Rate and mix as Kitagawa (1955), the mix of several dimensions as Das Gupta (1993, chapter 5), both against the
    whole's mean value. Intervals are first-order: the groups' own intervals for what rates did, sides apart, and
    multinomial shares of the rows for what the mix did.

    Parameters
    ----------
    groups : Groups
    dimensions : mapping of str to numpy.ndarray, each of shape (groups,)
        For each dimension the number of the group that a cell belongs to.
    """
    names = list(dimensions)
    cell_dimension = names[0] if len(names) == 1 else ""
    down, up = np.nan_to_num(groups.value - groups.low), np.nan_to_num(groups.high - groups.value)
    if np.isnan(groups.size).all():
        known = np.flatnonzero(~np.isnan(groups.value).all(axis=0))
        effect = np.diff(np.nan_to_num(groups.value), axis=0)[0]
        below, above = np.hypot(down[1], up[0]), np.hypot(up[1], down[0])
        return _lines([("volume", cell_dimension, known, effect[known], below[known], above[known])], False)
    size, value = np.nan_to_num(groups.size), np.where(groups.size > 0, groups.value, np.nan)
    share = size / size.sum(axis=1, keepdims=True)
    rows = np.maximum(groups.n.sum(axis=1, keepdims=True), 1)
    whole = (share * np.nan_to_num(value)).sum(axis=1)
    both = (size > 0).all(axis=0)
    if len(names) == 1:
        rate, mix = decompose_mix(value[0], share[0], value[1], share[1])
        structure = {names[0]: mix}
    else:
        centred = value - whole.mean()
        rate, structure = decompose_structure(centred[0], size[0], centred[1], size[1], dimensions)
    moved, mean_share = np.nan_to_num(value[1] - value[0]), share.mean(axis=0)
    by_share = (MEASURES_Z * moved / 2) ** 2 * (share * (1 - share) / rows).sum(axis=0)
    below = np.sqrt(mean_share**2 * (down[1] ** 2 + up[0] ** 2) + by_share)
    above = np.sqrt(mean_share**2 * (up[1] ** 2 + down[0] ** 2) + by_share)
    lines = [("rate", cell_dimension, np.flatnonzero(both), rate[both], below[both], above[both])]
    if groups.loose.any():
        last, effect = np.array([len(rate) - 1]), np.diff(groups.loose)
        # As of a count: its variance is the amount itself, in units of one row.
        half = MEASURES_Z * np.sqrt((np.abs(groups.loose) / rows[:, 0]).sum(keepdims=True))
        lines.append(("rate", cell_dimension, last, effect, half, half))
    # Squared half-width of each cell's mean value: of the two sides together, or of the only one there is.
    noise = ((down**2 + up**2) / 2).sum(axis=0) / np.where(both, 4, 1)
    level = np.nan_to_num(value).sum(axis=0) / np.where(both, 2, 1) - whole.mean()
    for name, effects in structure.items():
        lines += _mix_lines(name, dimensions[name], effects, share, rows, level, noise)
    known = moved[both]
    one_way = len(known) > 1 and (((known >= 0).all() and known.any()) or ((known <= 0).all() and known.any()))
    change = np.diff(whole + groups.loose).item()
    return _lines(lines, bool(one_way and known.sum() * change < 0))


def _mix_lines(
    name: str,
    codes: NDArray[np.intp],
    effects: NDArray[np.float64],
    share: NDArray[np.float64],
    rows: NDArray[np.float64],
    level: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> list[tuple]:
    count = int(codes.max()) + 1
    of_group = np.array([np.bincount(codes, side, count) for side in share])
    effect = np.bincount(codes, effects, count)
    mean_share = np.bincount(codes, share.mean(axis=0), count)
    height = np.bincount(codes, share.mean(axis=0) * level, count) / np.where(mean_share > 0, mean_share, 1)
    by_share = (MEASURES_Z * height) ** 2 * (of_group * (1 - of_group) / rows).sum(axis=0)
    by_level = np.bincount(codes, (share[1] - share[0]) ** 2 * noise, count)
    half = np.sqrt(by_share + by_level)
    came, went = (of_group[0] == 0) & (of_group[1] > 0), (of_group[0] > 0) & (of_group[1] == 0)
    stayed = (of_group > 0).all(axis=0)
    return [
        (source, name, np.flatnonzero(which), effect[which], half[which], half[which])
        for source, which in (("mix", stayed), ("new", came), ("vanished", went))
    ]


def _lines(parts: list[tuple], reversal: bool) -> Split:
    sizes = [len(part[2]) for part in parts]
    texts = [np.repeat([part[i] for part in parts], sizes) for i in (0, 1)]
    return Split(*texts, *(np.concatenate([part[i] for part in parts]) for i in (2, 3, 4, 5)), reversal)
