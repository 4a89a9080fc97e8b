from svcanalytics.report.words.vocabulary import LONGEST, dimension_name, group_name
from svcanalytics.store.contract import contract


def test_every_closed_list_that_splits_a_report_is_translated():
    for column in ("business_type", "urgency", "customer_type"):
        for value in contract()["cases"].columns[column].allowed:
            assert group_name(value, "zh") != value
            assert group_name(value, "en") != value
        assert dimension_name(column, "zh") != column


def test_a_sources_own_words_stay_and_what_is_not_filled_says_so():
    assert group_name("东城窗口", "en") == "东城窗口"
    assert group_name(None, "zh") == group_name("", "zh") == "（未填）"
    assert group_name(float("nan"), "en") == "(not recorded)"


def test_text_in_the_wrong_column_does_not_fill_the_page():
    assert len(group_name("x" * 10_000, "en")) == LONGEST
    assert group_name("two\nlines\there", "en") == "two lines here"
