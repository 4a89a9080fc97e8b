"""Index profiles: which metrics make up the index, what each weighs and when, and how they are brought together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import check_goalposts
from svcanalytics.quality.weighting.pinning import pin
from svcanalytics.quality.weighting.situations import Situation, check_situations

__all__ = ["Cap", "Goalposts", "Profile", "ProfileMetric", "check_sum", "reweigh"]

GRADES: Mapping[str, float] = {"A": 90.0, "B": 80.0, "C": 60.0, "D": 0.0}


@dataclass(frozen=True)
class Goalposts:
    """Where a metric scores 0 (floor), 80 (target) and 100 (goal), in the metric's own unit."""

    floor: float
    target: float
    goal: float
    direction: Literal["up", "down"] = "up"

    def __post_init__(self) -> None:
        check_goalposts(self.floor, self.target, self.goal, self.direction)


@dataclass(frozen=True)
class ProfileMetric:
    """One metric of a profile; `weight` is its share of the family, 0-1."""

    metric: str
    family: str
    weight: float
    goalposts: Goalposts


@dataclass(frozen=True)
class Cap:
    """A floor rule: what no average may hide. When it is broken, the index earns `grade` at most; its score stays.

    Parameters
    ----------
    grade : str
        A grade of the profile.
    family : str
        The family that must reach `below`; "" and no `metric` means every family of the profile.
    metric : str
        A metric or time standard that must meet its target instead (column ``met`` of the measures), or, with `below`,
        a metric of the profile that must reach that score.
    below : float, optional
        Score, 0-100; needed for families.
    """

    grade: str
    family: str = ""
    metric: str = ""
    below: float | None = None


@dataclass(frozen=True)
class Profile:
    """Everything `score` needs to know; build one by hand or read it with `profile`.

    Parameters
    ----------
    id : str
        Its name in the catalogue.
    families : mapping of str to float
        Weight of each family, adding up to 1.
    metrics : tuple of ProfileMetric
        Weights add up to 1 within each family.
    grades : mapping of str to float
        Grade to the lowest index that earns it.
    min_coverage : float
        Share of all weight (0-1) whose measures must be there for an index to be given.
    min_family_coverage : float
        Share of a family's weight that must be there for the family to be scored.
    name : mapping of str to str
        Name by language ("zh", "en").
    power, power_within : float
        Of the mean of the families, and of that of the metrics within a family, at most 1: 1 is the arithmetic mean
        (strong scores make up for weak ones in full), 0 the geometric, -1 the harmonic; see `means.power_means`.
    caps : tuple of Cap
        Floor rules.
    situations : tuple of Situation
        When other weights count.
    """

    id: str
    families: Mapping[str, float]
    metrics: tuple[ProfileMetric, ...]
    grades: Mapping[str, float] = field(default_factory=lambda: dict(GRADES))
    min_coverage: float = 0.5
    min_family_coverage: float = 0.0
    name: Mapping[str, str] = field(default_factory=dict)
    power: float = 1.0
    power_within: float = 1.0
    caps: tuple[Cap, ...] = ()
    situations: tuple[Situation, ...] = ()

    def __post_init__(self) -> None:
        here = f"profile {self.id}"
        check_sum(self.families, 1.0, where=f"{here}, families")
        for family in self.families:
            members = {m.metric: m.weight for m in self.metrics if m.family == family}
            check_sum(members, 1.0, where=f"{here}, family {family}")
        strangers = sorted({m.family for m in self.metrics} - set(self.families))
        if strangers:
            raise CatalogueError(f"family {strangers[0]} has metrics but no weight", where=here)
        names = [m.metric for m in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CatalogueError(f"metric {twice[0]} is named twice", where=here, fix="keep it in one family")
        for name, power in (("power", self.power), ("power_within", self.power_within)):
            if not -100 <= power <= 1:
                raise CatalogueError(
                    f"{name} is {power:g}: above 1 a mean rewards being uneven, below -100 it is the smallest score",
                    where=here,
                    fix="use 1 (arithmetic), 0 (geometric), -1 (harmonic) or what lies between",
                )
        for name, least in (("min_coverage", self.min_coverage), ("min_family_coverage", self.min_family_coverage)):
            if not 0 <= least <= 1:
                raise CatalogueError(f"{name} is {least:g}", where=here, fix="give a share of the weight, 0 to 1")
        if not self.grades or not all(np.isfinite(bound) for bound in self.grades.values()):
            raise CatalogueError("there are no grades to earn", where=here, fix="name the lowest index of each grade")
        for cap in self.caps:
            _check_cap(cap, self)
        if len({s.id for s in self.situations}) < len(self.situations):
            raise CatalogueError("two situations have one name", where=here, fix="name each once")
        base = np.array(list(self.shares.values()))
        for situation in self.situations:
            pin(base, names, [m.family for m in self.metrics], situation.pins, f"{here}, situation {situation.id}")
        check_situations(self.situations)

    @property
    def shares(self) -> dict[str, float]:
        """What each metric usually weighs in the index, over all families."""
        return {m.metric: self.families[m.family] * m.weight for m in self.metrics}

    def grade(self, value: float) -> str:
        """Return the grade of an index value; "" when there is no value."""
        if value != value:
            return ""
        earned = [(bound, grade) for grade, bound in self.grades.items() if value >= bound]
        return max(earned)[1] if earned else min((bound, grade) for grade, bound in self.grades.items())[1]


def reweigh(profile: Profile, weights: Mapping[str, float]) -> Profile:
    """Return a profile whose metrics weigh as judged, found in data or learned; situations, means and rules stay.

    The metrics named share in proportion to their new weights what they weighed together before; the others keep their
    shares of the index. Families' weights follow from their metrics'.

    Parameters
    ----------
    profile : Profile
    weights : mapping of str to float, or pandas.Series
        By metric, from 0 up.

    Raises
    ------
    CatalogueError
        When a metric is not in the profile, or weights are negative or all 0.
    """
    where = f"profile {profile.id}, new weights"
    shares, new = profile.shares, dict(weights.items())
    strangers = [name for name in new if name not in shares]
    if strangers:
        raise CatalogueError(f"metric {strangers[0]!r} is not in the profile", where=where, fix="leave it out")
    total = sum(new.values())
    if not 0 < total < np.inf or min(new.values()) < 0:
        raise CatalogueError("weights are negative, all 0 or no numbers", where=where, fix="give weights from 0 up")
    mass = sum(shares[name] for name in new)
    shares |= {name: mass * weight / total for name, weight in new.items()}
    families = {f: sum(shares[m.metric] for m in profile.metrics if m.family == f) for f in profile.families}
    metrics = tuple(
        replace(m, weight=shares[m.metric] / families[m.family]) if families[m.family] > 0 else m
        for m in profile.metrics
    )
    whole = sum(families.values())
    return replace(profile, families={f: weight / whole for f, weight in families.items()}, metrics=metrics)


def check_sum(weights: Mapping[str, float], total: float, where: str) -> None:
    """Check that weights are not negative and add up.

    Raises
    ------
    CatalogueError
    """
    if not all(0 <= weight < np.inf for weight in weights.values()):
        raise CatalogueError("a weight is negative or no number", where=where, fix="use weights from 0 up")
    if abs(sum(weights.values()) - total) > 1e-9 * max(total, 1):
        raise CatalogueError(
            f"weights add up to {sum(weights.values()):g}, not {total:g}", where=where, fix="correct the weights"
        )


def _check_cap(cap: Cap, profile: Profile) -> None:
    where = f"profile {profile.id}, caps"
    if cap.grade not in profile.grades:
        raise CatalogueError(
            f"there is no grade {cap.grade!r}", where=where, fix=f"use one of: {', '.join(profile.grades)}"
        )
    if cap.family and cap.metric:
        raise CatalogueError("a cap is about a family or a metric, not both", where=where, fix="write two caps")
    if cap.family and cap.family not in profile.families:
        raise CatalogueError(
            f"there is no family {cap.family!r}", where=where, fix=f"use one of: {', '.join(profile.families)}"
        )
    if cap.below is not None and not 0 <= cap.below <= 100:
        raise CatalogueError(f"below is {cap.below:g}", where=where, fix="give a score of 0 to 100")
    if cap.below is None and not cap.metric:
        raise CatalogueError("a cap of families says not below which score", where=where, fix="give below = 60")
    if cap.below is not None and cap.metric and cap.metric not in {m.metric for m in profile.metrics}:
        raise CatalogueError(
            f"metric {cap.metric!r} has no score in this profile",
            where=where,
            fix="leave out below: then it must meet its target",
        )
