"""What a roster lacks, said in words: which duty, how many, and what keeps everybody from it."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from svcanalytics.staffing.rostering.duties import Duty
from svcanalytics.staffing.rostering.obstacles import Week, obstacle
from svcanalytics.staffing.rostering.people import Person
from svcanalytics.staffing.rostering.rules import RosterRules

__all__ = ["LACKING_COLUMNS", "explain_lacking", "lacking_rows"]

#: Obstacles in the order in which they are told, then who could come after all when time ran out.
_REASONS = ("leave", "hours", "days", "busy", "rest", "row", "nights", "pair")
LACKING_COLUMNS = ("group", "pattern", "start", "end", "missing", "with_skill", *_REASONS)

_WORDS = {
    "leave": ("on leave", "\u4eba\u4f11\u5047"),
    "hours": ("at their maximum hours", "\u4eba\u5de5\u65f6\u5df2\u6ee1"),
    "days": ("at their maximum days", "\u4eba\u51fa\u52e4\u5929\u6570\u5df2\u6ee1"),
    "busy": ("on another shift that day", "\u4eba\u5f53\u5929\u5df2\u6392\u73ed"),
    "rest": ("without enough rest", "\u4eba\u4f11\u606f\u65f6\u95f4\u4e0d\u8db3"),
    "row": ("at their maximum days in a row", "\u4eba\u8fde\u7eed\u51fa\u52e4\u5df2\u8fbe\u4e0a\u9650"),
    "nights": ("at their maximum nights in a row", "\u4eba\u8fde\u7eed\u591c\u73ed\u5df2\u8fbe\u4e0a\u9650"),
    "pair": ("would lose their two days off", "\u4eba\u5c06\u5931\u53bb\u8fde\u7eed\u4f11\u606f\u65e5"),
}
_DAYS = (("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), tuple("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u65e5"))


def lacking_rows(
    people: list[Person], duties: list[Duty], short: dict[int, int], week: Week, rules: RosterRules
) -> pd.DataFrame:
    """Return a row per duty that lacks people: how many, how many have the skill, and how many each rule keeps away.

    Parameters
    ----------
    people : list of Person
        With all that they were given.
    duties : list of Duty
    short : dict
        Number of a duty to the people it lacks.
    week : Week
    rules : RosterRules
    """
    rows = []
    for number, missing in short.items():
        duty = duties[number]
        able = [person for person in people if person.serves(duty.group)]
        # Whoever has the duty itself is no help in filling its other places.
        own = Counter(obstacle(person, duty, week, rules) for person in able if not _has(person, duty))
        start, end = duty.start, duty.end
        counts = [own.get(reason, 0) for reason in _REASONS]
        rows.append((duty.group, duty.pattern, start, end, missing, len(able), *counts))
    return pd.DataFrame(rows, columns=list(LACKING_COLUMNS))


def explain_lacking(lacking: pd.DataFrame, language: str = "en") -> list[str]:
    """Return a sentence per duty that lacks people.

    Parameters
    ----------
    lacking : DataFrame
        A roster's ``lacking``.
    language : str
        "en" or "zh".
    """
    return [_sentence(row, language) for row in lacking.to_dict("records")]


def _sentence(row: dict, language: str) -> str:
    zh = language == "zh"
    told = [(row[reason], _WORDS[reason][zh]) for reason in _REASONS if row[reason]]
    start, end = row["start"], row["end"]
    day = _DAYS[zh][start.day_of_week]
    if zh:
        why = "\u3001".join(f"{n}{words}" for n, words in told)
        head = (
            f"\u5468{day}\uff08{start.month}\u6708{start.day}\u65e5\uff09{start:%H:%M}\u2013{end:%H:%M}"
            f"\u201c{row['pattern']}\u201d\u73ed\u8fd8\u5dee{row['missing']}\u540d\u4f1a{row['group']}\u7684\u4eba"
        )
        return f"{head}\uff1a\u5168\u90e8{row['with_skill']}\u4eba\u4e2d{why}\u3002" if told else head + "\u3002"
    head = (
        f"{day} {start.day} {start:%b} {start:%H:%M}\u2013{end:%H:%M} ({row['pattern']}) needs {row['missing']} more "
        f"with skill {row['group']}"
    )
    if not row["with_skill"]:
        return f"{head}: nobody has it."
    if not told:
        return f"{head}."
    return f"{head}: of {row['with_skill']} who have it, {', '.join(f'{n} {words}' for n, words in told)}."


def _has(person: Person, duty: Duty) -> bool:
    return any(w.begins == duty.begins and w.ends == duty.ends and w.pattern == duty.pattern for w in person.worked)
