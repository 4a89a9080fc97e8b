"""Within a set of cases: the circumstance that those share which went wrong, though elsewhere it does no harm.

A version that loses the login breaks technical cases and no others. What circumstances do in all cases can't tell that;
held against the other cases of the same set, those of the version stand out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.conditions import condition_table, contrast
from svcanalytics.causes.tracing.layers import conditions_of, is_course, layer_of_column
from svcanalytics.causes.tracing.shares import Change

__all__ = ["holds_team", "stands_out"]

_SURE = 0.01
_LEFT = 0.5
"""The set's other cases may have gone worse, or better, by so much of what all of it did."""
_TEAMS = frozenset({"first_team", "owner_team", "team"})


def stands_out(
    rows: pd.DataFrame,
    bad: NDArray[np.float64],
    inside: NDArray[np.bool_],
    columns: Collection[str],
    group: NDArray[np.int64],
    least: float,
    layers: Mapping[str, str] | None = None,
) -> list[Change]:
    """Return the circumstance whose cases went worse, while the others of a set hardly did, as a list of one or none.

    Parameters
    ----------
    rows : DataFrame
        All cases, with ``period`` and circumstances.
    bad : numpy.ndarray, shape ``(n,)``
    inside : numpy.ndarray of bool, shape ``(n,)``
        The set, in both periods.
    columns : collection of str
        Circumstances to look at; those without a layer and the course of the cases are passed over.
    group : numpy.ndarray of int64, shape ``(n,)``
        Cases of one group err together.
    least : float
        What the circumstance must hold of the excess.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own.
    """
    asked = [name for name in sorted(columns) if layer_of_column(name, layers) and not is_course(name)]
    some = rows.loc[inside]
    table, names = condition_table(some, asked)
    named = np.array([value not in ("", "other") for _, value in names], dtype=bool)
    if not named.any():
        return []
    now = rows["period"].eq("now").to_numpy() if "period" in rows else np.ones(len(rows), dtype=bool)
    kept = np.flatnonzero(named)
    seen = contrast(bad[inside], now[inside], group[inside], table[:, kept], rng=np.random.default_rng(0))
    usable = (seen.p_value < _SURE) & (np.nan_to_num(seen.amount) >= least)
    whole = _worse_by(bad, now, inside, ~inside)
    for best in np.argsort(-np.where(usable, seen.score, -np.inf), kind="stable")[: usable.sum()]:
        others = inside.copy()
        others[inside] = ~table[:, kept[best]]
        if abs(_worse_by(bad, now, others, ~inside)) <= _LEFT * whole:
            column, value = names[kept[best]]
            share = float(table[now[inside], kept[best]].mean())
            return [Change(column, value, layer_of_column(column, layers), share, float(seen.p_value[best]))]
    return []


def _worse_by(
    bad: NDArray[np.float64], now: NDArray[np.bool_], some: NDArray[np.bool_], others: NDArray[np.bool_]
) -> float:
    # By how much a case of some went worse than one of the others, beyond what it did before.
    def gap(when: NDArray[np.bool_]) -> float:
        sides = [bad[each & when] for each in (some, others)]
        return float(sides[0].mean() - sides[1].mean()) if all(map(len, sides)) else 0.0

    return gap(now) - gap(~now)


def holds_team(where: str) -> bool:
    """Tell whether a set of cases is a team's, whatever the cases."""
    return {column for column, _ in conditions_of(where)} <= _TEAMS and len(conditions_of(where)) == 1
