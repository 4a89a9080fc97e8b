"""How many themes: as many as come out again when other texts are looked at."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.partitioning import k_means, nearest
from svcanalytics.causes.text.space import unit

__all__ = ["TRIED_COLUMNS", "choose_number", "number_table"]

TRIED_COLUMNS = ["number", "stability", "separation", "score"]

_SAMPLE = 1500
_DIMENSIONS = 50
_DRAWS, _DRAWN = 5, 0.8
_STEP = 1.3
_LEAST_TEXTS, _LEAST_SEEN = 30, 12  # of a theme, in all and in the sample
_MOST, _FEW = 100, 8
_NEARLY = 0.95
_LEAST_STABILITY = 0.3


def choose_number(vectors: NDArray[np.float32], seed: int = 0) -> tuple[int, pd.DataFrame]:
    """Return how many themes there are, and what was tried.

    It is the smallest number whose stability times separation comes within five hundredths of the best one's: on real
    texts the score grows flat, and fewer themes are easier to read. Texts without stable groups are one theme.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (texts, dimensions)
        In an order that doesn't depend on the caller's; of many the first 1,500 are looked at.
    seed : int
        Of the samples drawn.

    Returns
    -------
    int
        The number of themes; 1 when there are too few texts for two, or no two samples agree on any.
    pandas.DataFrame
        As `number_table` returns it, the numbers tried in order.
    """
    sample = unit(vectors[:_SAMPLE, :_DIMENSIONS])
    most = min(_MOST, max(len(vectors) // _LEAST_TEXTS, _FEW), len(sample) // _LEAST_SEEN)
    if most < 2:
        return 1, pd.DataFrame(columns=TRIED_COLUMNS)
    steps = [2]
    while steps[-1] < most:
        steps.append(min(most, max(steps[-1] + 1, round(steps[-1] * _STEP))))
    table = number_table(sample, steps, seed)
    best = int(table["score"].to_numpy().argmax())
    low = steps[best - 1] if best else 2
    high = steps[best + 1] if best + 1 < len(steps) else most
    between = sorted(set(np.linspace(low, high, 7).round().astype(int).tolist()) - set(steps))
    if between:
        table = pd.concat([table, number_table(sample, between, seed)]).sort_values("number", ignore_index=True)
    if table["stability"].max() < _LEAST_STABILITY:
        return 1, table
    return int(table.loc[table["score"] >= _NEARLY * table["score"].max(), "number"].iloc[0]), table


def number_table(vectors: NDArray[np.float32], numbers: list[int], seed: int = 0) -> pd.DataFrame:
    """Return for each number of groups how stable and how separate they are.

    Stability is the mean adjusted Rand index (Hubert and Arabie 1985) between the partitions that samples of four
    fifths of the texts give of all of them (Lange et al. 2004). Separation is the silhouette (Rousseeuw 1987) with
    the angle to the nearest and second-nearest centre for distances. Stability alone prefers two groups, separation
    alone very many.

    Returns
    -------
    pandas.DataFrame
        number, stability, separation, score (their product).
    """
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    drawn = [np.sort(rng.permutation(len(vectors))[: int(_DRAWN * len(vectors))]) for _ in range(_DRAWS)]
    rows = []
    for number in numbers:
        found, apart = [], []
        for at, rows_drawn in enumerate(drawn):
            centres = unit(k_means(vectors[rows_drawn], number, seed + at, starts=2)[1]).astype("float32")
            found.append(nearest(vectors, centres))
            apart.append(_separation(vectors, centres))
        stability = np.mean([adjusted_rand_score(a, b) for a, b in combinations(found, 2)])
        rows.append((number, stability, np.mean(apart), max(stability, 0) * np.mean(apart)))
    return pd.DataFrame(rows, columns=TRIED_COLUMNS)


def _separation(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> float:
    away = np.sort(1 - vectors @ centres.T, axis=1)[:, :2]
    return float(np.mean(1 - away[:, 0] / np.maximum(away[:, 1], 1e-9)))
