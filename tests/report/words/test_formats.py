import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.report.words import formats


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (7980, "2小时13分", "2 h 13 min"),
        (3599.6, "1小时", "1 h"),
        (59.7, "1分", "1 min"),
        (86399, "1天", "1 d"),
        (200_000, "2天8小时", "2 d 8 h"),
        (45, "45秒", "45 s"),
        (0, "0秒", "0 s"),
        (0.4, "0.4秒", "0.4 s"),
        (-7980, "−2小时13分", "−2 h 13 min"),
    ],
)
def test_durations_read_as_their_two_largest_units(seconds, chinese, english):
    assert formats.format_duration(seconds, "zh") == chinese
    assert formats.format_duration(seconds, "en") == english


@given(st.floats(10, 400 * 86400))
def test_a_duration_read_back_is_within_half_of_its_smaller_unit(seconds):
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    text = formats.format_duration(seconds, "en").replace(",", "")
    parts = [(float(number), unit) for number, unit in re.findall(r"([\d.]+) (d|h|min|s)", text)]
    read = sum(number * units[unit] for number, unit in parts)
    smaller = {"d": 3600, "h": 60, "min": 1, "s": 1}[parts[0][1]]
    assert abs(read - seconds) <= smaller / 2 + 1e-6
    for number, unit in parts[1:]:  # nothing reads 1 h 60 min
        assert number < {"h": 24, "min": 60, "s": 60}[unit]


def test_shares_are_percentages_and_their_differences_are_points():
    assert formats.format_rate(0.9514, "zh") == "95.1%"
    assert formats.format_rate(0.0043, "en") == "0.43%"
    assert formats.format_points(0.012, "zh") == "+1.2个百分点"
    assert formats.format_points(-0.012, "en") == "−1.2 pp"
    assert formats.format_points(0.0, "en") == "0.0 pp"
    assert formats.format_percent(0.034, "zh") == "+3.4%"


def test_what_rounds_to_zero_has_no_sign():
    assert formats.format_points(-0.000001, "en") == "0.00 pp"
    assert formats.format_change(-0.2, "integer", "en") == "0"


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_base_says_so_and_is_never_a_zero(missing):
    assert formats.format_change(missing, "rate", "zh") == "无同期数据"
    assert formats.format_change(missing, "integer", "en") == "no base"
    assert not any(digit in formats.format_value(missing, "rate", "zh") for digit in "0123456789")


def test_lights_differ_in_shape_and_word_not_only_in_colour():
    for language in ("zh", "en"):
        texts = [formats.format_light(light, language) for light in formats.LIGHTS]
        assert len({text.split(" ")[0] for text in texts}) == 4
        assert len({text.split(" ", 1)[1] for text in texts}) == 4
        assert all(text in formats.light_rule(language) for text in texts)


def test_dates_read_in_both_languages():
    assert formats.format_date("2026-10-31", "zh") == "2026年10月31日"
    assert formats.format_date("2026-10-31", "en") == "31 Oct 2026"


def test_growth_beyond_tenfold_reads_as_a_multiple():
    assert formats.format_percent(1299.25, "en") == "×1,300"
    assert formats.format_percent(19.0, "zh") == "20倍"
    assert formats.format_percent(9.99, "en") == "+999.0%"


def test_chinese_text_gets_chinese_punctuation_and_other_text_is_left_alone():
    assert formats.typeset("20秒接通率(总量口径)", "zh") == "20秒接通率（总量口径）"
    assert formats.typeset("解决时长(P90),含等待:净值", "zh") == "解决时长（P90），含等待：净值"
    assert formats.typeset("1,000 (n=3), a:b", "zh") == "1,000 (n=3), a:b"
    assert formats.typeset("解决率(a)", "en") == "解决率(a)"
