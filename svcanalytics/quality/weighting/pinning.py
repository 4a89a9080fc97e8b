"""Pinned shares: some families or metrics weigh exactly so much, the rest keeps its proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["pin"]


def pin(
    base: NDArray[np.float64], metrics: Sequence[str], families: Sequence[str], pins: Mapping[str, float], where: str
) -> NDArray[np.float64]:
    """Give families and metrics the shares that are pinned; the rest rescales in proportion.

    A pinned family rescales inside, so that its metrics keep their proportions; a metric pinned inside a pinned family
    takes its share of that, any other metric its share of the whole index.

    Parameters
    ----------
    base : numpy.ndarray, shape (metrics,)
        Usual shares of the index, adding up to 1.
    metrics, families : sequence of str, length metrics
        Name and family of each.
    pins : mapping of str to float
        Family or metric to its share of the index, 0-1.
    where : str
        For error messages.

    Raises
    ------
    CatalogueError
        For an unknown name and for pins that can't hold together.
    """
    from svcanalytics.metrics.entries import nearest

    family, metric = np.asarray(families), np.asarray(metrics)
    known = {*families, *metrics}
    for name, value in pins.items():
        if name not in known:
            raise CatalogueError(
                f"pins {name!r}, which is no family or metric of the profile",
                where=where,
                fix=f"did you mean {nearest(name, known)}?",
            )
        if not 0 <= value <= 1:
            raise CatalogueError(f"pins {name!r} at {value:.6g}", where=where, fix="pin it between 0 and 100 percent")
    out, free = base.copy(), np.ones(len(base), dtype=bool)
    left = 1.0
    for name in (name for name in pins if name in set(families)):
        inside = family == name
        single = inside & np.isin(metric, list(pins))
        for each in metric[single]:
            out[metric == each] = pins[each]
        _fill(out, base, inside & ~single, pins[name] - sum(pins[m] for m in metric[single]), f"{where}.{name}")
        free &= ~inside
        left -= pins[name]
    for name in (name for name in pins if name not in set(families)):
        at = (metric == name) & free
        if at.any():
            out[at], free[at] = pins[name], False
            left -= pins[name]
    _fill(out, base, free, left, where)
    return out


def _fill(out: NDArray, base: NDArray, free: NDArray[np.bool_], amount: float, where: str) -> None:
    """Share `amount` out over the free metrics in proportion to their base; refuse what can't be."""
    if amount < -1e-12:
        raise CatalogueError(
            f"pins ask for {-100 * amount:.6g} percent more than there is", where=where, fix="lower the pins"
        )
    total = base[free].sum()
    if total <= 0 and amount > 1e-12:
        raise CatalogueError(
            f"pins leave {100 * amount:.6g} percent over, and nothing with a weight to take it",
            where=where,
            fix="let the pins add up to 100",
        )
    out[free] = base[free] / total * max(amount, 0.0) if total > 0 else 0.0
