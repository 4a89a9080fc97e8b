"""Where did a rate or a mean go wrong: the segments that explain it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube, build, read_dimensions
from svcanalytics.causes.evidence import Evidence, Means, Rates
from svcanalytics.causes.expectation import STRENGTH, expect_rates
from svcanalytics.causes.ranking.contrasting import contrast
from svcanalytics.causes.ranking.layout import lay_out
from svcanalytics.causes.scanning import Scan, scan
from svcanalytics.errors import CauseError

__all__ = ["segments", "segments_of_counts"]

_Z = 1.959963984540054
_ALTERNATIVES = 2
_FEWEST = 10  # cases that a segment is made of
_SIGNIFICANT = 0.05
_TAKEN = ("bad", "total", "square", "count", "period", "_now", "_amount", "_score")  # columns of our own
_COLUMNS = ("segment", "cause", "role", "n", "value", "expected", "excess", "low", "high", "won", "gain", "p_value")


def segments(
    cases: pd.DataFrame,
    outcome: str,
    by: Sequence[str],
    baseline: pd.DataFrame | None = None,
    depth: int = 3,
    *,
    worse: Literal["high", "low"] = "high",
    at: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the segments that explain where a rate or a mean went wrong.

    Each segment's cases are held against what an earlier time led to expect of them (see `contrast`), or,
    without a baseline, against all cases (see `scan`). P-values hold for all segments together.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    outcome : str
        A column of truth values or of 0 and 1 (a rate), or of other numbers (a mean). Rows without it are left out.
    by : sequence of str
        Dimensions to combine; missing values are a value of their own.
    baseline : pandas.DataFrame, optional
        Cases of an earlier time with the same columns.
    depth : int
        Most dimensions that a segment fixes.
    worse : {"high", "low"}
        Which way is wrong: "high" for breaches or waits, "low" for satisfaction.
    at : str, optional
        Column of the time of a case, for cases held against a baseline. With it what set in during the period is found
        sooner, and weeks may be lucky for a segment as a whole; without it cases are held to be independent.
    seed : int
        Of the draws behind the p-values; a baseline needs none.

    Returns
    -------
    pandas.DataFrame
        The most telling first: segment ("team=B&channel=app"), cause (1, 2, ...: causes explain one another's rest, a
        segment of the same number is another description of the same cause), role ("cause" or "alternative"), n, value,
        expected, excess (cases, or units of the outcome, for the worse), low, high (its 95 % interval, without regard
        to the choice of the segment; with a baseline over all weeks with which it may have begun, see `size_excess`),
        won (how far the value of all cases moves if the excess goes), gain (in
        log-likelihood; for means that of normal scores), p_value (for all segments together). A segment "" is all
        cases. With a baseline an alternative has no figures but n, value and that part of the cause's excess which lies
        in it. Empty when nothing is worse than expected. ``attrs["left_out"]`` says which dimensions have more values
        than are looked at.

    Raises
    ------
    CauseError
        When a column is missing, the outcome is not a number or among `by`, no case has one, or an argument is not
        what it should be.
    """
    by = read_dimensions(by, [outcome], depth, _TAKEN)
    if worse not in ("high", "low"):
        raise CauseError(f"{worse!r} is no way to go wrong", where="worse", fix="use high or low")
    now = _with_outcome(cases, outcome, by, "cases", at).assign(_now=1.0)
    before = None if baseline is None else _with_outcome(baseline, outcome, by, "baseline", at).assign(_now=0.0)
    rows = now if before is None else pd.concat([now, before], ignore_index=True)
    sign = 1.0 if worse == "high" else -1.0
    rate = bool(rows[outcome].isin([0, 1]).all())
    amount = rows[outcome] if sign > 0 else (1 - rows[outcome] if rate else -rows[outcome])
    rows = rows.assign(_amount=amount)
    table = _changes(rows, by, depth, at) if before is not None else _differences(rows, by, depth, rate, seed)
    if sign < 0:  # back to the outcome as it was given; excess stays "for the worse"
        for name in ("value", "expected"):
            table[name] = 1 - table[name] if rate else -table[name]
    return table


def segments_of_counts(
    counts: pd.DataFrame,
    by: Sequence[str],
    bad: str = "bad",
    total: str = "total",
    bad_before: str = "bad_before",
    total_before: str = "total_before",
    depth: int = 3,
    *,
    strength: float = STRENGTH,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the segments that explain a rate that went wrong, from counts per combination of all dimensions.

    Parameters
    ----------
    counts : pandas.DataFrame
        One row per combination; rows of the same combination are added up.
    by : sequence of str
        The dimensions.
    bad, total : str
        Columns of what was bad and of all, now.
    bad_before, total_before : str
        The same for an earlier time; may be means over many times, so need not be whole.
    depth, seed : int
        As in `segments`.
    strength : float
        Earlier cases of a combination that weigh as much as what its dimensions say one by one.

    Returns
    -------
    pandas.DataFrame
        As `segments` gives it.

    Raises
    ------
    CauseError
        When a column is missing or not a number, a count is negative or infinite, or more is bad than there is.
    """
    names = {bad: "bad", total: "total", bad_before: "bad_before", total_before: "total_before"}
    by = read_dimensions(by, list(names), depth, list(names.values()))
    absent = [name for name in [*names, *by] if name not in counts.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where="counts", fix="name the columns that hold counts")
    table = counts[[*by, *names]].rename(columns=names)
    numbers = table[list(names.values())].apply(pd.to_numeric, errors="coerce").astype("float64")
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise CauseError(
            "a count is missing, negative, infinite or not a number",
            where=f"row {row}, {numbers.columns[column]}",
            fix="give counts from 0 up",
        )
    if (numbers["bad"] > numbers["total"]).any() or (numbers["bad_before"] > numbers["total_before"] + 1e-9).any():
        raise CauseError("more is bad than there is", where="counts", fix="total counts all, the bad included")
    table[list(numbers.columns)] = numbers
    leaves = table.groupby(by, dropna=False, sort=True, as_index=False)[list(numbers.columns)].sum()
    if leaves["total"].sum() == 0:
        raise CauseError("there are no cases to look at", where=total, fix="check the period and the filter")
    cube = build(leaves, by, depth)
    evidence = _rates(cube, leaves, strength)
    return _leaf_table(cube, scan(cube, evidence, seed=seed), leaves, evidence)


def _changes(rows: pd.DataFrame, by: list[str], depth: int, at: str | None) -> pd.DataFrame:
    now, amount = rows["_now"].to_numpy() == 1, rows["_amount"].to_numpy("float64")
    layout = lay_out(rows.assign(period=np.where(now, "now", "before")), by, _FEWEST, min(depth, 3))
    causes = contrast(layout, amount, _order(rows, now, at), least=_FEWEST, level=np.inf)
    place = {name: number for number, name in enumerate(layout.names)}
    total, table = now.sum(), []
    for number, cause in enumerate(causes, 1):
        if number > 1 and cause.p_value >= _SIGNIFICANT:
            break
        here = cause.rows & now
        n, value, gain = here.sum(), amount[here].mean(), max(cause.z, 0.0) ** 2 / 2
        sure = (cause.low, cause.high, cause.excess / total, gain, cause.p_value)
        table.append((cause.where, number, "cause", n, value, value - cause.excess / n, cause.excess, *sure))
        for name in cause.others[:_ALTERNATIVES]:
            here = layout.rows(place[name]) & now
            part = cause.excess * cause.counted[here].sum() / cause.counted.sum()
            table.append((name, number, "alternative", here.sum(), amount[here].mean(), np.nan, part, *[np.nan] * 5))
    out = pd.DataFrame(table, columns=list(_COLUMNS)).astype({"n": "int64", "cause": "int64"})
    out.attrs["left_out"] = layout.left_out
    return out


def _order(rows: pd.DataFrame, now: NDArray[np.bool_], at: str | None) -> NDArray[np.float64]:
    # When each case came, as a part of its period.
    order = np.zeros(len(rows))
    if at is None:
        return order
    if not pd.api.types.is_datetime64_any_dtype(rows[at]):
        raise CauseError(
            "one time has a zone, the other none", where=f"baseline, {at}", fix="give both a zone, or none"
        )
    for when in (now, ~now):
        days = (rows.loc[when, at] - rows.loc[when, at].min()).dt.total_seconds().to_numpy()
        order[when] = days / max(days.max(), 1.0) * (1 - 1e-9)
    return order


def _differences(rows: pd.DataFrame, by: list[str], depth: int, rate: bool, seed: int) -> pd.DataFrame:
    leaves = _leaves(rows, by, "_amount")
    cube = build(leaves, by, depth)
    amounts = _rates(cube, leaves) if rate else _means(leaves)
    evidence: Evidence = amounts
    if not rate:
        evidence = _means(_leaves(rows.assign(_score=_normal_scores(rows["_amount"])), by, "_score"))
    found = scan(cube, evidence, seed=seed)
    return _leaf_table(cube, found, leaves, amounts)


def _sums(rows: pd.DataFrame, by: list[str], names: list[str]) -> pd.DataFrame:
    # Sorted by the dimensions, so that nothing depends on the order of the cases.
    squares = {f"{name}_square": rows[name] ** 2 for name in names}
    rows = rows.assign(count=1.0, **squares)
    return rows.groupby(by, dropna=False, sort=True, as_index=False)[["count", *names, *squares]].sum()


def _with_outcome(frame: pd.DataFrame, outcome: str, by: list[str], where: str, at: str | None) -> pd.DataFrame:
    times = [] if at is None else [at]
    absent = [name for name in [outcome, *by, *times] if name not in frame.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where=where, fix="name columns of the frame")
    if at is not None and not pd.api.types.is_datetime64_any_dtype(frame[at]):
        raise CauseError("the time of a case is no time", where=f"{where}, {at}", fix="turn it into datetime64")
    out = frame.loc[frame[outcome].notna(), [*dict.fromkeys([*by, outcome, *times])]].copy()
    number = pd.api.types.is_numeric_dtype(out[outcome]) or pd.api.types.is_bool_dtype(out[outcome])
    if not number and not out[outcome].map(lambda each: isinstance(each, bool | np.bool_ | int | float)).all():
        raise CauseError("the outcome is not a number", where=outcome, fix="turn it into 0 and 1, or into a number")
    if out.empty:
        raise CauseError("no case has an outcome", where=f"{where}, {outcome}", fix="check the period and the filter")
    out[outcome] = out[outcome].astype("float64")
    if np.isinf(out[outcome]).any():
        raise CauseError("the outcome of a case is infinite", where=f"{where}, {outcome}", fix="leave such cases out")
    return out


def _leaves(rows: pd.DataFrame, by: list[str], amount: str) -> pd.DataFrame:
    sums = _sums(rows, by, [amount])
    return sums.rename(columns={amount: "bad", "count": "total", f"{amount}_square": "square"})


def _normal_scores(values: pd.Series) -> pd.Series:
    # Waits and handle times have long tails, under which a few cases would decide. Ranks don't (van der Waerden 1952).
    from scipy.special import ndtri

    return pd.Series(ndtri(values.rank().to_numpy() / (len(values) + 1)), index=values.index)


def _rates(cube: Cube, leaves: pd.DataFrame, strength: float = STRENGTH) -> Rates:
    if "total_before" in leaves and leaves["total_before"].sum() > 0:
        bad, total, bad_before, total_before = _arrays(leaves, "bad", "total", "bad_before", "total_before")
        expected = expect_rates(cube, bad_before, total_before, strength)
        return Rates(bad, total, expected, total_before + strength / 2)
    bad, total = _arrays(leaves, "bad", "total")
    overall = (bad.sum() + 0.5) / (total.sum() + 1)
    return Rates(bad, total, np.full(len(bad), overall), np.full(len(bad), total.sum() + 1))


def _means(leaves: pd.DataFrame) -> Means:
    amount, count, square = _arrays(leaves, "bad", "total", "square")
    whole, freedom = count.sum(), np.maximum(count - 1, 0).sum()
    overall = amount.sum() / whole
    # The variance within leaves; of all cases where hardly any leaf holds two.
    noise = square.sum() / whole - overall**2
    if freedom > 0.1 * whole:
        noise = (square - amount**2 / count).sum() / freedom
    return Means(amount / count, count, np.full(len(count), overall), np.full(len(count), whole), max(noise, 1e-12))


def _arrays(leaves: pd.DataFrame, *names: str) -> tuple[np.ndarray, ...]:
    return tuple(leaves[name].to_numpy("float64") for name in names)


def _leaf_table(cube: Cube, found: Scan, leaves: pd.DataFrame, amounts: Rates | Means) -> pd.DataFrame:
    total, bad = _arrays(leaves, "total", "bad")
    error = np.sqrt(_variances(cube, found.spread, leaves, amounts))
    return _table(cube, found, total, bad, cube.total(amounts.excess()), error)


def _table(cube: Cube, found: Scan, total: NDArray, bad: NDArray, excess: NDArray, error: NDArray) -> pd.DataFrame:
    # `total` and `bad` are of the rows of the cube, `excess` and its standard `error` of the segments.
    n = cube.total(total)
    value = cube.total(bad) / np.maximum(n, 1e-12)
    order = np.lexsort((np.arange(len(n)), -np.round(found.gain, 9)))
    rows = []
    for number, cause in enumerate(found.causes):
        same = [s for s in order if found.account[s] == number and s != cause and found.gain[s] > 0]
        rows += [(cause, number + 1, "cause"), *((s, number + 1, "alternative") for s in same[:_ALTERNATIVES])]
    rows.sort(key=lambda row: (-round(found.gain[row[0]], 9), row[2] != "cause", row[1]))
    at = np.array([row[0] for row in rows], dtype=np.int64)
    excess, wide = excess[at], _Z * error[at]
    table = pd.DataFrame(
        {
            "segment": [cube.name(s) for s in at],
            "cause": np.array([row[1] for row in rows], dtype="int64"),
            "role": [row[2] for row in rows],
            "n": n[at].round().astype("int64"),
            "value": value[at],
            "expected": value[at] - excess / np.maximum(n[at], 1e-12),
            "excess": excess,
            "low": excess - wide,
            "high": excess + wide,
            "won": excess / total.sum(),
            "gain": found.gain[at],
            "p_value": found.p_value[at],
        }
    )
    table.attrs["left_out"] = dict(cube.rare)
    return table


def _variances(cube: Cube, spread: float, leaves: pd.DataFrame, amounts: Rates | Means) -> NDArray[np.float64]:
    # Of each segment's excess, around what the segment became: its own variance, the spread of leaves, and the doubt
    # about what was expected.
    count, known = leaves["total"].to_numpy("float64"), amounts.known
    n, total = cube.total(count), cube.total(leaves["bad"].to_numpy("float64"))
    mean = total / np.maximum(n, 1e-12)
    squares = total if isinstance(amounts, Rates) else cube.total(leaves["square"].to_numpy("float64"))
    own = np.maximum(squares / np.maximum(n, 1e-12) - mean**2, 0.0)
    doubt = (
        amounts.expected * (1 - amounts.expected) if isinstance(amounts, Rates) else np.full(len(count), amounts.noise)
    )
    return own * (n + spread * cube.total(count * np.maximum(count - 1, 0))) + cube.total(count**2 * doubt / known)
