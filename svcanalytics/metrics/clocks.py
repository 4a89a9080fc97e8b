"""Clocks, row by row: which are asked for, when "now" is, and the frame that comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.metrics.expressions import filter_in, names_in
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.milestones import Selection, find_clocks, missing_data, prepare_cases
from svcanalytics.metrics.rules import Rulebook, Standard, clock_calendars, rulebook
from svcanalytics.metrics.timing import NONE, STATES, Batch, evaluate_clocks
from svcanalytics.periods import local_days
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["clock_rows", "data_stop", "instant", "run_clocks", "selected"]

# Times at which something happened, as against planned and due times, which may lie ahead.
_HAPPENED = {
    "cases": ("opened_at", "first_response_at", "resolved_at", "closed_at"),
    "contacts": ("offered_at", "answered_at", "human_at", "ended_at"),
    "events": ("at",),
    "messages": ("at",),
    "surveys": ("at",),
    "audits": ("at", "plan_at", "rectified_at", "rechecked_at"),
    "training": ("at",),
    "actions": ("found_at", "done_at", "accepted_at", "verified_at"),
    "duties": ("at",),
}


def clock_rows(
    lake: Lake,
    standards: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> pd.DataFrame:
    """Return every clock of the standards, one row per case and clock (per escalation of a case that has several).

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    standards : str or sequence of str, optional
        Ids; default: all. Composites have no clocks of their own.
    by : str or sequence of str
        Columns of the standards' views, or keys of ``attributes``, to add. ``team`` is the owner, see below.
    start, end : date or str, optional
        First and last local day, or written period, in which the clock starts (falls due, where the standard says so).
    where : mapping, optional
        Column or attribute to a value, a list of values, or None for "not filled".
    at : datetime, optional
        "Now"; default: `data_stop` of the lake.

    Returns
    -------
    DataFrame
        standard, table, id (of the case, contact, audit …), round, team (owner: the team that took the case first), the
        columns of `by`, start, due, stop (UTC, NaT while running), state (see `STATES`), elapsed_s, paused_s (taken out
        of elapsed_s where the standard is net), overrun_s (until it stopped or was over; 0 unless late), net (bool),
        is_open (bool: something can still be done). A row without a target of its own, or that no standard is for, has
        no clock. ``attrs["left_out"]`` says which standards could not be measured and why.

    Raises
    ------
    CatalogueError
        When a standard is unknown, or one that was named lacks a column of `by` or `where`.
    """
    by = names_in(by)
    first, last = span(start, end, lake.month_start)
    book = rulebook(lake)
    chosen = [rule for rule in book.choose(standards) if not rule.of]
    selection = Selection(tuple(by), filter_in(where), first, last)
    parts, left_out = [], {}
    with lake.held() as held, closing(held.connection()) as con:
        now = instant(con, held, at)
        rules = selected(con, held, chosen, selection, left_out, named=standards is not None)
        for batch in run_clocks(con, held, book, rules, selection, now):
            parts.append(_frame(con, batch, by))
    names = ["standard", "table", "id", "round", "team", *(name for name in by if name != "team")]
    names += ["start", "due", "stop", "state", "elapsed_s", "paused_s", "overrun_s", "net", "is_open"]
    frame = pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
    order = {rule.id: i for i, rule in enumerate(chosen)}
    frame = frame.sort_values(
        ["standard", "start", "id", "round"], key=lambda c: c.map(order) if c.name == "standard" else c
    )
    frame = frame.reset_index(drop=True)
    frame.attrs["left_out"] = left_out
    return frame


def data_stop(lake: Lake) -> datetime | None:
    """Return when the data stop: the latest time at which anything happened, not in the future; None without rows."""
    con = lake.connection()
    try:
        return _stop(con, lake)
    finally:
        con.close()


def selected(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    rules: Sequence[Standard],
    selection: Selection,
    left_out: dict[str, str],
    *,
    named: bool,
) -> list[Standard]:
    """Return the rules that can be measured; put the others into `left_out`, or raise when they were named."""
    kept = []
    for rule in rules:
        reason = missing_data(con, lake, rule, selection)
        if reason and named and not reason.startswith("no rows"):
            raise CatalogueError(f"{rule.id} {reason}", where="by, where", fix="leave the standard or the column out")
        if reason:
            left_out[rule.id] = reason
        else:
            kept.append(rule)
    return kept


def run_clocks(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    book: Rulebook,
    rules: Sequence[Standard],
    selection: Selection,
    now: datetime | None,
) -> Iterator[Batch]:
    """Evaluate the clocks of `rules`, topic by topic; the temp table ``_clock`` belongs to the batch last yielded.

    `lake` must be held, see `prepare_cases`, and `con` one of its connections.
    """
    wanted = {rule.id for rule in rules}
    ends = clock_calendars(lake)
    topics = [rules for rules in book.topics.values() if wanted & {rule.id for rule in rules}]
    prepare_cases(con, lake, topics, selection)
    for competing in topics:
        found = find_clocks(con, lake, competing, selection)
        batch = evaluate_clocks(con, lake, found, ends, _us(now or datetime.now(UTC)))
        keep = np.isin(batch.rule, [i for i, rule in enumerate(found) if rule.id in wanted])
        keep &= _inside(batch, selection, lake.timezone)
        yield batch[keep]


def _inside(batch: Batch, selection: Selection, zone: str) -> np.ndarray:
    """Tell which clocks belong to the days asked for and start while their rule is valid."""
    inside = np.ones(len(batch.start), bool)
    started = local_days(batch.start, zone)
    for i, rule in enumerate(batch.rules):
        if rule.valid_from:
            inside &= (batch.rule != i) | (started >= np.datetime64(rule.valid_from))
        if rule.valid_to:
            inside &= (batch.rule != i) | (started <= np.datetime64(rule.valid_to))
    days = started if batch.rules[0].at == "start" else local_days(batch.due, zone)
    if selection.first is not None:
        inside &= days >= np.datetime64(selection.first)
    if selection.last is not None:
        inside &= days <= np.datetime64(selection.last)
    return inside


def _frame(con: duckdb.DuckDBPyConnection, batch: Batch, by: Sequence[str]) -> pd.DataFrame:
    extra = "".join(f", _by{i} as {identifier(name)}" for i, name in enumerate(by) if name != "team")
    frame = con.execute(f"select id, round, team, is_open{extra} from _clock order by rid").df().iloc[batch.rid]
    frame = frame.reset_index(drop=True)
    rules = np.array([rule.id for rule in batch.rules], dtype=object)
    frame["standard"], frame["table"] = rules[batch.rule], batch.rules[0].table
    for name in ("start", "due", "stop"):
        frame[name] = pd.Series(getattr(batch, name).view("datetime64[us]")).dt.tz_localize("UTC")
    frame["state"] = np.array(STATES, dtype=object)[batch.state]
    frame["elapsed_s"], frame["paused_s"], frame["overrun_s"] = batch.elapsed_s, batch.paused_s, batch.overrun_s
    frame["net"] = np.array([bool(rule.pauses) for rule in batch.rules])[batch.rule]
    frame["is_open"] = frame["is_open"].astype(bool) & (batch.stop == NONE)
    return frame


def instant(con: duckdb.DuckDBPyConnection, lake: Lake, at: datetime | str | None) -> datetime | None:
    """Return "now" in UTC: what is given (naive: local time of the lake), or when the data stop."""
    if at is None:
        return _stop(con, lake)
    try:
        moment = pd.Timestamp(at)
    except (ValueError, TypeError):
        raise PeriodError("this is no time", where=repr(at), fix="write a time as 2026-10-31 08:30") from None
    if moment.tzinfo is None:
        moment = moment.tz_localize(lake.timezone, ambiguous=False, nonexistent="shift_forward")
    return moment.tz_convert("UTC").to_pydatetime()


def _stop(con: duckdb.DuckDBPyConnection, lake: Lake) -> datetime | None:
    now = _us(datetime.now(UTC))
    parts = [
        f"select max(t) as t from (select epoch_us({identifier(column)}) as t from main.{table}) where t <= {now}"
        for table, columns in _HAPPENED.items()
        if lake.whole.has(table)
        for column in columns
    ]
    if not parts:
        return None
    (found,) = con.execute(f"select max(t) from ({' union all '.join(parts)})").fetchone()
    return None if found is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found)


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
