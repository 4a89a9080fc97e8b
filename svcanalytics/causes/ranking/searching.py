"""The searches: every kind of evidence asked once, what names a mechanism before what names a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material, dimensions_of
from svcanalytics.causes.gathering.pricing import points_of
from svcanalytics.causes.ranking.candidates import Candidate, candidate, case_ids, rows_of, telling_cases
from svcanalytics.causes.ranking.contrasting import Contrast, Scan
from svcanalytics.causes.ranking.dating import first_day
from svcanalytics.causes.ranking.layout import Layout, lay_out
from svcanalytics.causes.ranking.merging import same
from svcanalytics.causes.ranking.theming import divide_by_theme
from svcanalytics.causes.steps import step_findings
from svcanalytics.causes.text import theme_findings
from svcanalytics.causes.tracing.following import relation_findings
from svcanalytics.causes.tracing.gatekeeping import artefact_findings
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.verdicts import cases_of

__all__ = ["search"]

_LEVEL = 0.05


def search(
    material: Material, *, least: int, agents: bool, over_time: bool = False, seed: int
) -> tuple[list[Candidate], list[str], dict[str, str]]:
    """Ask every kind of evidence.

    Changes of the data and of the process are looked for first. Segments are then scanned with what these explain taken
    for granted, so that the shadow of a slow step among some customers is no finding of its own; a segment that is just
    another name for the same cases stays, to be put together with it.

    Parameters
    ----------
    material : Material
    least : int
        Fewest rows of a finding.
    agents : bool
        Whether single agents may be named.
    over_time : bool
        Whether to look for measures that go before others.
    seed : int

    Returns
    -------
    candidates : list of Candidate
    searches : list of str
        All that was searched, found or not.
    passed_over : dict of str to str
        What could not be looked at in full, and why.
    """
    mechanisms: list[Candidate] = []
    searches: list[str] = []
    passed_over: dict[str, str] = {}
    if material.baseline is not None and material.outcomes:
        searches.append("definitions and sources")
        mechanisms += _artefacts(material, seed, least)
        if not material.events.empty:
            searches.append("steps")
            mechanisms += _named(material, *step_findings(material, seed=seed), least)
        if not material.texts.empty:
            searches.append("themes")
            mechanisms += _named(material, *theme_findings(material, seed=seed), least)
    found = list(mechanisms)
    if over_time and material.baseline is not None and not material.measures.empty:
        searches.append("relations over time")
        for each in relation_findings(material):
            found.append(candidate(material, each, (material.outcomes[each.measure]["period"] == "now").to_numpy()))
    themes = pd.DataFrame()
    if material.baseline is None:
        material, themes = divide_by_theme(material, seed)
    layouts: dict[tuple[object, ...], Layout] = {}
    for metric in material.outcomes:
        segments = _segments(material, metric, layouts, mechanisms, themes, least, agents)
        if segments is not None:
            searches.append(f"segments of {metric}")
            found += segments
    for layout in layouts.values():
        for name, rare in layout.left_out.items():
            passed_over[f"dimension {name}"] = f"of its values {rare} rare ones are looked at as one"
    return found, searches, passed_over


def _artefacts(material: Material, seed: int, least: int) -> list[Candidate]:
    found = []
    for finding in artefact_findings(material, seed=seed):
        rows = material.outcomes[finding.measure]
        inside = cases_of(rows, finding.where, material.events) & (rows["period"] == "now").to_numpy()
        inside &= (rows["at"] >= finding.since).to_numpy() if not pd.isna(finding.since) else True
        found.append(candidate(material, finding, inside))
    return [each for each in found if each.rows.sum() >= least]


def _named(
    material: Material, findings: Sequence[Finding], members: Mapping[str, Iterable[object]], least: int
) -> list[Candidate]:
    # Findings whose cases are named one by one.
    found = []
    for finding in findings:
        ids = frozenset(map(str, members[finding.finding_id]))
        found.append(candidate(material, finding, rows_of(material, finding, ids), ids))
    return [each for each in found if each.rows.sum() >= least]


def _segments(
    material: Material,
    metric: str,
    layouts: dict[tuple[object, ...], Layout],
    mechanisms: Sequence[Candidate],
    themes: pd.DataFrame,
    least: int,
    agents: bool,
) -> list[Candidate] | None:
    """Return segments of a metric; None when it can't be searched."""
    rows = material.outcomes[metric]
    kept = np.ones(len(rows), dtype=bool) if material.baseline else (rows["period"] == "now").to_numpy()
    rows = rows[kept]
    by = dimensions_of(rows) + (["agent"] if agents and "agent" in rows.columns else [])
    bad = rows["bad"].to_numpy("float64")
    if not by or (rows["period"] == "now").sum() < least or np.ptp(bad) == 0:
        return None
    key = (tuple(by), len(rows), int(pd.util.hash_pandas_object(rows[["id", "period"]], index=False).sum()))
    if key not in layouts:
        layouts[key] = lay_out(rows, by, least)
    start, length = pd.Timestamp(material.period.start), pd.Timedelta(days=material.period.days)
    order = ((rows["at"] - start) / length).to_numpy()
    mine = [each for each in mechanisms if each.finding.measure == metric]

    scan = Scan(layouts[key], bad, order, least=least)

    def look(known: Sequence[Candidate]) -> list[Candidate]:
        causes = scan.causes([each.rows[kept] for each in known])
        return [_segment(material, metric, rows, kept, themes, each) for each in causes]

    found = look(())
    if not mine:
        return found
    significant = [each for each in mine if each.finding.p_value <= _LEVEL]
    names = [each for each in found if any(same(each, other) for other in significant)]
    return names + [each for each in look(significant) if each.finding.where not in {n.finding.where for n in names}]


def _segment(
    material: Material, metric: str, rows: pd.DataFrame, kept: np.ndarray, themes: pd.DataFrame, each: Contrast
) -> Candidate:
    since = pd.NaT
    if material.baseline is not None:
        now = each.rows & (rows["period"] == "now").to_numpy()
        since = first_day(rows.loc[now, "at"], each.left[now], pd.Timestamp(material.period.start))
    points, low, high = (float(x) for x in points_of(material, metric, [each.excess, each.low, each.high]))
    inside = rows[each.counted]
    value = inside["bad"].mean()
    details: dict[str, object] = {
        "value": float(value),
        "expected": float(value - each.excess / len(inside)),
        "z": each.z,
        "alternatives": list(each.others),
        "compared_with": "the period before" if material.baseline is not None else "all cases of the period",
    }
    theme = dict(conditions_of(each.where)).get("theme", "")
    if theme in themes.index:
        details |= {name: _plain(themes.loc[theme, name]) for name in ("label", "terms_zh", "terms_en")}
    finding = Finding(
        "theme" if theme else "segment", metric, each.where, len(inside), each.excess, points, low, high, each.p_value,
        since=since, cases=telling_cases(inside, each.left[each.counted]), details=details,
    )  # fmt: skip
    mask = np.zeros(len(kept), dtype=bool)
    mask[np.flatnonzero(kept)[each.counted]] = True
    members = frozenset(case_ids(rows[each.rows])) if "theme" in dict(conditions_of(each.where)) else None
    return candidate(material, finding, mask, members)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else str(value)
