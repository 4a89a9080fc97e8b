"""Themes as a dimension: where there is no time before to compare with, they are one more way to divide the cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.ranking.candidates import case_ids
from svcanalytics.causes.text import cluster
from svcanalytics.errors import CauseError

__all__ = ["divide_by_theme"]

_FEWEST_TEXTS, _TEXTS_PER_THEME, _MOST_THEMES = 100, 100, 30


def divide_by_theme(material: Material, seed: int = 0) -> tuple[Material, pd.DataFrame]:
    """Add the theme of what the customer wrote to the rows of the period, as dimension ``theme``.

    Parameters
    ----------
    material : Material
    seed : int

    Returns
    -------
    material : Material
        The same when there are too few texts.
    themes : DataFrame
        By the theme's id what `cluster` says of it; empty when there are too few texts.
    """
    texts = material.texts
    if "period" in texts.columns:
        texts = texts[texts["period"] == "now"]
    if len(texts) < _FEWEST_TEXTS:
        return material, pd.DataFrame()
    number = min(_MOST_THEMES, max(2, len(texts) // _TEXTS_PER_THEME))
    try:
        clusters = cluster(texts["text"], number, thorough=False, seed=seed)
    except CauseError:
        return material, pd.DataFrame()
    names = np.append(clusters.table["theme"].to_numpy("object"), None)[clusters.labels]
    theme = pd.Series(names, index=case_ids(texts))
    theme = theme[theme.notna() & ~theme.index.duplicated()]
    outcomes = {
        metric: rows.assign(theme=pd.Series(case_ids(rows), index=rows.index).map(theme))
        for metric, rows in material.outcomes.items()
    }
    return replace(material, outcomes=outcomes), clusters.table.set_index("theme")
