"""What a measure owes to another that moved before it, as findings."""

from __future__ import annotations

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.gathering.pricing import points_of
from svcanalytics.causes.tracing.lags import relations

__all__ = ["relation_findings"]

_LEVEL = 0.01


def relation_findings(material: Material, *, lags: int = 4, level: float = _LEVEL) -> list[Finding]:
    """Return the measures that got worse after another had moved, as findings of kind "relation".

    The excess is what the other measure's change since the baseline leads to expect: its effect times its change times
    the cases of the period. A relation is told only where that made things worse; it says what goes before what, and
    the place to look for the cause is the measure that leads. What moves within the same period is left out: which one
    leads can't be told, and most of it is one thing measured twice.

    Parameters
    ----------
    material : Material
        With measures of a finer grain than its periods.
    lags : int
        As for `relations`.
    level : float
        Largest p-value.

    Returns
    -------
    list of Finding
        ``where`` is "with=<measure>&lag=<periods>"; details hold effect, its interval, and by how much the other moved.
    """
    measures = material.measures
    if material.baseline is None or measures.empty:
        return []
    out = []
    for row in relations(measures, lags=lags, level=level).rename(columns={"with": "leading"}).itertuples():
        metric, other = str(row.measure), str(row.leading)
        if row.lag < 1 or metric not in material.outcomes or other not in material.outcomes:
            continue
        bad, others = material.outcomes[metric], material.outcomes[other]
        now, before = (others.loc[others["period"] == period, "bad"] for period in ("now", "before"))
        n = int((bad["period"] == "now").sum())
        if now.empty or before.empty or not n:
            continue
        turned = _turned(material, metric) * _turned(material, other)
        moved = float(now.mean() - before.mean())
        excess, *ends = (turned * each * moved * n for each in (row.effect, row.low, row.high))
        points, low, high = (float(each) for each in points_of(material, metric, [excess, min(ends), max(ends)]))
        if excess <= 0 or not low > 0:
            continue
        details = {"effect": row.effect, "low": row.low, "high": row.high, "moved": moved, "periods": row.n}
        where = f"lag={row.lag}&with={other}"
        out.append(
            Finding("relation", metric, where, n, float(excess), points, low, high, float(row.p_value), details=details)
        )
    return out


def _turned(material: Material, metric: str) -> float:
    # Whether more of the measure is worse (1) or better (-1), told by the numbers themselves.
    rows, measures = material.outcomes[metric], material.measures
    known = measures[(measures["metric"] == metric) & measures["value"].notna()]
    level, bad = float(known["value"].mean()), float(rows["bad"].mean())
    return 1.0 if abs(level - bad) <= abs(level - (1 - bad)) else -1.0
