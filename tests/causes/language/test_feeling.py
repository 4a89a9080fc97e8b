"""The feeling of a text by words alone: what grammar does to words, and how often real reviews are told right."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.causes import sentiment
from svcanalytics.causes.language.feeling import read_lexicon
from svcanalytics.causes.language.matching import compile_words

# Commas and full stops as they are typed in Chinese.
COMMA, STOP = "\uff0c", "\u3002"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("客服很耐心", "客服不耐心"),
        ("非常满意", "比较满意"),
        ("服务不错", "服务不好"),
        (f"有点慢{COMMA}但是质量很好", f"质量很好{COMMA}但是有点慢"),
        ("回复及时", "希望回复及时一点"),
        ("没有破损", "有破损"),
        ("不是很差", "很差"),
        ("The agent was helpful.", "The agent was not helpful."),
        ("extremely helpful", "somewhat rude"),
        ("Delivery was late but the product is great.", "The product is great but delivery was late."),
        ("It is good.", "I wish it was good."),
        ("not bad at all", "bad"),
        ("客服 very helpful", "客服 very rude"),
        ("从来没有这么好的服务", "从来没有这么差的服务"),
        ("别提多满意了", "别再让我失望"),
        ("I have never been so satisfied", "I have never been satisfied"),
        ("问题得到解决", "问题没有得到解决"),
    ],
)
def test_the_better_sentence_scores_higher(better, worse):
    high, low = sentiment([better, worse])
    assert high > low


@pytest.mark.parametrize(
    "text",
    [
        "态度恶劣, 一直没有人处理", "等了三天还没有解决", "与描述不符, 要求退货", "推诿扯皮, 不负责任", "再也不来了",
        "Nobody answers the phone.", "Still waiting for my refund, very disappointed.", "I am not satisfied.",
        "The app crashes every time.", "They refused to help and were rude.",
    ],
)  # fmt: skip
def test_a_complaint_is_below_zero(text):
    assert sentiment([text])[0] < 0


@pytest.mark.parametrize(
    "text",
    [
        "问题很快就解决了, 谢谢", "工作人员热情周到, 点赞", "办理顺利, 好评", "没有问题, 值得推荐", "不贵也不卡",
        "Thank you for the quick reply!", "No problem at all, everything works.", "The courier was friendly.",
        "Excellent support, highly recommend.", "My issue was resolved promptly and politely.",
    ],
)  # fmt: skip
def test_praise_is_above_zero(text):
    assert sentiment([text])[0] > 0


def test_nothing_said_is_neutral():
    scores = sentiment(["", "   ", None, float("nan"), "2026-11-21 09:30", "发票号码 445", "My number is 445."])
    assert scores.tolist() == [0.0] * 7
    assert sentiment([]).shape == (0,)


@given(
    st.lists(
        st.text(alphabet=st.sampled_from(f"好差不很没有但是满意失望 {COMMA}{STOP}!?abcnotgodbut."), max_size=60),
        max_size=5,
    )
)
def test_scores_lie_between_minus_one_and_one_and_do_not_depend_on_neighbours(texts):
    scores = sentiment(texts)
    assert (np.abs(scores) <= 1).all()
    assert scores.tolist() == [sentiment([text])[0] for text in texts]


@pytest.mark.parametrize(("language", "least"), [("zh", 1500), ("en", 600)])
def test_a_lexicon_is_large_and_names_no_word_twice(language, least):
    from svcanalytics.resources import read_toml

    table = read_toml(f"language/sentiment_{language}.toml")
    words = [word for group in table["words"].values() for word in group.split()]
    assert len(words) >= least and len(words) == len(set(words))
    assert set(table["words"]) == set(table["weights"])
    assert read_lexicon(language).weights[words[0]] > 0


@given(st.sets(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1), st.text(alphabet="abcd", max_size=30))
def test_the_pattern_finds_the_longest_word_at_each_place(words, text):
    expected, place = [], 0
    while place < len(text):
        here = max((word for word in words if text.startswith(word, place)), key=len, default="")
        expected += [here] if here else []
        place += max(len(here), 1)
    assert compile_words(sorted(words)).findall(text) == expected


@pytest.mark.real_data
def test_reviews_that_no_word_was_taken_from_are_told_as_promised(real_data):
    reviews = pd.read_csv(real_data / "text" / "shopping_reviews_zh_sample.csv").dropna(subset=["review"])
    unseen = np.array([hashlib.sha256(text.encode()).digest()[0] % 2 == 1 for text in reviews["review"]])
    right = (sentiment(reviews["review"][unseen]) > 0) == (reviews["label"][unseen] == 1)
    assert right.mean() >= 0.88  # promised: 0.82
