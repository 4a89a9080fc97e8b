"""Made-up organisations in whose quarter causes of known place, size and layer are planted, or none.

Two quarters of cases. Circumstances hang together (a channel brings its categories, a category its team, a region its
system); teams, agents, days and a team's weeks are lucky or unlucky of themselves; the outcomes of a case share its
luck, and a late case displeases. All draws are made whether anything is planted or not, so what a cause costs is known
case by case: the same quarter is lived through with it and without it.

Run `python -m benchmarks causes_world` for the size of every cause in points and in standard errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.causes_living import METRICS, Quarters, make_quarters
from benchmarks.causes_texts import NEW_THEME, write
from svcanalytics.causes.gathering.material import Material
from svcanalytics.periods import parse_period

__all__ = ["PLANTS", "World", "found", "make_world"]


@dataclass(frozen=True)
class Plant:
    """One cause that can be planted.

    Attributes
    ----------
    measure : str
        The metric that it costs.
    where : tuple of str
        Names of its cases, the most exact first; any of them, or other names of nearly the same cases, will do.
    layers : tuple of str
        The layers that are right; more than one where people and their rules changed together.
    kind : str
        The kind of evidence that shows it best.
    """

    measure: str
    where: tuple[str, ...]
    layers: tuple[str, ...]
    kind: str


PLANTS = {
    "slow_queue": Plant("responded_15min", ("queue=refunds", "category=refund"), ("process",), "step"),
    "weekend": Plant("responded_15min", ("weekend=yes",), ("people",), "segment"),
    "slow_step": Plant("resolved_by_due", ("step=supplier check&channel=app",), ("process",), "step"),
    "handovers": Plant("resolved_by_due", ("category=billing", "step=transfer&category=billing"), ("process",), "step"),
    "inverted_scale": Plant("csat", ("survey_route=ivr",), ("data",), "artefact"),
    "lost_answers": Plant("csat", ("channel=web",), ("data",), "artefact"),
    "theme": Plant("csat", (f"theme={NEW_THEME}",), ("process",), "theme"),
    "new_definition": Plant("first_contact_resolution", ("source=crm_b",), ("data",), "artefact"),
    "overloaded_shift": Plant("first_contact_resolution", ("shift=evening&team=Hotline B",), ("people",), "segment"),
    "skipped_step": Plant(
        "reopen_rate", ("skipped=confirm&category=technical", "category=technical"), ("process",), "rule"
    ),
    "bad_version": Plant("repeat_case_7d", ("version=5.2",), ("data",), "segment"),
    "reorganised_team": Plant("repeat_case_7d", ("team=Technical 2",), ("people", "process"), "segment"),
    "new_hires": Plant("attitude_score", ("tenure=0-2 months",), ("people",), "segment"),
    "route_device": Plant("handle_time", ("device=android&route=gateway b",), ("data",), "segment"),
}
"""All causes by name."""

_USUALLY = 10  # causes a world has when none are named


@dataclass(frozen=True, eq=False)
class World:
    """One organisation.

    Attributes
    ----------
    material : Material
        What an analyst would have.
    truth : DataFrame
        One row per planted cause: cause, measure, where, layers, kind, since, n (cases or answers it touches), excess,
        points, standard_errors.
    ids : dict of str to frozenset of str
        By cause, the ids of the rows of its measure that it touches.
    case_ids : dict of str to frozenset of str
        By cause, the cases of these rows.
    """

    material: Material
    truth: pd.DataFrame
    ids: dict[str, frozenset[str]]
    case_ids: dict[str, frozenset[str]]


def make_world(seed: int, planted: Iterable[str] | None = None, *, cases: int = 8000) -> World:
    """Make up an organisation.

    Parameters
    ----------
    seed : int
    planted : iterable of str, optional
        Keys of PLANTS; () plants nothing. Without it, ten of them by lot.
    cases : int
        Roughly how many a quarter.
    """
    lots = np.random.default_rng([seed, 99])
    chosen = sorted(lots.permutation(sorted(PLANTS))[:_USUALLY] if planted is None else planted)
    quarters = make_quarters(seed, chosen, cases)
    texts = _texts(seed, quarters)
    material = Material(
        parse_period("2026Q3"), parse_period("2026Q2"), quarters.outcomes, quarters.worth, events=quarters.events,
        texts=texts, people=quarters.staff.people, roster=_roster(quarters), training=quarters.staff.training,
        measures=_measures(quarters), definitions=quarters.definitions,
    )  # fmt: skip
    rows = [
        {"cause": name, "measure": plant.measure, "where": plant.where[0], "layers": plant.layers, "kind": plant.kind}
        | quarters.sizes[name]
        for name, plant in PLANTS.items()
        if name in chosen
    ]
    truth = pd.DataFrame(rows, columns=["cause", "measure", "where", "layers", "kind", "since", "n", "excess", "points",
                                        "standard_errors"])  # fmt: skip
    return World(material, truth, quarters.ids, quarters.case_ids)


def found(findings: pd.DataFrame, world: World, *, overlap: float = 0.5) -> pd.DataFrame:
    """Judge which planted causes a table of findings names.

    A finding names a cause when its measure is the cause's and it is about nearly the same cases: its `where` is one
    of the cause's names, or the rows it describes overlap those that the cause touches by at least `overlap` (Jaccard),
    or, where `where` can't be worked out from the rows (a theme), so large a share of the cases it shows are touched.

    Parameters
    ----------
    findings : DataFrame
        Ranked, with the columns of FINDING_COLUMNS.
    world : World
    overlap : float

    Returns
    -------
    DataFrame
        One row per planted cause: cause, rank (from 1, of the first finding that names it; 0 for none), layer (of
        that finding), right (with the right layer), rank_right (of the first that names it with the right layer).
    """
    listed = list(zip(*(findings[name] for name in ("measure", "where", "layer", "cases")), strict=True))
    named = [
        [
            (rank, layer)
            for rank, (measure, where, layer, shown) in enumerate(listed, 1)
            if measure == PLANTS[cause].measure and _same(world, cause, where, shown, overlap)
        ]
        for cause in world.truth["cause"]
    ]
    rows = []
    for cause, hits in zip(world.truth["cause"], named, strict=True):
        right = [rank for rank, layer in hits if layer in PLANTS[cause].layers]
        first = hits[0] if hits else (0, "")
        rows.append((cause, first[0], first[1], first[1] in PLANTS[cause].layers, right[0] if right else 0))
    return pd.DataFrame(rows, columns=["cause", "rank", "layer", "right", "rank_right"])


def _same(world: World, cause: str, where: str, shown: Sequence[str], overlap: float) -> bool:
    place = frozenset(where.split("&"))
    if any(place == frozenset(name.split("&")) for name in PLANTS[cause].where):
        return True
    described = _described(world.material, PLANTS[cause].measure, place)
    if described is None:
        touched = world.case_ids[cause] | world.ids[cause]
        return len(shown) > 0 and np.mean([each in touched for each in shown]) >= overlap
    both = len(described & world.ids[cause])
    return both >= overlap * len(described | world.ids[cause])


def _described(material: Material, measure: str, place: frozenset[str]) -> set[str] | None:
    """Return the ids of the period's rows that a description fits; None when the rows don't tell."""
    rows = material.outcomes[measure]
    rows = rows[rows["period"] == "now"]
    fits = np.ones(len(rows), dtype=bool)
    for pair in place:
        dimension, _, value = pair.partition("=")
        if dimension in ("step", "rework", "skipped"):
            events = material.events
            times = events.loc[events["activity"] == value, "case_id"].value_counts()
            times = rows["case_id"].map(times).fillna(0).to_numpy()
            fits &= {"step": times > 0, "rework": times > 1, "skipped": times == 0}[dimension]
        elif dimension in rows.columns:
            fits &= (
                rows[dimension].astype("object").where(rows[dimension].notna(), "").astype(str) == value
            ).to_numpy()
        else:
            return None
    return set(rows.loc[fits, "id"])


def _texts(seed: int, quarters: Quarters) -> pd.DataFrame:
    cases = quarters.cases
    rng = np.random.default_rng([seed, 50])
    new_theme = cases["new_theme"].to_numpy()
    spoken = (cases["channel"] == "phone").to_numpy()
    kept = (rng.random(len(cases)) < np.where(spoken, 0.3, 0.95)) | new_theme
    rows = cases.loc[kept, ["id", "at", "period", "team", "channel", "category"]].copy()
    language = np.where(rng.random(len(cases)) < 0.65, "zh", "en").astype("object")[kept]
    theme = np.where(new_theme, NEW_THEME, cases["category"].to_numpy("object"))[kept]
    return rows.assign(case_id=rows["id"], text=write(rng, theme, language), language=language, origin="case")


def _roster(quarters: Quarters) -> pd.DataFrame:
    works = quarters.staff.works
    agent, day, shift = np.nonzero(works)
    start = quarters.start + pd.to_timedelta(day * 24 + 8 + 6 * shift, "h")
    names = quarters.staff.people["agent"].to_numpy("object")[agent]
    return pd.DataFrame(
        {"agent": names, "start_at": start, "end_at": start + pd.Timedelta(hours=6), "kind": "work", "status": "worked"}
    )


def _measures(quarters: Quarters) -> pd.DataFrame:
    parts = []
    for metric, rows in quarters.outcomes.items():
        for every, start in (("week", "W-SUN"), ("month", "M")):
            period = rows["at"].dt.to_period(start)
            part = rows.groupby(period.dt.start_time.rename("start"))["bad"].agg(["mean", "std", "count"]).reset_index()
            part.columns = ["start", "value", "std", "n"]
            half = 1.96 * part["std"].fillna(0) / np.sqrt(part["n"])
            if METRICS[metric].share_good:
                part["value"] = 1 - part["value"]
            parts.append(part.assign(metric=metric, every=every, low=part["value"] - half, high=part["value"] + half))
    out = pd.concat(parts, ignore_index=True)
    week, month = (out["start"].dt.strftime(each) for each in ("%G-W%V", "%Y-%m"))
    return out.assign(period=week.where(out["every"] == "week", month))


def main(arguments: list[str]) -> None:
    """Print what every cause is worth, over so many worlds (20)."""
    seeds = int(arguments[0]) if arguments else 20
    truths = pd.concat([make_world(seed, PLANTS).truth for seed in range(seeds)])
    within = truths["points"].between(0.3, 1.5) & truths["standard_errors"].between(4, 8)
    table = truths.groupby("cause")[["n", "excess", "points", "standard_errors"]].agg(["min", "median", "max"])
    print(table.round(2).to_string())
    print(f"{within.mean():.1%} of {len(truths)} causes are worth 0.3-1.5 points and 4-8 standard errors")
