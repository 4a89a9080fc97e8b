"""The catalogue of metrics: read from TOML, checked against the views, and an organisation's own on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.entries import choose, entries, files, line, nearest
from svcanalytics.metrics.expressions import Expression, parse
from svcanalytics.metrics.views import View, view

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["FAMILIES", "Catalogue", "Metric", "Words", "catalogue", "families"]

FAMILIES: dict[str, dict[str, str]] = {
    "response": {"zh": "响应速度", "en": "Response speed"},
    "attitude": {"zh": "态度与规范", "en": "Attitude and conduct"},
    "resolution": {"zh": "问题解决", "en": "Problem solving"},
    "satisfaction": {"zh": "满意度", "en": "Satisfaction"},
    "process": {"zh": "流程效率", "en": "Process efficiency"},
    "resources": {"zh": "资源", "en": "Resources"},
    "improvement": {"zh": "创新与改进", "en": "Innovation and improvement"},
    "risk": {"zh": "风险与韧性", "en": "Risk and resilience"},
}

Kind = Literal["rate", "mean", "ratio", "count", "quantile"]
Family = Literal["response", "attitude", "resolution", "satisfaction", "process", "resources", "improvement", "risk"]


class Words(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


class Metric(BaseModel):
    """One metric: a ratio of two sums over a view, or a quantile.

    Attributes
    ----------
    kind : str
        ``rate``: share of the rows of the denominator for which the numerator holds; ``mean``: mean of the numerator
        over the rows of the denominator; ``ratio``: sum over sum; ``count``: rows (or units) of the numerator;
        ``quantile``: least value with at least the share `q` of the rows at or below it.
    numerator, denominator : str
        SQL expressions over the view's columns, see `expressions.parse`. A row whose numerator isn't known counts as
        "no" in a rate and is left out of a mean, ratio or quantile.
    at : str
        The time column that puts a row into a period.
    scale : int
        Atoms in one unit: the value is numerator / denominator / scale.
    requires : str
        What a source must have noted in at least one row for its rows to count: a source that never says when a case
        was answered doesn't answer late.
    pending : str
        Which rows aren't settled yet; a period with at least 1 % of them is flagged provisional.
    target, floor, goal : float
        What is promised; where the index gives 0 and 100.
    min_n : int
        Smallest n to publish.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: Words
    definition: Words
    family: Family
    view: str
    kind: Kind
    numerator: str
    denominator: str = "true"
    unit: Literal["share", "s", "points", "count", "number", "minor"]
    direction: Literal["up", "down", "none"]
    at: str
    scale: int = Field(default=1, ge=1)
    q: float | None = Field(default=None, gt=0, lt=1)
    requires: str = ""
    pending: str = ""
    target: float | None = None
    floor: float | None = None
    goal: float | None = None
    min_n: int = Field(default=10, ge=0)

    @model_validator(mode="after")
    def _fits_together(self) -> Metric:
        if (self.kind == "quantile") != (self.q is not None):
            raise ValueError('q: give q with kind = "quantile", and only there')
        posts = [self.floor, self.target, self.goal]
        if (self.floor is None) != (self.goal is None) or (self.floor is not None and self.target is None):
            raise ValueError("floor: the index needs floor, target and goal together")
        if self.floor is not None:
            ordered = posts if self.direction == "up" else posts[::-1]
            if self.direction == "none" or not ordered[0] <= ordered[1] <= ordered[2] or self.floor == self.target:
                raise ValueError("floor: floor, target and goal must lead in the metric's direction")
        if self.target is not None and self.direction == "none":
            raise ValueError("direction: a metric with a target is better up or down")
        return self

    def expressions(self) -> dict[str, Expression]:
        """Return the parsed numerator, denominator and, when given, pending."""
        texts = {key: getattr(self, key) for key in ("numerator", "denominator", "pending")}
        return {key: parse(text) for key, text in texts.items() if text}

    def columns(self) -> set[str]:
        """Return the columns of the view that the metric's expressions read; `at` comes on top."""
        return set().union(*(expression.columns for expression in self.expressions().values()))


@dataclass(frozen=True)
class Catalogue:
    """The metrics of an installation, by id, in the catalogue's order."""

    metrics: Mapping[str, Metric]

    def choose(self, metrics: str | Iterable[str] | None) -> list[Metric]:
        """Return the metrics named, or all.

        Raises
        ------
        CatalogueError
            When one is unknown; names the nearest.
        """
        return choose("metric", self.metrics, metrics)

    def __getitem__(self, name: str) -> Metric:
        return self.choose([name])[0]


def families() -> dict[str, dict[str, str]]:
    """Return the eight families of metrics: id to names in Chinese and English."""
    return {name: dict(words) for name, words in FAMILIES.items()}


def catalogue(lake: Lake | None = None) -> Catalogue:
    """Return the shipped metrics, with those of the lake's own folders added or put in their place.

    Raises
    ------
    CatalogueError
        When a definition can't be used; names file, line and remedy.
    """
    found: dict[str, Metric] = {}
    for file in files("metrics.toml", lake):
        found.update(_read(file, file.stat().st_mtime_ns))
    return Catalogue(found)


@cache
def _read(file: Path, _changed: int) -> dict[str, Metric]:
    return {name: _metric(file, name, spec) for name, spec in entries(file, "metrics").items()}


def _metric(file: Path, name: str, spec: dict[str, object]) -> Metric:
    try:
        metric = Metric(id=name, **spec)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or first["msg"].split("error, ")[-1].split(":")[0]
        message = first["msg"].removeprefix("Value error, ").removeprefix(f"{key}: ")
        raise CatalogueError(
            f"metric {name!r}, {key}: {message}",
            where=line(file, "metrics", name, key.split(".")[0]),
            fix=_remedy(first["type"], key),
        ) from None
    try:
        _check(metric)
    except CatalogueError as error:
        key, _, what = error.what.partition("|")
        raise CatalogueError(
            f"metric {name!r}, {key}: {what}", where=line(file, "metrics", name, key), fix=error.fix
        ) from None
    return metric


def _check(metric: Metric) -> None:
    """Refuse what the view can't give; the message begins with the key at fault and a bar."""
    of = _tagged("view", lambda: view(metric.view))
    known = of.columns()
    if known.get(metric.at) != "timestamp":
        times = sorted(name for name, kind in known.items() if kind == "timestamp")
        raise CatalogueError(f"at|{metric.at!r} is no time of view {of.name!r}", fix=f"use one of {', '.join(times)}")
    for key in ("numerator", "denominator", "requires", "pending"):
        text = getattr(metric, key)
        if not text:
            continue
        expression = _tagged(key, lambda text=text: parse(text))
        for column in sorted(expression.columns - set(known)):
            raise CatalogueError(
                f"{key}|view {of.name!r} has no column {column!r}",
                fix=f"did you mean {nearest(column, known)}? The view's columns: {', '.join(sorted(known))}",
            )
        wanted_boolean = (
            key in ("requires", "pending") or metric.kind == "rate" or (key == "denominator" and metric.kind != "ratio")
        )
        if wanted_boolean and not is_boolean(expression, of):
            raise CatalogueError(
                f"{key}|{text!r} is a number, not yes or no", fix="write a comparison, or another kind"
            )


def is_boolean(expression: Expression, of: View) -> bool:
    """Tell whether an expression answers yes or no, given its view's column types."""
    if expression.boolean or len(expression.columns) != 1:
        return expression.boolean
    (column,) = expression.columns
    return expression.sql == f'"{column}"' and of.columns()[column] == "boolean"


def _tagged(key: str, make):  # type: ignore[no-untyped-def]
    try:
        return make()
    except CatalogueError as error:
        raise CatalogueError(f"{key}|{error.what}", fix=error.fix) from None


def _remedy(problem: str, key: str) -> str:
    if problem == "missing":
        return f"add {key}"
    if problem == "extra_forbidden":
        return f"remove it; a metric has {', '.join(name for name in Metric.model_fields if name != 'id')}"
    return "correct it"
