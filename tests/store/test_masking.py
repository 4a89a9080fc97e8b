"""Masking finds identifiers of people by form and check digit, and leaves case numbers, dates and amounts alone."""

from __future__ import annotations

import json
import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.store import masking
from svcanalytics.store.masking import mask, mask_json


def resident_id(region: str, born: str, order: str) -> str:
    """Make a valid id by the standard's own words: the weighted sum of all 18 places is 1 modulo 11."""
    body = region + born + order
    for check in range(11):
        weights = [pow(2, 17 - place, 11) for place in range(18)]
        values = [int(digit) for digit in body] + [check]
        if sum(w * v for w, v in zip(weights, values, strict=True)) % 11 == 1:
            return body + ("X" if check == 10 else str(check))
    raise AssertionError("no check digit")


def card(body: str) -> str:
    """Append the Luhn digit, found by trying all ten."""
    for digit in "0123456789":
        number = body + digit
        total = 0
        for place, character in enumerate(reversed(number)):
            value = int(character) * (2 if place % 2 else 1)
            total += value // 10 + value % 10
        if total % 10 == 0:
            return number
    raise AssertionError("no check digit")


IDS = st.builds(
    resident_id,
    st.sampled_from(["110105", "310101", "440305", "513401", "650102", "810000"]),
    st.dates().filter(lambda d: 1900 <= d.year <= 2020).map(lambda d: d.strftime("%Y%m%d")),
    st.integers(0, 999).map(lambda n: f"{n:03d}"),
)
CARDS = st.builds(card, st.from_regex(r"(62[0-9]{13,16}|4[0-9]{14}|5[1-5][0-9]{13}|3[47][0-9]{12})", fullmatch=True))
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
LANDLINES = st.from_regex(r"0(10|2[0-57-9]|[3-9][0-9]{2})-[2-9][0-9]{6,7}", fullmatch=True)
EMAILS = st.from_regex(r"[a-z][a-z0-9._]{1,12}@[a-z]{2,10}\.(com|cn|co\.uk)", fullmatch=True)
PLATES = st.from_regex(r"[京沪粤苏][A-HJ-NP-Z](·?[0-9]{5}|D[0-9]{5})", fullmatch=True)
PASSPORTS = st.from_regex(r"(E|G)[0-9]{8}|E[A-HJ-NP-Z][0-9]{7}", fullmatch=True)
ENGLISH = st.from_regex(
    r"(\([2-9][0-9]{2}\) |[2-9][0-9]{2}-)[2-9][0-9]{2}-[0-9]{4}|\+44 20 [0-9]{4} [0-9]{4}", fullmatch=True
)
ALL = {
    "id_card": IDS,
    "bank_card": CARDS,
    "phone": st.one_of(MOBILES, LANDLINES, ENGLISH),
    "email": EMAILS,
    "plate": PLATES,
    "passport": PASSPORTS,
}
BEFORE = st.sampled_from(["", "请联系", "我的号码是:", "my number is ", "（", "备注,", "Ref: ", "\n"])
AFTER = st.sampled_from(["", "谢谢", ",请尽快", " thanks", "）", "。", "\n第二行"])


@pytest.mark.parametrize("kind", sorted(ALL))
def test_a_valid_identifier_is_masked_wherever_it_stands(kind: str) -> None:
    @given(ALL[kind], BEFORE, AFTER)
    def check(identifier: str, before: str, after: str) -> None:
        masked = mask(before + identifier + after)
        assert identifier not in masked
        assert re.search(r"\[[a-z_]+\]", masked)
        assert masked.startswith(before) and masked.endswith(after)

    check()


@given(st.text(alphabet="0123456789 -.()+@xX转电话AaEe京粤，\n", max_size=60))
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(st.one_of(*ALL.values()), BEFORE, AFTER)
def test_the_engine_sends_every_text_with_an_identifier_to_be_masked(identifier: str, before: str, after: str) -> None:
    text = before + identifier + after
    assert duckdb.execute(f"select regexp_matches(?, '{masking._PREFILTER}')", [text]).fetchall() == [(True,)]


@given(IDS, st.integers(1, 9))
def test_an_id_with_a_wrong_check_digit_is_a_case_number(identifier: str, shift: int) -> None:
    last = "0123456789X"["0123456789X".index(identifier[-1]) - shift]
    assert mask(f"case {identifier[:-1]}{last}.").count("[id_card]") == 0


@given(CARDS, st.integers(1, 9))
def test_a_card_with_a_wrong_luhn_digit_is_a_case_number(number: str, shift: int) -> None:
    wrong = number[:-1] + str((int(number[-1]) + shift) % 10)
    assert mask(f"单号{wrong}") == f"单号{wrong}" or "[id_card]" in mask(f"单号{wrong}")


@pytest.mark.parametrize(
    "text",
    [
        "case 201910250001234 of 2019-10-25 10:30:11",
        "INC0012345 costs 1234567.89",
        "单号20191025123456789012",
        "1999-01-03 to 1999-01-04",
        "pi is 3.14159265358979",
        "server 192.168.100.200",
        "epoch 1572012345678",
        "订单 5551234567",
        "新政策A方案",
    ],
)
def test_dates_amounts_and_case_numbers_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("身份证11010519491231002X", "身份证[id_card]"),  # the example of GB 11643
        ("card 4111 1111 1111 1111", "card [bank_card]"),
        ("手机：１３９１２３４５６７８谢谢", "手机：[phone]谢谢"),
        ("（0755）26001234转8012", "[phone]"),
        ("电话62345678", "电话[phone]"),
        ("微信13912345678", "微信[phone]"),
        ("护照号码:123456789", "护照号码:[passport]"),
        ("+86 139-1234-5678", "[phone]"),
        ("粤Ｂ·１２３４５", "[plate]"),
    ],
)
def test_forms_people_write(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_attributes_are_masked_inside_json_also_when_escaped() -> None:
    text = '{"note": "line\\n13912345678", "mail": "\\u0061b@example.com", "n": 13912345678, "ok": "fine"}'
    assert json.loads(mask_json(text)) == {"note": "line\n[phone]", "mail": "[email]", "n": "[phone]", "ok": "fine"}


def test_the_engine_masks_as_python_does() -> None:
    con = duckdb.connect()
    masking.install(con)
    texts = ["call 13912345678", "nothing here", "粤B12345停在门口", None, '{"a": "13912345678"}']
    con.execute("create table t (x varchar)")
    con.executemany("insert into t values (?)", [[text] for text in texts])
    found = [row[0] for row in con.execute(f"select {masking.sql('x')} from t").fetchall()]
    con.close()
    assert found == [None if text is None else mask(text) for text in texts]


def test_a_long_text_without_identifiers_is_masked_in_time_that_grows_with_its_length() -> None:
    text = "a.b-c_" * 5000 + "@" + "1 - " * 5000
    assert mask(text) == text
