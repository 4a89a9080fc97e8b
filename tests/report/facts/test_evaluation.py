import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import report, store
from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import Blocks, Figure, Heading, Table, Text

SECTIONS = (
    *("opening", "summary", "quality_index", "why_it_moved", "indicators", "months", "courses", "standards"),
    *("volumes", "unit_places", "teams", "backlog", "decisions", "data_quality", "definitions"),
)
HOSTILE = "<script>alert(1)</script>"


def made_up_cases(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = datetime(2026, 4, 1, tzinfo=UTC) - timedelta(hours=8)  # local midnight in Shanghai
    rows = []
    for number in range(2400):
        opened = start + timedelta(seconds=int(rng.integers(0, 183 * 86400)))  # April to September
        late = rng.random() < (0.02 if opened.month % 2 else 0.3)
        first = opened + timedelta(seconds=int(rng.integers(60, 600)) + (3600 if late else 0))
        solved = opened + timedelta(seconds=int(rng.integers(3600, 5 * 86400)))
        rows.append(
            {
                "case_id": f"C{number:05d}",
                "opened_at": opened,
                "first_response_at": first,
                "resolved_at": solved if rng.random() < 0.97 else None,
                "due_at": opened + timedelta(days=3),
                "channel": str(rng.choice(["phone", "app", HOSTILE])),
                "business_type": str(rng.choice(["consultation", "complaint", "help"])),
                "owner_team": str(rng.choice(["一组", "二组", "三组"])),
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> sv.Lake:
    lake = sv.open(tmp_path_factory.mktemp("evaluation") / "lake", timezone="Asia/Shanghai")
    store.write(lake, {"cases": made_up_cases()})
    return lake.refresh()


@pytest.fixture(scope="module")
def chinese(lake):
    return report.evaluate(lake, period="2026-08", language="zh")


@pytest.fixture(scope="module")
def quarter(lake):
    return {lang: report.evaluate(lake, period="2026Q3", report="quarterly", language=lang) for lang in ("zh", "en")}


def flat(block) -> list:
    if isinstance(block, Blocks):
        return [inner for item in block for inner in flat(item)]
    return [block]


_TOLD: dict[int, tuple] = {}


def told(evaluation) -> list:
    """Return all blocks of a report; drawn once per evaluation, since drawing takes longest."""
    if id(evaluation) not in _TOLD:
        blocks = [block for name in SECTIONS for block in flat(getattr(report, name)(evaluation))]
        _TOLD[id(evaluation)] = evaluation, blocks  # keeping it keeps its id its own
    return _TOLD[id(evaluation)][1]


def table(blocks, id: str) -> list[dict]:
    found = next(block for block in blocks if isinstance(block, Table) and block.id == id)
    keys = [column.key for column in found.columns]
    return [dict(zip(keys, row, strict=True)) for row in found.rows]


def test_a_reported_share_is_that_of_a_plain_loop_over_the_rows(chinese):
    zone = "Asia/Shanghai"
    hits = count = 0
    for row in made_up_cases().to_dict("records"):
        local = pd.Timestamp(row["opened_at"]).tz_convert(zone)
        if (local.year, local.month) == (2026, 8):
            count += 1
            hits += (row["first_response_at"] - row["opened_at"]).total_seconds() <= 900
    shown = {row["name"].text: row for row in table(told(chinese), "indicators")}["15分钟响应率"]
    assert shown["value"].value == hits / count
    assert shown["n"].value == count


def test_volumes_of_the_table_add_up_to_the_cases(chinese):
    rows = table([block.data for block in told(chinese) if isinstance(block, Figure) and block.data], "volume_channel")
    local = made_up_cases()["opened_at"].dt.tz_convert("Asia/Shanghai")
    expected = int(((local.dt.year == 2026) & (local.dt.month == 8)).sum())
    assert rows[-1]["group"].text == "合计" and rows[-1]["count"].value == expected
    assert sum(row["count"].value for row in rows[:-1]) == expected
    assert rows[-1]["last_year"].value is None and rows[-1]["last_year"].text == "无同期数据"


def test_the_backlog_is_what_was_open_at_the_last_local_midnight(chinese):
    end = datetime(2026, 8, 31, 16, tzinfo=UTC)
    cases = made_up_cases()
    waiting = cases[(cases["opened_at"] < end) & ~(cases["resolved_at"] < end)]
    assert chinese.backlog["count"].sum() == len(waiting)
    assert chinese.backlog["overdue"].sum() == (waiting["due_at"] < end).sum()
    assert (waiting["opened_at"] > end - timedelta(days=1)).sum() == chinese.backlog["count"].iloc[0]


def test_both_languages_say_the_same_numbers(quarter):
    values = {}
    for language, evaluation in quarter.items():
        blocks = told(evaluation)
        tables = [b for b in blocks if isinstance(b, Table)] + [
            b.data for b in blocks if isinstance(b, Figure) and b.data
        ]
        values[language] = {
            t.id: [[c.value for c in row if not isinstance(c.value, str)] for row in t.rows] for t in tables
        }
    assert values["zh"] == values["en"]


def test_no_text_for_readers_is_left_in_the_other_language(quarter):
    chinese_letters = re.compile("[\u4e00-\u9fff]")
    own = {"一组", "二组", "三组"}
    for block in told(quarter["en"]):
        if isinstance(block, Heading | Text | Figure):
            text = getattr(block, "text", "") + getattr(block, "title", "") + getattr(block, "alt", "")
            for name in own:
                text = text.replace(name, "")
            assert not chinese_letters.search(text), text


def test_every_figure_has_a_message_a_sentence_and_an_id_of_its_own(quarter):
    for evaluation in quarter.values():
        blocks = told(evaluation)
        figures = [block for block in blocks if isinstance(block, Figure)]
        assert len(figures) >= 6
        for figure in figures:
            assert len(figure.alt) > 20 and figure.alt[-1] in "。.", figure.alt
            assert figure.title
        tables = [b for b in blocks if isinstance(b, Table)] + [figure.data for figure in figures if figure.data]
        ids = [block.id for block in (*figures, *tables)]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", id) for id in ids)


def test_no_table_is_empty(quarter, chinese):
    for evaluation in (chinese, *quarter.values()):
        tables = [block for block in told(evaluation) if isinstance(block, Table)]
        assert all(table.rows for table in tables), [table.id for table in tables if not table.rows]


def test_everything_can_be_written_as_json_and_hostile_names_stay_text(chinese):
    for block in told(chinese):
        text = json.dumps(block.to_json(), ensure_ascii=False, allow_nan=False)
        assert "NaN" not in text
        assert "<script" not in block._repr_mimebundle_()["text/html"]
        if isinstance(block, Figure):
            assert "<script" not in block.svg
    names = {
        row["group"].text for row in table([b.data for b in told(chinese) if isinstance(b, Figure)], "volume_channel")
    }
    assert HOSTILE in names


def test_the_first_screen_has_a_sentence_one_picture_and_the_lights(chinese):
    blocks = flat(report.summary(chinese))
    assert next(block.role for block in blocks if isinstance(block, Text)) == "lead"
    assert sum(isinstance(block, Figure) for block in blocks) == 1
    assert "95%区间" in blocks[1].text
    assert blocks[1].label


def test_an_incomplete_period_carries_its_flag_at_the_top(lake):
    late = made_up_cases()
    late = late[late["opened_at"] < datetime(2026, 9, 10, tzinfo=UTC)]
    short = sv.open(lake.path.parent / "short", timezone="Asia/Shanghai")
    store.write(short, {"cases": late})
    evaluation = report.evaluate(short.refresh(), period="2026-09", language="en")
    assert evaluation.incomplete
    assert "Incomplete data" in report.opening(evaluation).warnings[0]
    assert report.opening(report.evaluate(lake, period="2026-08", language="en")).warnings == ()


def test_sections_without_data_shrink_to_one_line(tmp_path):
    bare = sv.open(tmp_path / "lake", timezone="UTC")
    opened = pd.date_range("2026-08-01", "2026-08-31", periods=60, tz="UTC")
    store.write(bare, {"cases": pd.DataFrame({"case_id": [f"C{n}" for n in range(60)], "opened_at": opened})})
    evaluation = report.evaluate(bare.refresh(), period="2026-08", language="en")
    for name in ("standards", "teams", "quality_index", "courses"):
        blocks = flat(getattr(report, name)(evaluation))
        assert [type(block) for block in blocks] == [Heading, Text], name
    sentence = " ".join(block.text for block in flat(report.data_quality(evaluation)) if isinstance(block, Text))
    assert "Not supplied: Contacts" in sentence


def test_a_period_before_all_data_is_told_without_numbers(lake):
    evaluation = report.evaluate(lake, period="2020-01", language="zh")
    assert evaluation.readings == () and evaluation.incomplete
    for block in told(evaluation):
        json.dumps(block.to_json(), allow_nan=False)


def test_a_months_report_is_about_a_month(lake):
    with pytest.raises(PublishError, match="not the period"):
        report.evaluate(lake, period="2026Q3", report="monthly")
    with pytest.raises(PublishError, match="no report"):
        report.evaluate(lake, period="2026-08", report="daily")
    with pytest.raises(PublishError, match="scope"):
        report.evaluate(lake, period="2026-08", scope="elsewhere")
    with pytest.raises(PublishError, match="know no team"):
        report.evaluate(lake, period="2026-08", scope="team:Elsewhere")


def test_an_empty_lake_makes_no_report(tmp_path):
    with pytest.raises(PublishError, match="neither cases nor contacts"):
        report.evaluate(sv.open(tmp_path / "lake", timezone="UTC"), period="2026-08")


@pytest.mark.parametrize("name", ["monthly", "quarterly"])
def test_report_notebooks_are_thin_and_without_outputs(name):
    from svcanalytics import resources

    file = Path(resources.notebooks_path()) / "reports" / f"{name}_evaluation.ipynb"
    notebook = json.loads(file.read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    # After the parameters and the evaluation every cell shows one section and does nothing else.
    assert all(re.fullmatch(r"sections\.\w+\(evaluation\)", "".join(cell["source"])) for cell in cells[2:])
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
    assert [cell["metadata"].get("tags") for cell in cells].count(["parameters"]) == 1
    assert not re.search(r"\b(def|class|lambda)\b|\b_\w", source)
    assert {line.split(":")[0] for line in "".join(cells[0]["source"]).splitlines()} == {
        *("lake", "snapshot", "report", "period", "language", "scope"),
    }
    assert set(re.findall(r"sections\.(\w+)\(", source)) <= set(report.__all__)


def test_a_month_whose_records_stop_early_is_incomplete(tmp_path):
    early = sv.open(tmp_path / "lake", timezone="UTC")
    # A few records a year, then many in the first week of May: a usual gap of weeks must not excuse the rest of it.
    sparse = list(pd.date_range("2025-01-05", "2026-03-20", freq="40D", tz="UTC"))
    dense = list(pd.date_range("2026-04-20", "2026-05-06", periods=900, tz="UTC"))
    opened = sparse + dense
    store.write(early, {"cases": pd.DataFrame({"case_id": [f"C{n}" for n in range(len(opened))], "opened_at": opened})})
    assert report.evaluate(early.refresh(), period="2026-05").incomplete


def test_cases_of_a_source_that_notes_no_end_are_no_backlog(tmp_path):
    letters = sv.open(tmp_path / "lake", timezone="UTC")
    opened = pd.date_range("2026-08-01", "2026-08-31", periods=80, tz="UTC")
    frame = pd.DataFrame({"case_id": [f"C{n}" for n in range(80)], "opened_at": opened})
    frame["first_response_at"] = opened + timedelta(hours=3)
    store.write(letters, {"cases": frame})
    blocks = flat(report.backlog(report.evaluate(letters.refresh(), period="2026-08", language="zh")))
    assert [type(block) for block in blocks] == [Heading, Text]


def test_standards_taken_together_are_not_counted_twice(chinese):
    single = [clock for clock in chinese.clocks if not clock.composite]
    assert single and len(single) < len(chinese.clocks)
    sentence = next(block.text for block in flat(report.standards(chinese)) if isinstance(block, Text))
    assert f"应办{sum(clock.due for clock in single):,}件次" in sentence
    rows = table(told(chinese), "standards")
    for row in rows:
        if row["on_time"].value is not None:
            assert row["due"].value == row["on_time"].value + row["late"].value


def test_the_lights_of_the_table_follow_their_printed_rule(chinese):
    for row in table(told(chinese), "indicators"):
        reading = next(r for r in chinese.readings if r.name == row["name"].text)
        good = (
            (lambda v, r=reading: v >= r.target) if reading.direction == "up" else (lambda v, r=reading: v <= r.target)
        )
        ends = [good(reading.low), good(reading.high)] if reading.low is not None else []
        if row["light"].value == "green":
            assert all(ends) or reading.target in (0.0, 1.0)
        elif row["light"].value == "red":
            assert not any(ends)
        elif row["light"].value == "yellow":
            assert any(ends)
        else:
            assert row["value"].value is None


def test_the_index_is_what_a_reader_gets_from_the_weights_and_scores_of_its_table(quarter):
    whole, *families = table(told(quarter["zh"]), "index_families")
    given = quarter["zh"].profile.families
    assert len(families) < len(given)  # these data fill some families only, so the given weights can't add up
    assert sum(row["weight"].value for row in families) < 0.999
    assert sum(row["used"].value for row in families) == pytest.approx(1.0) == whole["used"].value
    scored = sum(row["used"].value * row["score"].value for row in families)
    assert scored == pytest.approx(whole["score"].value)
    parts = [tuple(row[name].value for name in ("weight", "used")) for row in families]
    assert len({round(used / weight, 9) for weight, used in parts}) == 1  # shared in proportion
    read = sum(float(row["used"].text.rstrip("%")) / 100 * float(row["score"].text) for row in families)
    assert read == pytest.approx(float(whole["score"].text), abs=0.15)  # by hand, from the rounded numbers


def test_a_log_that_knows_incidents_only_is_not_judged_by_complaints_it_cannot_hold(tmp_path):
    told_apart = {}
    for name, types in (("log", ["incident"]), ("hotline", ["incident", "complaint", "praise", "suggestion"])):
        lake = sv.open(tmp_path / name, timezone="Asia/Shanghai")
        cases = made_up_cases().head(400)
        store.write(lake, {"cases": cases.assign(business_type=np.resize(types, len(cases)))})
        told_apart[name] = {r.id for r in report.evaluate(lake.refresh(), period="2026-08").readings}
    of_type = {"complaint_rate", "praise_rate", "suggestions_received"}
    assert not of_type & told_apart["log"]
    assert of_type <= told_apart["hotline"]


def test_progress_to_the_years_target_holds_what_the_table_shows_against_each_other(quarter):
    from svcanalytics.metrics import catalogue

    defined = catalogue().metrics
    for language, evaluation in quarter.items():
        known, seen = {reading.name: reading for reading in evaluation.readings}, set()
        for row in table(told(evaluation), "indicators"):
            way = defined[known[row["name"].text].id].direction
            so_far, target = row["ytd"].value, row["target"].value
            if not so_far:
                assert (row["progress"].value, row["progress"].text) == (None, "–")
                continue
            share = so_far / target if way == "up" else target / so_far
            assert row["progress"].value == pytest.approx(share)
            assert float(row["progress"].text.rstrip("%").replace(",", "")) == pytest.approx(share * 100, abs=0.05)
            assert (share >= 1) == (so_far >= target if way == "up" else so_far <= target)
            seen.add((way, share >= 1))
        assert len(seen) >= 3
        note = next(b for b in told(evaluation) if isinstance(b, Table) and b.id == "indicators").note
        assert ("年度目标进度=" if language == "zh" else "Progress to the year's target is") in note


def test_what_is_asked_of_management_was_missed_for_long_or_got_worse_for_sure(quarter):
    evaluation = quarter["zh"]
    judged = [reading for reading in evaluation.readings if reading.judged and reading.direction == "up"][:4]
    long, worse, short, met = judged
    changed = {
        long.id: {"light": "red", "streak": -3, "significant": False},
        worse.id: {"light": "red", "streak": -1, "significant": True, "change": -0.1},
        short.id: {"light": "red", "streak": -2, "significant": False},
        met.id: {"light": "green", "streak": 5, "significant": True, "change": -0.1},
    }
    readings = tuple(replace(each, **changed.get(each.id, {"light": "green"})) for each in evaluation.readings)
    blocks = flat(report.decisions(replace(evaluation, readings=readings)))
    asked = [row[1].text for block in blocks if isinstance(block, Table) for row in block.rows]
    about = {each.name for each in judged for text in asked if text.startswith(f"{each.name}列入督办")}
    about |= {each.name for each in judged for text in asked if text.startswith(f"查明{each.name}变差")}
    assert about == {long.name, worse.name}


def test_months_of_a_quarter_stand_side_by_side_with_their_own_values(lake, quarter):
    rows = {row["name"].text: row for row in table(told(quarter["zh"]), "months")}
    month = report.evaluate(lake, period="2026-08", language="zh")
    for name in ("15分钟响应率", "解决率"):
        assert rows[name]["2026-08"].value == next(r for r in month.readings if r.name == name).value


def test_a_clocks_last_period_that_is_hidden_is_not_called_missing():
    from svcanalytics.periods import parse_period
    from svcanalytics.report.facts.evaluation import Evaluation
    from svcanalytics.report.facts.readings import Clock, Reading

    told_as = {}
    for basis in ("suppressed", "no_base"):
        reading = Reading("c", "c", value=0.9, low=0.7, high=0.97, n=20, previous_base=basis)
        evaluation = Evaluation("monthly", parse_period("2026-08"), "zh", clocks=(Clock(reading, 20, 18, 2, 0, 60.0),))
        told_as[basis] = table(flat(report.standards(evaluation)), "standards")[0]["change"]
    assert [(cell.value, cell.text) for cell in told_as.values()] == [(None, "–"), (None, "无上期数据")]
