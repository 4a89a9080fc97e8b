"""What customers say, beside what they met with: the rows from which weights are learned, and the door that learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import catalogue
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.per_row import measure_each
from svcanalytics.metrics.views import view
from svcanalytics.quality.cells import read_cells, with_units
from svcanalytics.quality.customers.learning import LearnedWeights, learn
from svcanalytics.quality.definitions import profile as read_profile
from svcanalytics.quality.profiles import Goalposts, Profile, ProfileMetric
from svcanalytics.quality.scaling import normalise

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["cell_rows", "learn_from", "survey_rows"]

_DIMENSIONS = ("route", "channel", "queue", "team", "agent", "site", "category", "customer_type", "business_type")
_SAID = "satisfaction"
"""The family of metrics that are outcomes themselves."""

_TAIL = 0.01


def survey_rows(
    lake: Lake,
    profile: Profile | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    *,
    outcome: str = "csat_score",
) -> pd.DataFrame:
    """Return one row per customer asked: what was said, and what the profile's metrics are for that contact or case.

    A single contact's wait lies beyond a floor or goal that was set for means, so rows are not cut off there: a score
    point is the hundredth part of the way from floor to goal, whatever the row. The extreme hundredth at either end of
    a duration counts as its limit.

    Parameters
    ----------
    lake : Lake
    profile : Profile, optional
        Default: as `profile` chooses for the lake.
    start, end : date or str, optional
        First and last local day or written period, both inclusive.
    outcome : str
        Metric of what customers say or do: csat_score, nps, repeat_case_7d ...

    Returns
    -------
    pandas.DataFrame
        survey_id, start (local day), weekend (Saturday or Sunday), route, channel, queue, team, agent, site, category,
        customer_type, business_type, `outcome` (in its own unit, missing: no answer), and a column of score points per
        metric of the profile that means something for one contact or case.

    Raises
    ------
    CatalogueError
        When the lake has no surveys in that time, or the outcome is no metric that one answer or case can have.
    """
    chosen = profile or read_profile(None, lake)
    rows = _asked(lake, start, end)
    posts = {m.metric: m.goalposts for m in chosen.metrics if m.metric != outcome}
    values = _values(lake, rows, [*posts, outcome])
    if outcome not in values or values[outcome].notna().sum() == 0:
        raise CatalogueError(
            "has no value for any of the customers asked", where=outcome, fix="use csat_score, nps, repeat_case_7d ..."
        )
    points = {name: _points(values[name], posts[name]) for name in values.columns if name != outcome}
    kept = rows.drop(columns=["contact_id", "case_id"])
    return pd.concat([kept, values[[outcome]], pd.DataFrame(points, index=rows.index)], axis=1)


def cell_rows(measures: pd.DataFrame, profile: Profile, outcome: str = "csat_score") -> pd.DataFrame:
    """Return one row per unit and period with what customers said and the metrics' scores, for `learn`.

    Parameters
    ----------
    measures : pandas.DataFrame
        As ``measure(lake, [*metrics, outcome], by="team", every="week")`` gives them.
    profile : Profile
    outcome : str
        Metric among the measures.

    Returns
    -------
    pandas.DataFrame
        unit, period, start, `outcome`, answers (its n), and a column of scores (0-100) per metric of the profile.

    Raises
    ------
    CatalogueError
        When the outcome was not measured.
    """
    said = measures[measures["metric"] == outcome]
    if said.empty:
        raise CatalogueError("was not measured", where=outcome, fix="name it when you call measure")
    cells = read_cells(measures, profile)
    scores = pd.DataFrame(cells.score, columns=[m.metric for m in profile.metrics]).drop(
        columns=outcome, errors="ignore"
    )
    said = with_units(said)[["unit", "period", "value", "n"]].rename(columns={"value": outcome, "n": "answers"})
    return pd.concat([cells.rows, scores], axis=1).merge(said, on=["unit", "period"], how="left")


def learn_from(
    lake: Lake,
    profile: Profile | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    *,
    outcome: str = "csat_score",
    within: Sequence[str] = ("route",),
    correct_response: bool = True,
    least_known: float = 0.1,
    pins: Mapping[str, float] | None = None,
    replicates: int = 400,
    seed: int = 0,
) -> LearnedWeights:
    """Learn the profile's weights from the lake's surveys, contact by contact and case by case.

    Metrics that are themselves what customers say (family satisfaction), that mean nothing for one contact or case, or
    that are known for too few of those who answered, keep their weight; ``table.attrs["left_out"]`` says which and why.

    Parameters
    ----------
    lake : Lake
    profile : Profile, optional
        Whose weights are the prior; default: as `profile` chooses for the lake.
    start, end : date or str, optional
        First and last local day or written period, both inclusive.
    outcome : str
        Metric of what customers say or do.
    within : sequence of str
        Columns of `survey_rows` whose levels may differ for other reasons: people answer a kiosk and a message
        differently.
    correct_response : bool
        Weigh answers by who answers, from what every customer asked met with.
    least_known : float
        Share of the rows with an answer for which a metric must be known.
    pins : mapping of metric to weight, optional
        Shares, among the metrics learned, that hold exactly.
    replicates, seed : int
        Of the intervals.

    Returns
    -------
    LearnedWeights
        ``.into(profile)`` gives the profile for `score`.

    Raises
    ------
    CatalogueError
        When no metric is left, and as `learn`.
    """
    chosen = profile or read_profile(None, lake)
    frame = survey_rows(lake, chosen, start, end, outcome=outcome)
    known = catalogue(lake)
    said = frame[frame[outcome].notna()]
    left_out = {m.metric: _left_out(m, chosen, said, within, least_known) for m in chosen.metrics}
    metrics = [name for name, reason in left_out.items() if not reason]
    if not metrics:
        raise CatalogueError(
            "no metric of the profile is known for the customers who answered",
            where=f"profile {chosen.id}",
            fix="link surveys to contacts or cases, or learn from cells: cell_rows",
        )
    silent = frame[outcome].isna().any()
    seen = [name for name in metrics if view(known[name].view).name != "surveys"]
    learned = learn(
        frame,
        outcome,
        metrics,
        chosen,
        better="down" if known[outcome].direction == "down" else "up",
        within=within,
        response=[*seen, *within] if correct_response and silent else (),
        pins=pins,
        replicates=replicates,
        seed=seed,
    )
    table = learned.table.copy()
    table.attrs["left_out"] = {name: reason for name, reason in left_out.items() if reason}
    return replace(learned, table=table)


def _asked(lake: Lake, start: date | str | None, end: date | str | None) -> pd.DataFrame:
    if not lake.has("surveys"):
        raise CatalogueError("there are no surveys in the lake", where="surveys", fix="load them first")
    first, last = span(start, end, lake.month_start)
    columns = {"survey_id", "contact_id", "case_id", "day_key", *_DIMENSIONS} & set(view("surveys").columns())
    inside = [f"v.day_key >= {first:%Y%m%d}"] if first else []
    inside += [f"v.day_key <= {last:%Y%m%d}"] if last else []
    linked = lake.has("contacts")
    # A survey about a contact is about the contact's case too.
    case = "coalesce(v.case_id, c.case_id)" if linked else "v.case_id"
    join = "left join contacts c on c.contact_id = v.contact_id" if linked else ""
    surveys = view("surveys").select(columns, lake.timezone)
    con = lake.connection()
    try:
        rows = con.sql(
            f"select v.* exclude (case_id), {case} as case_id from ({surveys}) v {join} "
            f"where {' and '.join(['v.day_key is not null', *inside])} order by v.day_key, v.survey_id"
        ).df()
    finally:
        con.close()
    if rows.empty:
        raise CatalogueError("there are no surveys in that time", where="surveys", fix="widen start and end")
    rows["start"] = pd.to_datetime(rows.pop("day_key").astype(str), format="%Y%m%d")
    rows["weekend"] = rows["start"].dt.day_of_week >= 5
    order = ["survey_id", "contact_id", "case_id", "start", "weekend"]
    return rows[[*order, *(name for name in _DIMENSIONS if name in rows)]]


def _values(lake: Lake, rows: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Take each metric from the narrowest thing an answer is about: itself, its contact, its case."""
    views = {metric.id: view(metric.view) for metric in catalogue(lake).choose(metrics)}
    out = pd.DataFrame(index=rows.index)
    for key in ("survey_id", "contact_id", "case_id"):
        # A survey's own questions must not be filled from another answer about the same case.
        asked = [
            m for m in metrics if key in views[m].columns() and (views[m].name == "surveys") == (key == "survey_id")
        ]
        if not asked or rows[key].isna().all():
            continue
        found = measure_each(lake, asked, key, rows[key])
        for name in found.columns:
            values = pd.Series(rows[key].map(found[name]), index=rows.index, dtype="float64")
            out[name] = out[name].fillna(values) if name in out else values
    return out


def _points(values: pd.Series, posts: Goalposts) -> NDArray[np.float64]:
    array = values.to_numpy("float64")
    if np.isnan(array).all():
        return array
    if values.nunique() > 2:
        array = np.clip(array, *np.nanquantile(array, [_TAIL, 1 - _TAIL]))
    level = np.nanmean(array)
    at_level = normalise([level], direction=posts.direction, floor=posts.floor, target=posts.target, goal=posts.goal)
    return at_level[0] + 100 * (array - level) / (posts.goal - posts.floor)


def _left_out(
    metric: ProfileMetric, profile: Profile, said: pd.DataFrame, within: Sequence[str], least_known: float
) -> str:
    name = metric.metric
    if metric.family == _SAID:
        return "is itself what customers say"
    if name not in said:
        return "means nothing for one contact or case"
    share = said[name].notna().mean()
    if share < least_known:
        return f"is known for {share:.0%} of the answers"
    kinds = said.groupby(list(within), dropna=False)[name].nunique() if within else said[[name]].nunique()
    if kinds.max() < 2:
        return "never varies among the answers"
    return "" if profile.shares[name] > 0 else "weighs nothing"
