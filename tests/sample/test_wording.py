import re

from svcanalytics.sample.identifiers import bank_card, resident_id
from svcanalytics.store.masking import mask


def test_identifiers_pass_their_checks():
    for i in range(0, 3000, 37):
        body, check = resident_id(i)[:17], resident_id(i)[17]
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
        assert "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11] == check
        digits = [int(d) for d in reversed(bank_card(i))]
        # Luhn: every second digit from the right counts double.
        assert (sum(digits[0::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def test_texts_hold_identifiers_and_masking_finds_them_all(recent):
    planted = re.compile(
        r"1380000\d{4}|010-8000\d{4}|\+1 202 555 01\d\d|user\d+@example\.com"
        r"|110101\d{11}[\dX]|6222\d{12}|京A\d{5}|E1\d{7}"
    )
    texts = [*recent["cases"]["text"].dropna(), *recent["messages"]["text"], *recent["surveys"]["comment"].dropna()]
    holding = [text for text in texts if planted.search(text)]
    assert len(holding) > 300
    assert not [text for text in holding if planted.search(mask(text))]


def test_texts_are_in_the_language_named(recent):
    cases = recent["cases"]
    chinese = cases["text"].str.contains(r"[\u4e00-\u9fff]")
    assert chinese[cases["language"] == "zh"].all()
    # A number plate keeps its Chinese character in an English sentence.
    english = cases["text"][cases["language"] == "en"].str.replace(r"京A\d+", "", regex=True)
    assert not english.str.contains(r"[\u4e00-\u9fff]").any()
