"""Loading a 1,000,000-row CSV to a visible snapshot, against a bare DuckDB script that masks, hashes and writes alike.

The bare script knows the file's types beforehand, checks nothing, keeps no original, syncs nothing to disk and calls
the same masking function for the same texts. Both sides run in child processes, in turn, and pay for their imports.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from benchmarks.timing import CACHE, Result, run_child

ROWS = 1_000_000
ROUNDS = 3
BOUND_RATIO, BOUND_GB = 3.0, 2.0
_OWN = "benchmarks.load"

_COLUMNS = {
    "case_id": "'C' || lpad(cast(i as varchar), 9, '0')",
    "opened_at": "strftime(timestamp '2025-01-01 00:00:00' + to_seconds(i * 31 + h(i) % 31), '%Y-%m-%d %H:%M:%S')",
    "first_response_at": "strftime(timestamp '2025-01-01 00:00:00' + to_seconds(i * 31 + 60 + h(i + 1) % 7200), "
    "'%Y-%m-%d %H:%M:%S')",
    # A few are resolved before they were opened: they go to quarantine.
    "resolved_at": "strftime(timestamp '2025-01-01 00:00:00' + to_seconds(i * 31 + "
    "case when i % 400 = 7 then -86400 else 7200 + h(i + 2) % 200000 end), '%Y-%m-%d %H:%M:%S')",
    "channel": "['phone', 'app', 'web', 'mail', 'counter'][1 + h(i + 3) % 5]",
    "business_type": "case when i % 400 = 9 then '其他' else "
    "['consultation', 'complaint', 'help', 'report', 'praise', 'repair'][1 + h(i + 4) % 6] end",
    "urgency": "['low', 'normal', 'urgent', 'critical'][1 + h(i + 5) % 4]",
    "category": "'类别' || h(i + 6) % 40",
    "team": "'团队' || h(i + 7) % 30",
    "customer_id": "'K' || lpad(cast(h(i + 8) % 300000 as varchar), 8, '0')",
    "text": "'客户反映' || ['网络无法连接', '账单金额有误', '维修人员未按时上门', '排队太久'][1 + h(i + 9) % 4] "
    "|| ',希望尽快处理并给予答复。已多次联系仍未解决,请核实。' || case when i % 20 = 3 then "
    "'请回电1' || cast(3000000000 + h(i + 10) % 6999999999 as varchar) when i % 50 = 4 then "
    "'邮箱 user' || i || '@example.com' else '' end",
    "reply_text": "'您好,您反映的问题已转' || ['技术部', '财务部', '客服部'][1 + h(i + 11) % 3] || '处理,感谢支持。'",
}


def generate() -> Path:
    """Return the CSV file, made once."""
    import duckdb

    file = CACHE / f"load_{ROWS}.csv"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        values = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
        con = duckdb.connect()
        con.execute("create macro h(x) as cast(hash(x) % 1000000000000 as bigint)")
        con.execute(f"copy (select {values} from range({ROWS}) r(i)) to '{file}.part' (format csv, header true)")
        Path(f"{file}.part").rename(file)
    return file


def load_bare(file: Path, target: Path) -> None:
    """Read, mask, hash, write Parquet by month: what any loader has to do."""
    from svcanalytics.store import masking
    from svcanalytics.store.engine import connect
    from svcanalytics.store.keys import Key

    con = connect()
    masking.install(con)
    key = Key(b"0" * 32)
    types = ", ".join(f"'{name}': '{'TIMESTAMP' if name.endswith('_at') else 'VARCHAR'}'" for name in _COLUMNS)
    con.execute(
        f"create table rows as from read_csv('{file}', header=true, auto_detect=false, delim=',', quote='\"', "
        f"escape='\"', columns={{{types}}})"
    )
    con.execute(
        f"create table ids as select id, {key.sql('id')} as hashed from (select distinct customer_id as id from rows)"
    )
    made = {name: f"timezone('Asia/Shanghai', {name})" for name in _COLUMNS if name.endswith("_at")}
    made |= {name: masking.sql(name) for name in ("text", "reply_text")} | {"customer_id": "hashed"}
    columns = ", ".join(f"{made.get(name, name)} as {name}" for name in _COLUMNS)
    con.execute(
        f"copy (select {columns}, year(opened_at) * 100 + month(opened_at) as month_key "
        f"from rows left join ids on customer_id = id) to '{target}' "
        "(format parquet, compression zstd, row_group_size 131072, partition_by (month_key))"
    )
    con.close()


def load_whole(file: Path, target: Path) -> None:
    """Load it with the package."""
    import svcanalytics as sv

    lake = sv.open(target / "lake", timezone="Asia/Shanghai")
    result = sv.load(lake, file, "contract:cases")
    assert result.read == ROWS == result.new + result.quarantined, result
    assert len(lake.refresh().snapshot.tables["cases"].files) > 6


def run() -> list[Result]:
    """Measure both sides in turn and return ratio and memory."""
    file = generate()
    bare, whole = [], []
    for _ in range(ROUNDS):
        for side, runs in (("bare", bare), ("whole", whole)):
            target = CACHE / f"load_{side}"
            shutil.rmtree(target, ignore_errors=True)
            runs.append(run_child(["-m", _OWN, side, str(file), str(target)]))
    shutil.rmtree(CACHE / "load_bare", ignore_errors=True)
    shutil.rmtree(CACHE / "load_whole", ignore_errors=True)
    seconds = [sorted(run.seconds for run in runs)[ROUNDS // 2] for runs in (bare, whole)]
    peak = max(run.peak_gb for run in whole)
    detail = f"{seconds[1]:.2f} s against {seconds[0]:.2f} s for {ROWS:,} rows, {file.stat().st_size / 1e6:.0f} MB"
    return [
        Result(
            "load a CSV to a visible snapshot / bare DuckDB script",
            seconds[1] / seconds[0],
            BOUND_RATIO,
            "ratio",
            detail,
        ),
        Result("load a CSV: peak memory", peak, BOUND_GB, "GB", f"bare script {max(r.peak_gb for r in bare):.2f} GB"),
    ]


if __name__ == "__main__":
    side, file, target = sys.argv[1:]
    began = time.perf_counter()
    {"bare": load_bare, "whole": load_whole}[side](Path(file), Path(target))
    print(f"{side}: {time.perf_counter() - began:.2f} s", file=sys.stderr)
