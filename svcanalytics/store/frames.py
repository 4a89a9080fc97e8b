"""DataFrames that come out of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["share_texts"]


def share_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same frame with every text that repeats within a column in memory once.

    The engine hands out each cell as a text of its own; of a column of few different texts that is ten times as much.
    """
    import pandas as pd

    shared = {}
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.StringDtype):
            codes, texts = pd.factorize(frame[name].array)
            if 2 * len(texts) < len(codes):
                shared[name] = pd.Series(texts.take(codes, allow_fill=True), index=frame.index)
    return frame.assign(**shared)
