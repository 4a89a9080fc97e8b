from __future__ import annotations

import pandas as pd

from svcanalytics.causes.gathering.hiding import hide_names


def test_names_and_staff_numbers_of_agents_are_hidden_and_words_stay():
    texts = pd.Series(
        [
            "Alice Johnson promised a refund, A-1907 too",
            "张伟说明天退款, 系统也这么说",
            "the system is down, Alicea knows",
            None,
            "an armchair",
        ]
    )
    hidden = hide_names(texts, ["Alice Johnson", "A-1907", "张伟", "系统", "system", "arm", None, "Alice"])
    assert hidden[0] == "[agent] promised a refund, [agent] too"
    assert hidden[1] == "[agent]说明天退款, 系统也这么说"
    assert hidden[2:].tolist() == texts[2:].tolist()


def test_without_names_texts_stay_as_they_are():
    texts = pd.Series(["Alice", "a1"])
    assert hide_names(texts, []) is texts and hide_names(texts, [None, 7, "bot"]) is texts
