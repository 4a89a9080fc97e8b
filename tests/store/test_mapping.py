"""Source mappings: what their TOML may say, and that no value is lost or turned into a silent null."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from svcanalytics.errors import MappingError
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect
from svcanalytics.store.mapping import compile, find, mappings, parse, prepare, recognise
from svcanalytics.store.reading import read

ZONE = "Asia/Shanghai"


@pytest.fixture
def con():
    with connect() as connection:
        yield connection


def _cases(columns, **more):
    table = {"columns": {"case_id": "id", "opened_at": "opened", **columns}, **more.pop("table", {})}
    return parse({"name": "x", "tables": {"cases": table}, **more}, "x.toml")


def _run(con, mapping, rows, table=None, zone=ZONE):
    frame = pd.DataFrame(rows) if not isinstance(rows, pd.DataFrame) else rows
    read(con, frame)
    query = compile(mapping, table or mapping.primary, con, zone)
    described = con.execute(f"describe {query}").fetchall()
    # Fetched as text: times of DuckDB become Python's only with a further package.
    texts = ", ".join(f'"{name}"::varchar as "{name}"' for name, kind, *_ in described if kind.endswith("ZONE"))
    relation = con.sql(f"select * {f'replace ({texts})' if texts else ''} from ({query}) order by _line")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


OPENED = "2026-01-31 09:00:00"


def test_the_result_has_the_contracts_columns_and_types(con):
    rows = {"id": ["1"], "opened": [OPENED]}
    read(con, pd.DataFrame(rows))
    query = compile(_cases({}), "cases", con, ZONE)
    described = {r[0]: r[1] for r in con.execute(f"describe {query}").fetchall()}
    expected = {
        c.name: c.sql_type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
        for c in contract()["cases"].columns.values()
    }
    extra = {
        "_file": "VARCHAR",
        "_line": "BIGINT",
        "_version": "BIGINT",
        "_bad_column": "VARCHAR",
        "_bad_reason": "VARCHAR",
    }
    assert described == {**expected, **extra}


def test_times_without_offset_are_the_lakes_unless_the_mapping_says(con):
    rows = {"id": ["1"], "opened": [OPENED]}
    assert _run(con, _cases({}), rows)[0]["opened_at"] == "2026-01-31 01:00:00+00"
    assert _run(con, _cases({}, timezone="UTC"), rows)[0]["opened_at"] == "2026-01-31 09:00:00+00"
    mixed = {"resolved_at": {"column": "done", "timezone": "Europe/Stockholm"}}
    row = _run(con, _cases(mixed), {**rows, "done": ["2026-02-01 00:00:00"]})[0]
    assert row["resolved_at"] == "2026-01-31 23:00:00+00"


@pytest.mark.parametrize(
    ("column", "bad", "good", "value"),
    [
        ("reopened_n", "3.7", "3.0", 3),
        ("reopened_n", "many", "1,234", 1234),
        ("sla_met", "perhaps", "是", True),
        ("sla_met", "2", "No", False),
        ("resolved_at", "soon", OPENED, None),
        ("resolved_at", "1970-01-01 00:00:00", OPENED, None),
        ("resolved_at", "2059-01-01 00:00:00", OPENED, None),
    ],
)
def test_a_value_that_is_not_understood_is_named_never_a_silent_null(con, column, bad, good, value):
    rows = {"id": ["1", "2", "3"], "opened": [OPENED] * 3, "v": [good, bad, None]}
    first, second, third = _run(con, _cases({column: "v"}), rows)
    assert first["_bad_column"] is None
    assert value is None or first[column] == value
    assert second["_bad_column"] == column
    assert second["_bad_reason"]
    assert bad not in second["_bad_reason"], "a reason must not repeat a value: it may be a customer's"
    assert (third[column], third["_bad_column"]) == (None, None)


def test_null_words_of_file_and_column_mean_nothing(con):
    mapping = _cases(
        {"team": "team", "customer_id": {"column": "who", "null_words": ["0"]}}, null_words=["?", "UNKNOWN"]
    )
    rows = {"id": [str(i) for i in range(5)], "opened": [OPENED] * 5}
    rows |= {"team": ["?", " unknown\t", "A", "N/A", "\u3000B\n"], "who": ["0", "00", "?", "null", "7"]}
    out = _run(con, mapping, rows)
    assert [row["team"] for row in out] == [None, None, "A", None, "B"]
    assert [row["customer_id"] for row in out] == [None, "00", None, None, "7"]


def test_value_maps_refuse_keep_or_drop_other_words(con):
    rows = {"id": ["1", "2"], "opened": [OPENED] * 2, "p": ["HIGH", "odd"]}
    refuse = _run(con, _cases({"urgency": {"column": "p", "values": {"high": "urgent"}}}), rows)
    assert [(row["urgency"], row["_bad_column"]) for row in refuse] == [("urgent", None), (None, "urgency")]
    drop = _run(con, _cases({"urgency": {"column": "p", "values": {"high": "urgent"}, "otherwise": "null"}}), rows)
    assert [(row["urgency"], row["_bad_column"]) for row in drop] == [("urgent", None), (None, None)]
    keep = _run(con, _cases({"channel": {"column": "p", "values": "names"}}, values={"names": {"high": "phone"}}), rows)
    assert [row["channel"] for row in keep] == ["phone", "odd"]


def test_words_a_value_map_drops_stay_as_attributes(con):
    mapping = _cases(
        {"urgency": {"column": "p", "values": {"high": "urgent"}, "otherwise": "null"}}, table={"attributes": "rest"}
    )
    rows = {"id": ["1"], "opened": [OPENED], "p": ["odd"], 'the "rest"': ["a\\b"], "empty": [None]}
    assert json.loads(_run(con, mapping, rows)[0]["attributes"]) == {"p": "odd", 'the "rest"': "a\\b"}


def test_a_time_of_day_before_midnight_and_one_after_make_one_night(con):
    night = {
        "contact_id": "id",
        "offered_at": {"date": "day", "time": "in", "formats": ["%y%m%d"]},
        "answered_at": {"date": "day", "time": "out", "formats": ["%y%m%d"], "after": "offered_at"},
        "ended_at": {"start": "answered_at", "add": "took"},
    }
    mapping = parse({"name": "x", "tables": {"contacts": {"columns": night}}})
    rows = {"id": ["1", "2", "3"], "day": ["990131"] * 3, "in": ["23:59:50", "8:00:10", "8:00:00"]}
    rows |= {"out": ["0:00:20", "8:00:05", None], "took": ["0:01:00", "90", "5"]}
    out = _run(con, mapping, rows, zone="UTC")
    assert out[0]["answered_at"] == "1999-02-01 00:00:20+00"
    assert out[0]["ended_at"] == "1999-02-01 00:01:20+00"
    # A few seconds backwards is a clock that disagrees, not a day later.
    assert out[1]["answered_at"] == "1999-01-31 08:00:05+00"
    assert out[2]["answered_at"] is None
    assert [row["_bad_column"] for row in out] == [None] * 3


MOVED = "case when team <> previous(team) then 1 end"


def test_a_case_is_gathered_from_its_events_as_a_loop_would(con):
    events = [
        ("A", 2, "2026-01-01 10:00:00", "Active", None, "north"),
        ("A", 1, "2026-01-01 09:00:00", "New", "south", "south"),
        ("B", 1, "2026-01-02 09:00:00", "New", None, None),
        ("A", 3, "1970-01-01 00:00:00", "Closed", None, "east"),
        ("A", 10, "2026-01-03 09:00:00", "Resolved", None, None),
    ]
    frame = pd.DataFrame(events, columns=["case", "n", "at", "state", "first", "team"])
    spec = {
        "name": "x",
        "tables": {
            "events": {
                "per": "case",
                "order": ["n"],
                "columns": {
                    "case_id": "case",
                    "seq": {"sequence": "n"},
                    "at": "at",
                    "milestone": {"rules": [{"when": "state <> previous(state)", "then": "progress"}]},
                },
            },
            "cases": {
                "per": "case",
                "order": ["n"],
                "rows": "last",
                "columns": {
                    "case_id": "case",
                    "opened_at": {"column": "at", "aggregate": "min"},
                    "closed_at": {"column": "at", "aggregate": "max"},
                    "category": "state",
                    "first_team": {"column": "team", "aggregate": "first"},
                    "team": {"column": "team", "aggregate": "last_known"},
                    "agent": "team",
                    "transferred_n": {
                        "expression": "case when team <> previous(team) then 1 end",
                        "aggregate": "count",
                    },
                },
                "attributes": {
                    "states": {"column": "state", "aggregate": "count"},
                    "last": {"expression": "final(state)"},
                },
            },
        },
    }
    mapping = parse(spec)
    steps = _run(con, mapping, frame)
    assert [(row["case_id"], row["seq"], row["milestone"], row["_bad_column"]) for row in steps] == [
        ("A", 20, "progress", None),
        ("A", 10, None, None),
        ("B", 10, None, None),
        ("A", 30, "progress", "at"),
        ("A", 100, "progress", None),
    ]
    # The event that is quarantined tells nothing about the case.
    first, second = sorted(_run(con, mapping, frame, "cases"), key=lambda row: row["case_id"])
    assert (first["opened_at"], first["closed_at"]) == ("2026-01-01 01:00:00+00", "2026-01-03 01:00:00+00")
    assert (first["category"], first["first_team"], first["team"], first["agent"]) == (
        "Resolved",
        "south",
        "north",
        None,
    )
    assert first["transferred_n"] == 1
    assert json.loads(first["attributes"]) == {"states": "3", "last": "Resolved"}
    assert (second["category"], second["team"], second["transferred_n"]) == ("New", None, 0)


def test_rows_that_are_no_rows_of_the_table_are_refused_with_the_reason(con):
    refuse = [{"column": "case_id", "when": "kind = 'test'", "reason": {"en": "a test", "zh": "测试"}}]
    mapping = _cases({}, table={"refuse": refuse})
    out = _run(con, mapping, {"id": ["1", "2"], "opened": [OPENED] * 2, "kind": ["test", None]})
    assert [row["_bad_reason"] for row in out] == ["a test", None]


@pytest.mark.parametrize(
    "expression",
    [
        "(select max(id) from raw)",
        "read_csv('/etc/passwd')",
        "getenv('HOME')",
        "id; drop table raw",
        "raw.id",
        "count(*) over ()",
        "cast(id as json)",
        "current_setting('TimeZone')",
        "id ||",
    ],
)
def test_expressions_beyond_the_whitelist_are_refused(con, expression):
    mapping = _cases({"team": {"expression": expression}})
    with pytest.raises(MappingError, match=r"x\.toml: tables\.cases\.columns\.team"):
        _run(con, mapping, {"id": ["1"], "opened": [OPENED]})


def test_one_value_an_expression_cannot_cast_does_not_stop_the_others(con):
    mapping = _cases({"team": {"expression": "case when cast(n as int) > 1 then 'big' else 'small' end"}})
    out = _run(con, mapping, {"id": ["1", "2"], "opened": [OPENED] * 2, "n": ["x", "2"]})
    assert [row["team"] for row in out] == ["small", "big"]


def test_text_of_a_mapping_cannot_leave_its_quotes(con):
    nasty = "'; drop table raw; --"
    mapping = _cases(
        {
            "team": {"constant": nasty},
            "channel": {"column": "c", "values": {nasty: nasty}},
            "agent": {"expression": f"coalesce(c, '{nasty.replace(chr(39), chr(39) * 2)}')"},
        },
        null_words=[nasty + "x"],
    )
    row = _run(con, mapping, {"id": ["1"], "opened": [OPENED], "c": [nasty]})[0]
    assert (row["team"], row["channel"], row["agent"]) == (nasty, nasty, nasty)


NEEDED = {"case_id": "id", "opened_at": "o"}


@pytest.mark.parametrize(
    ("table", "columns", "named"),
    [
        ("case", NEEDED, "no such table"),
        ("cases", {"case_id": "id"}, "tables.cases.columns.opened_at"),
        ("cases", {**NEEDED, "nope": "x"}, "nope"),
        ("cases", {**NEEDED, "team": {"colum": "o"}}, "colum"),
        ("cases", {**NEEDED, "team": {"column": "o", "constant": 1}}, "exactly one"),
        ("cases", {**NEEDED, "closed_at": {"date": "o"}}, "date needs time"),
        ("cases", {**NEEDED, "closed_at": {"start": "due_at", "add": "n"}}, "no other column"),
        ("cases", {**NEEDED, "urgency": {"column": "p", "values": "u"}}, "value map"),
    ],
)
def test_a_wrong_rule_is_refused_with_file_and_key(table, columns, named):
    with pytest.raises(MappingError) as caught:
        parse({"name": "own", "tables": {table: {"columns": columns}}}, "own.toml")
    assert named in str(caught.value)
    assert "own.toml" in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"tables": {"cases": {"columns": NEEDED, "where": "x = 1"}}}, "use refuse"),
        ({"tables": {"cases": {"columns": NEEDED, "rows": "last"}}}, "needs per"),
        ({"tables": {"surveys": {"columns": {}, "attributes": "rest"}}}, "tables.surveys"),
        ({"time_zone": "UTC"}, "time_zone"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_key(spec, named):
    with pytest.raises(MappingError) as caught:
        parse({"name": "own", **spec}, "own.toml")
    assert named in str(caught.value)


def test_a_column_the_file_lacks_is_named(con):
    with pytest.raises(MappingError, match="no column 'opened'"):
        _run(con, _cases({}), {"id": ["1"], "created": [OPENED]})


def test_own_mappings_add_to_the_shipped_ones_and_replace_them_by_name(tmp_path):
    text = '[recognise]\ncolumns = ["a"]\n[tables.cases.columns]\ncase_id = "a"\nopened_at = "b"\n'
    (tmp_path / "ours.toml").write_text(text)
    (tmp_path / "zendesk.toml").write_text(text)
    known = mappings([tmp_path])
    assert known["ours"].tables["cases"].columns["case_id"].column == "a"
    assert known["zendesk"].recognise_columns == ("a",)
    assert set(mappings()) < set(known)
    assert find("ours", [tmp_path]).origin == "ours.toml"
    with pytest.raises(MappingError, match="no source 'theirs'"):
        find("theirs", [tmp_path])
    (tmp_path / "ours.toml").write_text("= 1")
    with pytest.raises(MappingError, match=r"ours\.toml"):
        mappings([tmp_path])


@pytest.mark.parametrize("name", sorted(mappings()))
def test_every_shipped_mapping_survives_being_written_down(name):
    mapping = mappings()[name]
    assert parse(mapping.model_dump(exclude_defaults=True)).model_dump() == mapping.model_dump()
    assert mapping.title["zh"]
    assert mapping.title["en"]


@pytest.mark.parametrize("table", sorted(contract().tables))
@pytest.mark.parametrize("heading", ["name", "zh_name"])
def test_any_table_in_contract_names_is_recognised_in_either_language(con, table, heading):
    columns = [getattr(column, heading) for column in contract()[table].columns.values()]
    mapping = recognise(columns)
    assert mapping is not None
    assert (mapping.name, list(mapping.tables)) == ("contract", [table])
    assert list(find(f"contract:{table}", columns=columns).tables) == [table]


def test_a_file_is_taken_for_the_contracts_only_when_nothing_of_it_would_be_lost():
    assert recognise(["team", "calls"]) is None
    assert recognise(["agent", "team", "calls last week"]) is None
    assert list(recognise(["agent", "team", "role", "source", "load_id", "month_key"]).tables) == ["agents"]
    cases = recognise(["case_id", "opened_at", "team", "shoe size"])
    assert cases.tables["cases"].attributes == "rest"
    assert list(find("contract:teams", columns=["team", "calls"]).tables) == ["teams"]


def test_files_in_contract_names_take_closed_words_in_both_languages(con):
    frame = pd.DataFrame(
        {"事项编号": ["1", "2", "3"], "受理时间": [OPENED] * 3, "业务类型": ["投诉", "complaint", "别的"]}
    )
    mapping, reading = prepare(con, frame)
    out = con.execute(f"select business_type from ({compile(mapping, 'cases', con, ZONE)}) order by _line").fetchall()
    assert [row[0] for row in out] == ["complaint", "complaint", "别的"]
    assert reading.rows == 3


def test_a_layout_the_mapping_knows_is_read_that_way(con, tmp_path):
    own = tmp_path / "sources"
    own.mkdir()
    text = '[file]\ndelimiter = "|"\nskip = 2\n[recognise]\ncolumns = ["id", "opened"]\n'
    (own / "ours.toml").write_text(text + '[tables.cases.columns]\ncase_id = "id"\nopened_at = "opened"\n')
    (tmp_path / "x.txt").write_text(f"a,b,c,d\ne,f,g,h\nid|opened\n1|{OPENED}\n")
    mapping, reading = prepare(con, tmp_path / "x.txt", "ours", [own])
    assert (mapping.name, reading.columns, reading.rows) == ("ours", ("id", "opened"), 1)
