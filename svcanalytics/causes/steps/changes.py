"""What changed in how cases are worked: steps that take longer, are skipped, come more often, again or in new order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CauseError

__all__ = ["Changes", "Habit", "changed_steps", "habits"]

_FEWEST = 40  # cases of a place in each period
_RAREST = 0.01  # share of cases that must do it the rarer way for an order to be looked at
_MOST_ORDERS = 30
_MOST_VALUES = 30  # of a dimension
_DRAWS = 999
_LEVEL = 0.05

_Place = tuple[str, NDArray[np.bool_]]  # a value of a dimension, and the cases that have it


@dataclass(frozen=True, eq=False)
class Changes:
    """What changed, and what is needed to price it.

    Attributes
    ----------
    table : pandas.DataFrame
        The most certain first: habit (place in `habits`), kind, activity, other, rise, segment ("channel=app", "" for
        all cases), where (as a finding names it), n, n_before (cases), mean, mean_before (seconds at the step, or
        share), z, p_value, since (the day on which the change is most likely to have begun).
    habits : tuple of Habit
    cases : pandas.DataFrame
        By case id: now (bool), day (it began), dimensions.
    inside : tuple of numpy.ndarray of bool
        For each row of `table`, which of its habit's cases lie in it.
    """

    table: pd.DataFrame
    habits: tuple[Habit, ...]
    cases: pd.DataFrame
    inside: tuple[NDArray[np.bool_], ...]


@dataclass(frozen=True, eq=False)
class Habit:
    """One way in which cases are worked.

    Attributes
    ----------
    kind : {"slow", "done", "again", "order"}
        How long a step takes; whether it is done; whether it is done more than once; whether it comes before another.
    activity : str
    other : str
        The activity it comes before, for an order.
    case : numpy.ndarray of int64, shape ``(m,)``
        Rows of the table of cases for which it can be told.
    amount : numpy.ndarray of float64, shape ``(m,)``
        Seconds at the step, or 0 and 1.
    """

    kind: str
    activity: str
    other: str
    case: NDArray[np.int64]
    amount: NDArray[np.float64]

    def name(self, rise: bool) -> str:
        """Return how a finding calls it, when there is more of it, or less."""
        if self.kind == "done":
            return f"step={self.activity}" if rise else f"skipped={self.activity}"
        if self.kind == "order":
            return f"order={self.activity} → {self.other}" if rise else f"order={self.other} → {self.activity}"
        return f"{'rework' if self.kind == 'again' else 'step'}={self.activity}"


def habits(steps: pd.DataFrame, cases: pd.Index) -> Iterator[Habit]:
    """Read from steps how each case was worked.

    Parameters
    ----------
    steps : pandas.DataFrame
        As `Process` has them.
    cases : pandas.Index
        The case ids.
    """
    case = cases.get_indexer(steps["case_id"].astype("object"))
    code, names = pd.factorize(steps["activity"].astype("object"), sort=True)
    spent = (steps["wait_s"] - steps["outside_s"] + steps["service_s"]).to_numpy("float64")
    runs = np.zeros((len(names), len(cases)), dtype=np.int32)
    np.add.at(runs, (code, case), 1)
    time = np.zeros(runs.shape)
    np.add.at(time, (code, case), spent)
    everybody = np.arange(len(cases))
    for number, name in enumerate(names):
        there = np.flatnonzero(runs[number] > 0)
        yield Habit("slow", name, "", there, time[number, there])
        yield Habit("done", name, "", everybody, (runs[number] > 0).astype("float64"))
        yield Habit("again", name, "", there, (runs[number, there] > 1).astype("float64"))
    yield from _orders(case, code, names, runs)


def changed_steps(
    now: pd.DataFrame, before: pd.DataFrame, cases: pd.DataFrame | None = None, *, level: float = _LEVEL, seed: int = 0
) -> Changes:
    """Find what changed in how cases are worked.

    Every habit (see `Habit`) is compared between the periods, over all cases and over those of each value of each
    dimension: times as normal scores of their ranks, the rest as shares, both less what the dimensions of a case lead
    to expect (least squares over both periods), so that another mix of cases is not taken for another way of working.
    Errors count whole weeks of cases as one draw where that makes them larger than whole days do, because backlogs and
    bad days touch many cases at once. P-values hold for everything looked at together: the largest of all standardised
    differences is drawn with the weeks' parts given random signs (wild cluster bootstrap; Westfall and Young 1993).
    After a change is found its cases are left out, and the same habit is looked at again in other places.

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
    steps = pd.concat([before, now])
    begun = steps.groupby(steps["case_id"].astype("object"), sort=True)["started_at"].min()
    table = pd.DataFrame(
        {"now": begun.index.isin(now["case_id"].unique()), "day": begun.dt.floor("D")}, index=begun.index
    )
    if cases is not None:
        known = cases.drop_duplicates("case_id").set_index("case_id").reindex(table.index)
        table = table.join(known)
    found = list(habits(steps, table.index))
    places, clusters = _places(table), _Clusters(table)
    scores = _scores(found, places, clusters.now)
    looks = [
        look
        for number, habit in enumerate(found)
        for look in _looks(number, habit.case, scores[number], places, clusters)
    ]
    if not looks:
        return _told([], found, table)
    law = clusters.law(np.stack([look.parts for look in looks]), seed)
    kept: list[tuple[_Look, float]] = []
    for number, habit in enumerate(found):
        mine = [look for look in looks if look.habit == number]
        left, tried = np.ones(len(habit.case), dtype=bool), set()
        while mine:
            best = max(mine, key=lambda look: abs(look.z))
            p_value = law(abs(best.z))
            if p_value > level:
                break
            kept.append((best, p_value))
            left &= ~best.inside
            again = _looks(number, habit.case[left], scores[number][left], places, clusters)
            tried.add(best.place)
            mine = [look.widened(left) for look in again if look.place not in tried and (look.z > 0) == (best.z > 0)]
    kept.sort(key=lambda each: (each[1], -abs(each[0].z)))
    return _told(kept, found, table)


@dataclass(frozen=True, eq=False)
class _Look:
    habit: int
    place: str
    inside: NDArray[np.bool_]  # among the habit's cases
    z: float
    parts: NDArray[np.float64]  # of the difference by cluster, standardised
    since: pd.Timestamp

    def widened(self, left: NDArray[np.bool_]) -> _Look:
        inside = np.zeros(len(left), dtype=bool)
        inside[np.flatnonzero(left)[self.inside]] = True
        return _Look(self.habit, self.place, inside, self.z, self.parts, self.since)


class _Clusters:
    """Days and weeks of cases, and what a difference between the periods owes to each."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.now = table["now"].to_numpy()
        day = table["day"].to_numpy("datetime64[D]").astype(np.int64)
        self.days, self.day = np.unique(day, return_inverse=True)
        _, self.week = np.unique((self.days + 3) // 7 * 2 + self._side(), return_inverse=True)

    def _side(self) -> NDArray[np.int64]:
        # A week in which one period ends and the other begins is two.
        side = np.zeros(len(self.days), dtype=np.int64)
        side[self.day[self.now]] = 1
        return side

    def compare(self, case: NDArray[np.int64], score: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], int]:
        """Return the standardised difference of a score's means, its parts by week, and the day it began."""
        now, day = self.now[case], self.day[case]
        counts = np.array([(~now).sum(), now.sum()])
        means = np.array([score[~now].mean(), score[now].mean()])
        centred = (score - means[now.astype(int)]) / counts[now.astype(int)]
        days = np.bincount(day, centred * np.where(now, 1, -1), minlength=len(self.days))
        weeks = np.bincount(self.week, days)
        errors = [np.sqrt((part**2).sum() * _correction(part)) for part in (days, weeks)]
        error = max(max(errors), 1e-12)
        return (means[1] - means[0]) / error, weeks / error, self._onset(day, score)

    def _onset(self, day: NDArray[np.int64], score: NDArray[np.float64]) -> int:
        counts = np.bincount(day, minlength=len(self.days)).astype("float64")
        sums = np.bincount(day, score - score.mean(), minlength=len(self.days))
        n, total = np.cumsum(counts)[:-1], np.cumsum(sums)[:-1]
        rest = counts.sum() - n
        gain = np.where((n > 0) & (rest > 0), total**2 * (1 / np.maximum(n, 1) + 1 / np.maximum(rest, 1)), 0)
        return int(np.argmax(gain)) + 1 if len(gain) else 0

    def law(self, parts: NDArray[np.float64], seed: int) -> Callable[[float], float]:
        """Return the function that gives the probability of a largest difference beyond a value by chance."""
        from scipy.stats import norm, t

        rng = np.random.default_rng(seed)
        signs = rng.choice((-1.0, 1.0), (_DRAWS, parts.shape[1]))
        largest = np.sort(np.abs(signs @ parts.T).max(axis=1))
        width = max(float(largest.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
        centre = float(largest.mean()) - np.euler_gamma * width
        freedom = max(parts.shape[1] - 2, 1)

        def probability(z: float) -> float:
            # Few weeks make errors uncertain: the value is read as Student's before it is held against the draws.
            value = float(norm.isf(max(t.sf(z, freedom), 1e-300)))
            beyond = _DRAWS - int(np.searchsorted(largest, value))
            tail = float(-np.expm1(-np.exp(-np.clip((value - centre) / width, -50, 700))))
            counted = (1 + beyond) / (1 + _DRAWS)
            return counted if beyond > 5 else min(tail, counted)

        return probability


def _correction(parts: NDArray[np.float64]) -> float:
    there = int((parts != 0).sum())
    return there / max(there - 2, 1)


def _places(table: pd.DataFrame) -> list[_Place]:
    out = [("", np.ones(len(table), dtype=bool))]
    for name in sorted(set(table.columns) - {"now", "day"}):
        values = table[name].astype("object").where(table[name].notna(), "").astype(str)
        counts = values.value_counts()
        for value in sorted(counts.index[:_MOST_VALUES]) if len(counts) > 1 else ():
            out.append((f"{name}={value}", (values == value).to_numpy()))
    return out


def _scores(found: list[Habit], places: list[_Place], now: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    # Values that are hardly there in one period would pass for the period.
    shares = [(inside[now].mean(), inside[~now].mean()) for _, inside in places]
    mix = np.stack([inside for (_, inside), each in zip(places, shares, strict=True) if min(each) > _RAREST], axis=1)
    out = []
    for habit in found:
        score = habit.amount
        if habit.kind == "slow":
            score = ndtri(rankdata(score) / (len(score) + 1))
        known = mix[habit.case].astype("float64")
        square = known.T @ known + 1e-6 * len(known) * np.eye(known.shape[1])
        out.append(score - known @ np.linalg.solve(square, known.T @ score) if len(score) else score)
    return out


def _looks(
    number: int, case: NDArray[np.int64], score: NDArray[np.float64], places: list[_Place], clusters: _Clusters
) -> Iterator[_Look]:
    for place, members in places:
        inside = members[case]
        now = clusters.now[case[inside]]
        if min(now.sum(), (~now).sum()) < _FEWEST or np.ptp(score[inside]) < 1e-9:
            continue
        z, parts, since = clusters.compare(case[inside], score[inside])
        yield _Look(
            number,
            place,
            inside,
            z,
            parts,
            pd.Timestamp(int(clusters.days[min(since, len(clusters.days) - 1)]), unit="D"),
        )


def _orders(case: NDArray, code: NDArray, names: pd.Index, runs: NDArray) -> Iterator[Habit]:
    first = np.full(runs.shape, np.iinfo(np.int64).max)
    np.minimum.at(first, (code, case), np.arange(len(case)))
    pairs = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = np.flatnonzero((runs[a] > 0) & (runs[b] > 0))
            earlier = (first[a, both] < first[b, both]).astype("float64")
            rarer = min(earlier.mean(), 1 - earlier.mean()) if len(both) else 0
            if rarer >= _RAREST and len(both) >= 2 * _FEWEST:
                pairs.append((len(both), Habit("order", names[a], names[b], both, earlier)))
    pairs.sort(key=lambda pair: (-pair[0], pair[1].activity, pair[1].other))
    yield from (habit for _, habit in pairs[:_MOST_ORDERS])


def _told(kept: list[tuple[_Look, float]], found: list[Habit], table: pd.DataFrame) -> Changes:
    rows = []
    is_now = table["now"].to_numpy()
    for look, p_value in kept:
        habit = found[look.habit]
        now = is_now[habit.case] & look.inside
        then = ~is_now[habit.case] & look.inside
        rise = look.z > 0
        rows.append(
            (look.habit, habit.kind, habit.activity, habit.other, rise, look.place)
            + (
                "&".join(sorted(filter(None, [*look.place.split("&"), habit.name(rise)]))),
                int(now.sum()),
                int(then.sum()),
            )
            + (float(habit.amount[now].mean()), float(habit.amount[then].mean()), look.z, p_value, look.since)
        )
    names = ["habit", "kind", "activity", "other", "rise", "segment", "where", "n", "n_before", "mean", "mean_before"]
    changes = pd.DataFrame(rows, columns=[*names, "z", "p_value", "since"])
    return Changes(changes, tuple(found), table, tuple(look.inside for look, _ in kept))
