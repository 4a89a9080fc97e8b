"""What made a number move, in words: causes as readers name them, and in a sentence only those that are certain."""

from __future__ import annotations

from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.words.formats import format_number, is_missing, typeset
from svcanalytics.report.words.vocabulary import group_name

__all__ = [
    "LEAST",
    "band",
    "cause_label",
    "certain_causes",
    "inside_sentence",
    "measure_name",
    "part_label",
    "shift_name",
    "signed",
    "sureness",
]

#: Contributions that would read 0.0 are not worth a word.
LEAST = 0.05
MOST_CAUSES = 3

_REST = "(rest)"
_SHIFTS = {
    "weights": ("权重调整", "Changed weights"),
    "missing": ("计分指标增减", "Measures that came or dropped out"),
    "other": ("其他指标合计", "All other measures"),
}
_PARTS = {
    "rate": ("自身水平变化", "its own level"),
    "mix": ("占比变化", "its share of the work"),
    "new": ("新出现", "it is new"),
    "vanished": ("不再出现", "it is gone"),
    "volume": ("数量变化", "its number"),
}


def certain_causes(e: Evaluation) -> list[str]:
    """Return the causes of the index's change that are certain, such as "−0.9 from reopen rate (up, mostly Team B)".

    At most three, the largest first. Where the change as a whole is certain, what the rest and changed weights did
    follows, so that what is said adds up to it.
    """
    found = e.movement
    if found is None or found.metric:
        return []
    lines = found.lines
    scored = lines[lines["source"] == "score"]
    sure = scored[scored["certain"] & (scored["contribution"].abs() >= LEAST)]
    said = sure.head(MOST_CAUSES)
    causes = [_cause(e, row) for row in said.to_dict("records")]
    if not found.certain:
        more = len(sure) - len(said)
        return causes + ([f"另有{more}项较小" if e.language == "zh" else f"and {more} smaller"] if more else [])
    left = {"other": scored["contribution"].sum() - said["contribution"].sum()}
    left |= {source: lines.loc[lines["source"] == source, "contribution"].sum() for source in ("missing", "weights")}
    return causes + [_written(shift_name(key, e.language), value, e) for key, value in left.items() if _told(value)]


def cause_label(e: Evaluation, line: dict, *, brief: bool = False) -> str:
    """Return what a line of the index's change is about: a measure and where it moved, or what was no quality.

    `brief` leaves out which way it went where it is said where.
    """
    if line["source"] in _SHIFTS:
        return shift_name(line["source"], e.language)
    detail = _detail(e, line, brief)
    name = measure_name(e, line["metric"])
    if not detail:
        return name
    return f"{name}（{detail}）" if e.language == "zh" else f"{name} ({detail})"


def shift_name(source: str, language: str) -> str:
    """Return what readers call the weights, what was measured, and all that is not named."""
    return _SHIFTS[source][0 if language == "zh" else 1]


def part_label(line: dict, language: str) -> tuple[str, str]:
    """Return the group of a line, and what of it changed."""
    group = line["group"]
    if group == _REST:
        name = "其余" if language == "zh" else "The rest"
    else:
        name = group_name(group, language)
    return name, _PARTS[line["source"]][0 if language == "zh" else 1]


def measure_name(e: Evaluation, metric: str) -> str:
    """Return a measure's name, also of one that has no data this period."""
    reading = e.reading(metric)
    if reading is not None:
        return reading.name
    known = e.metrics.get(metric)
    return metric if known is None else typeset(known.name[e.language], e.language)


def inside_sentence(name: str) -> str:
    """Return a name as it stands inside a sentence: "Reopen rate" becomes "reopen rate", "NPS" stays."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def sureness(certain: bool, language: str) -> str:
    """Return whether a line is certain, as a table says it."""
    if language == "zh":
        return "确定" if certain else "可能是波动"
    return "yes" if certain else "may be noise"


def band(low: float, high: float, language: str) -> str:
    """Return an interval in points of the index; a bound near 0 keeps a second digit, so that it does not read 0.0."""
    digits = [2 if 0 < abs(bound) < LEAST else 1 for bound in (low, high)]
    texts = [format_number(b, language, digits=d, signed=True) for b, d in zip((low, high), digits, strict=True)]
    return " – ".join(texts)


def signed(value: float, language: str) -> str:
    """Return points of the index with their sign and one digit."""
    return format_number(value, language, digits=1, signed=True)


def _cause(e: Evaluation, line: dict) -> str:
    return _written(cause_label(e, line), line["contribution"], e)


def _written(name: str, value: float, e: Evaluation) -> str:
    if e.language == "zh":
        return f"{name}{signed(value, 'zh')}分"
    inside = inside_sentence(name)
    return f"{signed(value, 'en')} from {inside}"


def _told(value: float) -> bool:
    return abs(value) >= LEAST


def _detail(e: Evaluation, line: dict, brief: bool) -> str:
    """Return which way the measure went, and in which group most of it happened."""
    group = _where(e, line)
    if brief and group:
        return group
    mostly = f"主要为{group}" if e.language == "zh" else f"mostly {group}"
    parts = [_direction(e, line["metric"]), mostly if group else ""]
    return ("，" if e.language == "zh" else ", ").join(part for part in parts if part)


def _direction(e: Evaluation, metric: str) -> str:
    reading = e.reading(metric)
    if reading is None or is_missing(reading.change) or not reading.change:
        return ""
    up = reading.change > 0
    if reading.kind == "duration":
        words = ("延长", "缩短") if e.language == "zh" else ("longer", "shorter")
    else:
        words = ("上升", "下降") if e.language == "zh" else ("up", "down")
    return words[0 if up else 1]


def _where(e: Evaluation, line: dict) -> str:
    """Return the group whose own level, told from noise, makes at least half of a line; "" where there is none."""
    groups = e.movement.groups
    if groups.empty:
        return ""
    whole = line["contribution"]
    own = groups[(groups["metric"] == line["metric"]) & groups["found"] & (groups["source"] == "rate")]
    own = own[(own["contribution"] * whole > 0) & (own["group"] != _REST)]
    if own.empty:
        return ""
    largest = own.loc[own["contribution"].abs().idxmax()]
    if abs(largest["contribution"]) < abs(whole) / 2:
        return ""
    return group_name(largest["group"], e.language)
