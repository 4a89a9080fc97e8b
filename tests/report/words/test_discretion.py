from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.report.words.discretion import is_public

NAMES = frozenset({"E1042", "热线A组 Hotline A", "热线A组", "Hotline A", "M7", "李明"})


@pytest.mark.parametrize(
    "text", ["窗口排队时间长", "Kiosk often out of order", "增加高峰时段坐席", "平均等候不超过5分钟"]
)
def test_a_problem_that_names_nobody_can_be_shown(text):
    assert is_public(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        None,
        float("nan"),
        " ",
        "客户张女士[phone]反映的回访未落实",
        "王先生反映退款慢",
        "Mr Smith waited for an hour",
        "call 13800138000",
        "see case S0065073",
        "写信到 a@b.cn",
        "由M7负责",
        "Hotline A answers late",
        "热线A组响应慢",
        "E1042 was rude",
    ],
)
def test_a_text_with_a_person_a_team_or_a_number_in_it_is_not_shown(text):
    assert not is_public(text, NAMES)


@settings(max_examples=40)
@given(st.text("服务改进 slow", max_size=12), st.sampled_from(sorted(NAMES)), st.text("。，提高 ok", max_size=12))
def test_whatever_stands_around_a_name_it_is_found(before, name, after):
    assert not is_public(f"{before} {name} {after}", NAMES)


def test_a_name_inside_a_longer_word_is_another_word():
    assert is_public("the line is slow", frozenset({"Li", "lin"}))
