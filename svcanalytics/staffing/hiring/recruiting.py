"""How many people to hire, and when, so that the months to come have enough of them with a stated risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.hiring.workforce import Workforce

__all__ = ["CapacityPlan", "plan_capacity"]

_QUANTILES = {"low": 0.1, "middle": 0.5, "high": 0.9}
_ROUNDS = 25
_EPSILON = 1e-3
"""People: nobody is hired for less."""
_NEAR = 0.02
"""A risk that is missed by less than this is kept: the courses are a sample."""


@dataclass(frozen=True, eq=False)
class CapacityPlan:
    """Whom to hire and what it comes to, in quantiles.

    Attributes
    ----------
    months : pandas.DataFrame
        A row per month: month, hires (people whose first day is in it), decide_by (month in which to decide), and each
        with _low, _middle and _high (10, 50 and 90 %): required, available, unhired (available were nobody hired),
        people (heads there, in training too), leavers; in full-time equivalents of productive people. short (chance
        that fewer are available than required), short_unhired.
    cost : float
        Of the months planned: wages of everybody, and of hiring; the mean over the courses.
    risk : float
        The chance of a short month that was asked for.
    missing : tuple of tuple
        Months whose risk no hiring can bring down: month, chance, people short in the middle of the short courses, why
        ("lead": nobody hired today is productive by then; "class": the class is full).
    """

    months: pd.DataFrame
    cost: float
    risk: float
    missing: tuple[tuple[str, float, float, str], ...]

    @property
    def hires(self) -> int:
        """People to hire in all."""
        return int(self.months["hires"].sum())

    def sentences(self, language: str = "en") -> list[str]:
        """Return what a manager has to decide, in sentences."""
        zh = language == "zh"
        out = []
        for row in self.months[self.months["hires"] > 0].itertuples():
            out.append(
                f"{row.month}入职{row.hires}人（最迟{row.decide_by}决定）。"
                if zh
                else f"{row.hires} people start in {row.month}; decide by {row.decide_by}."
            )
        if not out:
            out.append("无需招聘。" if zh else "Nobody need be hired.")
        for month, chance, people, why in self.missing:
            reason = {
                "lead": ("此前招聘的人员尚不能独立上岗", "nobody hired now is productive by then"),
                "class": ("培训名额已满", "the training classes are full"),
            }[why][0 if zh else 1]
            out.append(
                f"{month}人手不足的可能性为{chance:.0%}，缺约{people:.1f}人：{reason}。"
                if zh
                else f"{month} is short with a chance of {chance:.0%}, by about {people:.1f} people: {reason}."
            )
        return out


def plan_capacity(
    workload: pd.DataFrame,
    workforce: Workforce,
    *,
    risk: float = 0.2,
    month_cost: float = 1.0,
    hire_cost: float = 0.5,
    seed: int = 0,
) -> CapacityPlan:
    """Plan hiring month by month: as few people, as late, as keep every month's chance of being short within a risk.

    Whom to hire when is an integer programme on each month's quantile of what is lacking, with the expected share of
    later hires that is still there and productive; its demands are raised until the risk holds in the courses
    themselves, in which everybody leaves or stays by chance.

    Parameters
    ----------
    workload : pandas.DataFrame
        Hours at the desk by month (index: Period, freq M, one after the other), a column per course; as
        `monthly_workload` gives them.
    workforce : Workforce
        The people there are on the first day of the first month.
    risk : float
        Chance of a month with too few people that is accepted, above 0 and below 1.
    month_cost, hire_cost : float
        Of one person in one month, and of hiring one (advertising, choosing, the trainer).
    seed : int
        Of leaving by chance.

    Returns
    -------
    CapacityPlan

    Raises
    ------
    StaffingError
        When months don't follow one another, hours are negative, or `risk` is no chance.
    """
    _check(workload, risk)
    months, paths = workload.index, workload.shape[1]
    hours = np.array([_productive_hours(workforce, month) for month in months])
    required = workload.to_numpy("float64") / hours[:, None]
    rng = np.random.default_rng(seed)
    hazard = workforce.draw_hazards(paths, rng)
    luck = rng.random((len(months), paths))
    stay = _stay(workforce.agents, hazard, luck)
    first = workforce.lead_months
    share = _shares(workforce, len(months), first, float(hazard.mean()))
    margin = np.zeros(len(months))
    hires = np.zeros(len(months), dtype=np.int64)
    for _ in range(_ROUNDS):
        lacking = np.quantile(required - stay, 1 - risk, axis=1) + margin
        hires = _fewest(np.maximum(lacking, 0.0), share, workforce.most_hires, first, month_cost, hire_cost)
        heads, able = _live(hires, workforce, hazard, seed + 1)
        short = (required - stay - able > _EPSILON).mean(axis=1)
        late = (short > risk + 0.5 / paths) & (share.sum(axis=1) > 0) & (hires < _limit(workforce))[:, None].any()
        if not late.any():
            break
        gap = np.quantile(required - stay - able, 1 - risk, axis=1)
        margin += np.where(late, np.maximum(gap, 0.05), 0.0)
    lived = _Lived(required, stay, heads, able)
    cost = float((stay + heads).mean(axis=1).sum() * month_cost + hires.sum() * hire_cost)
    table = _tabulate(months, workforce, lived, hires)
    return CapacityPlan(table, cost, risk, _missing(months, workforce, lived, risk))


def _check(workload: pd.DataFrame, risk: float) -> None:
    months = workload.index
    if not isinstance(months, pd.PeriodIndex) or len(months) == 0 or (np.diff(months.astype("int64")) != 1).any():
        raise StaffingError("the months don't follow one another", where="workload", fix="give one row per month")
    if not np.isfinite(workload.to_numpy("float64")).all() or (workload.to_numpy() < 0).any():
        raise StaffingError("hours are missing or negative", where="workload", fix="give hours from 0 up")
    if not 0 < risk < 1:
        raise StaffingError(f"a risk of {risk}", where="risk", fix="give a chance above 0 and below 1")


def _productive_hours(workforce: Workforce, month: pd.Period) -> float:
    length = month.days_in_month / 30.4375
    return workforce.paid_hours * length * (1 - workforce.leave[month.month - 1]) * (1 - workforce.shrinkage)


def _stay(agents: float, hazard: NDArray, luck: NDArray) -> NDArray[np.float64]:
    # By quantiles of the binomial, so that the same luck gives nearby courses for nearby workforces.
    from scipy.stats import binom

    out = np.empty_like(luck)
    left = np.full(luck.shape[1], float(agents))
    for month, chance in enumerate(luck):
        left = left - binom.ppf(chance, np.floor(left), hazard)
        out[month] = left
    return out


def _shares(workforce: Workforce, months: int, first: int, hazard: float) -> NDArray[np.float64]:
    """Return the expected productive share, in each month (row), of a person hired in each (column)."""
    since = np.arange(months)[:, None] - np.arange(months)[None, :]
    share = workforce.productivity(since) * (1 - hazard) ** np.maximum(since, 0)
    share[:, :first] = 0.0
    return share


def _fewest(
    lacking: NDArray, share: NDArray, most: int | None, first: int, month_cost: float, hire_cost: float
) -> NDArray[np.int64]:
    from scipy.optimize import Bounds, LinearConstraint, milp

    months = len(lacking)
    limit = np.full(months, np.inf if most is None else float(most))
    limit[:first] = 0.0
    # What can't be had is not asked for: the programme always has an answer, and `missing` says what it leaves.
    reach = np.where(np.isfinite(limit), limit, lacking.max(initial=0.0) / 0.05 + 1)
    asked = np.minimum(lacking, share @ reach)
    price = hire_cost + month_cost * np.arange(months, 0, -1.0)
    found = milp(
        price,
        constraints=LinearConstraint(share, asked - _EPSILON, np.inf),
        integrality=np.ones(months),
        bounds=Bounds(0.0, reach),
        options={"time_limit": 10.0},
    )
    return np.zeros(months, dtype=np.int64) if found.x is None else np.round(found.x).astype(np.int64)


def _limit(workforce: Workforce) -> float:
    return np.inf if workforce.most_hires is None else float(workforce.most_hires)


def _live(
    hires: NDArray[np.int64], workforce: Workforce, hazard: NDArray, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return new people's heads and productive equivalents by month and course, everybody leaving by chance."""
    rng = np.random.default_rng(seed)
    months, paths = len(hires), len(hazard)
    heads, able = np.zeros((months, paths)), np.zeros((months, paths))
    for start in np.flatnonzero(hires):
        left = np.full(paths, hires[start])
        for month in range(start, months):
            if month > start:
                left = left - rng.binomial(left, hazard)
            heads[month] += left
            able[month] += left * workforce.productivity(np.array([month - start]))[0]
    return heads, able


@dataclass(frozen=True, eq=False)
class _Lived:
    """Courses, months by courses: required, those who stay of today's people, new heads, and what these are worth."""

    required: NDArray[np.float64]
    stay: NDArray[np.float64]
    heads: NDArray[np.float64]
    able: NDArray[np.float64]

    @property
    def gap(self) -> NDArray[np.float64]:
        return self.required - self.stay - self.able


def _tabulate(months: pd.PeriodIndex, workforce: Workforce, lived: _Lived, hires: NDArray[np.int64]) -> pd.DataFrame:
    people = lived.stay + lived.heads
    before = np.vstack([np.full(people.shape[1], float(workforce.agents)), people[:-1]])
    courses = {
        "required": lived.required,
        "available": lived.stay + lived.able,
        "unhired": lived.stay,
        "people": people,
        "leavers": before + hires[:, None] - people,
    }
    table = pd.DataFrame({"month": months.astype(str), "hires": hires})
    table["decide_by"] = (months - workforce.lead_months).astype(str)
    for name, values in courses.items():
        for word, q in _QUANTILES.items():
            table[f"{name}_{word}"] = np.quantile(values, q, axis=1)
    table["short"] = (lived.gap > _EPSILON).mean(axis=1)
    table["short_unhired"] = (lived.required - lived.stay > _EPSILON).mean(axis=1)
    return table


def _missing(
    months: pd.PeriodIndex, workforce: Workforce, lived: _Lived, risk: float
) -> tuple[tuple[str, float, float, str], ...]:
    first = workforce.lead_months + workforce.training_months
    found = []
    for place, gap in enumerate(lived.gap):
        chance = float((gap > _EPSILON).mean())
        if chance > risk + _NEAR:
            found.append(
                (str(months[place]), chance, float(np.median(gap[gap > 0])), "lead" if place < first else "class")
            )
    return tuple(found)
