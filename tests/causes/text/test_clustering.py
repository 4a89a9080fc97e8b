import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics import causes
from svcanalytics.causes.text import Clusters
from svcanalytics.errors import CauseError

ZH = {
    "refund": ["退款", "货款", "退钱", "账户", "未到", "余额", "付款", "到账"],
    "login": ["登录", "密码", "验证", "注册", "闪退", "版本", "更新", "手机"],
    "courier": ["快递", "包裹", "物流", "送达", "签收", "破损", "地址", "仓库"],
}
EN = {
    "invoice": ["invoice", "billing", "company", "charged", "statement", "receipt", "discount", "tax"],
    "roaming": ["roaming", "abroad", "signal", "network", "coverage", "antenna", "travel", "sim"],
    "warranty": ["warranty", "repair", "broken", "screen", "battery", "replaced", "technician", "spare"],
}
COMMON_ZH = ["你好", "请问", "谢谢", "希望", "尽快", "处理"]
COMMON_EN = ["hello", "please", "thanks", "since", "yesterday", "still", "nothing", "waiting", "help"]


def planted(n=600, seed=0, topics=("refund", "login", "courier", "invoice", "roaming", "warranty")):
    rng = np.random.default_rng(seed)
    texts, truth = [], []
    for _ in range(n):
        topic = topics[rng.integers(len(topics))]
        words, common = (ZH, COMMON_ZH) if topic in ZH else (EN, COMMON_EN)
        said = [*rng.choice(words[topic], 4, replace=False), *rng.choice(common, 3, replace=False)]
        rng.shuffle(said)
        texts.append(("\uff0c" if topic in ZH else " ").join(said) + str(rng.integers(10**6)))
        truth.append(topic)
    return texts, np.array(truth)


def by_script(texts):
    return np.array([[1.0, 0.0] if text.isascii() else [0.0, 1.0] for text in texts])


def same_partition(a, b):
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


def test_planted_themes_of_two_languages_come_back_with_their_number():
    texts, truth = planted()
    found = causes.cluster(texts)
    assert same_partition(found.labels, truth)
    for row in found.table.itertuples():
        topic = truth[found.labels == row.Index][0]
        words, terms = (ZH[topic], row.terms_zh) if topic in ZH else (EN[topic], row.terms_en)
        assert set(row.label.split()) <= set(words) and len(set(terms) & set(words)) >= 5
    assert found.table["size"].tolist() == sorted(found.table["size"], reverse=True)
    assert found.table["share"].sum() == pytest.approx(1)


@settings(max_examples=3)
@given(order=st.permutations(range(90)), k=st.sampled_from([None, 2, 5]))
def test_the_order_of_the_texts_changes_nothing(order, k):
    texts = planted(80, 1)[0] + ["", None, 7.5, texts_like_the_first(), *["\u9000\u6b3e\u672a\u5230"] * 6]
    first, again = causes.cluster(texts, k), causes.cluster([texts[at] for at in order], k)
    assert (first.labels[list(order)] == again.labels).all()
    pd.testing.assert_frame_equal(first.table, again.table)


def texts_like_the_first():
    return "A copy, 1 of 2: " + planted(1, 1)[0][0]


def test_texts_stay_where_they_are_and_like_ones_join_them_now_and_after_keeping_the_model(tmp_path):
    texts, _ = planted(400, 2)
    found = causes.cluster([*texts, ""], 6)
    assert (found.assign([*texts, ""]) == found.labels).all()
    later, truth = planted(200, 3)
    assigned = found.assign(later)
    assert same_partition(assigned, truth)
    np.savez(tmp_path / "themes.npz", **found.to_arrays())
    with np.load(tmp_path / "themes.npz", allow_pickle=False) as kept:
        again = Clusters.from_arrays(kept)
    assert (again.assign(later) == assigned).all()
    pd.testing.assert_frame_equal(again.table, found.table)
    assert found.assign(["\U0001f600", "\u65e0\u5173\u7cd6", None]).tolist() == [-1, -1, -1]


def test_copies_of_a_text_are_one_text_of_one_theme():
    texts, _ = planted(300, 4)
    letter = "We the undersigned ask that the night bus to the harbour is kept because many of us work late there"
    copies = [f"{letter}, signed by neighbour {number}" for number in range(1, 101)]
    found = causes.cluster([*texts, *copies], 7)
    assert len(set(found.labels[300:])) == 1
    assert len(set(found.heads[300:])) == 1 and found.heads[300] == 300
    theme = found.table.loc[found.labels[300]]
    assert theme["size"] >= 100 and theme["distinct"] <= theme["size"] - 99


def test_quotes_hold_no_number_of_a_person_and_are_three_at_most():
    texts = [f"{text} call 13912345678 or wang{at}@example.com" for at, text in enumerate(planted(120, 5)[0])]
    found = causes.cluster(texts, 4)
    quotes = [quote for quotes in found.table["quotes"] for quote in quotes]
    assert all(1 <= len(q) <= 3 for q in found.table["quotes"])
    assert not any("139" in q or "wang" in q for q in quotes) and any("[phone]" in q for q in quotes)
    assert not any("wang" in term or "139" in term for terms in found.table["terms_en"] for term in terms)


def test_a_label_by_hand_overrides_and_an_own_embedding_decides():
    texts, truth = planted(200, 6)
    found = causes.cluster(texts, 6)
    mine = pd.DataFrame({"text": texts[:20], "label": ["my theme"] * 19 + [found.table["theme"][2]]})
    by_hand = causes.cluster(texts, 6, labels=mine)
    names = by_hand.table["label"][by_hand.labels[:19]]
    assert (names == "my theme").all() and (by_hand.table["label"] == "my theme").sum() == 1
    assert by_hand.table["theme"][by_hand.labels[19]] == found.table["theme"][2]
    assert (by_hand.assign(texts) == by_hand.labels).all()
    language = causes.cluster(
        texts, 2, embed=lambda given: np.array([[1.0, 0] if t.isascii() else [0, 1.0] for t in given])
    )
    assert same_partition(language.labels, np.isin(truth, list(ZH)))
    with pytest.raises(CauseError, match="embedding"):
        causes.cluster(texts, 2, embed=lambda given: np.zeros((1, 3)))


@pytest.mark.parametrize("texts", [[], ["", "  ", None, float("nan"), 3], ["\U0001f600\U0001f44d", "123 456", "\x00"]])
def test_texts_without_words_are_refused_in_words(texts):
    with pytest.raises(CauseError, match="words"):
        causes.cluster(texts)


def test_one_kind_of_text_gives_one_theme_and_says_so():
    for texts in (["only this one"], ["the same text"] * 50, ["the same 1", "the same 22", ""]):
        found = causes.cluster(texts)
        assert len(found.table) == 1 and any("same" in remark for remark in found.remarks)
        assert set(found.labels) <= {0, -1}
    few = causes.cluster(["about refunds", "about parcels", "about refunds 2"], 5)
    assert len(few.table) == 2 and "5 themes were asked for" in few.remarks[0]
    with pytest.raises(CauseError, match="0 clusters"):
        causes.cluster(["a b c"] * 9, 0)
    with pytest.raises(CauseError, match="one text"):
        causes.cluster("a text")
    with pytest.raises(CauseError, match="language"):
        causes.cluster(["a b c"], language="fr")


def test_strange_texts_are_carried_along():
    odd = ["x" * 10_000, "bad \ud800 pair", "nul \x00 inside", "\u9000\u6b3e" * 5000, "\U0001f600"]
    found = causes.cluster([*planted(60, 7)[0], *odd], 5)
    assert (found.labels[:-1] >= 0).all() and found.labels[-1] == -1
    shown = "".join(quote for quotes in found.table["quotes"] for quote in quotes)
    assert found.remarks and "\x00" not in shown and "\ud800" not in shown


def test_noise_without_themes_is_one_theme():
    rng = np.random.default_rng(8)
    words = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(400)]
    found = causes.cluster([" ".join(rng.choice(words, 6)) for _ in range(400)])
    assert len(found.table) == 1 and "come out again" in found.remarks[0]


@pytest.mark.parametrize("number", [0, -2, 2.5, "2", True, float("nan"), float("inf")])
def test_a_number_of_themes_that_is_none_is_refused(number):
    with pytest.raises(CauseError, match="n_clusters"):
        causes.cluster(["about refunds", "about parcels"], number)


@pytest.mark.parametrize("texts", [None, 5, b"text", {"a": "text"}, pd.DataFrame({"text": ["about refunds"]})])
def test_what_is_no_list_of_texts_is_refused_not_taken_apart(texts):
    for read in (causes.cluster, causes.cluster(["about refunds", "about parcels"], 2).assign, causes.sentiment):
        with pytest.raises(CauseError, match="texts"):
            read(texts)


def test_a_strange_embedding_or_strange_labels_are_refused():
    for embed in ("a model", lambda given: [["a", "b"]] * len(given)):
        with pytest.raises(CauseError, match="embed"):
            causes.cluster(["about refunds", "about parcels"], 2, embed=embed)
    with pytest.raises(CauseError, match="labels"):
        causes.cluster(["about refunds", "about parcels"], 2, labels=["a", "b"])


def test_themes_without_words_of_their_own_still_have_an_id_each():
    found = causes.cluster(["a b", "c d", "e f", "g h"], 3)
    assert found.table["theme"].is_unique


def test_a_theme_keeps_its_id_from_one_quarter_to_the_next():
    first, topics = planted(400, 9, topics=("refund", "login", "invoice", "roaming"))
    earlier = causes.cluster(first, 4)
    second, later_topics = planted(500, 10, topics=("refund", "login", "invoice", "courier"))
    again = causes.cluster(second, 4, earlier=earlier)
    name = {topics[earlier.labels == row][0]: earlier.table.loc[row, ["theme", "label"]].tolist() for row in range(4)}
    for row in range(4):
        topic = later_topics[again.labels == row][0]
        kept = again.table.loc[row, ["theme", "label"]].tolist() == name.get(topic)
        assert kept == (topic != "courier")
    assert again.table["theme"].is_unique and name["roaming"][0] not in set(again.table["theme"])


def test_fifteen_short_texts_of_three_kinds_in_two_languages_are_told_apart():
    kinds = [
        "refund not received;money back refund please;where is my refund;refund still pending;I want a refund",
        "cannot log in password;password reset fails;login password wrong;forgot password login;account login locked",
        "\u5feb\u9012\u6ca1\u6709\u6536\u5230;\u5feb\u9012\u4e22\u5931\u4e86;"
        "\u5305\u88f9\u5feb\u9012\u5f88\u6162;\u5feb\u9012\u5458\u6001\u5ea6\u5dee;\u5feb\u9012\u8fd8\u6ca1\u5230",
    ]
    texts = [text for kind in kinds for text in kind.split(";")]
    assert same_partition(causes.cluster(texts, 3).labels, np.repeat([0, 1, 2], 5))


def test_the_number_of_threads_changes_nothing():
    from threadpoolctl import threadpool_limits

    texts, _ = planted(300, 11)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(causes.cluster(texts, 7).labels)
    assert (found[0] == found[1]).all()


def test_two_languages_with_few_themes_each_are_not_taken_for_two_themes():
    topics = ("refund", "login", "invoice", "roaming", "warranty")
    texts, truth = planted(400, 3, topics)
    few, _ = planted(12, 5, ("courier",))
    found = causes.cluster(texts)
    assert same_partition(found.labels, truth)
    assert set(found.tried.index.get_level_values("language")) == {"zh", "en"}
    # A handful of texts in another language make no themes of their own.
    english = [text for text, topic in zip(texts, truth, strict=True) if topic in EN]
    assert causes.cluster([*english, *few]).tried.index.nlevels == 1


def test_one_theme_in_two_languages_is_one_and_new_texts_of_either_go_there():
    zh = {"refund": ["退款", "退钱", "银行卡", "等待", "取消"], "login": ["登录", "密码", "验证码", "闪退", "手机"]}
    en = {"refund": ["refund", "money back", "card", "waiting", "cancelled"], "trip": EN["roaming"]}
    rng = np.random.default_rng(0)

    def write(words, common, join):
        said = [*rng.choice(words, 3, replace=False), *rng.choice(common, 2, replace=False)]
        return join.join(rng.permutation(said)) + str(rng.integers(10**6))

    texts, truth = [], []
    for _ in range(150):
        for words, common, join in ((zh, COMMON_ZH, "\uff0c"), (en, COMMON_EN, " ")):
            for topic in words:
                texts.append(write(words[topic], common, join))
                truth.append(topic)
    found = causes.cluster(texts)
    assert same_partition(found.labels, np.array(truth))
    both = found.table.iloc[found.labels[0]]
    assert {"退款", "银行卡"} <= set(both["terms_zh"]) and {"refund", "card"} <= set(both["terms_en"])
    new = ["还没退款到银行卡", "still waiting for my refund", "忘记登录密码", "no signal abroad, roaming"]
    expected = [found.labels[truth.index(topic)] for topic in ("refund", "refund", "login", "trip")]
    assert found.assign(new).tolist() == expected
    assert Clusters.from_arrays(found.to_arrays()).assign(new).tolist() == expected
