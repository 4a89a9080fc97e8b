"""`gather`: the material of an analysis of causes, from a lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import metrics, quality
from svcanalytics.causes.gathering.books import read_definitions
from svcanalytics.causes.gathering.dimensions import DIMENSIONS, KEYS, add_tenure, add_times, is_known_late, usable
from svcanalytics.causes.gathering.hiding import hide_names
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.gathering.outcomes import badness
from svcanalytics.causes.gathering.pricing import price
from svcanalytics.causes.gathering.sampling import MOST, Draw, draw_rows
from svcanalytics.causes.gathering.surroundings import read_events, read_people, read_texts
from svcanalytics.errors import CatalogueError
from svcanalytics.periods import Period, day_classes, parse_period
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.metrics import Metric
    from svcanalytics.quality import Profile
    from svcanalytics.store import Lake

__all__ = ["gather"]

_EARLIER = 2  # periods before the baseline that first-seen dates and trends may reach back to
_MEASURED_DAYS = 730
_ADDED = ("weekday", "day_class", "hour", "tenure")


def gather(
    lake: Lake,
    period: str | Period,
    baseline: str | Period | None = None,
    *,
    profile: Profile | str | None = None,
    metric: str | Sequence[str] | None = None,
    dimensions: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
    measures: bool = True,
    most: int | None = MOST,
    seed: int = 0,
) -> Material:
    """Gather what causes are looked for in.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    period : str or Period
        The time that is looked at: "2026Q3".
    baseline : str or Period, optional
        What it is held against: a period, "last_year" for the same one a year ago, "none" to look at the period alone.
        Default: the period before; none when that has no rows.
    profile : Profile or str, optional
        The index that gives findings their price; default: the one made for the lake's tables.
    metric : str or sequence of str, optional
        Look at these only, in or outside the profile. Default: all metrics of the profile that are made of rows.
    dimensions : sequence of str, optional
        Columns and attributes to look along, instead of all that were known before the outcome.
    leave_out : sequence of str
        Columns and attributes not to look along, such as one that is filled in when a case is closed.
    measures : bool
        Whether to measure the whole catalogue over two years too, which only `relations` reads.
    most : int or None
        Of a table with more rows in a period a share of the cases is drawn, the same for all that hangs on them;
        None reads all.
    seed : int
        Of that draw.

    Returns
    -------
    Material
        ``missing`` says what could not be had, and under "sample" what was drawn.

    Raises
    ------
    PeriodError
        When a period isn't one.
    CatalogueError
        When a metric or profile is unknown.
    """
    now = parse_period(period, lake.month_start)
    before = _baseline(now, baseline, lake.month_start)
    chosen = quality.profile(profile, lake) if not isinstance(profile, quality.Profile) else profile
    known = metrics.catalogue(lake)
    named = known.choose(metric) if metric is not None else [known[m.metric] for m in chosen.metrics]
    missing: dict[str, str] = {}
    con = lake.connection()
    try:
        asked = list(dimensions) if dimensions is not None else _attributes(lake, con, missing)
        draw = draw_rows(lake, con, [now, *([before] if before else [])], most, seed)
        people, roster, training = read_people(lake, con, (before or now).start, now.last)
        asked = [name for name in asked if name not in leave_out]
        own = {name: [c for c in (*each, *_ADDED) if c not in leave_out] for name, each in DIMENSIONS.items()}
        own = own if dimensions is None else {}
        outcomes, earlier = _outcomes(lake, named, now, before, own, asked, people, missing, draw)
        if baseline is None and before and not any((rows["period"] == "before").any() for rows in outcomes.values()):
            missing["baseline"] = f"no rows in {before.key}: findings say where it is worse, not what changed"
            before = None
        first = (before or now).start if before is None or before < now else now.start
        spans = [(now, "now")] + ([(before, "before")] if before else [])
        events = _dated(read_events(lake, con, first, now.last, draw), spans) if lake.has("events") else None
        texts = _dated(read_texts(lake, con, first, now.last, draw), spans)
        if len(texts) and len(people):
            texts["text"] = hide_names(texts["text"], people["agent"])
        definitions = read_definitions(lake, con, first - timedelta(days=_MEASURED_DAYS // 4), now.last)
    finally:
        con.close()
    frames = {"events": events, "texts": texts, "people": people, "roster": roster, "training": training}
    if measures:
        frames["measures"] = _measures(lake, now)
    whole = metrics.measure(lake, [m.metric for m in chosen.metrics], every=now.kind, start=now.start, end=now.last)
    counts = {name: int((rows["period"] == "now").sum()) for name, rows in outcomes.items()}
    worth, curves = price(whole, chosen, known.metrics, now.key, counts)
    if worth.empty:
        missing["worth"] = "too little is measured for an index: findings have no points and are ranked by certainty"
    reasons = {"events": "no rows in events", "texts": "no customer's words in these periods", "people": "no agents"}
    missing |= {name: reasons[name] for name in reasons if frames[name] is None or frames[name].empty}
    shares = {name: draw.share(known[name].view) for name in outcomes if draw.share(known[name].view) < 1}
    if shares:
        missing["sample"] = _say(draw)
    there = {name: frame for name, frame in frames.items() if frame is not None and not frame.empty}
    return Material(
        now,
        before,
        outcomes,
        worth,
        curves=curves,
        shares=shares,
        earlier=earlier,
        definitions=definitions,
        missing=missing,
        **there,
    )


def _baseline(now: Period, baseline: str | Period | None, month_start: int) -> Period | None:
    if baseline is None:
        return now.previous()
    if isinstance(baseline, Period):
        return baseline
    if baseline == "none":
        return None
    return now.same_last_year() if baseline == "last_year" else parse_period(baseline, month_start)


def _attributes(lake: Lake, con: duckdb.DuckDBPyConnection, missing: dict[str, str]) -> list[str]:
    # The sources' own dimensions, but those known only afterwards.
    keys: set[str] = set()
    for table in ("cases", "contacts"):
        if lake.has(table):
            filled = f"from {identifier(table)} where attributes is not null"
            keys |= {key for (key,) in con.sql(f"select distinct unnest(json_keys(attributes)) {filled}").fetchall()}
    late = sorted(key for key in keys if is_known_late(key))
    missing |= {f"dimension {key}": "it is known only afterwards, or names a person" for key in late}
    return sorted(keys.difference(late))


def _outcomes(
    lake: Lake,
    chosen: Sequence[Metric],
    now: Period,
    before: Period | None,
    dimensions: Mapping[str, Sequence[str]],
    attributes: Sequence[str],
    people: pd.DataFrame,
    missing: dict[str, str],
    draw: Draw,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Return the rows of each metric in the two periods, and those from before both."""
    oldest = min([now, *([before] if before else [])])
    first = oldest.previous(_EARLIER).start
    days = day_classes(first, now.end, lake.country)
    fit = [m for m in chosen if m.view in KEYS and m.kind in ("rate", "mean", "ratio") and m.direction != "none"]
    missing |= {m.id: "it is no sum over cases, contacts, answers or items" for m in chosen if m not in fit}
    outcomes, earlier = {}, {}
    for name in dict.fromkeys(metric.view for metric in fit):
        own = dimensions.get(name, ())
        columns = [*KEYS[name], "agent", *own, *attributes]
        group = [metric for metric in fit if metric.view == name]
        only = draw.test(name, ["case_id", KEYS[name][0]])
        listed = metrics.list_rows(lake, [m.id for m in group], columns, first, now.last, only)
        for metric in group:
            rows = listed.get(metric.id)
            if rows is None or rows.empty:
                missing[metric.id] = "no row of these periods counts for it"
                continue
            rows = _prepared(rows, metric, KEYS[name][0], days, people)
            rows["period"] = _period_of(rows["at"], now, before)
            rows, old = rows[rows["period"] != ""], rows[rows["period"] == ""]
            if not (rows["period"] == "now").any():
                missing[metric.id] = f"no row of {now.key} counts for it"
                continue
            old = old[old["at"] < pd.Timestamp(oldest.start)].assign(period="earlier")
            names = [c for c in (*own, *attributes) if c in rows.columns]
            kept, left_out = usable(rows, names, metric.columns())
            missing |= {f"{metric.id}, {each}": why for each, why in left_out.items()}
            keep = [c for c in ("id", "case_id", "at", "bad", "period", "agent", *kept) if c in rows.columns]
            outcomes[metric.id] = rows[keep].reset_index(drop=True)
            earlier[metric.id] = old[keep].reset_index(drop=True)
    return outcomes, earlier


def _prepared(rows: pd.DataFrame, metric: Metric, key: str, days: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(bad=badness(metric, rows)).rename(columns={key: "id"} if key != "case_id" else {})
    if key == "case_id":
        rows = rows.assign(id=rows["case_id"])
    rows = rows.drop(columns=["numerator", "denominator", "contact_id"], errors="ignore")
    return add_tenure(add_times(rows.sort_values(["at", "id"], ignore_index=True), days), people)


def _period_of(at: pd.Series, now: Period, before: Period | None) -> np.ndarray:
    inside = [at.between(pd.Timestamp(p.start), pd.Timestamp(p.end), inclusive="left") for p in (now, before) if p]
    return np.select(inside, ["now", "before"][: len(inside)], "")


def _dated(rows: pd.DataFrame, spans: Sequence[tuple[Period, str]]) -> pd.DataFrame:
    """Name the period of each row by its local day key; rows of neither are left out."""
    if rows.empty:
        return rows
    day = rows["_day"].to_numpy()
    inside = [(day >= _key(p.start)) & (day <= _key(p.last)) for p, _ in spans]
    named = np.select(inside, [name for _, name in spans], "")
    return rows.assign(period=named).drop(columns="_day")[named != ""].reset_index(drop=True)


def _say(draw: Draw) -> str:
    drawn = ", ".join(f"{share:.1%} of {table}" for table, share in draw.shares.items())
    return f"looked at {drawn}, drawn by the case's id; numbers of cases and what went wrong are scaled up"


def _key(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def _measures(lake: Lake, now: Period) -> pd.DataFrame:
    start = now.last - timedelta(days=_MEASURED_DAYS)
    parts = []
    for every in ("month", "week"):
        try:
            part = metrics.measure(lake, every=every, start=start, end=now.last)
        except CatalogueError:
            continue
        parts.append(part.assign(every=every))
    return pd.concat(parts, ignore_index=True)
