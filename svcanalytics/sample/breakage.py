"""Rows that break the contract on purpose, so that quarantine has something to show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

__all__ = ["BROKEN", "DEFECTS", "break_rows"]

# Table: column, what is wrong with it, how many rows. A day "before" is taken from the column named.
DEFECTS: Mapping[str, tuple[tuple[str, object, int], ...]] = MappingProxyType(
    {
        "cases": (
            ("resolved_at", "before opened_at", 4),
            ("business_type", "其他", 3),
            ("opened_at", None, 3),
            ("reopened_n", -1, 2),
        ),
        "contacts": (
            ("ended_at", "before offered_at", 3),
            ("offered_at", None, 3),
            ("talk_s", -5, 2),
            ("direction", "sideways", 2),
        ),
        "events": (("milestone", "finished?", 4), ("at", None, 4)),
        "surveys": (("nps", 11, 4), ("csat", 900, 2)),
        "audits": (("kind", "unknown", 3),),
        "roster": (("end_at", "before start_at", 2), ("kind", "nap", 2)),
        "actions": (("origin", None, 1), ("done_at", "before found_at", 1)),
    }
)
"""What is wrong with the broken rows."""

BROKEN: Mapping[str, int] = MappingProxyType({table: sum(n for _, _, n in rows) for table, rows in DEFECTS.items()})
"""Rows per table that break the contract on purpose in ``organisation(broken=True)``; nothing else does."""


def break_rows(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add the broken rows: copies of rows from the last tenth, under keys of their own, each with one defect."""
    out = dict(frames)
    for table, defects in DEFECTS.items():
        frame = frames[table]
        key = frame.columns[0]
        begin = len(frame) - len(frame) // 10 - 1
        parts = []
        for column, wrong, n in defects:
            rows = frame.iloc[begin : begin + n].copy()
            begin += n
            if table == "events":
                # A step's key is its case and number: the number is moved where no case has one.
                rows["seq"] = range(900 + begin, 900 + begin + n)
            else:
                rows[key] = [f"X{table[:2].upper()}{begin + i:06d}" for i in range(n)]
            if isinstance(wrong, str) and wrong.startswith("before "):
                rows[column] = rows[wrong.removeprefix("before ")] - pd.Timedelta(days=3)
            else:
                rows[column] = (
                    wrong if wrong is not None else pd.Series([None] * n, index=rows.index).astype(rows[column].dtype)
                )
            parts.append(rows)
        out[table] = pd.concat([frame, *parts], ignore_index=True)
    return out
