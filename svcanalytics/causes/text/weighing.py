"""Themes of two periods side by side: which grew, and what each costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from svcanalytics.causes.text.clustering import cluster
from svcanalytics.causes.text.clusters import Clusters
from svcanalytics.causes.text.corpus import read_corpus
from svcanalytics.causes.text.costing import theme_cost
from svcanalytics.causes.text.growing import theme_growth
from svcanalytics.causes.text.normalising import list_texts

__all__ = ["weigh_themes"]


def weigh_themes(
    now: Iterable[object],
    before: Iterable[object] = (),
    outcomes: pd.DataFrame | Mapping[str, ArrayLike] | None = None,
    *,
    within: pd.DataFrame | pd.Series | None = None,
    clusters: Clusters | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a row per theme and outcome: its size now and before, whether it grew, and what goes wrong in it.

    Parameters
    ----------
    now, before : iterable
        Texts of this period and of the last; near-duplicates within a period count once for growth.
    outcomes : pandas.DataFrame or mapping of str to array_like, optional
        What became of each text of this period, more is worse; see `theme_cost`.
    within : pandas.DataFrame or pandas.Series, optional
        Strata that texts of this period are compared within.
    clusters : Clusters, optional
        Themes to follow (last month's); default: themes of the texts of both periods.
    seed : int

    Returns
    -------
    pandas.DataFrame
        theme, label, n, n_before, expected (texts that the last period's share lets expect), ratio, ratio_low,
        ratio_high, growth_p, growth_q, emerging, outcome, excess, low, high, p_value, q_value, certain (q_value up to
        0.05): the largest theme first, as `charts.draw_themes` takes it for one outcome. Without outcomes one row per
        theme, without texts before no growth: what is missing is NaN.
    """
    texts, earlier = list_texts(now), list_texts(before)
    if clusters is None:
        clusters = cluster([*texts, *earlier], seed=seed)
    here, there = clusters.assign(texts), clusters.assign(earlier)
    n_themes = len(clusters.table)
    n, n_before = (np.bincount(each[each >= 0], minlength=n_themes) for each in (here, there))
    table = clusters.table[["theme", "label"]].assign(n=n, n_before=n_before)
    if n_before.any() and n.any():
        table["expected"] = n_before * n.sum() / n_before.sum()
        growth = theme_growth(_once(texts, here), _once(earlier, there)).reindex(range(n_themes))
        names = {"low": "ratio_low", "high": "ratio_high", "p_value": "growth_p", "q_value": "growth_q"}
        growth = growth.drop(columns=["n", "n_before"]).rename(columns=names)
        table = table.join(growth.assign(emerging=growth["emerging"].eq(True)))
    else:
        table[["expected", "ratio", "ratio_low", "ratio_high", "growth_p", "growth_q"]] = np.nan
        table["emerging"] = False
    if outcomes is None:
        cost = pd.DataFrame({"theme": range(n_themes), "outcome": ""})
        cost[["excess", "low", "high", "p_value", "q_value"]] = np.nan
    else:
        cost = theme_cost(here, outcomes, within=within).drop(columns=["n", "mean", "expected"])
    cost = cost.assign(certain=cost["q_value"] <= 0.05).rename(columns={"theme": "row"})
    out = table.rename_axis("row").reset_index().merge(cost, on="row", how="left")
    order = out.sort_values(["n", "row"], ascending=[False, True], kind="stable").drop(columns="row")
    return order.assign(certain=order["certain"].eq(True)).reset_index(drop=True)


def _once(texts: list[object], labels: np.ndarray) -> np.ndarray:
    # Each kind of near-duplicate counts once in a period.
    return labels[np.unique(read_corpus(texts).heads)]
