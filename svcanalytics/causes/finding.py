"""The finding: the one kind of record that every kind of evidence ends in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

import pandas as pd

__all__ = ["FINDING_COLUMNS", "Finding", "finding_id", "tabulate"]

Kind = Literal["theme", "segment", "rule", "step", "relation", "artefact"]
Layer = Literal["data", "process", "people", "demand", ""]
Trend = Literal["new", "larger", "steady", "smaller", "gone", ""]


@dataclass(frozen=True)
class Finding:
    """What went wrong, where, what it costs, how sure that is, since when, and on which layer.

    Attributes
    ----------
    kind : {"theme", "segment", "rule", "step", "relation", "artefact"}
        The evidence it rests on; "artefact" when it is the data that changed, not the service.
    measure : str
        The metric it costs, by its name in the catalogue.
    where : str
        The cases, as "team=B&channel=app"; dimensions in alphabetical order. A theme is "theme=<its id>", a step
        "step=<activity>", perhaps with dimensions beside it.
    n : int
        Cases in it, in the period.
    excess : float
        Cases (or units of the measure) that went wrong beyond what was expected.
    points, low, high : float
        Index points it costs (above 0 is a loss), with a 95 % interval.
    p_value : float
        Corrected for all that was looked at.
    layer : {"data", "process", "people", "demand", ""}
        Which layer explains most; "" when the evidence doesn't say.
    since : pandas.Timestamp
        First day it was there; NaT when it always was.
    trend : {"new", "larger", "steady", "smaller", "gone", ""}
        Against the period before; "" without one.
    cases : tuple of str
        Ids of cases that show it, the most telling first, at most 20.
    details : dict
        What the kind of evidence adds (a theme's terms in both languages, a step's hours, a layer's evidence): plain
        values only.
    """

    kind: Kind
    measure: str
    where: str
    n: int
    excess: float
    points: float
    low: float
    high: float
    p_value: float
    layer: Layer = ""
    since: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    trend: Trend = ""
    cases: tuple[str, ...] = ()
    details: dict[str, object] = field(default_factory=dict)

    @property
    def finding_id(self) -> str:
        """Its stable id, see `finding_id`."""
        return finding_id(self.measure, self.where)


FINDING_COLUMNS = ("finding_id", *(f.name for f in fields(Finding)))


def finding_id(measure: str, where: str) -> str:
    """Return the id that a finding keeps from period to period.

    It depends on what went wrong and where alone, not on the evidence or its size, so that next quarter's report can
    say "still there", "smaller" or "gone".

    Parameters
    ----------
    measure, where : str
        As `Finding` has them; the order of the dimensions in `where` does not matter.

    Returns
    -------
    str
        "F-" and eight hexadecimal digits.
    """
    place = "&".join(sorted(where.split("&")))
    return "F-" + hashlib.sha256(f"{measure}|{place}".encode()).hexdigest()[:8]


def tabulate(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as rows with the columns FINDING_COLUMNS, in the given order; no findings give no rows."""
    rows = [[f.finding_id, *(getattr(f, name) for name in FINDING_COLUMNS[1:])] for f in findings]
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS)).astype({"since": "datetime64[us]"})
