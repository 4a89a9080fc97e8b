"""Complaints of a period: their grades, what they are about, what rises, what is new and what comes back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.metrics.intervals import benjamini_hochberg
from svcanalytics.periods import Period
from svcanalytics.store.masking import mask

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Complaints", "count_topics", "read_complaints"]

#: Columns that can say what a complaint is about, the most telling first.
TOPICS = ("cause", "category", "system")
#: A topic is called new only after so many days of complaints without it.
UNSEEN_DAYS = 90
REPEATED_WITHIN_DAYS = 30
_FALSE_DISCOVERY = 0.05
_MOST_READ = 300
_SHORTEST, _LONGEST = 8, 140


@dataclass(frozen=True)
class Complaints:
    """Complaints of one period.

    Attributes
    ----------
    count, previous : int
        Opened in this period and in the last.
    levels : DataFrame
        level (1 serious, 2 ordinary, 3 suggestion; missing: not graded), count, previous.
    by : str
        The column that says what they are about; "" where none does.
    topics : DataFrame
        As `count_topics` gives it, the largest first.
    typical : str
        The words of the most typical complaint of the largest topic, masked; "" without words.
    """

    count: int
    previous: int
    levels: pd.DataFrame
    by: str
    topics: pd.DataFrame
    typical: str = ""


def read_complaints(lake: Lake, period: Period) -> Complaints | None:
    """Return the complaints of a period; None for a lake that tells no complaint from other cases."""
    if not lake.has("cases"):
        return None
    columns = ", ".join(TOPICS)
    rows = lake.sql(
        f"select case_id, customer_id, complaint_level as level, day_key, {columns} from cases "
        f"where business_type = 'complaint' and day_key <= {_key(period.last)} order by day_key, case_id"
    )
    before = period.previous()
    inside = rows["day_key"].between(_key(period.start), _key(period.last))
    last = rows["day_key"].between(_key(before.start), _key(before.last))
    if not inside.any() and not last.any():
        return None
    levels = pd.DataFrame(
        {"count": rows[inside]["level"].value_counts(dropna=False),
         "previous": rows[last]["level"].value_counts(dropna=False)}
    ).fillna(0).astype(int)  # fmt: skip
    levels = levels.rename_axis("level").reset_index().sort_values("level", ignore_index=True)
    by = next((name for name in TOPICS if len(rows.loc[inside, name].dropna().unique()) > 1), "")
    if not by:
        return Complaints(int(inside.sum()), int(last.sum()), levels, "", pd.DataFrame())
    named = rows.assign(topic=rows[by], day=pd.to_datetime(rows["day_key"].astype(str)))
    topics = count_topics(named[["topic", "customer_id", "day"]], period)
    top = named.loc[inside & named["topic"].eq(topics["topic"].iloc[0]), "case_id"] if len(topics) else []
    return Complaints(int(inside.sum()), int(last.sum()), levels, by, topics, _typical(lake, list(top)[:_MOST_READ]))


def count_topics(rows: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Count what complaints are about and say which topics rise for sure, are new, or come back.

    A rise is sure by the exact conditional test of two Poisson counts (Przyborowski and Wilenski 1940), periods
    weighed by their days, one-sided, with a false discovery rate of 5 % over the topics (Benjamini and Hochberg 1995).

    Parameters
    ----------
    rows : DataFrame
        topic, customer_id, day (timestamp); one row per complaint, also those of earlier periods.
    period : Period
        The period reported.

    Returns
    -------
    DataFrame
        topic, count, previous, rising, new (never seen before, though 90 days of complaints precede), repeated
        (complaints of a customer who complained of the same within 30 days before); the largest first.
    """
    from scipy.stats import binom

    rows = rows.dropna(subset=["topic"]).sort_values("day", kind="stable")
    begin, end = pd.Timestamp(period.start), pd.Timestamp(period.last)
    since = rows.groupby(["topic", "customer_id"])["day"].diff().dt.days
    rows = rows.assign(again=since <= REPEATED_WITHIN_DAYS)
    before = period.previous()
    now = rows[rows["day"].between(begin, end)]
    last = rows[rows["day"].between(pd.Timestamp(before.start), pd.Timestamp(before.last))]
    found = now.groupby("topic").agg(count=("topic", "size"), repeated=("again", "sum"))
    found = found.assign(previous=last["topic"].value_counts().reindex(found.index, fill_value=0))
    days = [(each.last - each.start).days + 1 for each in (period, before)]
    known = len(rows) > 0 and (begin - rows["day"].min()).days >= (begin - pd.Timestamp(before.start)).days
    counts = found["count"].to_numpy()
    p_values = binom.sf(counts - 1, counts + found["previous"].to_numpy(), days[0] / sum(days))
    rising = benjamini_hochberg(p_values) <= _FALSE_DISCOVERY if len(found) and known else np.zeros(len(found), bool)
    first = rows.groupby("topic")["day"].min().reindex(found.index)
    long = len(rows) > 0 and (begin - rows["day"].min()).days >= UNSEEN_DAYS
    found = found.assign(rising=rising, new=(first >= begin) & long).reset_index()
    columns = ["topic", "count", "previous", "rising", "new", "repeated"]
    return found.sort_values(["count", "topic"], ascending=[False, True], ignore_index=True)[columns]


def _typical(lake: Lake, cases: list[str]) -> str:
    """Return the masked words that share most with the others': whose pairs of characters most of them hold."""
    if not cases:
        return ""
    listed = ", ".join("'" + case.replace("'", "''") + "'" for case in cases)
    words = lake.sql(f"select text from cases where case_id in ({listed}) and text is not null order by case_id")
    texts = [" ".join(mask(str(text)).split()) for text in words["text"]]
    texts = [text for text in texts if len(text) >= _SHORTEST]
    pairs = [{text[at : at + 2] for at in range(len(text) - 1)} for text in texts]
    held = Counter(pair for each in pairs for pair in each)
    shared = [sum(held[pair] for pair in each) / len(each) for each in pairs]
    if not texts:
        return ""
    text = texts[int(np.argmax(shared))]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _key(day) -> int:  # type: ignore[no-untyped-def]
    return int(day.strftime("%Y%m%d"))
