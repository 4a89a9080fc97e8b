"""Traces: which layer a set of cases went wrong on, with the evidence of each layer and a sentence to say it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.tracing.circumstances import describe_course, with_circumstances
from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.decomposition import Change, Part, Regression, Shares
from svcanalytics.causes.tracing.design import lay_out, outcome_of
from svcanalytics.causes.tracing.layers import LAYERS, conditions_of, layer_of
from svcanalytics.causes.tracing.phrases import say_trace
from svcanalytics.errors import CauseError

__all__ = ["TRACE_COLUMNS", "Trace", "cases_of", "locate", "trace", "trace_all", "trace_cases"]

TRACE_COLUMNS = ("layer", "evidence", "amount", "low", "high", "p_value")

_LEVEL = 0.05
_SHARE = 1 / 3
"""A layer that explains less of the excess than this isn't called its layer."""
_NAMED = 3
_SURE = 0.01
_SHIFT = 0.05
"""What became more frequent by a smaller share of the cases isn't told."""

Basis = Literal["explains", "named", "changed", "alike", "coincides", ""]


@dataclass(frozen=True, eq=False)
class Trace:
    """What a set of cases went wrong by, layer by layer.

    Attributes
    ----------
    measure, where : str
        As a finding has them.
    n : int
        Cases of the set in the period.
    excess : float
        Cases (or units of the measure) beyond the expected, by the regression that shares them out.
    layers : DataFrame
        One row per layer, then "mix" (other places and kinds of cases) and "rest" (what nothing explains), which add up
        to the excess: layer, evidence (circumstances that carry it, the largest first: "tenure=new (61), load (4)"),
        amount, low, high (95 % interval), p_value (of no such part; by Holm 1979 for all layers and sets traced
        together; missing for mix and rest, which are not tested).
    verdict : str
        The layer that explains most, "" when the evidence doesn't say.
    through : float
        How much of the excess shows in waits, hand-overs and rework.
    alike : tuple of str
        Circumstances that can't be told apart from the set itself.
    basis : {"explains", "named", "changed", "alike", "coincides", ""}
        What the verdict rests on: the layer's circumstances explain at least a third of the excess; or the dimensions
        that name the cases speak for it, and nothing else explains it; or, where nothing explains it, its
        circumstances are what changed most in the set at the same time; or the set is nearly the same as one of its
        circumstances; or ("coincides", the weakest) they changed most, though elsewhere they make no such difference.
    changed : tuple of (str, float)
        Circumstances that became more or less frequent in the set than in other cases, and by how large a share, the
        largest first ("skips_confirm=True", 0.27).
    """

    measure: str
    where: str
    n: int
    excess: float
    layers: pd.DataFrame
    verdict: str
    through: float
    alike: tuple[str, ...] = ()
    basis: Basis = ""
    changed: tuple[tuple[str, float], ...] = ()

    def sentence(self, language: str = "en") -> str:
        """Say it in one sentence a manager reads.

        Parameters
        ----------
        language : str
            "en" or "zh".
        """
        return say_trace(self, language)

    def evidence(self) -> dict[str, object]:
        """Return the evidence as plain values, for a finding's details."""
        rows = {
            str(row.layer): {
                "evidence": str(row.evidence),
                "amount": float(row.amount),
                "low": float(row.low),
                "high": float(row.high),
                "p_value": None if np.isnan(row.p_value) else float(row.p_value),
            }
            for row in self.layers.itertuples()
        }
        told = {"basis": self.basis, "alike": list(self.alike), "changed": [list(each) for each in self.changed]}
        return {"layers": rows, "excess": self.excess, **told}


def trace(
    material: Material,
    finding: Finding,
    ids: Collection[object] | None = None,
    *,
    layers: Mapping[str, str] | None = None,
) -> Trace:
    """Trace one finding; `trace_all` says how, and is faster for several."""
    return trace_all(material, [finding], None if ids is None else {finding.finding_id: ids}, layers=layers)[0]


def locate(
    material: Material, finding: Finding, ids: Collection[object] | None = None
) -> tuple[str, dict[str, object]]:
    """Return the layer of a finding, and the evidence for it as plain values."""
    found = trace(material, finding, ids)
    return found.verdict, found.evidence()


def trace_all(
    material: Material,
    findings: Sequence[Finding],
    ids: Mapping[str, Collection[object]] | None = None,
    *,
    layers: Mapping[str, str] | None = None,
) -> list[Trace]:
    """Trace findings on the three layers.

    Each finding's excess is shared out among the circumstances of its cases (`Regression.share_out`): system and
    technology, operating rules and the way cases went, people. What the dimensions that name the cases speak for
    themselves ("version=3.2": data) is part of the evidence.

    Parameters
    ----------
    material : Material
        Where the findings come from.
    findings : sequence of Finding
        Of metrics of the material.
    ids : mapping of str to collection, optional
        By `finding_id` the ids of the cases it is about, of both periods, where ``where`` doesn't say so in dimensions.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own (see `layer_of_column`).

    Returns
    -------
    list of Trace
        In the order of the findings.

    Raises
    ------
    CauseError
        When a finding is of a metric the material hasn't, or its cases can't be told.
    """
    unknown = [f.measure for f in findings if f.measure not in material.outcomes]
    if unknown:
        raise CauseError(f"there are no cases of {unknown[0]!r}", where="findings", fix="give the material they are of")
    course = describe_course(material.events, _earlier(material)) if len(findings) else None
    found: dict[int, _Found] = {}
    for metrics in _alike(material, {f.measure for f in findings}):
        rows = with_circumstances(material.outcomes[metrics[0]], material, course)
        regression = Regression(lay_out(rows, layers=layers))
        for place, finding in enumerate(findings):
            if finding.measure in metrics:
                bad = outcome_of(material.outcomes[finding.measure], "bad")
                given = (ids or {}).get(finding.finding_id)
                inside = cases_of(rows, finding.where, material.events) if given is None else _named(rows, given)
                found[place] = _share(regression, bad, inside, finding.measure, finding.where, layers, rows)
    return _conclude([found[place] for place in range(len(findings))])


def trace_cases(
    rows: pd.DataFrame,
    where: str,
    *,
    outcome: str = "bad",
    by: Sequence[str] | None = None,
    layers: Mapping[str, str] | None = None,
) -> Trace:
    """Trace a set of cases of a frame, without a material around it.

    Parameters
    ----------
    rows : DataFrame
        One row per case: the outcome, perhaps ``period`` ("now", "before"), ``agent``, and circumstances.
    where : str
        The set, as "team=B&channel=app".
    outcome : str
        A number, more is worse.
    by : sequence of str, optional
        Circumstances to look at; default all columns that can be.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own.

    Raises
    ------
    CauseError
        When a column is missing, or the outcome isn't a number.
    """
    bad = outcome_of(rows, outcome)
    regression = Regression(lay_out(rows, outcome, by=by, layers=layers))
    return _conclude([_share(regression, bad, cases_of(rows, where), outcome, where, layers, rows)])[0]


def cases_of(rows: pd.DataFrame, where: str, events: pd.DataFrame | None = None) -> NDArray[np.bool_]:
    """Tell which rows a set of cases holds, shape ``(n,)``.

    "step=..." holds the cases that have a step of this name among `events`, when the rows have no such column.

    Raises
    ------
    CauseError
        When a dimension is no column of the rows.
    """
    inside = np.ones(len(rows), dtype=bool)
    for column, value in conditions_of(where):
        if column in rows.columns:
            said = rows[column].astype("object")
            inside &= said.where(said.notna(), "").map(str).eq(value).to_numpy()
        elif column in ("step", "activity") and events is not None and not events.empty:
            had = events.loc[events["activity"].astype(str).eq(value), "case_id"]
            case = rows["case_id"] if "case_id" in rows else rows["id"]
            inside &= case.isin(set(had)).to_numpy()
        else:
            raise CauseError(
                f"there is no column {column!r}", where=where, fix="give the ids of its cases, or name a dimension"
            )
    return inside


@dataclass(frozen=True)
class _Found:
    measure: str
    where: str
    n: int
    own: str  # the layer that its dimensions speak for
    shares: Shares
    changes: list[Change]
    alike: str  # the layer of the circumstances that can't be told apart from it, if one


def _share(
    regression: Regression,
    bad: NDArray[np.float64],
    inside: NDArray[np.bool_],
    measure: str,
    where: str,
    layers: Mapping[str, str] | None,
    rows: pd.DataFrame,
) -> _Found:
    own, layer = [column for column, _ in conditions_of(where)], layer_of(where, layers)
    shares = regression.share_out(bad, inside, own, layer)
    changes = [] if layer else _sure(regression.changes(inside, own)) or _newcomers(rows, inside)
    alike = {c.layer for c in regression.design.columns if c.name in shares.alike} - {""}
    n = int((inside & regression.design.now).sum())
    return _Found(measure, where, n, layer, shares, changes, alike.pop() if len(alike) == 1 else "")


def _sure(changes: list[Change]) -> list[Change]:
    kept = [c for c in changes if c.p_value < _SURE and abs(c.shift) >= _SHIFT]
    return sorted(kept, key=lambda c: (-abs(c.shift), c.column))


def _newcomers(rows: pd.DataFrame, inside: NDArray[np.bool_]) -> list[Change]:
    # Agents are few, and whoever moves takes all cases along: agents are counted, not cases (Fisher's exact test).
    from scipy.stats import hypergeom

    if not {"from_other_team", "agent", "period"} <= set(rows.columns):
        return []
    now = rows["period"].eq("now").to_numpy() & rows["agent"].notna().to_numpy()
    moved = rows["from_other_team"].to_numpy(dtype=bool)
    here = rows.loc[now & inside].groupby("agent")["from_other_team"].any()
    there = rows.loc[now & ~inside].groupby("agent")["from_other_team"].any()
    if here.sum() < 2 or not len(there):
        return []
    p = float(hypergeom.sf(here.sum() - 1, len(here) + len(there), here.sum() + there.sum(), len(here)))
    shift = float(moved[now & inside].mean() - moved[~now & inside].mean()) if (~now & inside).any() else 0.0
    if p >= _LEVEL or shift < _SHIFT:
        return []
    return [Change("from_other_team", "True", "people", shift, p)]


def _named(rows: pd.DataFrame, ids: Collection[object]) -> NDArray[np.bool_]:
    # Ids of rows or of cases: findings of texts and steps know the case.
    given = list(ids)
    inside = rows["id"].isin(given)
    return (inside | rows["case_id"].isin(given) if "case_id" in rows else inside).to_numpy()


def _alike(material: Material, metrics: Collection[str]) -> list[list[str]]:
    # Metrics of the same rows share their circumstances.
    out: list[list[str]] = []
    for metric in sorted(metrics):
        rows = material.outcomes[metric]
        for group in out:
            first = material.outcomes[group[0]]
            if rows["id"].equals(first["id"]) and set(rows.columns) == set(first.columns):
                group.append(metric)
                break
        else:
            out.append([metric])
    return out


def _earlier(material: Material) -> pd.Series:
    rows = material.outcomes.values()
    cases = [each.loc[each["period"].eq("before"), "case_id" if "case_id" in each else "id"] for each in rows]
    return pd.concat(cases).drop_duplicates() if cases else pd.Series(dtype="object")


def _conclude(found: list[_Found]) -> list[Trace]:
    asked = (*LAYERS, "demand")
    tested = [(place, layer) for place, f in enumerate(found) for layer in asked if layer in f.shares.parts]
    corrected = hold_family(np.array([found[place].shares.parts[layer].p_value for place, layer in tested]))
    p_values = dict(zip(tested, corrected, strict=True))
    out = []
    for place, f in enumerate(found):
        mine = {layer: p for (at, layer), p in p_values.items() if at == place}
        table = _table(f.shares, f.where if f.own else "", f.own, mine)
        verdict, basis = _verdict(table, f, f.changes)
        changed = tuple((f"{c.column}={c.value}", round(c.shift, 4)) for c in f.changes[:_NAMED])
        excess, through = f.shares.excess.amount, f.shares.through.amount
        out.append(Trace(f.measure, f.where, f.n, excess, table, verdict, through, f.shares.alike, basis, changed))
    return out


def _table(shares: Shares, where: str, own: str, p_values: dict[str, float]) -> pd.DataFrame:
    rows = []
    columns_of: dict[str, list[str]] = {}
    for name, layer in shares.layers.items():
        columns_of.setdefault(layer, []).append(name)
    for layer in (*LAYERS, "demand", "", "rest"):
        if layer not in shares.parts and layer not in LAYERS:
            continue
        part = shares.parts.get(layer, Part(0.0, 0.0, 1.0))
        low, high = part.interval()
        carried = sorted(columns_of.get(layer, ()), key=lambda c: (-shares.columns[c], c))
        said = [f"{c}={shares.values[c]} ({shares.columns[c]:.0f})" for c in carried if shares.columns[c] >= 0.5]
        named = ([where] if layer == own and where else []) + said
        p_value = p_values.get(layer, np.nan)
        rows.append((layer or "mix", ", ".join(named[:_NAMED]), part.amount, low, high, p_value))
    return pd.DataFrame(rows, columns=list(TRACE_COLUMNS))


def _verdict(table: pd.DataFrame, found: _Found, changed: list[Change]) -> tuple[str, Basis]:
    excess = found.shares.excess.amount
    told = table[table["p_value"].lt(_LEVEL) & table["amount"].gt(0) & table["amount"].ge(_SHARE * excess)]
    if excess > 0 and not told.empty:
        layer = str(told.loc[told["amount"].idxmax(), "layer"])
        return layer, "named" if layer == found.own else "explains"
    if found.own:  # what names the cases speaks for its layer until another explains it away
        return found.own, "named"
    open_ones = [c for c in changed if _SHARE * excess <= _most(table, c.layer)]
    if open_ones:
        return open_ones[0].layer, "changed"
    if found.alike:
        return found.alike, "alike"
    return (changed[0].layer, "coincides") if changed else ("", "")


def _most(table: pd.DataFrame, layer: str) -> float:
    # The most that a layer's circumstances can explain, going by what they do elsewhere.
    high = table.loc[table["layer"].eq(layer), "high"]
    return float(high.iloc[0]) if len(high) else 0.0
