"""Late teams and cases: against `standards`, against a plain loop, and how often noise names a team."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

import svcanalytics as sv
from svcanalytics import report, store
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Table
from svcanalytics.report.facts.lateness import find_late_teams, read_late

PERIOD = parse_period("2026-08")


def cases() -> pd.DataFrame:
    """Return 900 cases of August: team C answers late far more often, D has nine cases and all of them late."""
    rng, rows = np.random.default_rng(11), []
    for number in range(909):
        team = "D" if number >= 900 else "ABC"[number % 3]
        opened = datetime(2026, 8, 3, tzinfo=UTC) + timedelta(minutes=45 * (number % 800))
        late = team == "D" or rng.random() < {"A": 0.1, "B": 0.12, "C": 0.4}[team]
        answered = opened + timedelta(minutes=int(rng.integers(16, 9000)) if late else 5)
        rows.append(
            {"case_id": f"C{number:04d}", "opened_at": opened, "first_response_at": answered, "owner_team": team,
             "closed_at": answered + timedelta(hours=1), "customer_id": f"secret{number}", "text": f"words{number}"}
        )  # fmt: skip
    rows[5] |= {"first_response_at": None, "closed_at": rows[5]["opened_at"] + timedelta(days=19)}
    rows[6] |= {"first_response_at": None, "closed_at": None}
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> sv.Lake:
    lake = sv.open(tmp_path_factory.mktemp("late") / "lake", timezone="Asia/Shanghai")
    store.write(lake, {"cases": cases()})
    return lake.refresh()


def test_teams_are_counted_as_the_standards_count_them_and_small_ones_take_no_part(lake):
    teams, _ = read_late(lake, PERIOD, ["first_response"])
    whole = sv.standards(lake, ["first_response"], by="team", every="month", start="2026-08", end="2026-08")
    whole = whole.set_index("team")
    assert list(teams["team"]) == ["C"]  # D is late more often, but nine clocks are too few
    row, known = teams.iloc[0], whole.loc["C"]
    assert (row["due"], row["late"]) == (known["due"], known["late"])
    assert row["share"] == pytest.approx(1 - known["value"])
    assert (row["low"], row["high"]) == pytest.approx((1 - known["high"], 1 - known["low"]))
    assert row["worse"]
    a, b = whole.loc["A"], whole.loc["B"]
    outside = [a["late"] + b["late"], a["on_time"] + b["on_time"]]
    p = fisher_exact([[known["late"], known["on_time"]], [int(n) for n in outside]], alternative="greater").pvalue
    assert p <= 0.05 / 3


def test_the_case_list_holds_the_longest_overruns_of_a_plain_loop(lake):
    _, found = read_late(lake, PERIOD, [])
    frame, stop = cases(), datetime.max.replace(tzinfo=UTC)
    times = [t for name in ("opened_at", "first_response_at", "closed_at") for t in frame[name].dropna()]
    stop = max(times)
    over = {}
    for case in frame.to_dict("records"):
        ends = [t for t in (case["first_response_at"], case["closed_at"]) if not pd.isna(t)]
        end = min(ends) if ends else stop
        over[case["case_id"]] = (end - case["opened_at"]).total_seconds() - 900
    longest = sorted(over.items(), key=lambda item: -item[1])[:10]
    answered = found[found["standard"] == "first_response"]
    assert len(answered) == len(found) == 10
    assert dict(zip(found["id"], found["overrun_s"], strict=True)) == dict(longest)
    assert found["overrun_s"].is_monotonic_decreasing
    assert dict(zip(found["id"], found["is_open"], strict=True)) == {name: name == "C0006" for name, _ in longest}
    assert {"C0005", "C0006"} <= set(found["id"])


def test_the_tables_under_the_standards_name_no_customer_in_either_language(lake):
    for language, worst in (("zh", "显著最差"), ("en", "worst for sure")):
        evaluation = report.evaluate(lake, period="2026-08", language=language)
        tables = {block.id: block for block in report.standards(evaluation).items if isinstance(block, Table)}
        texts = [[cell.text for cell in row] for name in ("late_teams", "late_cases") for row in tables[name].rows]
        assert not [text for row in texts for text in row if "secret" in text or "words" in text]
        assert tables["late_teams"].rows[0][-1].text == worst
        assert len(tables["late_cases"].rows) == 10


def test_noise_names_a_team_in_no_more_reports_than_promised():
    rng, named, reports = np.random.default_rng(5), 0, 400
    smallest = defaultdict(lambda: 10)
    for _ in range(reports):
        due = rng.integers(10, 60, (8, 5))
        late = rng.binomial(due, rng.choice([0.02, 0.1, 0.3], (8, 1)))
        counted = pd.DataFrame(
            {"standard": np.repeat([f"s{n}" for n in range(8)], 5), "team": list("ABCDE") * 8, "due": due.ravel()}
        ).assign(late=late.ravel())
        named += bool(find_late_teams(counted, smallest)["worse"].any())
    assert named / reports <= 0.05 + 2 * (0.05 * 0.95 / reports) ** 0.5


def test_many_looks_need_a_larger_difference():
    one = pd.DataFrame({"standard": "s", "team": ["A", "B"], "due": [100, 100], "late": [14, 5]})
    quiet = [one.assign(standard=f"q{n}", late=[10, 10]) for n in range(20)]
    smallest = defaultdict(lambda: 10)
    assert find_late_teams(one, smallest, level=0.9)["worse"].any()
    assert not find_late_teams(pd.concat([one, *quiet]), smallest, level=0.9)["worse"].any()


def test_a_single_team_is_worse_than_nobody():
    alone = pd.DataFrame({"standard": ["s"], "team": ["A"], "due": [50], "late": [50]})
    assert find_late_teams(alone, {"s": 10}).empty
