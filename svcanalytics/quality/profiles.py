"""Index profiles: which metrics make up the index, what each weighs, and where its goalposts stand.

Profiles are TOML (`profiles.toml` of the shipped catalogue; an organisation's own file adds to or replaces them by
name). Weights are given in percent: those of the families add up to 100, and so do those of the metrics within each
family. Goalposts come from the metric's own entry in the catalogue unless the profile states them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from svcanalytics import resources
from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import check_goalposts

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Goalposts", "Profile", "ProfileMetric", "profile", "profile_names"]

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
    """

    id: str
    families: Mapping[str, float]
    metrics: tuple[ProfileMetric, ...]
    grades: Mapping[str, float] = field(default_factory=lambda: dict(GRADES))
    min_coverage: float = 0.5
    min_family_coverage: float = 0.0
    name: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_sum(self.families, 1.0, where=f"profile {self.id}, families")
        for family in self.families:
            members = {m.metric: m.weight for m in self.metrics if m.family == family}
            _check_sum(members, 1.0, where=f"profile {self.id}, family {family}")
        strangers = sorted({m.family for m in self.metrics} - set(self.families))
        if strangers:
            raise CatalogueError(f"family {strangers[0]} has metrics but no weight", where=f"profile {self.id}")
        names = [m.metric for m in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CatalogueError(
                f"metric {twice[0]} is named twice", where=f"profile {self.id}", fix="keep it in one family"
            )

    def grade(self, value: float) -> str:
        """Return the grade of an index value; "" when there is no value."""
        if value != value:
            return ""
        earned = [(bound, grade) for grade, bound in self.grades.items() if value >= bound]
        return max(earned)[1] if earned else min((bound, grade) for grade, bound in self.grades.items())[1]


def profile(name: str | None = None, lake: Lake | None = None) -> Profile:
    """Read a profile by name, with goalposts from the metric catalogue where the profile states none.

    Parameters
    ----------
    name : str, optional
        A profile of the shipped `profiles.toml` or of the organisation's own. None takes the one made for the tables
        the lake holds: of the profiles whose tables are all there, the one that asks for most; else "default".
    lake : Lake, optional
        Whose own catalogue folders are read too; its entries win.

    Raises
    ------
    CatalogueError
        For an unknown profile, metric or family, weights that do not add up to 100, and goalposts out of order; names
        the file, the key and what to do.
    """
    from svcanalytics import metrics

    known = _definitions(lake)
    name = name or _fitting(known, lake)
    if name not in known:
        raise CatalogueError(f"there is no index profile {name!r}", fix=f"use one of: {', '.join(sorted(known))}")
    file, raw = known[name]
    where = f"{file}, profiles.{name}"
    try:
        entry = _ProfileEntry.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part not in ("float", "_MetricEntry"))
        raise CatalogueError(first["msg"], where=f"{where}.{key}", fix="correct this key") from None
    _check_sum({f: e.weight for f, e in entry.families.items()}, 100.0, where=f"{where}.families")
    catalogue = metrics.catalogue(lake).metrics
    chosen = []
    for family, family_entry in entry.families.items():
        if family not in metrics.families():
            raise CatalogueError(
                f"there is no family {family!r}",
                where=f"{where}.families",
                fix=f"use one of: {', '.join(metrics.families())}",
            )
        here = f"{where}.families.{family}.metrics"
        weights = {m: _weight(e) for m, e in family_entry.metrics.items()}
        _check_sum(weights, 100.0, where=here)
        for metric, metric_entry in family_entry.metrics.items():
            if metric not in catalogue:
                raise CatalogueError(
                    f"there is no metric {metric!r}", where=here, fix="name a metric of the catalogue (docs/metrics.md)"
                )
            posts = _goalposts(metric_entry, catalogue[metric], where=f"{here}.{metric}")
            chosen.append(ProfileMetric(metric, family, weights[metric] / 100, posts))
    return Profile(
        id=name,
        families={f: e.weight / 100 for f, e in entry.families.items()},
        metrics=tuple(chosen),
        grades=entry.grades,
        min_coverage=entry.min_coverage,
        min_family_coverage=entry.min_family_coverage,
        name=entry.name,
    )


def profile_names(lake: Lake | None = None) -> dict[str, dict[str, str]]:
    """Return the names (by language) of all profiles, by id."""
    return {name: raw.get("name", {}) for name, (_, raw) in _definitions(lake).items()}


_Weight = Annotated[float, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _MetricEntry(_Strict):
    weight: _Weight
    floor: float | None = None
    target: float | None = None
    goal: float | None = None


class _FamilyEntry(_Strict):
    weight: _Weight
    metrics: dict[str, _Weight | _MetricEntry] = Field(min_length=1)


class _ProfileEntry(_Strict):
    name: dict[Literal["zh", "en"], str]
    families: dict[str, _FamilyEntry] = Field(min_length=1)
    tables: list[str] = Field(default_factory=list)
    grades: dict[str, float] = Field(default_factory=lambda: dict(GRADES), min_length=1)
    min_coverage: Annotated[float, Field(ge=0, le=1)] = 0.5
    min_family_coverage: Annotated[float, Field(ge=0, le=1)] = 0.0


def _definitions(lake: Lake | None) -> dict[str, tuple[str, dict[str, Any]]]:
    folders = [resources.catalogue_path(), *(getattr(lake, "catalogue_paths", None) or [])]
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for folder in folders:
        file = Path(folder) / "profiles.toml"
        if file.is_file():
            found |= {name: (str(file), raw) for name, raw in resources.read_toml(file).get("profiles", {}).items()}
    return found


def _fitting(known: Mapping[str, tuple[str, dict[str, Any]]], lake: Lake | None) -> str:
    wanted = {name: raw.get("tables", []) for name, (_, raw) in known.items()}
    fit = [(len(tables), name) for name, tables in wanted.items() if lake and tables and all(map(lake.has, tables))]
    return max(fit, key=lambda each: each[0])[1] if fit else "default"


def _weight(entry: float | _MetricEntry) -> float:
    return entry.weight if isinstance(entry, _MetricEntry) else float(entry)


def _goalposts(entry: float | _MetricEntry, metric: Any, where: str) -> Goalposts:
    own = entry if isinstance(entry, _MetricEntry) else _MetricEntry(weight=0)
    posts = [
        getattr(metric, name) if getattr(own, name) is None else getattr(own, name)
        for name in ("floor", "target", "goal")
    ]
    return Goalposts(*check_goalposts(*posts, metric.direction, where=where), metric.direction)


def _check_sum(weights: Mapping[str, float], total: float, where: str) -> None:
    if any(weight < 0 for weight in weights.values()):
        raise CatalogueError("a weight is negative", where=where, fix="use weights from 0 up")
    if abs(sum(weights.values()) - total) > 1e-9 * max(total, 1):
        raise CatalogueError(
            f"weights add up to {sum(weights.values()):g}, not {total:g}", where=where, fix="correct the weights"
        )
