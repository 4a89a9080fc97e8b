"""What may be shown to customers: texts of the ledger that name nobody, hold no number of anybody and no masked gap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from svcanalytics.report.words.formats import is_missing

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["is_public", "read_names"]

#: Columns that name people or teams.
_NAMING = {
    "agents": ("agent", "team"),
    "teams": ("team",),
    "cases": ("agent", "owner_team", "team", "first_team"),
    "contacts": ("agent", "team"),
    "audits": ("agent", "team"),
    "actions": ("owner",),
    "risks": ("owner",),
}
_TITLES = "女士|先生|小姐|太太|老师|经理|主任|师傅"
# A masked gap, a number or id as long as an extension, somebody addressed by name, an address to write to.
_PERSONAL = re.compile(
    rf"\[[a-z_]+\]|\d{{4,}}|[A-Za-z]+\d{{2,}}|[\u4e00-\u9fff](?:{_TITLES})|\b(?:Mr|Mrs|Ms|Miss|Dr)\b\.?\s*[A-Z]|@|https?:"
)
_LATIN = re.compile(r"[A-Za-z0-9][\w .&'-]*[A-Za-z0-9]")
_HAN = re.compile("[\u4e00-\u9fff\\w]*[\u4e00-\u9fff][\u4e00-\u9fff\\w]*")


def read_names(lake: Lake) -> frozenset[str]:
    """Return every name of a person and of a team in the lake, and the parts of names written in two scripts."""
    found: set[str] = set()
    for table, columns in _NAMING.items():
        for column in columns if lake.has(table) else ():
            rows = lake.sql(f'select distinct "{column}" as name from {table} where "{column}" is not null')
            found.update(str(name) for name in rows["name"])
    parts = {match.strip() for name in found for kind in (_LATIN, _HAN) for match in kind.findall(name)}
    return frozenset(name for name in found | parts if len(name) > 1)


def is_public(text: object, names: frozenset[str]) -> bool:
    """Tell whether a text can be shown to anybody.

    It is not when it is empty, when something in it was masked, when it addresses somebody, holds four digits in a row
    or something like an id, or names a person or team of the organisation.
    """
    if is_missing(text) or not str(text).strip() or _PERSONAL.search(str(text)):
        return False
    return not any(_holds(str(text), name) for name in names)


def _holds(text: str, name: str) -> bool:
    if name not in text:
        return False
    # "E1" is in "E10" but not named by it; a Chinese name has no spaces around it.
    return not name.isascii() or re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text) is not None
