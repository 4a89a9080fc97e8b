"""The material of one analysis of causes: a handful of plain frames, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from svcanalytics.errors import CauseError
from svcanalytics.periods import Period

__all__ = ["RESERVED", "Material", "dimensions_of"]

RESERVED = ("id", "case_id", "at", "bad", "period", "agent")
"""Columns of an outcome's rows that are no dimensions. An agent is a person, whom findings don't single out."""

_OUTCOME = ("id", "at", "bad", "period")
_FRAMES = {
    "worth": ("metric", "points"),
    "curves": ("metric", "level", "index"),
    "events": ("case_id", "at", "activity"),
    "texts": ("id", "at", "text"),
    "people": ("agent",),
    "roster": ("agent", "start_at", "end_at"),
    "training": ("agent", "at"),
    "measures": ("metric", "every", "start", "value"),
    "definitions": ("what", "table", "name", "at", "value"),
}
_TIMES = ("at", "started_at", "start_at", "end_at", "start")


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that causes are looked for in; what isn't there is an empty frame.

    Times are naive local times. Dimensions are columns of texts, numbers or truth values with few values; missing
    values are a value of their own. They are what was known before the outcome: a closing code explains nothing.

    Parameters
    ----------
    period : Period
        The time that is looked at.
    baseline : Period, optional
        The time it is held against. Without one a finding says where it is worse, not what changed.
    outcomes : mapping of str to DataFrame
        By metric, one row per case, contact, survey or audit that counts for it: ``id``; ``at``; ``bad``, which is more
        the worse it went (0 or 1 for a rate, else a number in the unit of the metric, turned round where more is
        better), missing never; ``period``, "now" or "before"; perhaps ``case_id``, where the row isn't the case itself;
        perhaps ``agent``; every other column is a dimension, such as team, channel, category, version, weekday, hour,
        tenure. The mean of ``bad`` is the metric (for a share that should be high, 1 - the metric).
    shares : mapping of str to float
        By metric, the share of its rows that are in `outcomes`, where not all of them are (0-1, drawn at random by
        case): n and excess of findings are scaled up by it.
    earlier : mapping of str to DataFrame
        By metric, rows of the same columns from before both, with the key of their period ("2026Q1") as ``period``;
        for first-seen dates and trends.
    worth : DataFrame
        ``metric``; ``points``: what one unit of ``bad`` costs the index at present (its slope; 0 or more); perhaps
        ``family``, ``weight`` (share of the index, 0-1).
    curves : DataFrame
        ``metric``, ``level`` (a mean of ``bad``), ``index`` (the index with the metric there and all else as it is):
        points in order along the goalposts, for what a removed excess wins exactly. Empty: `worth` goes on as a line.
    events : DataFrame
        Steps of the cases of both periods: ``case_id``, ``at`` (done), ``activity``; perhaps ``seq``, ``milestone``,
        ``started_at``, ``team``, ``agent``, ``by``, ``waits_for``, ``period`` (of the case), and dimensions of the case
        with the prefix ``case_`` ("case_channel").
    texts : DataFrame
        Masked: ``id`` (of the case, contact or survey), ``at``, ``text``; perhaps ``case_id``, ``language``, ``origin``
        ("case", "survey", "message"), ``period``, dimensions.
    people : DataFrame
        One row per agent: ``agent``; perhaps ``team``, ``role``, ``hired_on``, ``left_on``, ``tools``,
        ``certificates``, ``skill_level``.
    roster : DataFrame
        As the contract has it: ``agent``, ``start_at``, ``end_at``; perhaps ``kind``, ``status``, ``queue``, ``team``.
    training : DataFrame
        As the contract has it: ``agent``, ``at``; perhaps ``course``, ``duration_s``, ``score``.
    measures : DataFrame
        As `measure` gives them, with ``every`` ("week", "month"): ``metric``, ``period``, ``start``, ``value``,
        ``low``, ``high``, ``n`` ..., as far back as there are data; for relations over time.
    definitions : DataFrame
        What could be an artefact, week by week: ``what``, ``table``, ``name``, ``at`` (first day of the week),
        ``value``; perhaps ``n`` (rows). what is "missing" (share of the week's rows in which column `name` of the table
        is empty), "source" (share of the week's rows that came from source `name`), "load" (rows that load `name` last
        wrote) or "definition" (a number that stands for how metric or mapping `name` was defined; it changed where the
        number does).
    missing : mapping of str to str
        What could not be had, and why ("texts": "no row of cases has a text").

    Raises
    ------
    CauseError
        When a frame lacks a column, a time is no naive time, or `bad` is not a number.
    """

    period: Period
    baseline: Period | None
    outcomes: Mapping[str, pd.DataFrame]
    worth: pd.DataFrame
    curves: pd.DataFrame = field(default_factory=lambda: _empty("curves"))
    shares: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    events: pd.DataFrame = field(default_factory=lambda: _empty("events"))
    texts: pd.DataFrame = field(default_factory=lambda: _empty("texts"))
    people: pd.DataFrame = field(default_factory=lambda: _empty("people"))
    roster: pd.DataFrame = field(default_factory=lambda: _empty("roster"))
    training: pd.DataFrame = field(default_factory=lambda: _empty("training"))
    measures: pd.DataFrame = field(default_factory=lambda: _empty("measures"))
    definitions: pd.DataFrame = field(default_factory=lambda: _empty("definitions"))
    missing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, columns in _FRAMES.items():
            _check(getattr(self, name), columns, name)
        for kind, each in (("outcomes", self.outcomes), ("earlier", self.earlier)):
            for metric, frame in each.items():
                _check(frame, _OUTCOME, f"{kind}, {metric}")
                _check_bad(frame["bad"], f"{kind}, {metric}")
        for metric, frame in self.outcomes.items():
            strange = set(frame["period"].unique()) - {"now", "before"}
            if strange:
                raise CauseError(
                    f"a row is of period {sorted(map(str, strange))[0]!r}",
                    where=f"outcomes, {metric}",
                    fix="write now or before; what lies before both belongs into earlier",
                )
        if self.worth["metric"].duplicated().any() or not (self.worth["points"] >= 0).all():
            raise CauseError(
                "a metric is named twice, or its points are negative or missing",
                where="worth",
                fix="give what a unit costs once per metric, from 0 up; leave out what has no price",
            )


def dimensions_of(rows: pd.DataFrame) -> list[str]:
    """Return the columns of an outcome's rows that are dimensions, in alphabetical order."""
    return sorted(name for name in rows.columns if name not in RESERVED)


def _empty(name: str) -> pd.DataFrame:
    columns = {column: pd.Series(dtype="datetime64[us]" if column in _TIMES else "object") for column in _FRAMES[name]}
    numbers = dict.fromkeys({"points", "level", "index", "value"} & set(columns), "float64")
    return pd.DataFrame(columns).astype(numbers)


def _check(frame: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where=where, fix=f"a frame of {where} needs {columns}")
    for name in _TIMES:
        if name in frame.columns and not pd.api.types.is_datetime64_dtype(frame[name]):
            raise CauseError(
                f"{name} is no naive local time", where=where, fix="turn it into datetime64 without a time zone"
            )


def _check_bad(bad: pd.Series, where: str) -> None:
    number = pd.api.types.is_numeric_dtype(bad) or pd.api.types.is_bool_dtype(bad)
    if not number or not np.isfinite(bad.to_numpy("float64", na_value=np.nan)).all():
        raise CauseError("bad is missing or no number", where=where, fix="leave such rows out")
