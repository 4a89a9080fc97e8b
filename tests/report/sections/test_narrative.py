import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.sections import narrative

MET = Reading(
    "response", "响应及时率", value=0.962, n=900, target=0.95, light="green", previous=0.95, change=0.012,
    significant=True, streak=3,
)  # fmt: skip


def changed(reading, **fields):
    return Reading(**{**reading.__dict__, **fields})


def test_the_model_sentence_of_the_standard_comes_out():
    assert narrative.describe(MET, "zh") == "环比提高1.2个百分点，达标（目标95%），连续3个月达标；变化显著。"
    assert narrative.describe(MET, "en") == (
        "Up 1.2 percentage points on last month, a significant change; "
        "meets the target of 95%, for the 3rd month running."
    )


def test_a_change_within_sampling_error_is_called_no_change():
    steady = changed(MET, significant=False, streak=0)
    assert narrative.describe(steady, "zh") == "环比无显著变化，持平，达标（目标95%）。"
    assert narrative.describe(steady, "en") == "No significant change from last month; meets the target of 95%."


def test_too_close_to_call_is_neither_met_nor_missed():
    straddling = changed(MET, light="yellow", significant=False, streak=2)
    chinese, english = (narrative.describe(straddling, language) for language in ("zh", "en"))
    assert "不能断定" in chinese and "连续" not in chinese
    assert "too close" in english and "meets" not in english and "misses" not in english


def test_a_streak_is_counted_in_the_reports_own_periods():
    missed = changed(MET, light="red", streak=-4)
    assert "连续4个季度未达标" in narrative.describe(missed, "zh", "quarter")
    assert "misses the target of 95%, for the 4th quarter running" in narrative.describe(missed, "en", "quarter")


def test_a_small_sample_is_not_judged():
    small = changed(MET, light="grey", n=7)
    assert narrative.describe(small, "zh") == "样本不足（n=7），不作评价。"
    assert narrative.describe(small, "en") == "Too few records (n = 7) to judge."


def test_without_a_base_no_change_is_claimed():
    first = changed(MET, previous=None, change=None, significant=None, streak=1)
    assert narrative.describe(first, "zh") == "无上期数据可比，达标（目标95%）。"
    assert narrative.describe(first, "en") == "Nothing earlier to compare with; meets the target of 95%."


def test_durations_get_longer_and_shorter_not_up_and_down():
    slower = Reading(
        "asa",
        "平均应答",
        "duration",
        "down",
        7980,
        target=7200,
        light="red",
        previous=7380,
        change=600,
        significant=True,
    )
    assert narrative.describe(slower, "zh") == "环比延长10分，未达标（目标2小时）；变化显著。"
    assert narrative.describe(slower, "en").startswith("Longer by 10 min on last month")
    assert slower.better is False


def test_incomplete_data_carry_their_warning_in_the_sentence():
    partial = changed(MET, flag="incomplete")
    assert narrative.describe(partial, "zh").endswith("数据不完整，仅供参考。")
    assert "incomplete" in narrative.describe(partial, "en")


@given(st.floats(-0.2, 0.2), st.sampled_from(["up", "down"]))
def test_better_follows_the_direction_and_needs_significance(change, direction):
    reading = changed(MET, change=change, direction=direction)
    if change == 0:
        assert reading.better is None
    else:
        assert reading.better is ((change > 0) == (direction == "up"))
    assert changed(reading, significant=False).better is None


def test_what_is_missed_for_three_periods_is_put_under_supervision():
    missed = changed(MET, light="red", value=0.91, streak=-3)
    once = changed(missed, name="解决率", streak=-1)
    text = narrative.describe_missed([missed, once], "zh")
    assert text == "未达标：响应及时率91.0%（目标≥95%，连续3个月，列入督办）、解决率91.0%（目标≥95%）。"
    assert "needs follow-up" in narrative.describe_missed([missed], "en")
    assert narrative.describe_missed([], "en") == "No measure misses its target."


def test_changes_name_only_what_moved_for_sure():
    up, noise = MET, changed(MET, name="满意度", significant=False)
    assert narrative.describe_changes([up, noise], "zh") == (
        "与上月相比，显著改善1项：响应及时率（+1.2个百分点）；没有指标显著变差。"
    )
    assert narrative.describe_changes([noise], "en") == "No measure changed significantly from last month."
    unbased = changed(MET, change=None, significant=None)
    assert "没有上期" in narrative.describe_changes([unbased], "zh")


def test_lights_are_counted_with_too_few_told_apart():
    lights = [changed(MET, light=light) for light in ("green", "green", "yellow", "red", "grey")]
    unjudged = changed(MET, light=None)
    assert narrative.describe_lights([*lights, unjudged], "zh") == (
        "设有目标的5项指标中，2项达标、1项临界、1项未达标、1项样本不足。"
    )
    assert narrative.describe_lights(lights, "en") == (
        "Of 5 measures with a target: 2 met, 1 too close to call, 1 missed, 1 resting on too few records."
    )


@pytest.mark.parametrize("number", [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 112])
def test_ordinals_end_as_english_does(number):
    endings = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 103: "rd"}
    assert narrative._ordinal(number) == f"{number}{endings.get(number, 'th')}"


def test_a_miss_as_old_as_the_data_is_at_least_that_old():
    missed = changed(MET, light="red", value=0.91, streak=-13, streak_open=True)
    assert "连续至少13个月" in narrative.describe_missed([missed], "zh")
    assert "missed for at least 13 months running" in narrative.describe_missed([missed], "en")
    assert "连续至少13个月未达标" in narrative.describe(missed, "zh")
