import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from svcanalytics import charts, resources
from svcanalytics.charts import theme, widths
from svcanalytics.charts.axes import axis_unit, period_expression, period_label

KEYS = [f"2026-{month:02d}" for month in range(1, 8)]
COURSE = pd.DataFrame(
    {
        "period": KEYS,
        "value": [0.9, 0.91, None, 0.93, 0.92, 0.94, 0.9],
        "low": [0.88, 0.89, None, 0.91, 0.9, 0.92, 0.8],
        "high": [0.92, 0.93, None, 0.95, 0.94, 0.96, 0.97],
        "flag": ["", "", "suppressed", "", "", "", "incomplete"],
    }
)
UNITS = pd.DataFrame(
    {
        "label": ["一组", "一组", "三组"], "text": ["90%", "91%", "80%"], "value": [0.9, 0.91, 0.8],
        "low": [0.88, 0.9, 0.75], "high": [0.92, 0.93, 0.84], "differs": [False, False, True],
    }
)  # fmt: skip
SCORES = pd.DataFrame(
    {
        "label": ["响应及时率", "满意度"], "text": ["96%", "89%"], "score": [90.0, 70.0], "low": [85.0, 60.0],
        "high": [99.0, 78.0], "previous": [88.0, None], "light": ["green", "red"],
    }
)  # fmt: skip
COUNTS = pd.DataFrame([{"period": key, "group": group, "count": 5} for key in KEYS for group in ("电话", "网站")])
AGES = pd.DataFrame({"label": ["1天内", "1–3天"], "count": [7, 5], "overdue": [0, 2]})

CAUSES = pd.DataFrame(
    {
        "label": ["首次响应", "重开率"], "contribution": [3.0, -0.6], "low": [2.0, -1.4], "high": [4.0, 0.2],
        "certain": [True, False],
    }
)  # fmt: skip


def every_chart(language: str) -> dict:
    return {
        "trend": charts.draw_trend(COURSE, language=language, target=0.95, target_text="目标95%"),
        "index": charts.draw_index_trend(COURSE.rename(columns={"value": "score"}), language=language),
        "attainment": charts.draw_attainment(SCORES, language=language),
        "families": charts.draw_family_profile(SCORES.drop(columns="light"), language=language),
        "units": charts.draw_units(UNITS, language=language, reference=0.9),
        "volume": charts.draw_volume(COUNTS, language=language, groups=["电话", "网站"], incomplete=KEYS[-1:]),
        "ageing": charts.draw_ageing(AGES, language=language),
        "contributions": charts.draw_contributions(
            CAUSES, language=language, before=("二季度", 76.0), after=("三季度", 78.4)
        ),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return {name: charts.svg(chart, "zh") for name, chart in every_chart("zh").items()}


def test_a_picture_holds_nothing_from_outside_and_keeps_text_as_text(drawn):
    for name, text in drawn.items():
        urls = set(re.findall(r"https?://[^\"' )]+", text))
        assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, name
        assert "<script" not in text and "<image" not in text and "<text" in text
        assert "NaN" not in text and "undefined" not in text, name


def test_pictures_fit_a_phone(drawn):
    for name, text in drawn.items():
        assert float(re.search(r'width="([\d.]+)"', text)[1]) <= theme.WIDTH + 20, name


def test_coordinates_have_two_decimals_at_most(drawn):
    for text in drawn.values():
        assert not any(re.search(r"\d\.\d{3,}", tag) for tag in re.findall(r"<[^>]+>", text))


def test_no_two_pictures_on_a_page_share_an_id(drawn):
    ids = [id for text in drawn.values() for id in re.findall(r'\bid="([^"]+)"', text)]
    assert len(ids) == len(set(ids))
    for text in drawn.values():
        own = set(re.findall(r'\bid="([^"]+)"', text))
        assert set(re.findall(r"url\([\"']?#([\w-]+)", text)) <= own


@pytest.mark.slow
def test_another_process_in_another_time_zone_draws_the_same_bytes(drawn):
    code = (
        "import hashlib; from test_charts import every_chart; from svcanalytics import charts\n"
        "for name, chart in reversed(every_chart('zh').items()):\n"
        "    print(name, hashlib.sha256(charts.svg(chart, 'zh').encode()).hexdigest())"
    )
    environment = {**os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "7"}
    environment["PYTHONPATH"] = f"{Path.cwd()}{os.pathsep}{Path(__file__).parent}"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    other = dict(line.split() for line in run.stdout.splitlines())
    assert other == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in drawn.items()}


def test_the_committed_font_is_what_its_builder_makes(tmp_path):
    widths.build_font(tmp_path / "widths.ttf")
    assert (tmp_path / "widths.ttf").read_bytes() == resources.path("fonts", "widths.ttf").read_bytes()


def test_chinese_labels_get_the_room_they_need():
    def width(label: str) -> float:
        text = charts.svg(charts.draw_ageing(pd.DataFrame({"label": [label], "count": [1]}), language="zh"), "zh")
        return float(re.search(r'width="([\d.]+)"', text)[1])

    # 12 px a character: ten more characters need 120 px more, fonts on this machine or not.
    assert width("超" * 14) - width("超" * 4) == pytest.approx(120, abs=1)
    # Latin letters are measured by the font of widths too: ten digits of 0.556 x 1.05 x 12 px.
    assert width("8" * 24) - width("8" * 14) == pytest.approx(70, abs=1)


def test_an_incomplete_period_is_hollow_and_dashed():
    spec = every_chart("zh")["trend"].to_dict()
    values = spec["layer"][0]["data"]["values"] if "data" in spec["layer"][0] else spec["data"]["values"]
    assert [point["complete"] for point in values] == [True] * 6 + [False]
    assert [point["period"] for point in values if point["tail"]] == KEYS[-2:]
    assert values[2]["value"] is None  # suppressed: a gap, not a zero


def test_rows_of_the_same_name_stay_apart():
    values = charts.draw_units(UNITS, language="zh").to_dict()
    text = str(values)
    assert text.count("'row': 0") == 1 and text.count("'row': 1") == 1


def test_more_groups_than_colours_are_refused():
    with pytest.raises(ValueError, match="can't be told apart"):
        charts.draw_volume(COUNTS, language="en", groups=list("abcdefg"))


def test_palette_and_lights_keep_their_contrast():
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    # WCAG 1.4.11 asks 3:1 against white; the guidance's own orange stands a little below.
    for colour in (*theme.LIGHT_COLOURS.values(), theme.MAIN, theme.TARGET, theme.GREY):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour
    assert all(1.05 / (luminance(colour) + 0.05) >= 2.8 for colour in theme.PALETTE)


def test_axes_use_units_people_read():
    assert axis_unit("duration", [9000.0, float("nan")], "zh").title == "小时"
    assert axis_unit("duration", [45.0], "en").title == "seconds"
    assert axis_unit("rate", [0.91, 0.93], "en").format == ".1%"


def test_the_last_period_always_has_its_label_and_each_year_is_named_once():
    keys = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)]
    expression = period_expression(keys, "en", room=13)
    assert '"2026-12": ["Dec"]' in expression
    assert [expression.count(f'"{year}"]') for year in (2024, 2025, 2026)] == [1, 1, 1]
    assert period_label("2026Q4", "zh") == ("四季度", "2026")
    assert period_label("2026H2", "en") == ("H2", "2026")
    assert period_label("2026-W07", "zh") == ("7周", "2026")


def test_a_chart_shown_in_a_notebook_is_a_picture_that_needs_no_script_and_no_network():
    shown = charts.draw_trend(COURSE, language="en")._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert list(data) == ["image/svg+xml"]
    assert data["image/svg+xml"].startswith("<svg") and "<script" not in data["image/svg+xml"]
