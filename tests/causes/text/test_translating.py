import pandas as pd

from svcanalytics.causes.text.translating import link_languages, meanings

ZH = [("\u9000\u6b3e", "\u94f6\u884c\u5361", "\u7b49\u5f85"), ("\u5feb\u9012", "\u5730\u5740", "\u9001\u8d27")]
EN = [("parcels", "addresses", "delivered"), ("refunds", "cards", "please"), ("zebra", "address")]


def test_words_that_mean_the_same_share_a_meaning_in_either_language():
    assert meanings(["refunded"]) == meanings(["\u9000\u6b3e"]) != set()
    assert meanings(["zebra", "\u6591\u9a6c"]) == set()


def test_themes_are_one_when_they_share_enough_meanings_across_languages_only():
    rows = [(zh, ()) for zh in ZH] + [((), en) for en in EN]
    table = pd.DataFrame(rows, columns=["terms_zh", "terms_en"])
    assert link_languages(table).tolist() == [0, 1, 1, 0, 4]
    assert link_languages(pd.DataFrame([((), EN[0])] * 3, columns=table.columns)).tolist() == [0, 1, 2]
    assert link_languages(table[:0]).tolist() == []
