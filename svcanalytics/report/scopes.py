"""What a report is about: the whole organisation ("all"), or one unit of it, such as "team:技术组"."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svcanalytics.errors import PublishError
from svcanalytics.report.parameters import check_id
from svcanalytics.report.words.vocabulary import dimension_name, group_name
from svcanalytics.store.units import KINDS, count_units

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = [
    "EVERY",
    "FEWEST",
    "Scope",
    "list_scopes",
    "name_scope",
    "narrow_lake",
    "parse_scope",
    "require_enough",
    "stands_for",
    "suits",
]

EVERY = "*"
"""In place of a unit's name: each of them."""
FEWEST = 30
"""Cases (or contacts) of a period below which a unit gets no report: most of its measures would be suppressed."""
_SUITED = {"staffing": ("site", "queue")}
"""Kinds of unit by report, where not all suit: who gave up waiting reached no team, so no team can be staffed alone."""
_LONGEST = 200
_SLUG = 40
_NAMED = 12


@dataclass(frozen=True)
class Scope:
    """What a report is about.

    Attributes
    ----------
    by, name : str
        The kind of unit and the unit's name in the data. Without a unit `by` is "" and `name` is "all", or a word of a
        notebook's own.
    """

    by: str
    name: str

    def __str__(self) -> str:
        return f"{self.by}:{self.name}" if self.by else self.name

    @property
    def id(self) -> str:
        """A name for a folder: what of the unit's name is plain letters and digits, and a hash of all of it."""
        if not self.by:
            return self.name
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:_SLUG].strip("-")
        digest = hashlib.sha256(str(self).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return "-".join(part for part in (self.by, plain, digest) if part)


def parse_scope(text: str) -> Scope:
    """Read a scope.

    Parameters
    ----------
    text : str
        "all", a kind of unit and a name such as "team:技术组", or a plain word that an own notebook knows.

    Raises
    ------
    PublishError
        When it is none of these, too long, or holds marks that don't print.
    """
    if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
        raise PublishError(f"not a scope: {str(text)[:80]!r}", where="scope", fix='use "all" or, say, "team:NAME"')
    by, colon, name = text.partition(":")
    if colon and by in KINDS and name.strip():
        return Scope(by, name.strip())
    if colon:
        fix = f"write it as KIND:NAME, where KIND is {', '.join(KINDS)}"
        raise PublishError(f"not a scope: {text[:80]!r}", where="scope", fix=fix)
    return Scope("", check_id(text, "scope"))


def suits(report: str, scope: str) -> bool:
    """Tell whether a report can be about such a unit."""
    by = parse_scope(scope).by
    return not by or by in _SUITED.get(report, KINDS)


def stands_for(scope: str, id: str) -> bool:
    """Tell whether a scope, or one of the units it stands for, has this id."""
    asked = parse_scope(scope)
    return id.startswith(f"{asked.by}-") if asked.name == EVERY else id == asked.id


def name_scope(scope: str, language: str) -> str:
    """Return what readers call a scope: "团队：技术组", "Team: Technical"; "" for the whole organisation."""
    asked = parse_scope(scope)
    if not asked.by:
        return "" if asked.name == "all" else asked.name
    colon = "：" if language == "zh" else ": "
    return f"{dimension_name(asked.by, language)}{colon}{group_name(asked.name, language)}"


def narrow_lake(lake: Lake, scope: str) -> Lake:
    """Return the lake that a report of this scope reads; "all" is the lake itself.

    Raises
    ------
    PublishError
        When the data know no such unit; names those nearest to it.
    """
    asked = parse_scope(scope)
    if scope == "all" or (lake.unit and (lake.unit.by, lake.unit.name) == (asked.by, asked.name)):
        return lake
    if not asked.by:
        raise PublishError(f"there is no scope {scope!r}", where="scope", fix='use "all" or, say, "team:NAME"')
    known = count_units(lake.whole, asked.by)["name"].tolist()
    if asked.name not in known:
        raise PublishError(f"the data know no {asked.by} {asked.name!r}", where="scope", fix=_nearest(asked, known))
    return lake.only(asked.by, asked.name)


def list_scopes(lake: Lake, text: str, period: Period) -> tuple[list[str], list[str]]:
    """Return the scopes that a scope stands for, and those among them with too little to report on.

    Parameters
    ----------
    lake : Lake
    text : str
        A scope, or one such as "team:*" for each team with cases or contacts in the period.
    period : Period
        What is reported on.

    Returns
    -------
    enough : list of str
        The greatest first. A scope that names its unit is always here: who asks for it is told what is wrong with it.
    too_few : list of str
        Units with fewer than `FEWEST` cases (or contacts) in the period.
    """
    asked = parse_scope(text)
    if asked.name != EVERY:
        return [str(asked)], []
    found = _counted(lake, asked.by, period)
    enough = [str(Scope(asked.by, name)) for name, n in found.items() if n >= FEWEST]
    return enough, [str(Scope(asked.by, name)) for name, n in found.items() if n < FEWEST]


def require_enough(lake: Lake, scope: str, period: Period) -> None:
    """Refuse a unit with too little in a period.

    Raises
    ------
    PublishError
        When it has fewer than `FEWEST` cases and contacts.
    """
    asked = parse_scope(scope)
    n = _counted(lake, asked.by, period).get(asked.name, 0)
    if n < FEWEST:
        raise PublishError(
            f"{asked.by} {asked.name!r} has {n} cases or contacts in {period.key}, fewer than {FEWEST}: "
            "most measures would be suppressed",
            where="scope",
            fix="report on a longer period, or on a larger unit",
        )


def _counted(lake: Lake, by: str, period: Period) -> dict[str, int]:
    first, last = (int(f"{day:%Y%m%d}") for day in (period.start, period.last))
    found = count_units(lake.whole, by, first, last)
    return dict(zip(found["name"], found["n"].astype(int), strict=True))


def _nearest(asked: Scope, known: list[str]) -> str:
    from difflib import get_close_matches

    if not known:
        return f"the data name no {asked.by} at all: use another kind, or all"
    spelt = {name.casefold(): name for name in known}
    near = [spelt[name] for name in get_close_matches(asked.name.casefold(), spelt, n=3, cutoff=0.5)]
    near += [name for name in known if asked.name.casefold() in name.casefold() and name not in near]
    shown = near or known
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return f"use {'one near it' if near else 'one of'}: {', '.join(shown[:_NAMED])}{more}"
