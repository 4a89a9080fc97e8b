"""Profiles as they are defined in `profiles.toml`: of the shipped catalogue, and an organisation's own beside its lake.

Weights, pins and shares are written in percent. Goalposts come from the metric's own entry in the catalogue unless the
profile states them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from svcanalytics import resources
from svcanalytics.errors import CatalogueError
from svcanalytics.quality.profiles import GRADES, Cap, Goalposts, Profile, ProfileMetric, check_sum
from svcanalytics.quality.scaling import check_goalposts
from svcanalytics.quality.weighting.situations import Load, Situation
from svcanalytics.quality.weighting.timeline import follow_load

if TYPE_CHECKING:
    from svcanalytics.metrics import Metric
    from svcanalytics.store import Lake

__all__ = ["profile", "profile_names"]

_MEANS = {"arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}
# Of these units no value is below 0, so a goalpost there is a slip of the pen; points of an NPS may be.
_NEVER_NEGATIVE = ("share", "s", "count")


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
        For an unknown profile, metric, family or key, weights that do not add up to 100, goalposts out of order or
        negative where no value is, floor rules and situations that can't be; names the file, the key and what to do.
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
        kinds = ("float", "_MetricEntry", "literal[")
        key = ".".join(str(part) for part in first["loc"] if not str(part).startswith(kinds))
        raise CatalogueError(first["msg"], where=f"{where}.{key}", fix="correct this key") from None
    check_sum({f: e.weight for f, e in entry.families.items()}, 100.0, where=f"{where}.families")
    chosen = _metrics(entry, metrics.catalogue(lake).metrics, where)
    try:
        read = Profile(
            id=name,
            families={f: e.weight / 100 for f, e in entry.families.items()},
            metrics=chosen,
            grades=entry.grades,
            min_coverage=entry.min_coverage,
            min_family_coverage=entry.min_family_coverage,
            name=entry.name,
            power=_power(entry.mean),
            power_within=_power(entry.mean_within),
            caps=tuple(Cap(**cap.model_dump()) for cap in entry.caps),
            situations=tuple(_situation(id_, each, lake) for id_, each in entry.situations.items()),
        )
    except CatalogueError as error:
        raise CatalogueError(
            error.what, where=f"{where}: {error.where.removeprefix(f'profile {name}, ')}", fix=error.fix
        ) from None
    _check_standards(read, lake, where)
    return _follow(read, lake, where)


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


class _CapEntry(_Strict):
    grade: str
    family: str = ""
    metric: str = ""
    below: Annotated[float, Field(ge=0, le=100)] | None = None


class _LoadEntry(_Strict):
    metric: str
    above: Annotated[float, Field(gt=0, lt=1)] = 0.9
    past_days: Annotated[int, Field(ge=28)] = 90


class _SituationEntry(_Strict):
    name: dict[Literal["zh", "en"], str] = Field(default_factory=dict)
    pins: dict[str, _Weight] = Field(min_length=1)
    months: list[int] = Field(default_factory=list)
    day_classes: list[str] = Field(default_factory=list)
    dates: list[str] = Field(default_factory=list)
    hours: str = ""
    share: _Weight | None = None
    load: _LoadEntry | None = None
    priority: int = 0
    transition_days: int = 7
    country: str | None = None


_Mean = Literal["arithmetic", "geometric", "harmonic"] | float


class _ProfileEntry(_Strict):
    name: dict[Literal["zh", "en"], str]
    families: dict[str, _FamilyEntry] = Field(min_length=1)
    tables: list[str] = Field(default_factory=list)
    grades: dict[str, float] = Field(default_factory=lambda: dict(GRADES), min_length=1)
    min_coverage: Annotated[float, Field(ge=0, le=1)] = 0.5
    min_family_coverage: Annotated[float, Field(ge=0, le=1)] = 0.0
    mean: _Mean = "arithmetic"
    mean_within: _Mean = "arithmetic"
    caps: list[_CapEntry] = Field(default_factory=list)
    situations: dict[str, _SituationEntry] = Field(default_factory=dict)


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


def _goalposts(entry: float | _MetricEntry, metric: Metric, where: str) -> Goalposts:
    own = entry if isinstance(entry, _MetricEntry) else _MetricEntry(weight=0)
    posts = {
        name: getattr(metric, name) if getattr(own, name) is None else getattr(own, name)
        for name in ("floor", "target", "goal")
    }
    for name, post in posts.items():
        if post is not None and post < 0 and metric.unit in _NEVER_NEGATIVE:
            raise CatalogueError(
                f"the goalpost is negative: {post:g}",
                where=f"{where}.{name}",
                fix=f"give 0 or more: {metric.id} is never below 0",
            )
    return Goalposts(*check_goalposts(*posts.values(), metric.direction, where=where), metric.direction)


def _metrics(entry: _ProfileEntry, catalogue: Mapping[str, Metric], where: str) -> tuple[ProfileMetric, ...]:
    from svcanalytics import metrics
    from svcanalytics.metrics.entries import nearest

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
        check_sum(weights, 100.0, where=here)
        for metric, metric_entry in family_entry.metrics.items():
            if metric not in catalogue:
                raise CatalogueError(
                    f"there is no metric {metric!r}", where=here, fix=f"did you mean {nearest(metric, catalogue)}?"
                )
            posts = _goalposts(metric_entry, catalogue[metric], where=f"{here}.{metric}")
            chosen.append(ProfileMetric(metric, family, weights[metric] / 100, posts))
    return tuple(chosen)


def _power(mean: str | float) -> float:
    return _MEANS[mean] if isinstance(mean, str) else float(mean)


def _situation(id_: str, entry: _SituationEntry, lake: Lake | None) -> Situation:
    return Situation(
        id=id_,
        pins={name: share / 100 for name, share in entry.pins.items()},
        months=tuple(entry.months),
        day_classes=tuple(entry.day_classes),
        dates=tuple(entry.dates),
        hours=entry.hours,
        share=None if entry.share is None else entry.share / 100,
        load=Load(**entry.load.model_dump()) if entry.load else None,
        priority=entry.priority,
        transition_days=entry.transition_days,
        country=(lake.country if lake else "CN") if entry.country is None else entry.country,
        name=entry.name,
    )


def _check_standards(read: Profile, lake: Lake | None, where: str) -> None:
    from svcanalytics import metrics
    from svcanalytics.metrics.entries import nearest

    named = [cap.metric for cap in read.caps if cap.metric]
    known = {*metrics.catalogue(lake).metrics, *metrics.rulebook(lake).standards} if named else set()
    if unknown := [name for name in named if name not in known]:
        raise CatalogueError(
            f"there is no metric or standard {unknown[0]!r}",
            where=f"{where}.caps",
            fix=f"did you mean {nearest(unknown[0], known)}?",
        )


def _follow(read: Profile, lake: Lake | None, where: str) -> Profile:
    """Tie situations that follow measured load to the lake's days; without a lake they wait for `follow_load`."""
    from svcanalytics import metrics

    wanted = list(dict.fromkeys(s.load.metric for s in read.situations if s.load))
    known = metrics.catalogue(lake).metrics
    for name in wanted:
        if name not in known or known[name].kind != "count":
            raise CatalogueError(
                f"{name!r} is no count of the catalogue",
                where=f"{where}.situations",
                fix='name a metric of kind "count"',
            )
    if not wanted or lake is None:
        return read
    daily = metrics.measure(lake, wanted, every="day")
    if absent := [name for name in wanted if name not in set(daily["metric"])]:
        raise CatalogueError(
            f"a situation follows {absent[0]}, of which the lake has no rows",
            where=f"{where}.situations",
            fix="load them first, or leave the situation out",
        )
    return follow_load(read, daily)
