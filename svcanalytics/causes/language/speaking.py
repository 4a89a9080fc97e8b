"""How agents speak: greeting, closing, empathy, and what must not be said, by phrases in Chinese and English."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd

from svcanalytics import resources
from svcanalytics.causes.language.feeling import sentiment
from svcanalytics.errors import CauseError

__all__ = ["ASPECTS", "conduct", "conversations"]

ASPECTS = ("greeting", "closing", "empathy", "prohibited", "evasive")
"""What is looked for in what an agent says."""

_UPSET = -0.3  # a customer who feels worse than this is owed some empathy
_ENDS = 2  # utterances at either end in which a greeting or a closing counts


def conduct(messages: pd.DataFrame) -> pd.DataFrame:
    """Say of every utterance how it is spoken.

    Parameters
    ----------
    messages : pandas.DataFrame
        ``text``, and perhaps ``speaker`` ("customer", "agent", "bot"); without it all are agents'.

    Returns
    -------
    pandas.DataFrame
        The index of `messages`; one truth value per aspect (ASPECTS), False for who is no agent; ``words``: the
        prohibited and evasive phrases found, parted by "|"; ``sentiment``, from -1 to 1, of everybody.

    Raises
    ------
    CauseError
        When it is no table, or has no column ``text``.

    Examples
    --------
    >>> said = pd.DataFrame({"text": ["Good morning, how can I help?", "That's not my department."]})
    >>> conduct(said)[["greeting", "evasive", "words"]].values.tolist()
    [[True, False, ''], [False, True, 'not my department']]
    """
    _expect_table(messages)
    if "text" not in messages.columns:
        raise CauseError("there is no column 'text'", where="messages", fix="name the column of what was said text")
    text = messages["text"].astype("object").where(messages["text"].notna(), "")
    agents = np.ones(len(messages), dtype=bool)
    if "speaker" in messages.columns:
        agents = (messages["speaker"] == "agent").fillna(False).to_numpy(dtype=bool)
    found = [{name: _phrases(name).findall(said.lower()) for name in ASPECTS} if agent else {}
             for said, agent in zip(text, agents, strict=True)]  # fmt: skip
    table = pd.DataFrame({name: [bool(each.get(name)) for each in found] for name in ASPECTS}, index=messages.index)
    wrong = [[*each.get("prohibited", ()), *each.get("evasive", ())] for each in found]
    table["words"] = pd.Series(
        ["|".join(dict.fromkeys(words)) for words in wrong], index=messages.index, dtype="object"
    )
    table["sentiment"] = sentiment(text)
    return table


def conversations(messages: pd.DataFrame, by: str = "case_id") -> pd.DataFrame:
    """Sum up how agents spoke in each conversation, as outcomes that metrics and causes can be read from.

    Parameters
    ----------
    messages : pandas.DataFrame
        ``text``, ``speaker``, the column `by`, and perhaps ``at``, by which utterances are put in order.
    by : str
        What makes a conversation: "case_id" or "contact_id".

    Returns
    -------
    pandas.DataFrame
        One row per conversation in which an agent speaks, indexed by `by`: ``greeted`` and ``closed`` (among the
        agent's first or last two utterances), ``prohibited`` and ``evasive`` (utterances), ``empathy_due`` (the
        customer was upset), ``empathy`` (the agent showed some; missing when none was due), ``sentiment_start`` and
        ``sentiment_end`` (of the customer's first and last utterance that tells), ``compliant`` (greeted, closed,
        nothing prohibited or evasive, and empathy where it was due).

    Raises
    ------
    CauseError
        When a column is missing.
    """
    _expect_table(messages)
    absent = [name for name in ("text", "speaker", by) if name not in messages.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where="messages", fix="name it so, or say what `by` is")
    rows = messages[messages[by].notna()]
    if "at" in rows.columns:
        rows = rows.sort_values("at", kind="stable")
    said = conduct(rows).assign(speaker=rows["speaker"], key=rows[by])
    agent, customer = said[said["speaker"] == "agent"], said[said["speaker"] == "customer"]
    groups = agent.groupby("key", sort=True)
    first, last = groups.head(_ENDS), groups.tail(_ENDS)
    table = pd.DataFrame(
        {
            "greeted": first.groupby("key")["greeting"].any(),
            "closed": last.groupby("key")["closing"].any(),
            "prohibited": groups["prohibited"].sum(),
            "evasive": groups["evasive"].sum(),
        }
    )
    feels = customer.groupby("key")["sentiment"]
    due = (feels.min() < _UPSET).reindex(table.index, fill_value=False)
    table["empathy_due"] = due
    table["empathy"] = groups["empathy"].any().astype("boolean").where(due)
    telling = customer[customer["sentiment"] != 0].groupby("key")["sentiment"]
    table["sentiment_start"], table["sentiment_end"] = telling.first(), telling.last()
    kind = table["greeted"] & table["closed"] & table["empathy"].fillna(True).astype(bool)
    table["compliant"] = kind & (table["prohibited"] == 0) & (table["evasive"] == 0)
    return table.rename_axis(by)


def _expect_table(messages: object) -> None:
    if not isinstance(messages, pd.DataFrame):
        raise CauseError(
            f"{type(messages).__name__} is no table", where="messages", fix="give a DataFrame with a column text"
        )


@cache
def _phrases(aspect: str) -> re.Pattern[str]:
    table = resources.read_toml("language/conduct.toml")
    chinese = [phrase.strip().replace(" ", ".{0,4}") for phrase in table["zh"][aspect].split("|")]
    english = [phrase.strip() for phrase in table["en"][aspect].split("|")]
    longest = [sorted(each, key=len, reverse=True) for each in (chinese, english)]
    return re.compile(rf"{'|'.join(longest[0])}|\b(?:{'|'.join(longest[1])})\b")
