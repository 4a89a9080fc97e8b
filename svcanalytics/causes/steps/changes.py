"""What changed in how cases are worked: steps that take longer, are skipped, come more often, again or in new order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.comparing import Differences, Periods, law_of_largest
from svcanalytics.causes.steps.habits import Habit, list_habits
from svcanalytics.errors import CauseError

__all__ = ["Changes", "changed_steps"]

_MOST_VALUES = 30  # of a dimension
_LEVEL = 0.05
_NEAR, _MORE = 0.9, 1.25  # a place that shows a change about as clearly, and in which more of it lies, is named instead
_RAREST = 0.01
_DEEPEST = 3  # dimensions that a change is named by
_SMALLER = 0.7  # of the cases, beyond which a further dimension says too little

_COLUMNS = (
    *("habit", "kind", "activity", "other", "rise", "segment", "where"),
    *("n", "n_before", "usual", "usual_before", "z", "p_value", "since"),
)

_Place = tuple[str, NDArray[np.int64], tuple[str, ...]]  # a dimension, the code of each case, and the values


@dataclass(frozen=True, eq=False)
class Changes:
    """What changed, and what is needed to price it.

    Attributes
    ----------
    table : pandas.DataFrame
        The most certain first: habit (place in `habits`), kind, activity, other, rise, segment ("channel=app", "" for
        all cases), where (as a finding names it), n, n_before (cases), usual, usual_before (median seconds at the
        step, or share), z, p_value, since (the day on which the change is most likely to have begun).
    habits : tuple of Habit
    cases : pandas.DataFrame
        By case id: now (bool), day (it began), dimensions.
    inside : tuple of numpy.ndarray of bool
        For each row of `table`, which of all cases lie in its segment, less those of rows found before it.
    """

    table: pd.DataFrame
    habits: tuple[Habit, ...]
    cases: pd.DataFrame
    inside: tuple[NDArray[np.bool_], ...]


def changed_steps(
    now: pd.DataFrame, before: pd.DataFrame, cases: pd.DataFrame | None = None, *, level: float = _LEVEL, seed: int = 0
) -> Changes:
    """Find what changed in how cases are worked.

    Every habit (see `Habit`) is compared between the periods, over all cases and over those of each value of each
    dimension: times as normal scores of their ranks, the rest as shares, both less what the dimensions of a case lead
    to expect (least squares over both periods), so that another mix of cases is not taken for another way of working.
    A change may have begun with any week of the period that leaves three. Errors count whole weeks of cases as one
    draw where that makes them larger than whole days do, because backlogs and bad days touch many cases at once.
    P-values hold for everything looked at together, see `law_of_largest`. A change that is clearer still within a
    second or third dimension is named by those too. Its cases are then left out, and the same habit is looked at again
    in other places.

    Parameters
    ----------
    now, before : pandas.DataFrame
        The steps of `Process` for the cases of each period.
    cases : pandas.DataFrame, optional
        ``case_id`` and dimensions of the cases of both.
    level : float
        Largest p-value that is returned.
    seed : int
        Of the draws.

    Returns
    -------
    Changes

    Raises
    ------
    CauseError
        When a period has no steps.
    """
    if now.empty or before.empty:
        raise CauseError("one period has no steps", where="now, before", fix="a change needs two periods")
    table = _table(now, before, cases)
    places, periods = _places(table), Periods(table["day"].to_numpy("datetime64[D]"), table["now"].to_numpy())
    habits = list_habits(pd.concat([before, now]), table.index)
    scores = _scores(habits, places, periods.now)
    unusual = [_unusual(habit.amount) for habit in habits]

    def look(number: int, among: NDArray[np.bool_]) -> list[Differences]:
        at = habits[number].case
        left = among[at]
        at, score, odd = at[left], scores[number][left], unusual[number][left]
        return [periods.compare(at, score, odd, code[at]) for _, code, _ in places]

    everybody = np.ones(len(table), dtype=bool)
    looked = [look(number, everybody) for number in range(len(habits))]
    law = law_of_largest([each.parts for one in looked for each in one], seed)
    kept: list[_Kept] = []
    for number in range(len(habits)):
        left, tried, rise = everybody.copy(), set(), None
        while (best := _best(looked[number], tried, rise)) is not None:
            p_value = law(best.z)
            if p_value > level:
                break
            rise = best.z > 0
            tried.add((best.dimension, best.value))
            inside, where, best = _narrow(lambda among, number=number: look(number, among), places, left, best)
            kept.append(_Kept(number, where, best.z, p_value, best.since, inside))
            left &= ~inside
            looked[number] = look(number, left)
    kept.sort(key=lambda each: (each.p_value, -abs(each.z), each.habit, each.named))
    rows = [_row(each, habits[each.habit], places, periods.now) for each in kept]
    return Changes(
        pd.DataFrame(rows, columns=list(_COLUMNS)), tuple(habits), table, tuple(each.inside for each in kept)
    )


@dataclass(frozen=True, eq=False)
class _Kept:
    habit: int
    named: tuple[tuple[int, int], ...]  # dimensions and values
    z: float
    p_value: float
    since: np.datetime64
    inside: NDArray[np.bool_]


def _table(now: pd.DataFrame, before: pd.DataFrame, cases: pd.DataFrame | None) -> pd.DataFrame:
    begun = pd.concat([each.groupby("case_id", observed=True)["started_at"].min() for each in (before, now)])
    later = np.r_[np.zeros(before["case_id"].nunique(), bool), np.ones(now["case_id"].nunique(), bool)]
    table = pd.DataFrame({"now": later, "day": begun.dt.tz_localize(None).dt.floor("D").to_numpy()})
    table.index = pd.Index(begun.index.astype("object"), name="case_id")
    if not table.index.is_unique:
        raise CauseError("a case is in both periods", where="now, before", fix="give a case the period it began in")
    if cases is None:
        return table
    known = cases.drop_duplicates("case_id").set_index("case_id")
    return table.join(known.drop(columns=["now", "day"], errors="ignore"))


def _places(table: pd.DataFrame) -> list[_Place]:
    out: list[_Place] = [("", np.zeros(len(table), dtype=np.int64), ("",))]
    for name in sorted(set(table.columns) - {"now", "day"}):
        values = table[name].astype("object").where(table[name].notna(), "").astype(str)
        common = values.value_counts()
        common = common.sort_index().sort_values(ascending=False, kind="stable").index[:_MOST_VALUES]
        if len(common) > 1:
            code = common.get_indexer(values)
            out.append((name, np.where(code < 0, len(common), code), tuple(common)))
    return out


def _scores(habits: list[Habit], places: list[_Place], now: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return each habit less what the dimensions lead to expect."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    mix = np.concatenate([np.eye(int(code.max()) + 1)[code] for _, code, _ in places], axis=1)
    # A value that is hardly there in one period would pass for the period.
    mix = mix[:, np.minimum(mix[now].mean(axis=0), mix[~now].mean(axis=0)) > _RAREST]
    out = []
    for habit in habits:
        score = habit.amount
        if habit.kind == "slow":
            score = ndtri(rankdata(score) / (len(score) + 1))
        known = mix[habit.case]
        square = known.T @ known + 1e-6 * len(known) * np.eye(known.shape[1])
        out.append(score - known @ np.linalg.solve(square, known.T @ score))
    return out


def _unusual(amount: NDArray[np.float64]) -> NDArray[np.bool_]:
    values, counts = np.unique(amount, return_counts=True)
    return amount != values[np.argmax(counts)]


@dataclass(frozen=True)
class _Found:
    dimension: int
    value: int
    z: float
    mass: float
    since: np.datetime64


def _listed(looked: list[Differences], rise: bool | None) -> list[_Found]:
    return [
        _Found(dimension, int(value), float(z), float(mass), since)
        for dimension, each in enumerate(looked)
        for value, z, mass, since in zip(each.place, each.z, each.mass, each.since, strict=True)
        if rise is None or (z > 0) == rise
    ]


def _best(looked: list[Differences], tried: set[tuple[int, int]], rise: bool | None) -> _Found | None:
    found = [each for each in _listed(looked, rise) if (each.dimension, each.value) not in tried]
    if not found:
        return None
    clearest = max(found, key=lambda each: abs(each.z))
    larger = [
        each for each in found if abs(each.z) >= _NEAR * abs(clearest.z) and abs(each.mass) > _MORE * abs(clearest.mass)
    ]
    return max(larger, key=lambda each: abs(each.mass)) if larger else clearest


def _narrow(
    look: Callable[[NDArray[np.bool_]], list[Differences]], places: list[_Place], left: NDArray[np.bool_], best: _Found
) -> tuple[NDArray[np.bool_], tuple[tuple[int, int], ...], _Found]:
    """Name more dimensions while that makes it clearer: by a quarter, and by more than so many would by chance."""
    inside, named = left & (places[best.dimension][1] == best.value), ((best.dimension, best.value),)
    while len(named) < _DEEPEST:
        used = {dimension for dimension, _ in named} | {0}
        found = [each for each in _listed(look(inside), best.z > 0) if each.dimension not in used]
        clearest = max(found, key=lambda each: abs(each.z), default=None)
        if clearest is None or clearest.z**2 < max(best.z**2 + 2 * np.log(len(found)) + 2, (_MORE * best.z) ** 2):
            break
        narrower = inside & (places[clearest.dimension][1] == clearest.value)
        if narrower.sum() > _SMALLER * inside.sum():
            break
        inside, named, best = narrower, (*named, (clearest.dimension, clearest.value)), clearest
    return inside, named, best


def _row(kept: _Kept, habit: Habit, places: list[_Place], is_now: NDArray[np.bool_]) -> dict[str, object]:
    parts = []
    for (name, _, values), value in ((places[dimension], value) for dimension, value in kept.named):
        if name:
            parts.append(f"{name}={values[value] if value < len(values) else 'other'}")
    now, then = is_now[habit.case] & kept.inside[habit.case], ~is_now[habit.case] & kept.inside[habit.case]
    usual = np.median if habit.kind == "slow" else np.mean
    return {
        "habit": kept.habit,
        "kind": habit.kind,
        "activity": habit.activity,
        "other": habit.other,
        "rise": kept.z > 0,
        "segment": "&".join(sorted(parts)),
        "where": "&".join(sorted([*parts, habit.name(kept.z > 0)])),
        "n": int(now.sum()),
        "n_before": int(then.sum()),
        "usual": float(usual(habit.amount[now])),
        "usual_before": float(usual(habit.amount[then])),
        "z": kept.z,
        "p_value": kept.p_value,
        "since": pd.Timestamp(kept.since),
    }
