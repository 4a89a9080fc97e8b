"""Names that the words around them announce are masked; the same words without a name stay."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.store.masking import mask
from svcanalytics.store.personal_names import PREFILTER

# Made up; each with its surname as people are addressed by it.
ENGLISH = st.sampled_from(["John Smith", "Mary-Jane O'Neil", "Anna M. Berg", "Lee"])
CHINESE = st.sampled_from(["王小明", "李雷", "欧阳文山", "赵敏"])
ANNOUNCED = st.one_of(
    st.tuples(
        st.sampled_from(["Hello, my name is ", "my last name: ", "I spoke to Mr. ", "Mrs "]), ENGLISH, st.just("")
    ),
    st.tuples(st.just("Hi, this is "), ENGLISH, st.just(" calling about my card")),
    st.tuples(st.sampled_from(["Kind regards,\n", "Thanks\n\n"]), ENGLISH, st.sampled_from(["", "\n"])),
    st.tuples(
        st.sampled_from(["您好，我叫", "姓名：", "联系人: ", "本人姓名"]), CHINESE, st.sampled_from(["，", "", " 电话"])
    ),
    st.tuples(st.sampled_from(["", "市民："]), CHINESE, st.just("先生来电")),
)


@given(ANNOUNCED)
def test_an_announced_name_is_masked_and_nothing_else(parts):
    before, name, after = parts
    assert mask(before + name + after) == f"{before}[name]{after}"
    assert mask(f"{before}[name]{after}") == f"{before}[name]{after}"
    assert re.search(PREFILTER, before + name + after)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我是李女士", "我是[name]女士"),
        ("免贵姓王，住三楼", "免贵姓[name]，住三楼"),
        ("my name is john smith", "my name is [name]"),
        ("(555) 123-4567", "[phone]"),
        ("call 1 (555)123-4567 or 555-123-4567", "call [phone] or [phone]"),
    ],
)
def test_forms_of_names_and_made_up_numbers(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "my name is not on the card",
        "My name is spelled wrong",
        "my name is getting cut off",
        "I need to change my name. Thanks\nRegards",
        "In regards to my card payment",
        "this is Bad Service",
        "Ms Word crashed",
        "我叫了外卖，没人送",
        "我叫他们过来",
        "对方女士很客气，任何先生女士都可以",
        "请联系人力资源部",
        "姓名写错了",
        "单号 412-024-1234",
    ],
)
def test_the_same_words_without_a_name_stay(text):
    assert mask(text) == text


@pytest.mark.real_data
def test_thirteen_thousand_questions_to_a_bank_name_nobody(real_data):
    """They were anonymised: whatever were masked in them would be a mistake."""
    files = [real_data / "text" / f"banking77_{part}.csv" for part in ("train", "test")]
    texts = pd.concat([pd.read_csv(file) for file in files])["text"]
    assert [text for text in texts if "[name]" in mask(text)] == []
