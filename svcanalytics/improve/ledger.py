"""The rectification ledger as it stands: what was carried over, came, was done and closed, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["LedgerStanding", "read_actions", "stand"]

_COLUMNS = (
    *("action_id", "origin", "origin_id", "problem", "class", "department", "owner", "measure", "found_at", "due_at"),
    *("done_at", "acceptance", "accepted_at", "verified_at", "effect", "became_standard", "published_at", "scope"),
    "status",
)


@dataclass(frozen=True)
class LedgerStanding:
    """The ledger of one period.

    Attributes
    ----------
    carried_over, new, done, closed, open, overdue : pandas.DataFrame
        Lines as `read_actions` gives them: those open when the period began; found in it; done in it; closed in it;
        open when it ended; of those the ones past their date and not done. Carried over and new together are closed and
        open together. Lines that were dropped stand in none of them.
    """

    carried_over: pd.DataFrame
    new: pd.DataFrame
    done: pd.DataFrame
    closed: pd.DataFrame
    open: pd.DataFrame
    overdue: pd.DataFrame

    def counts(self) -> dict[str, int]:
        """Return how many lines each of them holds."""
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}


def read_actions(lake: Lake) -> pd.DataFrame:
    """Return all lines of the ledger, the oldest first, with `closed_at`: when a line was accepted and followed up.

    Parameters
    ----------
    lake : Lake

    Returns
    -------
    pandas.DataFrame
        The columns of the table `actions`, and closed_at; times in the lake's time zone.
    """
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    if lake.has("actions"):
        lines = lake.sql(f"select {columns} from actions order by found_at, action_id")
    else:
        lines = pd.DataFrame({name: pd.Series(dtype="object") for name in _COLUMNS})
    for name in _COLUMNS:
        if name.endswith("_at"):
            lines[name] = pd.to_datetime(lines[name], utc=True).dt.tz_convert(lake.timezone)
    both = lines[["accepted_at", "verified_at"]]
    lines["closed_at"] = both.max(axis="columns").where(both.notna().all(axis="columns"))
    return lines


def stand(lines: pd.DataFrame, period: Period) -> LedgerStanding:
    """Return the ledger as it stood at the end of a period.

    A line is closed when it was both accepted and followed up, whatever its status says.

    Parameters
    ----------
    lines : pandas.DataFrame
        As `read_actions` gives them.
    period : Period
        The period reported on.

    Returns
    -------
    LedgerStanding
    """
    zone = lines["found_at"].dt.tz
    begin, end = (pd.Timestamp(day).tz_localize(zone) for day in (period.start, period.end))
    lines = lines[(lines["status"] != "dropped") & (lines["found_at"] < end)]
    before = lines["found_at"] < begin
    closed = lines["closed_at"] < end
    still = ~(lines["closed_at"] < begin)
    undone = ~(lines["done_at"] < end)
    return LedgerStanding(
        carried_over=lines[before & still],
        new=lines[~before],
        done=lines[(lines["done_at"] >= begin) & ~undone],
        closed=lines[still & closed],
        open=lines[~closed],
        overdue=lines[~closed & undone & (lines["due_at"] < end)],
    )
