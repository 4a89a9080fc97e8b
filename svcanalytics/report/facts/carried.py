"""The ledger at the end of a period: how it stands, and what became of what was decided in the period before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import improve, metrics
from svcanalytics.metrics.views import view
from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.improve import LedgerStanding
    from svcanalytics.metrics import Metric
    from svcanalytics.store import Lake

__all__ = ["name_measure", "read_carried", "read_standing", "tell_state"]

_TEAMS = ("owner_team", "team", "first_team")
#: A shorter name than this may stand in a text by chance.
_SHORTEST_NAME = {"zh": 3, "en": 8}


def read_carried(lake: Lake, period: Period, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that last period's evaluation put on the ledger; where it put none, all that were found in it.

    Where a line's text names a measure of the catalogue, the measure is taken of last period and of this one, in the
    team that the line is about where it names one.

    Parameters
    ----------
    lake : Lake
    period : Period
        The period reported.
    lines : DataFrame
        As `improve.read_actions` gives them.

    Returns
    -------
    DataFrame
        The lines' columns; state (see `tell_state`), metric ("" where none is named), and of it before, after, change,
        change_low, change_high.
    """
    zone = lines["found_at"].dt.tz
    last = period.previous()
    begin, end, until = (pd.Timestamp(day).tz_localize(zone) for day in (last.start, last.end, period.end))
    found = lines[(lines["found_at"] >= begin) & (lines["found_at"] < end)]
    own = found[found["origin"] == "evaluation"]
    found = (own if len(own) else found).reset_index(drop=True)
    if found.empty:
        return found
    known = metrics.catalogue(lake).metrics
    texts = found[["acceptance", "problem", "measure"]].fillna("").astype(str).agg("\n".join, axis="columns")
    named = [name_measure(text, known) for text in texts]
    found = found.assign(state=tell_state(found, until), metric=named)
    changes = [_change(lake, period, row["metric"], row["scope"], known) for row in found.to_dict("records")]
    return found.join(pd.DataFrame(changes, index=found.index))


def read_standing(lake: Lake, period: Period) -> LedgerStanding | None:
    """Return the ledger as it stood at the end of a period; None for a lake without one."""
    return improve.stand(improve.read_actions(lake), period) if lake.has("actions") else None


def tell_state(lines: pd.DataFrame, until: pd.Timestamp) -> list[str]:
    """Return how each line stood at a moment: dropped, closed, accepted, done, overdue, or open.

    Parameters
    ----------
    lines : DataFrame
        As `improve.read_actions` gives them.
    until : Timestamp
        The moment, in the lines' time zone.
    """
    states = pd.Series("open", index=lines.index)
    states[lines["due_at"] < until] = "overdue"
    for state in ("done", "accepted", "closed"):
        states[lines[f"{state}_at"] < until] = state
    states[lines["status"] == "dropped"] = "dropped"
    return states.tolist()


def name_measure(text: str, known: Mapping[str, Metric]) -> str:
    """Return the id of the measure that a text names, the longest name first; "" where it names none."""
    found = [
        (len(name), id)
        for id, metric in known.items()
        if metric.kind != "count"
        for language, shortest in _SHORTEST_NAME.items()
        if len(name := metric.name[language]) >= shortest and name.casefold() in text.casefold()
    ]
    return max(found)[1] if found else ""


def _change(lake: Lake, period: Period, metric: str, scope: object, known: Mapping[str, Metric]) -> dict:
    """Return the measure before and after with the interval of its change."""
    names = ("previous", "value", "change", "change_low", "change_high")
    nothing = dict.fromkeys(("before", "after", *names[2:]))
    if not metric:
        return nothing
    span = {"every": period.kind, "start": period.previous().start, "end": period.last}
    columns = view(known[metric].view).columns()
    for column in [name for name in _TEAMS if name in columns] if isinstance(scope, str) else []:
        frame = metrics.measure(lake, [metric], where={column: scope}, **span)
        if frame["value"].notna().any():
            break
    else:
        frame = metrics.measure(lake, [metric], **span)
    if not (frame["period"] == period.key).any():
        return nothing
    row = metrics.compare(frame, period, month_start=lake.month_start, country=lake.country).iloc[0]
    values = [None if pd.isna(row[name]) else float(row[name]) for name in names]
    return dict(zip(nothing, values, strict=True))
