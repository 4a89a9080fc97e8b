"""Identifiers of people in free text, and the words that replace them.

Numbers with a check digit are masked only when it is right (resident ids: GB 11643-1999, ISO 7064 MOD 11-2; bank cards:
Luhn, ISO/IEC 7812-1), so that case numbers stay readable. A placeholder names the kind and is the same in every
language, so that texts differing only in a number stay equal: ``[phone]``, ``[id_card]`` ….

Masking a masked text changes nothing: loads compare masked texts with masked texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from svcanalytics.store.personal_names import PREFILTER as NAMES_PREFILTER
from svcanalytics.store.personal_names import find_names

if TYPE_CHECKING:
    import duckdb

__all__ = ["KINDS", "install", "mask", "mask_json", "sql"]

KINDS = ("email", "id_card", "bank_card", "phone", "passport", "plate", "name")
"""The kinds of identifier masked; a placeholder is the kind in square brackets."""

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# The first two digits of a resident id: 11-15, 21-23, 31-37, 41-46, 50-54, 61-65, 71, 81-83; 91-96 for foreigners.
_ID_PROVINCES = frozenset(
    str(region * 10 + province)
    for region, provinces in {1: 5, 2: 3, 3: 7, 4: 6, 5: 4, 6: 5, 7: 1, 8: 3, 9: 6}.items()
    for province in range(0 if region == 5 else 1, provinces + 1)
)
# People type full-width digits and letters; each maps to one ASCII character, so positions stay the same.
_WIDE = "０-９Ａ-Ｚａ-ｚ＠＋．（）－"
_SPACES_AND_DASHES = "\u00a0\u3000\u2010\u2011\u2012\u2013\u2014\u2212"
_UNUSUAL = re.compile(f"[{_WIDE}{_SPACES_AND_DASHES}]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_NARROW |= {ord(character): " " if place < 2 else "-" for place, character in enumerate(_SPACES_AND_DASHES)}
_DIGITS_ONLY = str.maketrans("", "", " -.()/")


def _resident_id(found: str, before: str) -> bool:
    """Check an 18-digit resident id (GB 11643-1999), or the older one of 15 digits, which has no check digit."""
    text = found.translate(_DIGITS_ONLY).upper()
    if text[:2] not in _ID_PROVINCES:
        return False
    birth = text[6:14] if len(text) == 18 else "19" + text[6:12]
    try:
        born = date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
    except ValueError:
        return False
    if not 1850 <= born.year <= 2100:
        return False
    if len(text) == 15:
        return True
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17]


def _bank_card(found: str, before: str) -> bool:
    """Check a card number's length, its first digits and the Luhn digit."""
    digits = found.translate(_DIGITS_ONLY)
    if len(digits) < 16:
        if digits[:2] not in ("30", "34", "36", "37", "38", "39"):
            return False
    elif not (digits[0] in "3456" or digits[:4] == "9558" or "222" <= digits[:3] <= "272"):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _international(found: str, before: str) -> bool:
    return 8 <= sum(character.isdigit() for character in found) <= 15


_CALLED = re.compile(
    r"(?:电话|手机|座机|固话|热线|致电|拨打|来电|号码|联系方式|联系人|联系|短信|微信|(?<![a-z])"
    r"(?:telephone|phone|mobile|cell|tel|call(?:ed|ing)?|fax|whatsapp|wechat|text|contact))"
    r"(?:号码|号|number|no\.?|me|us|at|on|is|为|是|[:：\s,，#]){0,4}$",
    re.IGNORECASE,
)
_TRAVELLER = re.compile(
    r"(?:护照|通行证|(?<![a-z])passport)(?:号码|号|number|no\.?|is|为|是|[:：\s#]){0,4}$", re.IGNORECASE
)
_CONTEXT = 30


def _called(found: str, before: str) -> bool:
    """Accept a number that passes for a phone number only because the text before it says so."""
    return _CALLED.search(before) is not None


def _traveller(found: str, before: str) -> bool:
    return _TRAVELLER.search(before) is not None


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    holds: Callable[[str, str], bool] | None = None


_SEP = "[ .-]?"
_START, _END = r"(?<!\d)(?<!\d\.)", r"(?!\d)"
_AREA = r"(?:10|2[0-57-9]|[3-9]\d{2})"
_LOCAL = rf"{_SEP}[2-9]\d{{2,3}}{_SEP}\d{{4}}(?:(?: ?(?:转|ext\.?|x|-) ?)\d{{1,6}})?"

_EMAIL = re.compile(r"(?:[A-Za-z0-9._%+'-]{1,64}|[\u4e00-\u9fff]{1,8})@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z][·•. -]?(?=[A-Z]{{0,5}}\d)"
    r"(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳])(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# Seven digits or more close together; all other identifiers lie in or around such a run.
_RUN = re.compile(r"\d(?:[ .()/-]{0,3}\d){6,}")
_TAIL = re.compile(r"[Xx](?![0-9A-Za-z])|(?: ?(?:转|ext\.?|x) ?)\d{1,6}", re.IGNORECASE)
_HEAD = re.compile(r"(?:\+|\(|\+\(|[A-Za-z]{1,2})$")

# Order matters: a resident id or card holds digit runs that would also pass for phone numbers.
_NUMBERS: tuple[_Kind, ...] = (
    _Kind(
        "id_card",
        re.compile(rf"(?<!\d)(?:\d{{6}}{_SEP}\d{{8}}{_SEP}\d{{3}}[\dXx]|\d{{6}}{_SEP}\d{{6}}{_SEP}\d{{3}})(?!\d)"),
        _resident_id,
    ),
    _Kind("bank_card", re.compile(r"(?<!\d)[2-69](?:[ -]?\d){13,18}(?!\d)"), _bank_card),
    _Kind(
        "phone",
        re.compile(
            # Chinese mobile numbers, with or without the country code
            rf"{_START}(?:(?:\+|00)?86{_SEP})?1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}{_END}"
            # Chinese landlines with area code and extension; 400 and 800 numbers
            rf"|{_START}(?:(?:\+|00)?86{_SEP})?(?:\(0{_AREA}\)|0{_AREA}){_LOCAL}{_END}"
            rf"|{_START}(?:\+|00)86{_SEP}{_AREA}{_LOCAL}{_END}"
            rf"|{_START}[48]00[ -]\d{{3}}[ -]?\d{{4}}{_END}|{_START}[48]00[ -]?\d{{4}}[ -]\d{{3}}{_END}"
            # North American numbers with separators, and made-up ones (555), whose next digit may be anything
            rf"|{_START}(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[ .-])[2-9]\d{{2}}[ .-]\d{{4}}{_END}"
            rf"|{_START}(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|555[.-])\d{{3}}[.-]\d{{4}}{_END}"
            # British numbers
            rf"|{_START}07\d{{3}} ?\d{{3}} ?\d{{3}}{_END}"
            rf"|{_START}(?:\(0[12]\d{{1,3}}\)|0[12]\d{{1,3}}) \d{{3,4}} \d{{3,4}}{_END}",
            re.IGNORECASE,
        ),
    ),
    # Any number written with a country code
    _Kind("phone", re.compile(r"(?<!\d)(?:\+|00(?=[1-9]))\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?!\d)"), _international),
    _Kind(
        "passport",
        re.compile(r"(?<![A-Za-z0-9])(?:[EG]\d{8}|E[A-HJ-NP-Z]\d{7}|[DSP]E?\d{7})(?![A-Za-z0-9])", re.IGNORECASE),
    ),
    _Kind("passport", re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{0,2}\d{7,9}(?![A-Za-z0-9])"), _traveller),
    _Kind("phone", re.compile(r"(?<!\d)\d(?:[ .-]?\d){6,13}(?!\d)(?![/:年])"), _called),
)

# The same conditions for the engine (RE2): an @, seven digits close together, the beginning of a plate, words that
# announce a name.
_PREFILTER = (
    rf"[@＠]|(?:[0-9０-９][ .()/（）．－{_SPACES_AND_DASHES}\-]{{0,3}}){{7}}"
    rf"|[{_PROVINCES}][A-Za-zＡ-Ｚａ-ｚ][·•. \-]?[A-Za-z0-9Ａ-Ｚａ-ｚ０-９]{{4}}|{NAMES_PREFILTER}"
)


def mask(text: str) -> str:
    """Replace every identifier in a text by its kind in brackets.

    Examples
    --------
    >>> mask("请回电13912345678,或发邮件到 wang@example.com")
    '请回电[phone],或发邮件到 [email]'
    >>> mask("case 201910250001234 of 2019-10-25 10:30")
    'case 201910250001234 of 2019-10-25 10:30'
    """
    narrow = text.translate(_NARROW) if not text.isascii() and _UNUSUAL.search(text) else text
    spans = sorted(_find(narrow))
    if not spans:
        return text
    pieces, last = [], 0
    for start, end, name in spans:
        if start >= last:
            pieces += (text[last:start], "[", name, "]")
        last = max(last, end)
    pieces.append(text[last:])
    return "".join(pieces)


def _find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and kind of the identifiers and names in a text without full-width characters."""
    if "@" in text:
        for hit in _EMAIL.finditer(text):
            yield *hit.span(), "email"
    if not text.isascii():
        for hit in _PLATE.finditer(text):
            yield *hit.span(), "plate"
    for start, end in find_names(text):
        yield start, end, "name"
    for run in _RUN.finditer(text):
        start, end = run.span()
        if head := _HEAD.search(text, max(0, start - 2), start):
            start = head.start()
        if tail := _TAIL.match(text, end):
            end = tail.end()
        yield from _find_numbers(text, start, end)


def _find_numbers(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    taken: list[tuple[int, int]] = []
    for kind in _NUMBERS:
        for hit in kind.pattern.finditer(text, start, end):
            a, b = hit.span()
            if any(a < other_b and other_a < b for other_a, other_b in taken):
                continue
            if kind.holds is None or kind.holds(hit[0], text[max(0, a - _CONTEXT) : a]):
                taken.append((a, b))
                yield a, b, kind.name


def mask_json(text: str) -> str:
    """Mask every key and value of a flat JSON object; a text that is no JSON object is masked as it stands."""
    try:
        value = json.loads(text)
    except ValueError:
        return mask(text)
    return json.dumps(_mask_value(value), ensure_ascii=False, separators=(",", ":"))


def _mask_value(value: object) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): _mask_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_value(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        masked = mask(str(value))
        return value if masked == str(value) else masked
    return value


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Make `mask` and `mask_json` callable from SQL as ``svc_mask`` and ``svc_mask_json``; see `sql`."""
    con.create_function("svc_mask", mask, ["VARCHAR"], "VARCHAR")
    con.create_function("svc_mask_json", mask_json, ["VARCHAR"], "VARCHAR")


def sql(expression: str, *, json_text: bool = False) -> str:
    """Return SQL that masks a text expression; only texts that could hold an identifier leave the engine."""
    suspicious = f"regexp_matches({expression}, '{_PREFILTER}')"
    if json_text:
        # A JSON text may write characters as \\uXXXX, which the prefilter can't read.
        suspicious = f"({suspicious} or contains({expression}, '\\u'))"
    function = "svc_mask_json" if json_text else "svc_mask"
    return f"case when {suspicious} then {function}({expression}) else {expression} end"
