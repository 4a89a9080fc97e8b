"""The circumstances of all cases as one matrix, block by block, made once and asked for every set of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.layers import is_course, layer_of_column
from svcanalytics.errors import CauseError

__all__ = ["Column", "Design", "group_values", "lay_out", "list_circumstances", "outcome_of"]

Array = NDArray[np.float64]

_EDGES = (0.25, 0.5, 0.75, 0.9, 0.97)
"""Numbers are grouped finer where they are large: it is the long waits that cost."""
_FEW = 8
"""Numbers with at most this many values are taken as they are, value by value."""
_MOST_VALUES = 12
_RARE = 20
"""A value of fewer rows is put together with others."""


@dataclass(frozen=True)
class Column:
    """A circumstance: where its values stand in the matrix, and what it says.

    Attributes
    ----------
    name : str
    layer : str
        "data", "process", "people", "demand", or "" for a place or kind of case.
    course : bool
        Whether it says how the case went (see `is_course`).
    first, last : int
        Its places in the matrix, from `first` up to and without `last`.
    values : tuple of str
        What each place stands for.
    usual : str
        The value that has no place, the most frequent one.
    """

    name: str
    layer: str
    course: bool
    first: int
    last: int
    values: tuple[str, ...]
    usual: str


@dataclass(frozen=True, eq=False)
class Design:
    """Cases and their circumstances.

    Attributes
    ----------
    now : numpy.ndarray of bool, shape ``(n,)``
        Whether it is of the period looked at.
    group : numpy.ndarray of int64, shape ``(n,)``
        Cases of one group (an agent) err together.
    matrix : numpy.ndarray, shape ``(n, places)``
        A column per value of each circumstance, the most frequent value left out, centred.
    columns : tuple of Column
    """

    now: NDArray[np.bool_]
    group: NDArray[np.int64]
    matrix: Array
    columns: tuple[Column, ...]


def lay_out(
    rows: pd.DataFrame,
    outcome: str = "bad",
    *,
    by: Sequence[str] | None = None,
    layers: Mapping[str, str] | None = None,
    group: str = "agent",
) -> Design:
    """Lay out cases and their circumstances as numbers.

    Numbers of many values become six groups, finer among the large ones, texts their twelve most frequent values; what
    is missing is a value of its own.

    Parameters
    ----------
    rows : DataFrame
        One row per case: ``period`` ("now" or "before"; without it all are "now") and circumstances.
    outcome : str
        The column that is no circumstance.
    by : sequence of str, optional
        Circumstances; default every column but ids, times, the outcome and the agent.
    layers : mapping of str to str, optional
        Column to layer, see `layer_of_column`.
    group : str
        Column whose equal values err together; without it every case stands alone.

    Raises
    ------
    CauseError
        When a column is missing, or there is no case of the period.
    """
    columns = list_circumstances(rows, outcome) if by is None else list(by)
    absent = [name for name in columns if name not in rows.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where="rows", fix="name columns of the frame")
    now = rows["period"].eq("now").to_numpy() if "period" in rows else np.ones(len(rows), dtype=bool)
    if not now.any():
        raise CauseError("there is no case of the period", where="period", fix="mark the rows looked at with now")
    parts: list[Array] = []
    listed: list[Column] = []
    place = 0
    for name in columns:
        code, values, _ = group_values(rows[name])
        # Against the most frequent value: it says nothing of its own.
        usual = int(np.bincount(code, minlength=len(values)).argmax()) if len(values) else 0
        kept = [number for number in range(len(values)) if number != usual]
        if not kept:
            continue
        parts.append((code[:, None] == np.array(kept)).astype("float64"))
        layer = layer_of_column(name, layers)
        said = tuple(values[number] for number in kept)
        course = is_course(name) and layer == "process"
        listed.append(Column(name, layer, course, place, place + len(kept), said, values[usual]))
        place += len(kept)
    matrix = np.concatenate(parts, axis=1) if parts else np.zeros((len(rows), 0))
    matrix = np.ascontiguousarray(matrix - matrix.mean(axis=0))
    known = rows[group].notna().to_numpy() if group in rows.columns else np.zeros(len(rows), dtype=bool)
    code = np.arange(len(rows), dtype=np.int64)
    if known.any():
        code = np.where(known, pd.factorize(rows[group])[0], code + len(rows))
        code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    return Design(now, code, matrix, tuple(listed))


def outcome_of(rows: pd.DataFrame, outcome: str) -> Array:
    """Return how badly each case went, shape ``(n,)``.

    Raises
    ------
    CauseError
        When there is no such column, it isn't a number, or one is missing.
    """
    if outcome not in rows.columns:
        raise CauseError(f"there is no column {outcome!r}", where="outcome", fix="name a column of the frame")
    if not (pd.api.types.is_numeric_dtype(rows[outcome]) or pd.api.types.is_bool_dtype(rows[outcome])):
        raise CauseError("the outcome is not a number", where=outcome, fix="turn it into 0 and 1, or into a number")
    bad = rows[outcome].to_numpy("float64", na_value=np.nan)
    if not np.isfinite(bad).all():
        raise CauseError("an outcome is missing", where=outcome, fix="leave out the rows without it")
    return bad


def list_circumstances(rows: pd.DataFrame, outcome: str = "bad") -> list[str]:
    """Return the columns that can be circumstances: all but ids, times, the outcome and the agent, in order of name."""
    left_out = {"id", "case_id", "contact_id", "at", "period", "agent", "bad", outcome}
    return [
        name
        for name in sorted(map(str, rows.columns))
        if name not in left_out and not pd.api.types.is_datetime64_any_dtype(rows[name])
    ]


def group_values(column: pd.Series) -> tuple[NDArray[np.int64], list[str], Array | None]:
    """Group the values of a column into a few.

    Returns
    -------
    code : numpy.ndarray of int64, shape ``(n,)``
        The group of each row.
    values : list of str
        What each group is; "" is missing, "other" what is rare.
    edges : numpy.ndarray or None
        Where one group of numbers ends and the next begins; None where values are taken as they are.
    """
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if number and column.nunique() > _FEW:
        return _bins(column)
    code, values = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([_text(value) for value in values] + [""], dtype="object")
    names, same = np.unique(texts.astype(str), return_inverse=True)  # 1 and 1.0 are one value
    code = same[code]
    counts = np.bincount(code, minlength=len(names))
    order = np.lexsort((names, -counts))
    kept = order[counts[order] > 0]
    kept = kept[: _MOST_VALUES if len(kept) <= _MOST_VALUES else _MOST_VALUES - 1]
    kept = kept[(counts[kept] >= _RARE) | (len(kept) == 1)]
    place = np.full(len(names), len(kept))
    place[kept] = np.arange(len(kept))
    codes = place[code]
    said = [str(name) for name in names[kept]]
    return codes.astype(np.int64), [*said, "other"] if (codes == len(kept)).any() else said, None


def _bins(column: pd.Series) -> tuple[NDArray[np.int64], list[str], Array]:
    value = column.to_numpy("float64", na_value=np.nan)
    missing = ~np.isfinite(value)
    known = value[~missing]
    inner = np.unique(np.quantile(known, _EDGES))
    inner = inner[inner < known.max()]
    if not len(inner):  # nearly all have the largest value
        inner = np.array([known[known < known.max()].max()])
    code = np.where(missing, len(inner) + 1, np.searchsorted(inner, np.where(missing, 0.0, value)))
    ends = [f"{edge:.4g}" for edge in inner]
    whole = bool((known == np.rint(known)).all()) and float(inner.max()) < 1e4
    between = [_span(low, high) if whole else f"{low:.4g}-{high:.4g}" for low, high in pairwise(inner)]
    names = [f"<={ends[0]}", *between, f">{ends[-1]}"]
    if missing.any():
        names.append("")
    return code.astype(np.int64), names, inner


def _span(low: float, high: float) -> str:
    # Of whole numbers above `low` up to `high`.
    return f"{high:.0f}" if high - low <= 1 else f"{np.floor(low) + 1:.0f}-{high:.0f}"


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
