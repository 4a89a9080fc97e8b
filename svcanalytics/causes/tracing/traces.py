"""Traces: what became of a set's excess, layer by layer, which layer explains most, and on what that rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.layers import LAYERS, is_course
from svcanalytics.causes.tracing.phrases import say_trace
from svcanalytics.causes.tracing.shares import Change, Part, Shares
from svcanalytics.causes.tracing.within import holds_team

__all__ = ["LEAST_SHARE", "TRACE_COLUMNS", "Found", "Trace", "conclude"]

TRACE_COLUMNS = ("layer", "evidence", "amount", "low", "high", "p_value")

_LEVEL = 0.05
LEAST_SHARE = 1 / 3
"""A layer that explains less of the excess than this isn't called its layer."""
_NAMED = 3

Basis = Literal["explains", "named", "within", "changed", "alike", "coincides", "team", ""]


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
    basis : {"explains", "named", "within", "changed", "alike", "coincides", "team", ""}
        What the verdict rests on: the layer's circumstances explain at least a third of the excess; or the dimensions
        that name the cases speak for it, and nothing else explains it; or, where nothing explains it, one of its
        circumstances tells the cases of the set that went wrong from those that didn't ("within"); or they are what
        changed most in the set at the same time; or the set is nearly the same as one of them; or ("coincides") they
        changed most, though elsewhere they make no such difference; or ("team", the weakest) a team's cases of all
        kinds went wrong, and nothing on record says why: what they share is who works them.
    changed : tuple of (str, float)
        Circumstances that became more or less frequent in the set than in other cases, and by how large a share, the
        largest first ("skips_confirm=True", 0.27).
    within : str
        The circumstance of the cases of the set that went wrong, if one ("version=5.2").
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
    within: str = ""

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
        told["within"] = self.within
        return {"layers": rows, "excess": self.excess, **told}


@dataclass(frozen=True)
class Found:
    """What a trace is concluded from.

    Attributes
    ----------
    measure, where, n
        As `Trace` has them.
    own : str
        The layer that the dimensions naming the set speak for, or "".
    shares : Shares
    changes : list of Change
        What else changed in the set for sure, the largest first.
    alike : str
        The layer of the circumstances that can't be told apart from the set, if it is one; else "".
    within : list of Change
        The circumstance of the cases of the set that went wrong, if one stands out.
    """

    measure: str
    where: str
    n: int
    own: str
    shares: Shares
    changes: list[Change]
    alike: str
    within: list[Change]


def conclude(found: Sequence[Found]) -> list[Trace]:
    """Return the trace of each set; p-values hold for all layers of all of them together.

    Parameters
    ----------
    found : sequence of Found
    """
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
        within = f"{f.within[0].column}={f.within[0].value}" if f.within else ""
        out.append(
            Trace(f.measure, f.where, f.n, excess, table, verdict, through, f.shares.alike, basis, changed, within)
        )
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
        # Of a set that a layer of its own names, the course is no part but the way it works.
        mine = [c for c in columns_of.get(layer, ()) if own in ("", layer) or not is_course(c)]
        carried = sorted(mine, key=lambda c: (-shares.columns[c], c))
        said = [f"{c}={shares.values[c]} ({shares.columns[c]:.0f})" for c in carried if shares.columns[c] >= 0.5]
        named = ([where] if layer == own and where else []) + said
        p_value = p_values.get(layer, np.nan)
        rows.append((layer or "mix", ", ".join(named[:_NAMED]), part.amount, low, high, p_value))
    return pd.DataFrame(rows, columns=list(TRACE_COLUMNS))


def _verdict(table: pd.DataFrame, found: Found, changed: list[Change]) -> tuple[str, Basis]:
    excess = found.shares.excess.amount
    told = table[table["p_value"].lt(_LEVEL) & table["amount"].gt(0) & table["amount"].ge(LEAST_SHARE * excess)]
    if excess > 0 and not told.empty:
        layer = str(told.loc[told["amount"].idxmax(), "layer"])
        return layer, "named" if layer == found.own else "explains"
    if found.own:  # what names the cases speaks for its layer until another explains it away
        return found.own, "named"
    if excess <= 0:
        return "", ""
    if found.within:
        return found.within[0].layer, "within"
    open_ones = [c for c in changed if LEAST_SHARE * excess <= _most(table, c.layer)]
    if open_ones:
        return open_ones[0].layer, "changed"
    if found.alike:
        return found.alike, "alike"
    if changed:
        return changed[0].layer, "coincides"
    return ("people", "team") if holds_team(found.where) else ("", "")


def _most(table: pd.DataFrame, layer: str) -> float:
    # The most that a layer's circumstances can explain, going by what they do elsewhere.
    high = table.loc[table["layer"].eq(layer), "high"]
    return float(high.iloc[0]) if len(high) else 0.0
