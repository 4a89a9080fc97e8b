"""What stands around the cases of an analysis: their steps, what was written, and the people who worked on them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.store.engine import identifier
from svcanalytics.store.frames import share_texts

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.causes.gathering.sampling import Draw
    from svcanalytics.store import Lake

__all__ = ["localise", "read_events", "read_people", "read_texts"]

_EVENT = ("case_id", "seq", "milestone", "activity", "started_at", "at", "team", "agent", "by", "waits_for")
_OF_CASE = ("channel", "site", "business_type", "category", "system", "customer_type", "urgency", "owner_team")
_TEXT = ("channel", "site", "team", "category", "business_type", "customer_type")


def read_events(lake: Lake, con: duckdb.DuckDBPyConnection, first: date, last: date, draw: Draw) -> pd.DataFrame:
    """Read `Material.events`: all steps of the cases opened between two local days, of those that were drawn."""
    named = ", ".join(f"e.{identifier(name)}" for name in _EVENT)
    cased = ", ".join(f"c.{identifier(name)} as case_{name}" for name in _OF_CASE)
    rows = con.sql(
        f"select {named}, c.day_key as _day, {cased} from events e join cases c using (case_id) "
        f"where {_days('c.day_key', first, last)} and {draw.test('cases', ['c.case_id'])} "
        'order by e.case_id, e."at", e.seq'
    ).df()
    return localise(rows, lake.timezone)


def read_texts(lake: Lake, con: duckdb.DuckDBPyConnection, first: date, last: date, draw: Draw) -> pd.DataFrame:
    """Read `Material.texts`: what customers wrote between two local days, masked as it is stored, of cases drawn."""
    parts = []
    days = _days("t.day_key", first, last)
    beside = "left join contacts f on f.contact_id = t.contact_id left join cases k on k.case_id = "
    case = "coalesce(t.case_id, f.case_id)"
    of_case = ", ".join(f"t.{name}" for name in _TEXT)
    joined = {name: f"coalesce(f.{name}, k.{name})" if name != "business_type" else f"k.{name}" for name in _TEXT}
    if lake.has("cases"):
        parts.append(
            'select t.case_id as id, t.case_id, t.opened_at as "at", t.day_key as _day, t.text, t.language, '
            f"'case' as origin, {of_case} from cases t where t.text is not null and {days} "
            f"and {draw.test('cases', ['t.case_id'])}"
        )
    if lake.has("surveys"):
        dimensions = ", ".join(f"{sql} as {name}" for name, sql in joined.items())
        parts.append(
            f'select t.survey_id as id, {case} as case_id, t."at", t.day_key as _day, t.comment as text, '
            f"null as language, 'survey' as origin, {dimensions} from surveys t {beside} {case} "
            f"where t.comment is not null and {days} and {draw.test('surveys', [case, 't.survey_id'])}"
        )
    if lake.has("messages"):
        dimensions = ", ".join(f"any_value({sql}) as {name}" for name, sql in joined.items())
        parts.append(
            f"select coalesce(t.contact_id, t.case_id, t.message_id) as id, any_value({case}) as case_id, "
            'min(t."at") as "at", min(t.day_key) as _day, '
            "string_agg(t.text, ' ' order by t.\"at\", t.message_id) as text, null as language, "
            f"'message' as origin, {dimensions} from messages t {beside} {case} "
            f"where t.speaker = 'customer' and t.text is not null and {days} "
            f"and {draw.test('cases', [case, 't.contact_id', 't.message_id'])} group by 1"
        )
    if not parts:
        return pd.DataFrame()
    return localise(con.sql(" union all by name ".join(parts) + ' order by "at", id').df(), lake.timezone)


def read_people(
    lake: Lake, con: duckdb.DuckDBPyConnection, first: date, last: date
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read people, roster (of the days) and training (all until the last day)."""
    wanted = "agent, team, role, hired_on, left_on, tools, certificates, competent_on"
    people = con.sql(f"select {wanted} from agents order by agent").df() if lake.has("agents") else pd.DataFrame()
    roster = training = pd.DataFrame()
    if lake.has("roster"):
        roster = con.sql(
            "select t.agent, a.team, t.site, t.queue, t.kind, t.status, t.start_at, t.end_at from roster t "
            f"left join agents a on a.agent = t.agent where {_days('t.day_key', first, last)} order by 7, 1"
        ).df()
    if lake.has("training"):
        training = con.sql(
            f'select agent, "at", course, mode, duration_s, score, before_first_shift from training '
            f'where day_key <= {last:%Y%m%d} order by "at", agent'
        ).df()
    return people, localise(roster, lake.timezone), localise(training, lake.timezone)


def localise(rows: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Turn every time with a zone into a naive local one."""
    aware = [name for name in rows.columns if isinstance(rows[name].dtype, pd.DatetimeTZDtype)]
    local = {name: rows[name].dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[us]") for name in aware}
    return share_texts(rows).assign(**local)


def _days(column: str, first: date, last: date) -> str:
    return f"{column} between {first:%Y%m%d} and {last:%Y%m%d}"
