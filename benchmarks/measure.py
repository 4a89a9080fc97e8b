"""Measuring: every sum-type metric of 10 million cases by month, team and channel, against one hand-written query.

Both sides run in fresh processes over the same Parquet files. The hand-written query asks for the same sums and
nothing else: no intervals, no flags, no check of what sources record, no tidy frame. Repeats by the same customer
(a sort of all cases) and words in texts dwarf everything else, so the ratio is also taken without them.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.timing import CACHE, Result, Run, run_child

ROWS = 10_000_000
RATIO = 1.5
# Without the heavy sums the fixed costs show: bounds of each time column, what sources record, intervals, tidy rows.
PLAIN_RATIO = 2.0
PEAK_GB = 4.0
FOLDER = CACHE / "measure"
BY = ("team", "channel")


def run(rounds: int = 3) -> list[Result]:
    """Measure and return the ratio and the peak memory."""
    lake = FOLDER / "lake"
    if not (lake / "snapshot.json").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        run_child(["-m", "benchmarks.measure", "make", str(lake)])
    results = []
    parts = (("all", "all sum-type metrics of cases", RATIO), ("plain", "without repeats and texts", PLAIN_RATIO))
    for part, name, bound in parts:
        runs = [[_run(side, lake, part) for side in ("hand", "ours")] for _ in range(rounds)]
        hand, ours = (statistics.median(pair[side].seconds for pair in runs) for side in (0, 1))
        peak_hand, peak = (max(pair[side].peak_gb for pair in runs) for side in (0, 1))
        detail = f"by hand {hand:.2f} s, measured {ours:.2f} s, {len(sum_metrics(part))} metrics, {ROWS:,} cases"
        results.append(Result(f"measure: {name}, over one query", ours / hand, bound, "ratio", detail))
        results.append(Result(f"measure: {name}, memory", peak, PEAK_GB, "GB", f"by hand {peak_hand:.2f} GB"))
    return results


def sum_metrics(part: str = "all") -> list[str]:
    """Return the metrics over cases that are ratios of sums."""
    from svcanalytics.metrics import catalogue

    chosen = [m for m in catalogue().metrics.values() if m.view in ("cases", "flow") and m.kind != "quantile"]
    return [m.id for m in chosen if part == "all" or not m.columns() & {"next_case_s", "risk_words", "form_letter"}]


def _run(side: str, lake: Path, part: str) -> Run:
    return run_child(["-m", "benchmarks.measure", side, str(lake), part])


def _make(path: Path) -> None:
    import svcanalytics as sv
    from svcanalytics.store.commit import commit, finished, locked
    from svcanalytics.store.contract import contract
    from svcanalytics.store.engine import connect

    lake, con = sv.open(path, timezone="Asia/Shanghai", made_up=True), connect()
    con.execute("set memory_limit = '6GB'")
    con.execute(f"""create table drawn as select i, cast(hash(i) >> 2 as bigint) as h,
      cast(hash(i + {ROWS}) >> 2 as bigint) as g,
      timestamptz '2025-01-01 00:00:00+08' + to_seconds(i * {547 * 86400} // {ROWS}) as opened_at
      from range({ROWS}) t(i)""")
    con.execute("""create table made as select 'C' || i as case_id, opened_at,
      opened_at + to_seconds(h % 7200) as first_response_at,
      case when h % 50 > 1 then opened_at + to_seconds(g % 500000) end as resolved_at,
      case when h % 50 > 2 then opened_at + to_seconds(g % 500000 + 3600) end as closed_at,
      opened_at + interval 48 hour as due_at, g % 500000 < 172800 as sla_met,
      ['phone', 'app', 'web', 'mail', 'counter', 'chat'][1 + h % 6] as channel,
      'T' || (g % 30) as team,
      ['consultation', 'complaint', 'help', 'report', 'praise', 'suggestion', 'repair', 'incident'][1 + h % 8]
        as business_type,
      case when h % 8 = 1 then 1 + g % 3 end as complaint_level, case when h % 8 = 7 then 1 + g % 4 end as grade,
      'K' || (h % 3000000) as customer_id, 'S' || (g % 12) as category,
       case when g % 9 = 0 then 1 else 0 end as reopened_n,
      g % 3 as transferred_n, case when h % 50 > 1 then 'yes' end as resolution, g % 5 > 0 as need_met,
      case when h % 4 = 0 then 'en' else 'zh' end as language,
      case when h % 10 = 0 then '请问何时处理我的投诉,已经等了三天' end as text,
      case when h % 10 = 0
        then '您好,您反映的问题已由有关部门核实处理,请知悉' || g end as reply_text from drawn""")
    given = [name for (name, *_) in con.execute("describe made").fetchall()]
    sql = finished(lake, contract()["cases"], "made", given, source="made", load_id="made")
    con.execute(f"create view rows as {sql}")
    with locked(lake):
        commit(lake, con, {"cases": "rows"}, load_id="made")


def _ours(path: Path, part: str) -> None:
    import svcanalytics as sv

    lake = sv.open(path)
    frame = sv.measure(lake, sum_metrics(part), by=BY, every="month")
    assert frame["n"].max() > 0


_HAND = """
with seen as (
  select month_key, team, channel, opened_at, first_response_at, resolved_at, closed_at, due_at, sla_met, business_type,
    complaint_level, grade, customer_id, reopened_n, transferred_n, resolution, need_met, language, text, reply_text,
    (epoch_us(first_response_at) - epoch_us(opened_at)) // 1000000 as fr,
    (epoch_us((select max(opened_at) from cases)) - epoch_us(opened_at)) // 1000000 as watched,
    (epoch_us(lead(opened_at) over (partition by customer_id, category order by opened_at, case_id))
      - epoch_us(opened_at)) // 1000000 as again,
    resolution = 'yes' and reopened_n = 0 and transferred_n = 0 as at_first,
    trim(regexp_replace(reply_text, '[\\s　]+', ' ', 'g')) as reply
  from cases)
select 'opened' as of, month_key as month, team, channel, cast(count(*) as bigint) as n, {opened}
from seen group by all
union all by name
select 'resolved', (epoch_us(resolved_at) + 28800000000) // 86400000000 // 31, team, channel, cast(count(*) as bigint),
  {resolved} from cases where resolved_at is not null group by all
union all by name
select 'due', (epoch_us(due_at) + 28800000000) // 86400000000 // 31, team, channel, cast(count(*) as bigint),
  {due} from cases group by all
union all by name
select 'closed', (epoch_us(coalesce(closed_at, resolved_at)) + 28800000000) // 86400000000 // 31, team, channel,
  cast(count(*) as bigint) from cases where coalesce(closed_at, resolved_at) is not null group by all
"""
_FLAGS = {
    "opened": """sla_met; sla_met is not null; first_response_at is not null; fr <= 900;
        fr <= 900 or watched >= 900;
        fr <= 172800; first_response_at is not null or watched >= 172800; resolved_at <= due_at;
        due_at is not null and (resolved_at is not null
          or (epoch_us(due_at) - epoch_us(opened_at)) // 1000000 <= watched);
        language not in ('zh', 'zh-CN', 'zh-TW', 'zh-HK'); language is not null;
        regexp_matches(text, '投诉|举报|曝光|起诉|媒体|记者|维权|上访|律师|赔偿|'
          || 'complain|lawyer|attorney|lawsuit|\\bsue\\b|ombudsman|regulator|journalist|newspaper', 'i');
        text is not null;
        resolution = 'yes'; resolved_at is null and closed_at is null and resolution is null; closed_at is not null;
        closed_at is null; at_first and resolution = 'yes'; resolution = 'yes' and customer_id is not null;
        at_first and coalesce(again, 86401) > 86400;
        at_first and coalesce(again, 604801) > 604800;
        at_first and coalesce(again, 2592001) > 2592000; watched < 86400; watched < 604800; watched < 2592000;
        reopened_n > 0; reopened_n is not null; again <= 604800;
        customer_id is not null; watched < 604800 and again is null;
        business_type = 'complaint' and again <= 2592000; business_type = 'complaint' and customer_id is not null;
        business_type = 'complaint' and watched < 2592000 and again is null;
        business_type = 'complaint' and resolution = 'yes'; business_type = 'complaint';
        need_met; need_met is not null;
        length(reply) < 20
          or regexp_matches(reply, '^.{0,40}(留言|来信|来电|诉求|意见|反映|邮件)?.{0,6}(收悉|收到|知悉)[。.!!\\s]*$'
          || '|^.{0,60}(message|e-?mail|request|letter|enquiry) (has been|was|is) (received|noted)[.!\\s]*$', 'i');
        reply_text is not null; business_type is not null; complaint_level = 1 and business_type = 'complaint';
        complaint_level is not null and business_type = 'complaint'; business_type = 'praise'; transferred_n > 0;
        transferred_n is not null; business_type = 'suggestion'; business_type = 'suggestion' and fr <= 172800;
        business_type = 'suggestion' and (first_response_at is not null or watched >= 172800);
        business_type = 'incident';
        business_type = 'incident' and grade <= 2; business_type = 'incident' and resolved_at is not null""",
    "resolved": "resolution = 'yes'",
    "due": "resolution = 'yes'; resolved_at is null and closed_at is null and resolution is null",
}
_NUMBERS = {
    "opened": (
        "case when first_response_at is not null then fr end",
        "transferred_n",
        "case when business_type = 'incident' then (epoch_us(resolved_at) - epoch_us(opened_at)) // 1000000 end",
    ),
    "resolved": ("(epoch_us(resolved_at) - epoch_us(opened_at)) // 1000000",),
    "due": (),
}


def _hand(path: Path, part: str) -> None:
    import svcanalytics as sv
    from svcanalytics.store.engine import connect, scan

    lake, con = sv.open(path), connect()
    con.execute(
        f"create view cases as select * from {scan(path / file for file in lake.snapshot.tables['cases'].files)}"
    )
    sums = {}
    for of, flags in _FLAGS.items():
        asked = [flag.strip() for flag in flags.split(";")]
        asked = [flag for flag in asked if part == "all" or not re.search("again|text|reply", flag)]
        columns = [f"cast(sum(case when {flag} then 1 else 0 end) as bigint)" for flag in asked]
        for number in _NUMBERS[of]:
            square = f"cast(({number}) * ({number}) as decimal(38,0))"
            columns += [f"cast(sum({number}) as bigint)", f"cast(sum({square}) as varchar)"]
        sums[of] = ", ".join(f"{sql} as {of}_{i}" for i, sql in enumerate(columns))
    assert len(con.sql(_HAND.format(**sums)).df())


if __name__ == "__main__":
    {"make": _make, "ours": _ours, "hand": _hand}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
