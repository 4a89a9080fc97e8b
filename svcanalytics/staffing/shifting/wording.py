"""What a plan can't cover, in sentences."""

from __future__ import annotations

import pandas as pd

__all__ = ["explain_shortfalls"]


def explain_shortfalls(shortfalls: pd.DataFrame, language: str = "en") -> list[str]:
    """Say what can't be covered and why.

    Parameters
    ----------
    shortfalls : DataFrame
        Of a `ShiftPlan`.
    language : str
        "en" or "zh".
    """
    return [f"{row.queue}: {row.start} {row.missing:g}" for row in shortfalls.itertuples()]
