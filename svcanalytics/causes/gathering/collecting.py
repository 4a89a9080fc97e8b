"""`gather`: the material of an analysis of causes, from a lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import metrics, quality
from svcanalytics.causes.gathering.books import read_definitions
from svcanalytics.causes.gathering.dimensions import DIMENSIONS, KEYS, is_known_late
from svcanalytics.causes.gathering.hiding import hide_names
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.gathering.pricing import price
from svcanalytics.causes.gathering.rowset import EARLIER, Outcome, RowSet, read_rows
from svcanalytics.causes.gathering.sampling import MOST, Draw, draw_rows
from svcanalytics.causes.gathering.surroundings import read_events, read_people, read_texts
from svcanalytics.errors import CauseError
from svcanalytics.metrics.listing import list_together
from svcanalytics.periods import Period, day_classes, parse_period
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.metrics import Metric
    from svcanalytics.quality import Profile
    from svcanalytics.store import Lake

__all__ = ["gather", "gather_each"]

_MEASURED_DAYS = 730
_ABSENT = {"events": "no rows in events", "texts": "no customer's words in these periods", "people": "no agents"}
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
        Whether to measure these metrics week by week over two years too, which only `relations` reads.
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
    CauseError
        When period and baseline overlap.
    """
    return gather_each(
        lake, [period], baseline, profile=profile, metric=metric, dimensions=dimensions, leave_out=leave_out,
        measures=measures, most=most, seed=seed,
    )[0]  # fmt: skip


def gather_each(
    lake: Lake,
    periods: Sequence[str | Period],
    baseline: str | Period | None = None,
    *,
    profile: Profile | str | None = None,
    metric: str | Sequence[str] | None = None,
    dimensions: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
    measures: bool = True,
    most: int | None = MOST,
    seed: int = 0,
) -> list[Material]:
    """Gather the material of several periods, each held against its own baseline; the lake is read once.

    Parameters are those of `gather`. The share that is drawn of a large lake is the same for all periods.

    Returns
    -------
    list of Material
        In the order of the periods.
    """
    nows = [parse_period(each, lake.month_start) for each in periods]
    pairs = [(now, _baseline(now, baseline, lake.month_start)) for now in nows]
    for now, before in pairs:
        if before and before.start < now.end and now.start < before.end:
            raise CauseError(f"{before.key} is part of {now.key}, or the other way round", where="baseline",
                             fix="hold a period against another time")  # fmt: skip
    all_of_them = [each for pair in pairs for each in pair if each]
    chosen = quality.profile(profile, lake) if not isinstance(profile, quality.Profile) else profile
    known = metrics.catalogue(lake)
    named = known.choose(metric) if metric is not None else [known[m.metric] for m in chosen.metrics]
    missing: dict[str, str] = {}
    con = lake.connection()
    try:
        asked = list(dimensions) if dimensions is not None else _attributes(lake, con, missing)
        draw = draw_rows(lake, con, all_of_them, most, seed)
        start, end = min(all_of_them).start, max(nows).last
        people, roster, training = read_people(lake, con, start, end)
        asked = [name for name in asked if name not in leave_out]
        own = {name: [c for c in (*each, *_ADDED) if c not in leave_out] for name, each in DIMENSIONS.items()}
        own = own if dimensions is None else {}
        fit = [m for m in named if m.view in KEYS and m.kind in ("rate", "mean", "ratio") and m.direction != "none"]
        missing |= {m.id: "it is no sum over cases, contacts, answers or items" for m in named if m not in fit}
        first = min(all_of_them).previous(EARLIER).start
        sets = _row_sets(lake, fit, first, end, own, asked, people, draw)
        around = {
            "events": read_events(lake, con, start, end, draw) if lake.has("events") else pd.DataFrame(),
            "texts": read_texts(lake, con, start, end, draw), "people": people, "roster": roster, "training": training,
        }  # fmt: skip
        if len(around["texts"]) and len(people):
            around["texts"]["text"] = hide_names(around["texts"]["text"], people["agent"])
        books = [
            read_definitions(lake, con, _first_day(now, before) - timedelta(days=_MEASURED_DAYS // 4), now.last)
            for now, before in pairs
        ]
    finally:
        con.close()
    ids = [m.metric for m in chosen.metrics]
    whole = {
        kind: metrics.measure(lake, ids, every=kind, start=min(each).start, end=max(each).last)
        for kind in dict.fromkeys(now.kind for now in nows)
        if (each := [now for now in nows if now.kind == kind])
    }
    shares = {m.id: draw.share(m.view) for m in fit if draw.share(m.view) < 1}
    missing |= {"sample": _say(draw)} if shares else {}
    out = []
    for (now, before), definitions in zip(pairs, books, strict=True):
        outcomes, earlier, told = _outcomes(sets, fit, now, before)
        if baseline is None and before and not any((rows["period"] == "before").any() for rows in outcomes.values()):
            told["baseline"] = f"no rows in {before.key}: findings say where it is worse, not what changed"
            before = None
        frames = _around(around, now, before) | {"definitions": definitions}
        if measures:
            frames["measures"] = _measures(lake, now, list(outcomes)) if outcomes else pd.DataFrame()
        counts = {name: int((rows["period"] == "now").sum()) for name, rows in outcomes.items()}
        worth, curves = price(whole[now.kind], chosen, known.metrics, now.key, counts)
        if worth.empty:
            told["worth"] = "too little is measured for an index: findings have no points and are ranked by certainty"
        reasons = {
            "events": "no rows in events",
            "texts": "no customer's words in these periods",
            "people": "no agents",
        }
        told |= {name: reasons[name] for name in reasons if frames[name].empty}
        there = {name: frame for name, frame in frames.items() if not frame.empty}
        out.append(
            Material(
                now, before, outcomes, worth, curves=curves, earlier=earlier, missing={**missing, **told},
                shares={name: share for name, share in shares.items() if name in outcomes}, **there,
            )
        )  # fmt: skip
    return out


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


def _row_sets(
    lake: Lake,
    fit: Sequence[Metric],
    first: date,
    last: date,
    dimensions: Mapping[str, Sequence[str]],
    attributes: Sequence[str],
    people: pd.DataFrame,
    draw: Draw,
) -> list[RowSet]:
    days = day_classes(first, last + timedelta(days=1), lake.country)
    sets = []
    for name in dict.fromkeys(metric.view for metric in fit):
        columns = [*KEYS[name], "agent", *dimensions.get(name, ()), *attributes]
        group = [metric.id for metric in fit if metric.view == name]
        only = draw.test(name, ["case_id", KEYS[name][0]])
        names = [*dimensions.get(name, ()), *attributes]
        for listing in list_together(lake, group, columns, first, last, only):
            sets.append(read_rows(listing, name, names, days, people))
    return sets


def _outcomes(
    sets: Sequence[RowSet], fit: Sequence[Metric], now: Period, before: Period | None
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], dict[str, str]]:
    found: dict[str, Outcome | None] = {}
    counted: set[str] = set()
    for each in sets:
        period = each.name_periods(now, before)
        for metric in fit:
            if metric.id in each.sums:
                found[metric.id] = each.outcome(metric, period)
                if found[metric.id] is None and each.sums[metric.id]["numerator"].notna().any():
                    counted.add(metric.id)
    outcomes, earlier, told = {}, {}, {}
    for metric in fit:
        outcome = found.get(metric.id)
        if outcome is None:
            there = metric.id in counted
            told[metric.id] = f"no row of {now.key} counts for it" if there else "no row of these periods counts for it"
            continue
        told |= {f"{metric.id}, {each}": why for each, why in outcome.left_out.items()}
        outcomes[metric.id], earlier[metric.id] = outcome.rows, outcome.earlier
    return outcomes, earlier, told


def _around(around: Mapping[str, pd.DataFrame], now: Period, before: Period | None) -> dict[str, pd.DataFrame]:
    """Return of what stands around cases that of a period and its baseline."""
    spans = [(now, "now")] + ([(before, "before")] if before else [])
    out = dict(around)
    out |= {name: _dated(around[name], spans) for name in ("events", "texts")}
    start, end = pd.Timestamp(_first_day(now, before)), pd.Timestamp(now.end)
    if len(out["roster"]):
        out["roster"] = out["roster"][out["roster"]["start_at"].between(start, end, inclusive="left")]
    if len(out["training"]):
        out["training"] = out["training"][out["training"]["at"] < end]
    return out


def _dated(rows: pd.DataFrame, spans: Sequence[tuple[Period, str]]) -> pd.DataFrame:
    """Name the period of each row by its local day key; rows of neither are left out."""
    if rows.empty:
        return rows
    day = rows["_day"].to_numpy()
    inside = [(day >= _key(p.start)) & (day <= _key(p.last)) for p, _ in spans]
    named = np.select(inside, [name for _, name in spans], "")
    return rows.assign(period=named).drop(columns="_day")[named != ""].reset_index(drop=True)


def _first_day(now: Period, before: Period | None) -> date:
    return min(each for each in (now, before) if each).start


def _say(draw: Draw) -> str:
    drawn = ", ".join(f"{share:.1%} of {table}" for table, share in draw.shares.items())
    return f"looked at {drawn}, drawn by the case's id; numbers of cases and what went wrong are scaled up"


def _key(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def _measures(lake: Lake, now: Period, ids: Sequence[str]) -> pd.DataFrame:
    start = now.last - timedelta(days=_MEASURED_DAYS)
    return metrics.measure(lake, ids, every="week", start=start, end=now.last).assign(every="week")
