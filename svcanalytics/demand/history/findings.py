"""What was noticed about data, and where a row stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Finding", "place"]


@dataclass(frozen=True)
class Finding:
    """One thing noticed about the data: the days it concerns, what it is, and what was done about it."""

    queue: str
    start: pd.Timestamp
    end: pd.Timestamp
    what: str
    detail: str
    done: str


def place(rows: pd.DataFrame, chosen: Any) -> str:
    """Return where the first of the chosen rows stands, and how many more there are, for an error's message.

    Parameters
    ----------
    rows : pandas.DataFrame
        With the columns queue and start.
    chosen : array-like of bool
    """
    found = rows[np.asarray(chosen)]
    first = found.iloc[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{'queue ' + repr(first['queue']) + ', ' if first['queue'] else ''}{first['start']}{more}"
