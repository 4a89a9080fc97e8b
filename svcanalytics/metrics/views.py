"""The views that metrics read: a table with its case's dimensions and the derived columns that metrics need.

A view is SQL text put together for the columns asked for, so that a derived column nobody uses costs nothing. All
durations are whole seconds. In the text ``t`` is the view's own table; ``{zone}`` is the lake's time zone. A lake may
show the rows of one unit alone; what is looked up about a row is looked up among everybody's, in the schema ``main``.
"""

from __future__ import annotations

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.relations import Derived, View, seconds
from svcanalytics.store.engine import identifier, literal

__all__ = ["VIEWS", "View", "pauses", "view"]


def view(name: str) -> View:
    """Return a view by name.

    Raises
    ------
    CatalogueError
        When there is none.
    """
    if name not in VIEWS:
        raise CatalogueError(f"there is no view {name!r}", fix=f"use one of {', '.join(VIEWS)}")
    return VIEWS[name]


def pauses(waits_for: str = "customer") -> str:
    """Return SQL of the spans in which a case waits for somebody: case_id, starts_at, ends_at (null: still waiting).

    A case waits for whom its last event with `waits_for` named, until an event names another.
    """
    return (
        'select case_id, "at" as starts_at, ends_at from (select case_id, "at", waits_for, '
        'lead("at") over (partition by case_id order by "at", seq) as ends_at '
        "from main.events where waits_for is not null) "
        f"where waits_for = {literal(waits_for)}"
    )


def _positive(number: str) -> str:
    # Not greatest(0, …): that makes 0 of what isn't known.
    return f"(case when {number} < 0 then 0 else {number} end)"


def _first_of(column: str, *aliases: str) -> Derived:
    of = {"t": (), "k": ("contact_case", "case"), "f": ("contact",), "a": ("agent",)}
    parts = [f"{alias}.{identifier(column)}" for alias in aliases]
    sql = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
    return Derived("text", sql, tuple(need for alias in aliases for need in of[alias]))


def _again(table: str, key: str, at: str) -> str:
    """Return the join that gives when the same customer asks about the same subject again, of whomever."""
    return (
        f"left join (select {key}, lead({at}) over (partition by customer_id, category order by {at}, {key}) "
        f"as next_at from main.{table} where customer_id is not null) r on r.{key} = t.{key}"
    )


_CASE = "left join main.cases k on k.case_id = t.case_id"
_CONTACT = "left join main.contacts f on f.contact_id = t.contact_id"
_AGENT = "left join main.agents a on a.agent = t.agent"
_CASE_DIMENSIONS = {
    **{name: _first_of(name, "k") for name in ("business_type", "urgency", "owner_team", "first_team", "system")},
    "complaint_level": Derived("integer", "k.complaint_level", ("contact_case", "case")),
}
_CONTACT_DIMENSIONS = {
    **{name: _first_of(name, "f", "k") for name in ("channel", "category", "customer_type")},
    "queue": _first_of("queue", "f"),
}

# What happened in a case, from its events. An automatic acknowledgement or a bot's answer is not a person's response.
_STEPS = """left join (select case_id,
  min("at") filter (where milestone = 'first_response' and ("by" is null or "by" = 'human')) as human_at,
  min("at") filter (where milestone in ('first_response', 'acknowledged') and "by" in ('automatic', 'bot'))
    as machine_at,
  bool_or(milestone = 'escalated') as escalated,
  bool_or(milestone = 'followed_up') as followed_up,
  bool_or(milestone in ('result_told', 'adoption_told')) as told,
  bool_or(milestone = 'adopted') as adopted,
  bool_or(milestone = 'published') as published,
  min("at") filter (where milestone in ('restored', 'switched_over')) as restored_at,
  count(distinct team) as teams_n
  from main.events group by case_id) e on e.case_id = t.case_id"""
_PAUSED = f"""left join (select w.case_id, cast(sum(greatest(0,
    epoch_us(least(coalesce(w.ends_at, c.resolved_at), c.resolved_at)) - epoch_us(greatest(w.starts_at, c.opened_at))
  )) // 1000000 as bigint) as paused_s
  from ({pauses()}) w join main.cases c on c.case_id = w.case_id
  where c.resolved_at is not null group by w.case_id) p on p.case_id = t.case_id"""
_RESPONDED = (
    "(case when e.machine_at = t.first_response_at then e.human_at else coalesce(t.first_response_at, e.human_at) end)"
)
# Bare form letters: nothing but a greeting and "your message has been received".
_FORM = (
    r"^.{0,40}(留言|来信|来电|诉求|意见|反映|邮件)?.{0,6}(收悉|收到|知悉)[。.!!\s]*$"
    r"|^.{0,60}(message|e-?mail|request|letter|enquiry) (has been|was|is) (received|noted)[.!\s]*$"
)
_RISK = (
    r"投诉|举报|曝光|起诉|媒体|记者|维权|上访|律师|赔偿"
    r"|complain|lawyer|attorney|lawsuit|\bsue\b|ombudsman|regulator|journalist|newspaper"
)
_RESOLVED = "coalesce(t.resolution = 'yes', t.resolved_at is not null)"
_GROSS = seconds("t.opened_at", "t.resolved_at")
_REPLY = r"trim(regexp_replace(t.reply_text, '[\s　]+', ' ', 'g'))"
_FORM_LETTER = f"(length({_REPLY}) < 20 or regexp_matches({_REPLY}, {literal(_FORM)}, 'i'))"

_CASES = View(
    "cases",
    ("cases",),
    "opened_at",
    {
        "responded_at": Derived("timestamp", _RESPONDED, ("steps",)),
        "first_response_s": Derived("integer", seconds("t.opened_at", _RESPONDED), ("steps",)),
        "resolve_s": Derived("integer", _GROSS),
        "paused_s": Derived("integer", "coalesce(p.paused_s, 0)", ("paused",)),
        "resolve_net_s": Derived("integer", f"({_GROSS} - coalesce(p.paused_s, 0))", ("paused",)),
        "close_s": Derived("integer", seconds("t.opened_at", "t.closed_at")),
        "restore_s": Derived("integer", seconds("t.opened_at", "coalesce(e.restored_at, t.resolved_at)"), ("steps",)),
        "finished_at": Derived("timestamp", "coalesce(t.closed_at, t.resolved_at)"),
        "is_resolved": Derived("boolean", _RESOLVED),
        "is_open": Derived("boolean", "(t.resolved_at is null and t.closed_at is null and t.resolution is null)"),
        "contacts_n": Derived("integer", "n.contacts_n", ("contacts",)),
        "at_first_contact": Derived(
            "boolean",
            f"({_RESOLVED} and coalesce(t.reopened_n, 0) = 0 and coalesce(t.transferred_n, 0) = 0 "
            "and coalesce(n.contacts_n, 1) <= 1)",
            ("contacts",),
        ),
        # Seconds until the same customer asks about the same subject again.
        "next_case_s": Derived("integer", seconds("t.opened_at", "r.next_at"), ("again",)),
        # Seconds the row has been under watch: a repeat within 7 days can't be denied before 7 days have passed.
        "watched_s": Derived("integer", seconds("t.opened_at", "(select max(opened_at) from main.cases)")),
        "repeats": Derived("boolean", "(t.related_case_id is not null)"),
        "escalated": Derived("boolean", "coalesce(e.escalated, false)", ("steps",)),
        "followed_up": Derived("boolean", "coalesce(e.followed_up, false)", ("steps",)),
        "told": Derived("boolean", "coalesce(e.told, false)", ("steps",)),
        "adopted": Derived("boolean", "coalesce(e.adopted, false)", ("steps",)),
        "published": Derived("boolean", "coalesce(e.published, false)", ("steps",)),
        "has_events": Derived("boolean", "(e.case_id is not null)", ("steps",)),
        "teams_n": Derived("integer", "e.teams_n", ("steps",)),
        "satisfied": Derived("boolean", "s.satisfied", ("survey",)),
        "reply_length": Derived("integer", f"length({_REPLY})"),
        "form_letter": Derived("boolean", _FORM_LETTER),
        "risk_words": Derived("boolean", f"regexp_matches(t.text, {literal(_RISK)}, 'i')"),
    },
    {
        "steps": _STEPS,
        "paused": _PAUSED,
        "again": _again("cases", "case_id", "opened_at"),
        "contacts": "left join (select case_id, count(*) as contacts_n from main.contacts where case_id is not null "
        "group by case_id) n on n.case_id = t.case_id",
        "survey": 'left join (select case_id, arg_max(csat * 5 >= scale * 4, "at") as satisfied from main.surveys '
        "where csat is not null and default_rating is not true group by case_id) s on s.case_id = t.case_id",
    },
)

# A source that never fills queued_at doesn't know queues: its contacts wait from the moment they are offered. In one
# that does, a contact without queued_at went straight through.
_PERSON = "coalesce(t.human_at, case when t.handled_by is distinct from 'bot' then t.answered_at end)"
_WAIT_FROM = f"(case when t.queued_at is not null then t.queued_at when q.queues then {_PERSON} else t.offered_at end)"
_GAVE_UP = f"({_PERSON} is null and coalesce(t.abandoned, t.answered_at is null))"
_WANTED_PERSON = (
    f"(t.direction is distinct from 'outbound' and ({_PERSON} is not null "
    f"or ({_GAVE_UP} and (t.queued_at is not null or not q.queues))))"
)
_WAITED = seconds("coalesce(t.queued_at, t.offered_at)", "t.ended_at")
_HANDLE = (
    "(case when coalesce(t.talk_s, t.hold_s, t.wrap_s) is not null then "
    "coalesce(t.talk_s, 0) + coalesce(t.hold_s, 0) + coalesce(t.wrap_s, 0) end)"
)
_BOT_FIRST = "(t.handled_by = 'bot' or t.handover_reason is not null)"
_CONTACTS = View(
    "contacts",
    ("contacts",),
    "offered_at",
    {
        "person_at": Derived("timestamp", _PERSON),
        "is_offered": Derived("boolean", _WANTED_PERSON, ("queues",)),
        "is_answered": Derived("boolean", f"({_WANTED_PERSON} and {_PERSON} is not null)", ("queues",)),
        "is_abandoned": Derived("boolean", f"({_WANTED_PERSON} and {_PERSON} is null)", ("queues",)),
        "wait_s": Derived("integer", _positive(seconds(_WAIT_FROM, _PERSON)), ("queues",)),
        "patience_s": Derived("integer", f"(case when {_GAVE_UP} then {_positive(_WAITED)} end)"),
        "confirm_s": Derived("integer", _positive(seconds("t.offered_at", _PERSON))),
        "handle_s": Derived("integer", _HANDLE),
        "began_with_bot": Derived("boolean", f"coalesce({_BOT_FIRST}, false)"),
        "kept_by_bot": Derived(
            "boolean", "coalesce(t.handled_by = 'bot' and t.handover_reason is null and t.human_at is null, false)"
        ),
        "handover_on_emotion": Derived(
            "boolean", "coalesce(regexp_matches(t.handover_reason, 'emotion|angry|upset|情绪|愤怒|不满', 'i'), false)"
        ),
        "next_contact_s": Derived("integer", seconds("t.offered_at", "r.next_at"), ("again",)),
        "watched_s": Derived("integer", seconds("t.offered_at", "(select max(offered_at) from main.contacts)")),
        **_CASE_DIMENSIONS,
    },
    {
        "case": _CASE,
        "again": _again("contacts", "contact_id", "offered_at"),
        "queues": "join (select source, bool_or(queued_at is not null) as queues from main.contacts group by source) q "
        "on q.source = t.source",
    },
)

_GIVEN = "(t.csat is not null and t.default_rating is not true)"
_SURVEYS = View(
    "surveys",
    ("surveys",),
    "at",
    {
        "is_rated": Derived("boolean", _GIVEN),
        "satisfied": Derived("boolean", f"({_GIVEN} and t.csat * 5 >= t.scale * 4)"),
        "is_default": Derived("boolean", "coalesce(t.default_rating, false)"),
        "team": _first_of("team", "f", "k"),
        "agent": _first_of("agent", "f", "k"),
        "site": _first_of("site", "f", "k"),
        "attributes": Derived("json", "coalesce(f.attributes, k.attributes)", ("contact", "contact_case", "case")),
        **_CASE_DIMENSIONS,
        **_CONTACT_DIMENSIONS,
    },
    # A survey about a contact belongs to the contact's case too.
    {
        "contact": _CONTACT,
        "contact_case": "left join main.contacts g on g.contact_id = t.contact_id",
        "case": _CASE.replace("t.case_id", "coalesce(t.case_id, g.case_id)"),
    },
)

_AUDITS = View(
    "audits",
    ("audits",),
    "at",
    {
        "needs_rectifying": Derived("boolean", "(t.rectify_due is not null)"),
        "rectified_on_time": Derived("boolean", "coalesce(t.rectified_at <= t.rectify_due, false)"),
        "past_due": Derived("boolean", '(t.rectify_due <= (select max("at") from main.audits))'),
        **{name: _first_of(name, "k") for name in ("business_type",)},
        **_CONTACT_DIMENSIONS,
    },
    {"contact": _CONTACT, "case": _CASE},
)

_BEFORE = 'lag(t."at") over (partition by t.case_id order by t."at", t.seq)'
_EVENTS = View(
    "events",
    ("events",),
    "at",
    {
        # From the case's previous step to this one; waiting is what passed before work on it began.
        "node_s": Derived("integer", _positive(seconds(_BEFORE, 't."at"'))),
        "waiting_s": Derived("integer", _positive(seconds(_BEFORE, "t.started_at"))),
        **_CASE_DIMENSIONS,
        **{name: _first_of(name, "k") for name in ("channel", "category", "customer_type", "site")},
    },
    {"case": _CASE},
)

_LENGTH = seconds("t.start_at", "t.end_at")
_ROSTER = View(
    "roster",
    ("roster",),
    "start_at",
    {
        "length_s": Derived("integer", _LENGTH),
        "team": _first_of("team", "a"),
        "role": _first_of("role", "a"),
        "is_planned_work": Derived("boolean", "(t.status = 'planned' and t.kind = 'work')"),
        "is_worked": Derived("boolean", "(t.status = 'worked' and t.kind in ('work', 'overtime'))"),
        "is_absence": Derived("boolean", "(t.status = 'worked' and t.kind in ('leave', 'sick'))"),
        "kept_s": Derived("integer", "coalesce(o.kept_s, 0)", ("kept",)),
    },
    {
        "agent": _AGENT,
        # Intervals that overlap, as an hour booked as work and as overtime, count each second once.
        "kept": """left join (select p.roster_id, cast(sum(greatest(0, epoch_us(least(p.end_at, w.end_at))
  - epoch_us(greatest(p.start_at, w.start_at)))) // 1000000 as bigint) as kept_s
  from main.roster p join (select agent, end_at, greatest(start_at, max(end_at) over (partition by agent
      order by start_at, end_at, roster_id rows between unbounded preceding and 1 preceding)) as start_at
    from main.roster where status = 'worked' and kind in ('work', 'overtime')) w
    on w.agent = p.agent and w.start_at < p.end_at and w.end_at > p.start_at
  where p.status = 'planned' and p.kind = 'work' group by p.roster_id) o on o.roster_id = t.roster_id""",
    },
    joint=True,
)

_TRAINING = View(
    "training", ("training",), "at", {"team": _first_of("team", "a"), "role": _first_of("role", "a")}, {"agent": _AGENT}
)

_AGENTS = View(
    "agents",
    ("agents",),
    "",
    {
        "joined_at": Derived("timestamp", "timezone({zone}, cast(t.hired_on as timestamp))"),
        "prepared_s": Derived("integer", "coalesce(r.prepared_s, 0)", ("prepared",)),
        "competent_days": Derived("integer", "date_diff('day', t.hired_on, t.competent_on)"),
        "watched_days": Derived(
            "integer",
            "(select date_diff('day', t.hired_on, cast(timezone({zone}, max(start_at)) as date)) from main.roster)",
        ),
        "department": Derived("text", "m.department", ("team",)),
    },
    {
        "prepared": "left join (select agent, cast(sum(duration_s) as bigint) as prepared_s from main.training "
        "where before_first_shift group by agent) r on r.agent = t.agent",
        "team": "left join main.teams m on m.team = t.team",
    },
)

# One row per agent and calendar month in post, so that hours per head add up over teams and months.
_AGENT_MONTHS = View(
    "agent_months",
    ("agents",),
    "",
    source="""(select g.agent, g.team, g.role, g.tools, g.certificates, g.satisfaction,
  timezone({zone}, g.month) as starts_at,
  coalesce((select cast(sum(r.duration_s) as bigint) from main.training r where r.agent = g.agent
    and r.before_first_shift is not true and r.month_key = cast(strftime(g.month, '%Y%m') as bigint)), 0) as trained_s
  from (select a.*, unnest(generate_series(
      date_trunc('month', cast(greatest(coalesce(a.hired_on, h.first_day), h.first_day) as timestamp)),
      cast(least(coalesce(a.left_on, h.last_day), h.last_day) as timestamp), interval 1 month)) as month
    from agents a cross join (select cast(timezone({zone}, min(first_at)) as date) as first_day,
        cast(timezone({zone}, max(last_at)) as date) as last_day
      from (select min("at") as first_at, max("at") as last_at from main.training
        union all select min(start_at), max(start_at) from main.roster)) h) g)""",
    types={
        **dict.fromkeys(("agent", "team", "role"), "text"),
        **dict.fromkeys(("tools", "certificates", "satisfaction", "trained_s"), "integer"),
        "starts_at": "timestamp",
    },
)

# Handling beside paid time. Only contacts of agents whose roster of that day is known count.
_WORKLOAD = View(
    "workload",
    ("roster", "contacts"),
    "at",
    also=("contacts",),
    joint=True,
    source="""(select 'contact' as kind, t.offered_at as "at", t.day_key, t.month_key, t.source, t.agent,
    coalesce(a.team, t.team) as team, t.queue, t.site,
    case when t.handled_by is distinct from 'bot' then
      (coalesce(t.talk_s, 0) + coalesce(t.hold_s, 0) + coalesce(t.wrap_s, 0)) // greatest(coalesce(t.concurrency, 1), 1)
    end as handle_s, cast(null as bigint) as worked_s, cast(null as bigint) as cost, 1 as contacts
  from contacts t left join main.agents a on a.agent = t.agent
  where (t.agent, t.day_key) in
    (select (agent, day_key) from main.roster where status = 'worked' and kind in ('work', 'overtime'))
  union all select 'roster', t.start_at, t.day_key, t.month_key, t.source, t.agent, a.team, t.queue, t.site, null,
    case when t.status = 'worked' and t.kind in ('work', 'overtime')
      then (epoch_us(t.end_at) - epoch_us(t.start_at)) // 1000000 end,
    case when t.status = 'worked' then t.cost end, 0
  from roster t left join main.agents a on a.agent = t.agent)""",
    types={
        "at": "timestamp",
        **dict.fromkeys(("day_key", "month_key", "handle_s", "worked_s", "cost", "contacts"), "integer"),
        **dict.fromkeys(("kind", "agent", "team", "queue", "site"), "text"),
    },
)

# What is asked of the service beside the complaints about it: contacts, cases, orders.
_DEMAND = View(
    "demand",
    ("cases", "contacts"),
    "at",
    source="""(select offered_at as "at", day_key, month_key, channel, site, team, category, customer_type,
    1 as contacts, 0 as complaints, 0 as orders from contacts where direction is distinct from 'outbound'
  union all select opened_at, day_key, month_key, channel, site, team, category, customer_type, 0, 1, 0
    from cases where business_type = 'complaint'
  union all select "at", day_key, month_key, null, null, null, null, null, 0, 0, orders from outcomes
    where orders is not null)""",
    types={
        "at": "timestamp",
        **dict.fromkeys(("day_key", "month_key", "contacts", "complaints", "orders"), "integer"),
        **dict.fromkeys(("channel", "site", "team", "category", "customer_type"), "text"),
    },
)

# Cases coming in beside cases going out, each at its own time.
_FLOW_DIMENSIONS = (
    "channel",
    "site",
    "business_type",
    "urgency",
    "category",
    "system",
    "customer_type",
    "first_team",
    "owner_team",
    "team",
    "agent",
    "source",
)
_FLOW = View(
    "flow",
    ("cases",),
    "",
    source=f"""(select opened_at as "at", true as opened, false as finished, {", ".join(_FLOW_DIMENSIONS)}, attributes
    from cases
  union all select coalesce(closed_at, resolved_at), false, true, {", ".join(_FLOW_DIMENSIONS)}, attributes from cases
    where coalesce(closed_at, resolved_at) is not null)""",
    types={
        "at": "timestamp",
        "opened": "boolean",
        "finished": "boolean",
        "attributes": "json",
        **dict.fromkeys(_FLOW_DIMENSIONS, "text"),
    },
)

_DONE = "(t.done_at is not null)"
_LEDGER_END = (
    "(select max(greatest(found_at, coalesce(done_at, found_at), coalesce(verified_at, found_at))) from main.actions)"
)
_ACTIONS = View(
    "actions",
    ("actions",),
    "found_at",
    {
        "is_done": Derived("boolean", _DONE),
        "done_s": Derived("integer", seconds("t.found_at", "t.done_at")),
        "on_time": Derived("boolean", "coalesce(t.done_at <= t.due_at, false)"),
        # Past its date, or already done: only then "on time" has an answer.
        "has_verdict": Derived(
            "boolean", f"(t.due_at is not null and (t.done_at is not null or t.due_at <= {_LEDGER_END}))"
        ),
        "is_closed": Derived("boolean", "(t.accepted_at is not null and t.verified_at is not null)"),
        "watched_s": Derived("integer", seconds("t.found_at", _LEDGER_END)),
        "team": Derived("text", "t.scope"),
    },
)

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        *(_CASES, _CONTACTS, _SURVEYS, _AUDITS, _EVENTS, _ROSTER, _TRAINING, _AGENTS, _AGENT_MONTHS),
        *(_WORKLOAD, _DEMAND, _FLOW, _ACTIONS),
        View("duties", ("duties",), "at"),
        View("risks", ("risks",), "at"),
        View("outcomes", ("outcomes",), "at"),
    )
}
