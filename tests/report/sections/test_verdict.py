"""The first words of a report claim a change only where sampling error can't explain it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.report.sections.verdict import describe_verdict


def test_the_verdict_gives_score_band_grade_and_how_sure_a_change_is():
    head, text = describe_verdict((82.44, 81.3, 83.5), "B", (2.1, 0.4, 3.8), "zh")
    assert head == "\u25b2 比上月提升"
    assert text == "服务质量指数82.4±1.1分，等级B；较上月上升2.1分，变化显著（95%区间+0.4至+3.8）。"
    head, text = describe_verdict((78.4, 77.3, 79.5), "C", (-2.3, -3.9, -0.7), "en", "quarter")
    assert head.endswith("Worse than last quarter")
    assert text == (
        "The index is 78.4±1.1, grade C; down 2.3 on last quarter for certain (95% interval \u22123.9 to \u22120.7)."
    )
    assert "仅供参考" in describe_verdict((45.2, 43.4, 47.0), "D", (24.0, 21.4, 26.7), "zh", incomplete=True)[1]
    assert "No earlier period" in describe_verdict((82.4, 80.9, 83.8), "B", None, "en")[0]


@given(
    st.floats(-30, 30), st.floats(0.01, 20), st.sampled_from(["zh", "en"]), st.booleans(),
)  # fmt: skip
def test_only_an_interval_without_zero_is_called_better_or_worse(change, half, language, incomplete):
    bounds = (change, change - half, change + half)
    head, text = describe_verdict((70.0, 69.0, 71.0), "C", bounds, language, incomplete=incomplete)
    sure = not incomplete and abs(change) > half
    assert (head[0] in "\u25b2\u25bc") == sure
    assert ("变化显著" in text or "for certain" in text) == sure
    assert not sure or (head[0] == "\u25b2") == (change > 0)


@pytest.mark.parametrize(("language", "words"), [("zh", "无显著变化"), ("en", "No significant change")])
def test_a_change_within_error_is_said_to_be_none(language, words):
    head, text = describe_verdict((73.7, 72.2, 75.2), "C", (-1.8, -3.9, 0.2), language, "quarter")
    assert words in head
    assert "\u22121.8" in text
