"""Risks of the period to come: how likely each is, what it would cost, and what that is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import quality
from svcanalytics.report.facts.diagnosis import amounts
from svcanalytics.report.facts.prospect import Outlook, miss_chance, predict_next
from svcanalytics.report.facts.readings import Clock, Reading
from svcanalytics.report.words.formats import is_missing

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from svcanalytics.periods import Period
    from svcanalytics.quality import Profile
    from svcanalytics.report.facts.diagnosis import Diagnosis
    from svcanalytics.report.facts.evaluation import Evaluation

__all__ = ["Risk", "list_risks"]

#: A chance below this is not worth a line.
LEAST_CHANCE = 0.1
MOST_FINDINGS = 3
_LEVELS_P = (0.1, 0.3, 0.6, 0.9)
_LEVELS_POINTS = (0.05, 0.15, 0.4, 1.0)
_LEVELS_SHARE = (0.01, 0.03, 0.1, 0.25)
_QUANTILES = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True)
class Risk:
    """One risk.

    Attributes
    ----------
    kind : str
        "measure" and "standard" (a target is missed), "demand" (more than the staff can take), "ledger" (lines not done
        in time), "finding" (a cause persists).
    subject : str
        Id of the measure, standard or finding; "" otherwise.
    probability : float
        0-1.
    points : float or None
        Points of the index it costs if it happens.
    amount : float or None
        Cases, contacts or lines it is about if it happens.
    share : float or None
        `amount` of all there are.
    outlook : Outlook or None
        What the chance of a missed target rests on.
    """

    kind: str
    subject: str
    probability: float
    points: float | None = None
    amount: float | None = None
    share: float | None = None
    outlook: Outlook | None = None

    @property
    def levels(self) -> tuple[int, int]:
        """Return probability and impact as levels of 1-5."""
        known = self.points is not None
        size, limits = (self.points, _LEVELS_POINTS) if known else (self.share or 0.0, _LEVELS_SHARE)
        return 1 + int(np.searchsorted(_LEVELS_P, self.probability, "right")), 1 + int(
            np.searchsorted(limits, size, "right")
        )

    @property
    def severity(self) -> int:
        """Return probability x impact, 1-25."""
        return self.levels[0] * self.levels[1]

    @property
    def expected(self) -> float:
        """Return the points of the index to be expected from it: chance x cost; 0 where no points are known."""
        return self.probability * (self.points or 0.0)


def list_risks(evaluation: Evaluation) -> list[Risk]:
    """Return the risks of the next period, the gravest first.

    Measures of the index, standards, demand, lines of the ledger and findings: whatever the evaluation holds.
    """
    e = evaluation
    found = [
        *_measures(e.history, e.readings, e.profile, e.periods()),
        *_standards(e.clocks),
        *_findings(e.causes),
        *_ledger(e.topics.lines, e.period),
        *_demand(e),
    ]
    found = [risk for risk in found if risk.probability >= LEAST_CHANCE]
    return sorted(found, key=lambda risk: (-risk.severity, -risk.expected, -risk.probability, risk.subject))


def _measures(
    history: pd.DataFrame, readings: Iterable[Reading], profile: Profile | None, periods: Sequence[Period]
) -> list[Risk]:
    """Return measures of the index that may miss their target; what a miss costs is weight x points below it."""
    if profile is None or history.empty:
        return []
    shares, posts = profile.shares, {each.metric: each.goalposts for each in profile.metrics}
    keys = [period.key for period in periods]
    found = []
    for reading in readings:
        if reading.id not in shares or is_missing(reading.target) or is_missing(reading.value):
            continue
        own = history[(history["metric"] == reading.id) & history["value"].notna()]
        own = own[~own["flag"].isin(("incomplete", "suppressed"))].set_index("period")["value"]
        values = [float(own[key]) for key in _unbroken(keys, set(own.index))]
        outlook = predict_next(values, _error(reading))
        if outlook is None:
            continue
        chance = miss_chance(outlook, reading.target, reading.direction)
        goal = posts[reading.id]
        points = _cost(outlook, goal, reading, shares[reading.id])
        found.append(Risk("measure", reading.id, chance, points, outlook=outlook))
    return found


def _cost(outlook: Outlook, posts: quality.Goalposts, reading: Reading, share: float) -> float:
    """Return the points of the index below the target that a miss costs on average."""
    from scipy.stats import t

    draws = outlook.mean + outlook.std * t.ppf(_QUANTILES, outlook.degrees)
    draws = np.clip(draws, 0.0, 1.0) if reading.kind == "rate" else draws
    missed = draws[draws < reading.target] if reading.direction == "up" else draws[draws > reading.target]
    if not len(missed):
        return 0.0

    def score(values: ArrayLike) -> np.ndarray:
        return quality.normalise(
            values, direction=posts.direction, floor=posts.floor, target=posts.target, goal=posts.goal
        )

    lost = score([posts.target])[0] - score(missed)
    return float(share * np.clip(lost, 0.0, None).mean())


def _standards(clocks: Iterable[Clock]) -> list[Risk]:
    """Return standards that may miss their target: normal around this period's share.

    Its variance is twice the sampling variance, and what the change on the last period shows beyond sampling.
    """
    from scipy.stats import norm

    found = []
    for clock in clocks:
        reading = clock.reading
        if clock.composite or not reading.judged or not clock.due or is_missing(reading.value):
            continue
        error = _error(reading)
        drift = 0.0 if is_missing(reading.change) else max(0.0, reading.change**2 - 2 * error**2)
        std = max((2 * error**2 + drift) ** 0.5, 1e-9)
        chance = float(norm.cdf((reading.target - reading.value) / std))
        late = 1 - min(reading.value, reading.target)
        found.append(Risk("standard", reading.id, chance, amount=late * clock.due, share=late))
    return found


def _findings(causes: Diagnosis | None) -> list[Risk]:
    """Return the costliest causes; how likely they persist is how many of last period's did (rule of succession)."""
    if causes is None or causes.service.empty or causes.followed.empty:
        return []
    old = causes.followed[causes.followed["trend"] != "new"]
    stayed = int((old["trend"] != "gone").sum())
    chance = (stayed + 1) / (len(old) + 2)
    top = causes.service.head(MOST_FINDINGS)
    found = []
    for row, cost in zip(top.to_dict("records"), amounts(top).to_dict("records"), strict=True):
        points = None if is_missing(cost["points"]) else float(cost["points"])
        share = float(row["excess"] / row["n"]) if row["n"] and not is_missing(row["excess"]) else None
        found.append(Risk("finding", row["finding_id"], chance, points, float(row["n"]), share))
    return found


def _ledger(lines: pd.DataFrame, period: Period) -> list[Risk]:
    """Return the lines due by the end of the next period that will be late, at the rate of the year before."""
    if lines.empty:
        return []
    zone = lines["found_at"].dt.tz
    end, ahead = (pd.Timestamp(each.end).tz_localize(zone) for each in (period, period.next()))
    lines = lines[(lines["status"] != "dropped") & (lines["found_at"] < end)]
    past = lines[(lines["due_at"] < end) & (lines["due_at"] >= end - pd.Timedelta(days=365))]
    if len(past) < 10:
        return []
    rate = float((~(past["done_at"] <= past["due_at"])).mean())
    undone = ~(lines["done_at"] < end)
    coming = int((undone & (lines["due_at"] >= end) & (lines["due_at"] < ahead)).sum())
    if not coming or not rate:
        return []
    chance = 1 - (1 - rate) ** coming
    return [Risk("ledger", "", chance, amount=coming * rate / chance, share=rate)]


def _demand(e: Evaluation) -> list[Risk]:
    """Return the chance that more arrives than the agent-hours of this period could take at the promised level."""
    from scipy.stats import norm

    staff = None if e.ahead is None else e.ahead.staff
    if staff is None or staff.rostered is None or e.ahead.totals.empty:
        return []
    whole = e.ahead.totals.iloc[0]
    std = max(float(whole["upper"] - whole["lower"]) / (2 * norm.ppf(0.975)), 1e-9)
    # Hours needed rise in a straight line between the three volumes they were computed for.
    volumes, hours = (float(whole[name]) for name in ("lower", "mean", "upper")), (staff.lower, staff.mean, staff.upper)
    slope, level = np.polyfit(list(volumes), hours, 1)
    limit = (staff.rostered - level) / slope if slope > 0 else np.inf
    z = (limit - float(whole["mean"])) / std
    chance = float(norm.sf(z))
    if chance < LEAST_CHANCE:
        return []
    beyond = float(whole["mean"]) + std * float(norm.pdf(z)) / chance - limit
    return [Risk("demand", "", chance, amount=beyond, share=beyond / float(whole["mean"]))]


def _unbroken(keys: Sequence[str], known: set[str]) -> list[str]:
    """Return the periods without a gap up to the last."""
    found: list[str] = []
    for key in reversed(keys):
        if key not in known:
            break
        found.append(key)
    return found[::-1]


def _error(reading: Reading) -> float:
    if is_missing(reading.low) or is_missing(reading.high):
        return 0.0
    return (reading.high - reading.low) / (2 * 1.959964)
