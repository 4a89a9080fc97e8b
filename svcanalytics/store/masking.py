"""Identifiers of people in free text, and the words that replace them.

Numbers with a check digit are masked only when it is right (resident ids: GB 11643-1999, ISO 7064 MOD 11-2; bank cards:
Luhn, ISO/IEC 7812-1), so that case numbers stay readable. A placeholder names the kind and is the same in every
language, so that texts differing only in a number stay equal: ``[phone]``, ``[id_card]`` ….

Masking a masked text changes nothing: loads compare masked texts with masked texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import duckdb

__all__ = ["KINDS", "install", "mask", "mask_json", "sql"]

_PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ID_PROVINCES = frozenset(
    str(region * 10 + province)
    for region, provinces in {1: 5, 2: 3, 3: 7, 4: 6, 5: 4, 6: 5, 7: 1, 8: 3}.items()
    for province in range(0 if region == 5 else 1, provinces + 1)
)
# People type full-width digits and letters; these map to their ASCII forms one to one, so positions stay the same.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2010: 0x2D, 0x2011: 0x2D}
_NARROW |= {0x2012: 0x2D, 0x2013: 0x2D, 0x2014: 0x2D, 0x2212: 0x2D, 0xA0: 0x20, 0x2F: 0x2F}
_DIGITS_ONLY = str.maketrans("", "", " -.()/")


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] | None = None


def _resident_id(found: str) -> bool:
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


def _bank_card(found: str) -> bool:
    """Check a card number's length, its first digits and the Luhn digit."""
    digits = found.translate(_DIGITS_ONLY)
    if not 14 <= len(digits) <= 19 or not (digits[0] in "3456" or digits[:4] == "9558" or "222" <= digits[:3] <= "272"):
        return False
    if len(digits) < 16 and digits[:2] not in ("34", "37", "30", "36", "38", "39"):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _international(found: str) -> bool:
    return 8 <= sum(character.isdigit() for character in found) <= 15


def _has_digit(found: str) -> bool:
    return any(character.isdigit() for character in found[1:])


_SEP = "[ .-]?"
_START, _END = r"(?<!\d)(?<!\d\.)", r"(?!\d)"
_CALL_WORDS = (
    "电话|手机|座机|固话|热线|致电|拨打|来电|号码|联系方式|联系人|联系|短信|微信|"
    "telephone|phone|mobile|cell|tel|call(?:ed|ing)?|fax|whatsapp|wechat|text me (?:at|on)|contact(?: me)?(?: at| on)?"
)

# Order matters: a card or resident id holds digit runs that would also pass for phone numbers.
_KINDS: tuple[_Kind, ...] = (
    _Kind(
        "email",
        re.compile(r"(?:[A-Za-z0-9._%+'-]{1,64}|[\u4e00-\u9fff]{1,8})@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"),
    ),
    _Kind(
        "id_card",
        re.compile(rf"(?<!\d)(?:\d{{6}}{_SEP}\d{{8}}{_SEP}\d{{3}}[\dXx]|\d{{6}}{_SEP}\d{{6}}{_SEP}\d{{3}})(?![\d])"),
        _resident_id,
    ),
    _Kind("bank_card", re.compile(r"(?<!\d)[2-69](?:[ -]?\d){13,18}(?!\d)"), _bank_card),
    _Kind(
        "phone",
        re.compile(
            # Chinese mobile numbers, with or without the country code
            rf"{_START}(?:(?:\+|00)?86{_SEP})?1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}{_END}"
            # Chinese landlines with area code and extension; 400 and 800 numbers
            rf"|{_START}(?:(?:\+|00)?86{_SEP})?\(?0?(?<=0)(?:10|2[0-57-9]|[3-9]\d{{2}})\)?{_SEP}[2-9]\d{{2,3}}{_SEP}\d{{4}}"
            rf"(?:(?: ?(?:转|ext\.?|x|-) ?)\d{{1,6}})?{_END}"
            rf"|{_START}(?:\+|00)86{_SEP}(?:10|2[0-57-9]|[3-9]\d{{2}}){_SEP}[2-9]\d{{2,3}}{_SEP}\d{{4}}{_END}"
            rf"|{_START}[48]00[ -]\d{{3}}[ -]?\d{{4}}{_END}|{_START}[48]00[ -]?\d{{4}}[ -]\d{{3}}{_END}"
            # North American numbers with separators; British numbers
            rf"|{_START}(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[ .-])[2-9]\d{{2}}[ .-]\d{{4}}{_END}"
            rf"|{_START}07\d{{3}} ?\d{{3}} ?\d{{3}}{_END}|{_START}\(?0[12]\d{{1,3}}\)? \d{{3,4}} \d{{3,4}}{_END}",
            re.IGNORECASE,
        ),
    ),
    # Any number written with a country code
    _Kind("phone", re.compile(r"(?<!\d)(?:\+|00(?=[1-9]))\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?!\d)"), _international),
    _Kind(
        "passport",
        re.compile(
            r"(?<![A-Za-z0-9])(?:[EeGg]\d{8}|[Ee][A-HJ-NP-Za-hj-np-z]\d{7}|[DdSsPp][Ee]?\d{7})(?![A-Za-z0-9])"
            r"|(?:(?<=护照)|(?<=护照号)|(?<=护照号码)|(?<=护照:)|(?<=护照号:)|(?<=护照号码:)|(?<=通行证)|(?<=通行证号)"
            r"|(?<=通行证:)|(?<=通行证号:)|(?<=passport )|(?<=Passport )|(?<=passport no )|(?<=passport number )"
            r"|(?<=passport: )|(?<=passport no. )|(?<=passport no: )|(?<=Passport No. )|(?<=Passport No: ))"
            r"[A-Za-z]{0,2}\d{6,9}(?![A-Za-z0-9])"
        ),
    ),
    _Kind(
        "plate",
        re.compile(
            rf"[{_PLATE_PROVINCES}][A-HJ-NP-Z][·•. -]?"
            r"(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳])(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
        _has_digit,
    ),
    # Numbers that pass for phone numbers only because the text says so
    _Kind(
        "phone",
        re.compile(
            rf"(?:(?<=[\u4e00-\u9fff])|(?<![A-Za-z]))(?:{_CALL_WORDS})(?:号码|号|number|no\.?|me|us|at|on|is|为|是|[:\s,#]){{0,4}}"
            r"(?P<number>\(?\d(?:[ .-]?\(?\d\)?){6,13})(?!\d)(?!\]|[/:年])",
            re.IGNORECASE,
        ),
    ),
)
KINDS = ("email", "id_card", "bank_card", "phone", "passport", "plate")
"""The kinds of identifier masked; a placeholder is the kind in square brackets."""

# What any text with an identifier must hold: an @, seven digits close together, or the beginning of a plate.
_PREFILTER = (
    r"[@＠]|(?:[0-9０-９][ .()（）\x{00a0}\x{3000}\x{2010}-\x{2014}－\-]{0,3}){7}"
    rf"|[{_PLATE_PROVINCES}][A-Za-zＡ-Ｚａ-ｚ][·•. \-]?[A-Za-z0-9Ａ-Ｚａ-ｚ０-９]{{4}}"
    r"|[A-Za-z]{0,2}[0-9０-９]{6}"
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
    if not text.isascii():
        narrow = text.translate(_NARROW)
        if narrow != text:
            return _mask_apart(text, narrow)
    for kind in _KINDS:
        text = kind.pattern.sub(lambda hit, kind=kind: _word(kind, hit), text)
    return text


def _word(kind: _Kind, hit: re.Match[str]) -> str:
    found = hit[0]
    if kind.holds is not None and not kind.holds(found):
        return found
    if "number" in kind.pattern.groupindex:
        return found[: hit.start("number") - hit.start()] + f"[{kind.name}]"
    return f"[{kind.name}]"


def _mask_apart(text: str, narrow: str) -> str:
    """Find identifiers in the narrowed text and replace them in the original, whose other characters stay."""
    for kind in _KINDS:
        pieces, last = [], 0
        for hit in kind.pattern.finditer(narrow):
            if kind.holds is not None and not kind.holds(hit[0]):
                continue
            start = hit.start("number") if "number" in kind.pattern.groupindex else hit.start()
            pieces.append((last, start))
            last = hit.end()
        if last:
            word = f"[{kind.name}]"
            text = "".join(text[a:b] + word for a, b in pieces) + text[last:]
            narrow = "".join(narrow[a:b] + word for a, b in pieces) + narrow[last:]
    return text


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
    # A JSON text may write characters as \\uXXXX, which the prefilter can't read.
    suspicious = f"regexp_matches({expression}, '{_PREFILTER}')"
    if json_text:
        suspicious = f"({suspicious} or contains({expression}, '\\u'))"
    function = "svc_mask_json" if json_text else "svc_mask"
    return f"case when {suspicious} then {function}({expression}) else {expression} end"
