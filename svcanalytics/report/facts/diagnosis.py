"""What went wrong in a period, gathered once for its report: findings, what became of the last ones, the chain of whys.

Nothing in here is text for readers but customers' words, masked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from svcanalytics import causes, improve
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.errors import CatalogueError, CauseError
from svcanalytics.store.masking import mask

if TYPE_CHECKING:
    from svcanalytics.causes import Material, WhyChain
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["Diagnosis", "amounts", "diagnose", "sum_points", "too_many"]

MOST_LINKED = 30
MOST_QUOTES = 3
_ASKED_WHY = 3
_SHORTEST_QUOTE, _LONGEST_QUOTE = 8, 140


@dataclass(frozen=True)
class Diagnosis:
    """Findings of a period and what belongs to them.

    Attributes
    ----------
    findings : DataFrame
        As `causes.findings` gives it, the costliest first.
    before : DataFrame
        Those of the period before, found in the same way; empty where nothing could be looked for.
    followed : DataFrame
        As `causes.follow` gives it of both; empty without a period before.
    links : DataFrame
        As `improve.propose_actions` gives it: which line of the ledger deals with a finding.
    chain : WhyChain or None
        Why, and why that, of the first finding that has an answer; `chained` is its id.
    chained : str
    quotes : tuple of str
        Customers' words about the finding `quoted`, masked, at most three.
    quoted : str
    why_not : str
        Why nothing could be looked for; "" where it could.
    """

    findings: pd.DataFrame = field(default_factory=pd.DataFrame)
    before: pd.DataFrame = field(default_factory=pd.DataFrame)
    followed: pd.DataFrame = field(default_factory=pd.DataFrame)
    links: pd.DataFrame = field(default_factory=pd.DataFrame)
    chain: WhyChain | None = None
    chained: str = ""
    quotes: tuple[str, ...] = ()
    quoted: str = ""
    why_not: str = ""

    @property
    def priced(self) -> bool:
        """Whether findings have a price in index points."""
        return bool(len(self.findings)) and bool(self.findings["points"].notna().any())

    @property
    def service(self) -> pd.DataFrame:
        """The findings about the service, the costliest first; without a price the largest first (`too_many`)."""
        return self._of(artefact=False)

    @property
    def artefacts(self) -> pd.DataFrame:
        """The findings about the data: it was counted otherwise, the service did not change."""
        return self._of(artefact=True)

    def _of(self, *, artefact: bool) -> pd.DataFrame:
        if self.findings.empty:
            return self.findings
        found = self.findings[(self.findings["kind"] == "artefact") == artefact]
        if self.priced:
            return found
        return (
            found.assign(_size=too_many(found))
            .sort_values("_size", ascending=False, kind="stable")
            .drop(columns="_size")
        )


def diagnose(lake: Lake, period: Period) -> Diagnosis:
    """Find what went wrong in a period and in the one before, and ask why of the first finding.

    A lake in which nothing can be looked for gives a diagnosis that says why; a report never fails for it.

    Parameters
    ----------
    lake : Lake
    period : Period
    """
    try:
        material, earlier = causes.gather_each(lake, [period, period.previous()], measures=False)
        found = causes.find(material)
    except (CauseError, CatalogueError) as problem:
        return Diagnosis(why_not=problem.what)
    before = _found_before(earlier) if material.baseline is not None else pd.DataFrame()
    del earlier  # a large lake's material weighs some hundred megabytes
    followed = pd.DataFrame()
    if "finding_id" in before.columns:
        told = found.attrs
        found = causes.keep_themes(found, before)
        found.attrs = told
        followed = causes.follow(found, before)
    lines = improve.read_actions(lake)
    links = improve.propose_actions(found, lines, causes.describe, most=MOST_LINKED)
    chosen = Diagnosis(found).service
    chain, chained = _ask_why(material, chosen)
    quotes, quoted = _quote(material, chosen)
    return Diagnosis(found, before, followed, links, chain, chained, quotes, quoted)


def amounts(findings: pd.DataFrame) -> pd.DataFrame:
    """Return what each finding costs in all: points, low, high.

    Where the same cases went wrong on other measures too, their points are added, and the interval is taken to be as
    wide in proportion as that of the measure that costs most: the cases are the same, and so is most of their luck.

    Parameters
    ----------
    findings : DataFrame
        As `causes.findings` gives it.
    """
    points = findings["points"].astype("float64").to_numpy()
    whole = np.array(
        [float(told.get("points_in_all", own)) for told, own in zip(findings["details"], points, strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(points > 0, whole / points, 1.0)
    bounds = {name: findings[name].astype("float64").to_numpy() * factor for name in ("low", "high")}
    return pd.DataFrame({"points": whole, **bounds}, index=findings.index)


def sum_points(findings: pd.DataFrame) -> float:
    """Return what findings cost together; what costs the same measure by much the same cases is counted once.

    Parameters
    ----------
    findings : DataFrame
        As `causes.findings` gives it, the costliest first.
    """
    counted: dict[str, set[str]] = {}
    total = 0.0
    for row in findings.to_dict("records"):
        near = set(row["details"].get("related", ()))
        own = [(row["measure"], row["points"])]
        own += [(cost["measure"], cost["points"]) for cost in row["details"].get("also_costs", ())]
        for measure, points in own:
            others = counted.setdefault(str(measure), set())
            if points == points and not near & others:
                total += float(points)
                others.add(row["finding_id"])
    return total


def too_many(findings: pd.DataFrame) -> pd.Series:
    """Return how many cases went wrong beyond the expected; of a mean, which counts none, all that it is about.

    Parameters
    ----------
    findings : DataFrame
        As `causes.findings` gives it.
    """
    return findings[["excess", "n"]].astype("float64").min(axis=1)


def _found_before(material: Material) -> pd.DataFrame:
    try:
        return causes.find(material)
    except CauseError:
        return pd.DataFrame()


def _ask_why(material: Material, found: pd.DataFrame) -> tuple[WhyChain | None, str]:
    """Return the chain of whys of the first finding that leads to something one can act on, else of the first.

    It is asked from the measure as a whole, so that a reader sees how much of it the finding is; where the chain leads
    elsewhere, from the finding's own cases.
    """
    first: tuple[WhyChain | None, str] = (None, "")
    for row in found.head(_ASKED_WHY).to_dict("records"):
        chain = _chain(material, row)
        if chain is not None and chain.stopped == "told":
            return chain, row["finding_id"]
        if chain is not None and first[0] is None:
            first = chain, row["finding_id"]
    return first


def _chain(material: Material, row: dict[str, Any]) -> WhyChain | None:
    rows = causes.with_circumstances(material.outcomes[row["measure"]], material)
    named = {column for column, _ in conditions_of(row["where"])}
    for where in ("", row["where"]):
        try:
            chain = causes.five_why(rows, measure=row["measure"], where=where)
        except CauseError:  # such cases can't be told from the rows alone: those of a theme
            continue
        if len(chain.links) > 1 and (where or named & set(chain.links["column"])):
            return chain
    return None


def _quote(material: Material, found: pd.DataFrame) -> tuple[tuple[str, ...], str]:
    """Return what customers say of the first finding about their words, else of the first that has any."""
    for row in sorted(found.to_dict("records"), key=lambda row: row["kind"] != "theme"):
        told = row["details"].get("quotes") or _words_of(material, row["cases"])
        quotes = tuple(dict.fromkeys(_shown(text) for text in told))[:MOST_QUOTES]
        if quotes:
            return quotes, row["finding_id"]
    return (), ""


def _words_of(material: Material, cases: tuple[str, ...]) -> list[str]:
    texts = material.texts
    if texts.empty:
        return []
    key = "case_id" if "case_id" in texts.columns else "id"
    first = texts[texts[key].isin(cases)].drop_duplicates(key).set_index(key)["text"]
    words = [str(first[case]) for case in cases if case in first.index]
    return [text for text in words if len(text.strip()) >= _SHORTEST_QUOTE]


def _shown(text: object) -> str:
    words = " ".join(mask(str(text)).split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "…"
