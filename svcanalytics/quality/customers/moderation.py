"""When and for whom a metric matters more: interactions found in the data, told in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["interactions"]

Array = NDArray[np.float64]

_SENTENCES = {
    "en": {
        "ratio": "{where} customers are {ratio} × as sensitive to {metric}{against} ({band}).",
        "slopes": "{where} one point of {metric} moves the outcome by {effect},{against} by {other}.",
    },
    "zh": {
        "ratio": "{where}\uff0c客户对{metric}的敏感度是{against}的{ratio}倍\uff08{band}\uff09。",
        "slopes": "{where}\uff0c{metric}每变动1个单位\uff0c结果变动{effect}\uff1b{against}为{other}。",
    },
}
_MOST_LEVELS = 12
_ROWS_PER_COEFFICIENT = 5


def interactions(
    frame: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    moderators: Sequence[str],
    *,
    within: Sequence[str] = (),
    false_share: float = 0.05,
    least: int = 30,
    level: float = 0.95,
    words: Mapping[str, str] | None = None,
    language: Literal["en", "zh"] = "en",
) -> pd.DataFrame:
    """Find where customers are more or less sensitive to a metric than elsewhere.

    One regression holds all metrics, all moderators and all their products, so that what belongs to one is not seen in
    another that goes with it. Each level of a moderator is set against its most common level, other moderators at their
    mean. Errors allow for unequal spread (HC3: MacKinnon and White 1985); discoveries are controlled over everything
    tried (Benjamini and Hochberg 1995); ratios have Fieller's interval (1954).

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per surveyed contact or cell. A missing metric says nothing (it is set to its mean); rows without
        outcome or moderator are left out.
    outcome : str
        Column with what customers say.
    metrics : sequence of str
        Columns of numbers: scores, or raw values such as minutes waited.
    moderators : sequence of str
        Columns such as weekend, season, channel: yes/no or categories. Numbers with many values are split at their
        median into "low" and "high".
    within : sequence of str
        Columns whose levels may differ in the outcome for other reasons.
    false_share : float
        Share of false discoveries allowed among those found.
    least : int
        Fewest rows a level needs; rows of smaller ones are left out.
    level : float
        Of the intervals.
    words : mapping, optional
        What to call metrics and levels in the text: "wait" -> "waiting"; "weekend" or "weekend=True" -> "at weekends".
    language : {"en", "zh"}
        Of the text.

    Returns
    -------
    pandas.DataFrame
        One row per metric and level, most certain first: metric, moderator, value, against, n, effect (change of the
        outcome per unit of the metric there), effect_against, ratio, low, high (of the ratio; missing when the effect
        it is set against can't be told from 0), p_value, q_value, found, text ("" unless found).

    Raises
    ------
    CatalogueError
        For unknown columns, metrics or an outcome that never vary, a moderator without two levels, and too few rows.
    """
    from scipy.stats import false_discovery_control, t

    metrics, moderators = list(metrics), list(moderators)
    rows = _rows(frame, outcome, metrics, moderators, list(within))
    rows = _settled(rows, moderators, least)
    levels = [found for name in moderators for found in _levels(rows[name], name)]
    fit = _fit(rows, outcome, metrics, levels, list(within))
    z = float(t.ppf((1 + level) / 2, fit.free))
    table = []
    for number, this in enumerate(levels):
        for m, metric in enumerate(metrics):
            base = fit.base(m, this.moderator, levels)
            change = fit.change(m, number)
            effect, error = fit.along(change)
            base_effect, _ = fit.along(base)
            ratio, low, high = _fieller(fit, base + change, base, z)
            p = 2 * float(t.sf(abs(effect / error), fit.free)) if error > 0 else 1.0
            there = (this.moderator, this.value, this.against, this.n, base_effect + effect, base_effect)
            table.append((metric, *there, ratio, low, high, p))
    names = ["metric", "moderator", "value", "against", "n", "effect", "effect_against"]
    names += ["ratio", "low", "high", "p_value"]
    result = pd.DataFrame(table, columns=names)
    result["q_value"] = false_discovery_control(result["p_value"])
    result["found"] = result["q_value"] <= false_share
    result["text"] = [_sentence(row, words or {}, language, level) if row.found else "" for row in result.itertuples()]
    return result.sort_values(["p_value", "metric", "moderator", "value"], ignore_index=True)


@dataclass(frozen=True)
class _Level:
    moderator: str
    value: str
    against: str
    n: int
    here: NDArray[np.bool_]


@dataclass(frozen=True)
class _Fit:
    """Coefficients: metrics, then levels, then products level by level; levels enter less their mean."""

    coefficients: Array
    covariance: Array
    free: int
    metrics: int
    means: Array

    def change(self, metric: int, level: int) -> Array:
        """Return the combination that is the change of a metric's slope at a level."""
        out = np.zeros(len(self.coefficients))
        out[self.metrics + len(self.means) + level * self.metrics + metric] = 1.0
        return out

    def base(self, metric: int, moderator: str, levels: list[_Level]) -> Array:
        """Return the combination that is a metric's slope at a moderator's most common level."""
        out = np.zeros(len(self.coefficients))
        out[metric] = 1.0
        for number, each in enumerate(levels):
            if each.moderator == moderator:
                out -= self.means[number] * self.change(metric, number)
        return out

    def along(self, combination: Array) -> tuple[float, float]:
        """Return the estimate and standard error of a combination of coefficients."""
        variance = combination @ self.covariance @ combination
        return float(combination @ self.coefficients), float(np.sqrt(max(variance, 0.0)))


def _rows(
    frame: pd.DataFrame, outcome: str, metrics: list[str], moderators: list[str], within: list[str]
) -> pd.DataFrame:
    names = [outcome, *metrics, *moderators, *within]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="interactions", fix="name columns of the frame")
    rows = frame.loc[:, list(dict.fromkeys(names))].dropna(subset=[outcome, *moderators])
    for name in (outcome, *metrics):
        if rows[name].nunique() < 2:
            raise CatalogueError("never varies", where=name, fix="leave it out, or use more rows")
    return rows


def _settled(rows: pd.DataFrame, moderators: list[str], least: int) -> pd.DataFrame:
    """Return the rows with moderators as texts, without rows of rare levels."""
    rows = rows.copy()
    for name in moderators:
        values = rows[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values) and values.nunique() > 6:
            values = pd.Series(np.where(values > values.median(), "high", "low"), index=values.index)
        rows[name] = values.astype(str).astype(object)
    kept = pd.Series(True, index=rows.index)
    for name in moderators:
        counts = rows[name].value_counts()
        common = counts.index[counts >= least]
        if len(common) < 2 or len(common) > _MOST_LEVELS:
            raise CatalogueError(
                f"has {len(common)} levels with {least} rows or more",
                where=name,
                fix=f"use a moderator with 2 to {_MOST_LEVELS} levels: put rare ones together",
            )
        kept &= rows[name].isin(common)
    return rows[kept]


def _levels(values: pd.Series, name: str) -> list[_Level]:
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return [
        _Level(name, value, counts.index[0], int(counts[value]), (values == value).to_numpy())
        for value in counts.index[1:]
    ]


def _fit(rows: pd.DataFrame, outcome: str, metrics: list[str], levels: list[_Level], within: list[str]) -> _Fit:
    x = rows[metrics].to_numpy("float64")
    x = np.nan_to_num(x - np.nanmean(x, axis=0))
    d = np.column_stack([each.here for each in levels]).astype(float)
    means = d.mean(axis=0)
    d = d - means
    parts = [x, d, *(d[:, [number]] * x for number in range(len(levels)))]
    groups = [pd.get_dummies(rows[name].astype(str), drop_first=True).to_numpy(float) for name in within]
    design = np.column_stack([*parts, *groups, np.ones(len(rows))])
    if len(rows) < _ROWS_PER_COEFFICIENT * design.shape[1]:
        raise CatalogueError(
            f"{len(rows)} rows can't tell {design.shape[1]} coefficients",
            where="interactions",
            fix="use more rows, or fewer metrics and moderators",
        )
    y = rows[outcome].to_numpy("float64")
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    coefficients = inverse @ (design.T @ y)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    left = (y - design @ coefficients) / np.clip(1 - leverage, 1e-6, None)
    influence = (design @ inverse) * left[:, None]
    return _Fit(coefficients, influence.T @ influence, len(rows) - design.shape[1], len(metrics), means)


def _fieller(fit: _Fit, top: Array, bottom: Array, z: float) -> tuple[float, float, float]:
    """Return a ratio of two combinations with Fieller's interval; missing when the lower one may be 0."""
    (a, a_error), (b, b_error) = fit.along(top), fit.along(bottom)
    if abs(b) <= z * b_error:
        return np.nan, np.nan, np.nan
    shared = float(top @ fit.covariance @ bottom)
    square, middle, free = b**2 - (z * b_error) ** 2, a * b - z**2 * shared, a**2 - (z * a_error) ** 2
    root = np.sqrt(max(middle**2 - square * free, 0.0))
    return a / b, (middle - root) / square, (middle + root) / square


def _sentence(row: object, words: Mapping[str, str], language: str, level: float) -> str:
    plain = words.get(row.moderator) if row.value in ("True", "1", "1.0") else None
    where = words.get(f"{row.moderator}={row.value}", plain)
    against = words.get(f"{row.moderator}={row.against}")
    values = {
        "metric": words.get(row.metric, row.metric),
        "ratio": f"{row.ratio:.1f}",
        "band": f"{level:.0%} {row.low:.1f}-{row.high:.1f}",
        "effect": f"{row.effect:.3g}",
        "other": f"{row.effect_against:.3g}",
    }
    # A ratio is only told when both slopes point the same way and the lower one is not 0.
    template = _SENTENCES[language]["ratio" if row.ratio > 0 else "slopes"]
    if language == "zh":
        values |= {"where": where or f"{row.moderator}={row.value}", "against": against or "其他情况"}
    else:
        values["where"] = where or f"where {row.moderator} is {row.value}"
        values["against"] = f" as {against}" if against and row.ratio > 0 else f" {against or 'elsewhere'}"
        if row.ratio > 0 and not against:
            values["against"] = ""
    text = template.format(**values)
    return text[0].upper() + text[1:]
