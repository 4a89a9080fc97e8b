"""Which layer a circumstance of a case belongs to: the system and its data, the rules of the process, or the people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from svcanalytics.errors import CauseError

__all__ = ["COURSE", "LAYERS", "LAYER_OF_COLUMN", "conditions_of", "is_course", "layer_of", "layer_of_column"]

LAYERS = ("data", "process", "people")
"""The layers, in the order they are asked after: system and technology, operating rules, skill and load of people."""

_COLUMNS = {
    "data": (
        *("app_version", "browser", "build", "config", "data_source", "device", "device_type", "firmware", "gateway"),
        *("handled_by", "host", "interface", "model", "module", "os", "platform", "release", "route", "server"),
        *("software", "source", "survey_route", "system", "terminal", "tool", "vendor", "version"),
    ),
    "process": (
        *("activity", "approval", "escalated", "handover_reason", "medium", "milestone", "order", "policy"),
        *("procedure", "queue", "reason", "resolution", "rule", "skipped", "stage", "step", "transfer_reason"),
        *("variant", "waits_for", "workflow"),
    ),
    "people": (
        *("agent", "agents_on", "band", "certificates", "experience", "grade_of_agent", "load", "new_staff"),
        *(
            "occupancy",
            "overtime",
            "role",
            "seniority",
            "shift",
            "shift_kind",
            "skill",
            "skill_level",
            "staffing",
            "tenure",
        ),
        *("certified", "from_other_team", "hour", "night", "tools", "trained", "training", "weekday", "weekend"),
    ),
    "demand": ("arrivals", "peak", "season", "volume"),
}
_PREFIXES = {
    "data": ("system_", "device_", "version_"),
    "process": ("step_", "wait_", "waits_", "skips_", "handover", "rework", "reopened", "transfer", "steps"),
    "people": ("agent_", "tenure_", "training_", "load_", "skill_", "shift_", "certificates_", "concurrency"),
    "demand": ("volume_", "arrivals_"),
}
_TEAMS = ("first_team", "owner_team", "team")
_HEADS = {
    "data": (
        *("browser", "build", "device", "device_type", "firmware", "gateway", "os", "platform", "release", "server"),
        *("version", "版本", "设备", "机型", "系统", "平台", "浏览器"),
    ),
    "process": ("环节", "步骤", "流程"),
    "people": ("坐席", "班次", "工龄", "技能"),
}
"""How names end that belong to a layer whatever stands before ("product_version")."""
LAYER_OF_COLUMN: Mapping[str, str] = MappingProxyType({c: layer for layer, cs in _COLUMNS.items() for c in cs})
"""Layer of the columns known by name, those of the contract and those that sources often have in ``attributes``.

The hour, the weekday and the shift speak for people: who and how many are on duty then. Teams, channels, categories,
products and customers say where, not why, and have no layer.
"""

COURSE = ("skips_", "wait_", "waits_", "rework", "reopened", "transfer", "handover", "steps")
"""How names of columns begin that say how a case went: through them a cause works, so they are asked after last."""


def layer_of_column(column: str, extra: Mapping[str, str] | None = None) -> str:
    """Return the layer of a column.

    Parameters
    ----------
    column : str
        Its name; a prefix of its table ("case_", "attributes.") does not matter.
    extra : mapping of str to str, optional
        Column to layer, for columns of one's own; it goes before what is known.

    Returns
    -------
    str
        "data", "process", "people", "demand", or "" for one that says where, not why (a team, channel, category, day).

    Raises
    ------
    CauseError
        When `extra` names a layer that isn't one.
    """
    own = dict(extra or {})
    strange = set(own.values()) - {*LAYERS, "demand", ""}
    if strange:
        raise CauseError(f"there is no layer {sorted(strange)[0]!r}", where="extra", fix=f"use one of {LAYERS}")
    if column in own:
        return own[column]
    name = column.removeprefix("attributes.").removeprefix("case_").lower()
    if name in LAYER_OF_COLUMN:
        return LAYER_OF_COLUMN[name]
    begun = next((layer for layer, begins in _PREFIXES.items() if name.startswith(begins)), "")
    return begun or next((layer for layer, ends in _HEADS.items() if _ends(name, ends)), "")


def layer_of(where: str, extra: Mapping[str, str] | None = None) -> str:
    """Return the layer that the dimensions naming a set of cases speak for.

    Parameters
    ----------
    where : str
        As a finding has it: "team=B&version=3.2".
    extra : mapping of str to str, optional
        As for `layer_of_column`.

    Returns
    -------
    str
        The layer of its dimensions ("version=3.2": data); "" when none has a layer, or several that differ. Two
        teams, one that took the case and another that has it now, are a hand-over: process.

    Examples
    --------
    >>> layer_of("team=B&version=3.2"), layer_of("team=B"), layer_of("step=supplier check")
    ('data', '', 'process')
    """
    conditions = conditions_of(where)
    found = {layer_of_column(column, extra) for column, _ in conditions} - {""}
    if not found and len({value for column, value in conditions if column in _TEAMS}) > 1:
        return "process"
    return found.pop() if len(found) == 1 else ""


def conditions_of(where: str) -> list[tuple[str, str]]:
    """Return the conditions that name a set of cases, as pairs of column and value; "" has none.

    Raises
    ------
    CauseError
        When a part isn't written as column=value.
    """
    parts = [part.partition("=") for part in where.split("&")] if where else []
    # A value may hold an "&" itself: what has no "=" belongs to the value before.
    out: list[tuple[str, str]] = []
    for column, equals, value in parts:
        if equals:
            out.append((column, value))
        elif out:
            out[-1] = (out[-1][0], f"{out[-1][1]}&{column}")
        else:
            raise CauseError(f"{where!r} names no column", where="where", fix="write it as team=B&channel=app")
    return out


def _ends(name: str, words: tuple[str, ...]) -> bool:
    # Chinese names run on, others part their words.
    return name.endswith(tuple(word if not word.isascii() else f"_{word}" for word in words))


def is_course(column: str) -> bool:
    """Tell whether a column says how a case went (its waits, hand-overs, rework), not what it came with."""
    return column.lower().removeprefix("case_").startswith(COURSE)
