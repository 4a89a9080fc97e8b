"""How agents speak, in both languages."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.causes import conduct, conversations
from svcanalytics.errors import CauseError

SAID = pd.DataFrame(
    [
        ("polite", 1, "agent", "您好, 请问有什么可以帮您?"),
        ("polite", 2, "customer", "等了三天还没有解决, 太差了"),
        ("polite", 3, "agent", "非常理解您的心情, 马上为您核实"),
        ("polite", 4, "customer", "好的, 谢谢"),
        ("polite", 5, "agent", "感谢您的来电, 再见"),
        ("rude", 1, "agent", "喂"),
        ("rude", 2, "customer", "态度太差了"),
        ("rude", 3, "agent", "这不归我们部门管, 你去投诉吧"),
        ("calm", 1, "agent", "Good morning, how can I help?"),
        ("calm", 2, "customer", "I would like to change my address."),
        ("calm", 3, "agent", "That is done. Have a nice day!"),
        ("english", 1, "agent", "Hello, this is Ann speaking."),
        ("english", 2, "customer", "This is a terrible service."),
        ("english", 3, "agent", "Calm down. That's not my department."),
        ("bot", 1, "bot", "Hello"),
    ],
    columns=["case_id", "at", "speaker", "text"],
)


def test_every_utterance_is_flagged_by_what_is_said_and_by_whom():
    flags = conduct(SAID)
    assert flags.index.equals(SAID.index)
    assert flags.loc[flags["greeting"], "words"].index.tolist() == [0, 8, 11]  # the bot's greeting is not an agent's
    assert flags.loc[flags["prohibited"]].index.tolist() == [5, 7, 13]
    assert flags.loc[flags["evasive"]].index.tolist() == [7, 13]
    assert flags.loc[13, "words"] == "calm down|not my department"
    assert flags.loc[flags["empathy"]].index.tolist() == [2]
    assert flags.loc[1, "sentiment"] < 0 < flags.loc[3, "sentiment"]


def test_a_conversation_is_compliant_when_nothing_is_missing_and_nothing_forbidden():
    told = conversations(SAID.sample(frac=1, random_state=3))
    assert told.index.tolist() == ["calm", "english", "polite", "rude"] and told.index.name == "case_id"
    assert told["compliant"].to_dict() == {"calm": True, "english": False, "polite": True, "rude": False}
    assert told["empathy_due"].to_dict() == {"calm": False, "english": True, "polite": True, "rude": True}
    assert told.loc["polite", "empathy"] and not told.loc["rude", "empathy"] and pd.isna(told.loc["calm", "empathy"])
    assert told.loc["polite", "sentiment_start"] < 0 < told.loc["polite", "sentiment_end"]
    assert told.loc["rude", ["prohibited", "evasive"]].tolist() == [2, 1]


@pytest.mark.parametrize(
    "text", ["喂养宠物需要哪些材料", "滚动播放的广告", "hello kitty shellac", "请问笨重物品怎么寄"]
)
def test_a_word_inside_another_is_no_offence(text):
    assert not conduct(pd.DataFrame({"text": [text]}))["prohibited"][0]


def test_no_messages_and_missing_texts_are_borne_and_missing_columns_named():
    assert conversations(SAID.iloc[:0]).empty
    assert not conduct(pd.DataFrame({"text": [None, float("nan")]}))[["greeting", "evasive"]].to_numpy().any()
    with pytest.raises(CauseError, match="no column 'text'"):
        conduct(pd.DataFrame({"said": ["hello"]}))
    with pytest.raises(CauseError, match="no column 'contact_id'"):
        conversations(SAID, "contact_id")
    with pytest.raises(CauseError, match="list is no table"):
        conduct(["hello"])
