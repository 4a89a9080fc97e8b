"""The words of traces, chains and artefacts, in both languages."""

from __future__ import annotations

import pandas as pd

__all__ = ["LAYER_WORDS", "say_trace"]

LAYER_WORDS = {
    "en": {
        "data": "system and technology",
        "process": "operating rules",
        "people": "people",
        "demand": "demand",
        "mix": "other places and kinds of cases",
        "rest": "not explained",
    },
    "zh": {
        "data": "\u7cfb\u7edf\u4e0e\u6280\u672f",
        "process": "\u64cd\u4f5c\u89c4\u5219",
        "people": "\u4eba\u5458",
        "demand": "\u9700\u6c42",
        "mix": "\u5176\u4ed6\u90e8\u95e8\u4e0e\u7c7b\u578b",
        "rest": "\u672a\u89e3\u91ca",
    },
}


def say_trace(
    where: str, excess: float, layers: pd.DataFrame, verdict: str, alike: tuple[str, ...], language: str = "en"
) -> str:
    """Say which layer explains a set of cases, and by what.

    Parameters
    ----------
    where : str
        The set.
    excess : float
        What went wrong beyond the expected.
    layers : DataFrame
        As `Trace` has them.
    verdict : str
        The layer, or "".
    alike : tuple of str
        Circumstances that can't be told apart from the set.
    language : str
        "en" or "zh".
    """
    zh = language.startswith("zh")
    words = LAYER_WORDS["zh" if zh else "en"]
    if not verdict:
        said = (
            f"{where}\uff1a\u8bc1\u636e\u4e0d\u8db3\u4ee5\u5224\u65ad\u5c5e\u4e8e\u54ea\u4e00\u5c42"
            if zh
            else f"{where}: the evidence does not say which layer it is on"
        )
        if alike:
            names = ("\u3001" if zh else ", ").join(alike)
            said += (
                f"\uff08{names}\u65e0\u6cd5\u4e0e\u5b83\u533a\u5206\uff09"
                if zh
                else f" ({names} can't be told apart from it)"
            )
        return said + ("\u3002" if zh else ".")
    row = layers.set_index("layer").loc[verdict]
    share = min(max(row["amount"] / excess, 0.0), 1.0) if excess > 0 else 0.0
    by = str(row["evidence"])
    if zh:
        reason = f"\uff0c\u4e3b\u8981\u4f53\u73b0\u5728{by}" if by else ""
        said = f"{words[verdict]}\u5c42\u89e3\u91ca\u8d85\u989d{excess:.0f}\u4ef6\u4e2d\u7684{share:.0%}{reason}"
        return f"{where}\uff1a{said}\u3002"
    reason = f", by {by}" if by else ""
    return f"{where}: {words[verdict]} explain {share:.0%} of the {excess:.0f} beyond the expected{reason}."
