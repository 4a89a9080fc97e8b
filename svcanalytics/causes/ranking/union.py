"""`find`: the findings of all kinds of evidence in one ranked table; `findings`: the same from a lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.causes.association import rules
from svcanalytics.causes.finding import Finding, tabulate
from svcanalytics.causes.gathering.collecting import gather
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.ranking.candidates import LEAST, Candidate
from svcanalytics.causes.ranking.dating import place_in_time
from svcanalytics.causes.ranking.merging import merge, merge_measures, overlap
from svcanalytics.causes.ranking.searching import search
from svcanalytics.causes.ranking.upscaling import scale_up
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.verdicts import trace_all
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["find", "findings"]

_RELATED = 0.5
_FEWEST_TEXTS = 20


def findings(
    lake: Lake,
    period: str | Period,
    baseline: str | Period | None = None,
    *,
    metric: str | Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
    limit: int | None = None,
    agents: bool = False,
    over_time: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Find what went wrong in a period, where, and what it costs.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    period, baseline, metric, leave_out
        As `gather` takes them: baseline is the period before by default, "last_year", "none", or a period.
    limit, agents, over_time, seed
        As `find` takes them; to look over time the metrics are measured week by week over two years, which takes a
        tenth of all.

    Returns
    -------
    DataFrame
        As `find` gives it.

    Raises
    ------
    PeriodError
        When a period isn't one.
    CatalogueError
        When a metric is unknown.
    """
    material = gather(lake, period, baseline, metric=metric, leave_out=leave_out, measures=over_time, seed=seed)
    return find(material, limit=limit, agents=agents, over_time=over_time, seed=seed)


def find(
    material: Material,
    *,
    limit: int | None = None,
    level: float = 0.05,
    least: int = LEAST,
    agents: bool = False,
    over_time: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Find what went wrong: the union of all kinds of evidence, each cause once, the costliest first.

    Every search corrects for what it looked at; over all searches the false discovery rate is held (Benjamini and
    Hochberg 1995), so that in a period in which nothing happened the chance of any finding is `level`. What different
    searches say of the same cases becomes one finding (`merge`), and the layer is traced (`trace_all`).

    Parameters
    ----------
    material : Material
    limit : int, optional
        Most findings; default all that are significant.
    level : float
        Share of false findings to be expected, 0-1.
    least : int
        Fewest cases that a finding is made of.
    agents : bool
        Whether single agents may be named. An agent's work is personal data: leave it off unless your policy says so.
    over_time : bool
        Whether to tell measures that got worse after another had moved, as findings of kind "relation" ("complaints
        two weeks after the response time"); needs 24 weeks or months in ``material.measures``. In 25 made-up quarters
        without causes it told none.
    seed : int
        Of the draws behind p-values.

    Returns
    -------
    DataFrame
        Columns FINDING_COLUMNS, by the points they cost in all (without a price: by how certain they are). p_value is
        that of the false discovery rate over everything looked at. details hold, beside what each kind adds: "p_search"
        (within its own search), "also" (other descriptions), "also_costs" (other measures that the same cases went
        wrong on: measure, where, excess, points) with "points_in_all", "related" (findings about much the same cases),
        "layers" (the evidence of each layer), "history" (by period what the same cases lost against the others: period,
        n, excess), "rule" (support, confidence, lift and leverage of a segment).
        ``attrs``: missing (what could not be looked at, and why), searches, level, period, baseline.

    Raises
    ------
    CauseError
        When nothing at all can be searched, or `level` is no share.
    """
    if not 0 < level < 1:
        raise CauseError(f"a level of {level:g} can't be held", where="level", fix="use 0.05 or so")
    if not any((rows["period"] == "now").any() for rows in material.outcomes.values()):
        raise CauseError(
            "no metric has a row in the period",
            where=material.period.key,
            fix=f"check the period and what was loaded{_sum_up(material.missing)}",
        )
    candidates, searches, passed_over = search(material, least=least, agents=agents, over_time=over_time, seed=seed)
    kept = [_dated(material, each) for each in merge_measures(merge(_significant(candidates, len(searches), level)))]
    kept = [_with_rule(material, each) for each in _related(sorted(_traced(material, kept), key=_rank))[:limit]]
    table = tabulate([scale_up(each.finding, material.shares) for each in kept])
    table.attrs = {
        "missing": {**material.missing, **passed_over, **_absent(material)},
        "searches": list(searches),
        "level": level,
        "period": material.period.key,
        "baseline": material.baseline.key if material.baseline else "",
    }
    return table


def _significant(candidates: Sequence[Candidate], searches: int, level: float) -> list[Candidate]:
    ordered = sorted(candidates, key=lambda each: each.finding.p_value)
    p = np.array([each.finding.p_value for each in ordered])
    q = np.minimum(p * max(searches, 1) / np.arange(1, len(p) + 1), 1.0)
    q = np.minimum.accumulate(q[::-1])[::-1]
    return [
        replace(each, finding=_told(replace(each.finding, p_value=float(value)), p_search=each.finding.p_value))
        for each, value in zip(ordered, q, strict=True)
        # What may as well have cost nothing is no finding, however surely something changed.
        if value <= level and not each.finding.low <= 0
    ]


def _dated(material: Material, each: Candidate) -> Candidate:
    # Artefacts and themes say it themselves; a relation is about no set of cases.
    finding = each.finding
    if finding.kind in ("artefact", "theme", "relation"):
        return each
    since, trend, history = place_in_time(material, finding.measure, finding.where, finding.since)
    if not trend and "usual_before" in finding.details:  # what a step did before is known, though not by whose cases
        trend = "larger" if finding.details["usual_before"] else "new"
    return replace(each, finding=_told(replace(finding, since=since, trend=trend), history=history))


def _traced(material: Material, kept: Sequence[Candidate]) -> list[Candidate]:
    open_ones = [each.finding for each in kept if each.finding.kind not in ("artefact", "relation")]
    ids = {each.finding.finding_id: each.members for each in kept if each.members is not None}
    traces = dict(zip((f.finding_id for f in open_ones), trace_all(material, open_ones, ids), strict=True))
    out = []
    for each in kept:
        trace = traces.get(each.finding.finding_id)
        finding = each.finding
        if trace is not None:
            finding = _told(replace(finding, layer=trace.verdict or finding.layer), layers=trace.evidence())
        out.append(replace(each, finding=finding))
    return out


def _with_rule(material: Material, each: Candidate) -> Candidate:
    # The same cases as a rule "cases like these go wrong more often", of shares alone.
    finding, rows = each.finding, material.outcomes[each.finding.measure]
    by = [column for column, _ in conditions_of(finding.where)]
    now = rows[rows["period"] == "now"]
    if finding.kind != "segment" or not by or not set(by) <= set(now) or not now["bad"].isin([0, 1]).all():
        return each
    table = rules(now, "bad", by, depth=len(by), min_support=1 / (2 * len(now)), level=1.0)
    place = "&".join(sorted(finding.where.split("&")))
    named = table[["&".join(sorted(name.split("&"))) == place for name in table["segment"]]]
    if named.empty:
        return each
    told = {name: float(named.iloc[0][name]) for name in ("support", "confidence", "lift", "leverage")}
    return replace(each, finding=_told(finding, rule=told))


def _related(kept: Sequence[Candidate]) -> list[Candidate]:
    out = []
    for each in kept:
        near = [
            other.finding.finding_id
            for other in kept
            if other is not each and overlap(each.cases, other.cases) >= _RELATED
        ]
        out.append(replace(each, finding=_told(each.finding, related=near)) if near else each)
    return out


def _rank(each: Candidate) -> tuple[float, float, str, str]:
    finding = each.finding
    points = float(finding.details.get("points_in_all", finding.points))  # type: ignore[arg-type]
    points = points if points == points else -1.0
    return (-round(points, 9), finding.p_value, finding.measure, finding.where)


def _told(finding: Finding, **more: object) -> Finding:
    return replace(finding, details={**finding.details, **more})


def _sum_up(missing: Mapping[str, str]) -> str:
    # A lake may lack dozens of metrics for the same reason: the most frequent one will do.
    told = pd.Series(missing, dtype="object").value_counts()
    return f": {told.index[0]} ({told.iloc[0]} metrics)" if len(told) else ""


def _absent(material: Material) -> dict[str, str]:
    out = {}
    if material.baseline is None:
        out["baseline"] = "no earlier period: a finding says where it is worse, not what changed"
    for name, what in (("events", "no steps to look at"), ("texts", "no texts to look at")):
        if getattr(material, name).empty:
            out[name] = what
    texts = material.texts["text"]
    if len(texts) and texts.nunique() < _FEWEST_TEXTS:
        said = "all texts are the same" if texts.nunique() == 1 < len(texts) else f"{texts.nunique()} different texts"
        out["themes"] = f"{said}: too few to be sorted into themes"
    unpriced = [name for name in material.outcomes if name not in set(material.worth["metric"])]
    if unpriced:
        out["worth"] = f"no index points for {', '.join(unpriced)}: ranked by how certain they are"
    return {name: why for name, why in out.items() if name not in material.missing}
