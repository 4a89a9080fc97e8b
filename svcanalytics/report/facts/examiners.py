"""Outside audits against the organisation's own: third parties and mystery shoppers beside QA and patrols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.errors import PublishError
from svcanalytics.quality.comparison.agreement import Limits, average_gaps, find_weak, limits_of_agreement, measure_gaps
from svcanalytics.report.facts.occasion import Occasion, open_occasion

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["AuditReview", "Examined", "compare_examiners", "read_visits", "review_audits"]

OUTSIDE = ("third_party", "mystery_shopper")
INSIDE = ("qa", "patrol")
#: Years looked at: a wave holds too few visits to tell places apart, several together do.
YEARS = 2


@dataclass(frozen=True)
class Examined:
    """Outside audits of a period against the organisation's own.

    Scores are shares (0-1) of the points possible over the items that both sides check in a scene; over all items where
    they share none.

    Attributes
    ----------
    examiners : tuple of str
        Outside kinds of audit with a visit in the period.
    against : mapping of str to tuple of str
        By scene: the own kind of audit that shares the most items with the outside ones.
    since : date
        First day of the waves taken together.
    waves : int
        Periods with an outside visit among them, this one included.
    scenes, scenes_ever : DataFrame
        By scene: `average_gaps` of this period, and of all waves together.
    places, places_ever : DataFrame
        By scene and place: `measure_gaps` of this period, and of all waves together.
    items : DataFrame
        By scene and item that both sides check: `measure_gaps` of all waves together.
    shared : mapping of str to tuple of str
        By scene: items that both check.
    apart : mapping of str to tuple of str
        By scene: items that the outside side alone checks.
    pairs : DataFrame
        wave, scene, place, outside, inside, current: one per place and wave that both sides visited.
    limits : Limits or None
        Of the pairs; None with fewer than three.
    courses : DataFrame
        wave, scene, outside, inside, difference: means over the pairs of a wave.
    weak : DataFrame
        scene, place, outside, inside, outside_weak, inside_weak, of all waves together.
    """

    examiners: tuple[str, ...]
    against: dict[str, tuple[str, ...]]
    since: date
    waves: int
    scenes: pd.DataFrame
    scenes_ever: pd.DataFrame
    places: pd.DataFrame
    places_ever: pd.DataFrame
    items: pd.DataFrame
    shared: dict[str, tuple[str, ...]]
    apart: dict[str, tuple[str, ...]]
    pairs: pd.DataFrame
    limits: Limits | None
    courses: pd.DataFrame
    weak: pd.DataFrame


@dataclass(frozen=True)
class AuditReview:
    """The comparison, and whose it is."""

    occasion: Occasion
    examined: Examined


def review_audits(
    lake: Lake | str, *, period: str, report: str = "third_party", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> AuditReview:  # fmt: skip
    """Compare the outside audits of a quarter with the organisation's own.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        The quarter of the wave, such as "2026Q3".
    report, language, scope, snapshot
        As `evaluate` takes them.

    Raises
    ------
    PublishError
        When the period holds no audit by a third party or mystery shopper: the message says what to load. Otherwise as
        `open_occasion`.
    """
    lake, occasion = open_occasion(lake, period, report, language, scope, snapshot)
    examined = compare_examiners(lake, occasion.period)
    if examined is None:
        raise PublishError(
            f"no third-party or mystery-shopper audit in {occasion.period.key}",
            where="table audits, kind",
            fix="fill in the workbook of `svcanalytics template audits` (kind third_party or mystery_shopper), load it",
        )
    return AuditReview(occasion, examined)


def compare_examiners(lake: Lake, period: Period) -> Examined | None:
    """Compare the outside audits of a period with the organisation's own; None without outside audits in it.

    Parameters
    ----------
    lake : Lake
    period : Period
    """
    since = period.start.replace(year=period.start.year - YEARS, day=min(period.start.day, 28))
    items = read_visits(lake, since, period.last)
    now = items["day"] >= period.start
    outside_now = items[now & (items["side"] == "outside")]
    if outside_now.empty:
        return None
    against = {scene: _nearest(own) for scene, own in items.groupby("scene")}
    known = [side == "outside" or kind in against[scene] for side, kind, scene in _rows(items, "side", "kind", "scene")]
    items = items[known]
    sets = {scene: _items_of(own) for scene, own in items.groupby("scene")}
    shared = {scene: tuple(sorted(out & ins)) for scene, (out, ins) in sets.items()}
    apart = {scene: tuple(sorted(out - ins)) for scene, (out, ins) in sets.items() if out - ins}
    both = [
        not shared[scene] or item in shared[scene] for scene, item in items[["scene", "item"]].itertuples(index=False)
    ]
    kept = items[both]
    kept = kept.assign(wave=_waves(kept["day"], period))
    visits = _visits(kept)
    ever = measure_gaps(visits, "place", within="scene")
    this = measure_gaps(visits[visits["day"] >= period.start], "place", within="scene")
    waves = visits.loc[visits["side"] == "outside", "wave"].nunique()
    pairs = _pairs(visits, period)
    gaps = pairs["outside"] - pairs["inside"]
    by_item = kept[kept["scene"].map(lambda scene: bool(shared[scene]))]
    by_item = by_item.assign(score=by_item["points"] / by_item["possible"])
    return Examined(
        against=against,
        examiners=tuple(kind for kind in OUTSIDE if (outside_now["kind"] == kind).any()),
        since=since,
        waves=int(waves),
        scenes=average_gaps(this, "scene"),
        scenes_ever=average_gaps(ever, "scene"),
        places=this,
        places_ever=ever,
        items=measure_gaps(by_item, "item", within="scene"),
        shared=shared,
        apart=apart,
        pairs=pairs,
        limits=limits_of_agreement(gaps) if len(gaps) >= 3 else None,
        courses=_courses(pairs),
        weak=_weak(visits),
    )


def read_visits(lake: Lake, start: date, end: date) -> pd.DataFrame:
    """Return every scored item of outside and own audits between two local days, with the visit it belongs to.

    Returns
    -------
    DataFrame
        side, kind, scene, place, item, visit, day (date), points, possible. The place is the site where the visits of a
        scene name several, else the team. Items of one visit are about one contact or case,
        or were checked in one place on one day.
    """
    columns = ["side", "kind", "scene", "place", "item", "visit", "day", "points", "possible"]
    if not lake.has("audits"):
        return pd.DataFrame(columns=columns)
    first, last = (int(day.strftime("%Y%m%d")) for day in (start, end))
    kinds = ", ".join(f"'{kind}'" for kind in (*OUTSIDE, *INSIDE))
    rows = lake.sql(
        "select kind, coalesce(scene, '') as scene, site, team, trim(item) as item, score, max_score, day_key, "
        # What was checked tells a visit; a visit to a place is over in a day.
        "hash(kind, scene, site, team, coalesce(contact_id, case_id, day_key::varchar)) as visit from audits "
        f"where kind in ({kinds}) and day_key between {first} and {last} "
        "and score is not null and max_score > 0 and item is not null"
    )
    if rows.empty:
        return pd.DataFrame(columns=columns)
    rows["side"] = rows["kind"].isin(OUTSIDE).map({True: "outside", False: "inside"})
    rows["day"] = pd.to_datetime(rows["day_key"].astype(str)).dt.date
    rows["place"] = None
    for _, own in rows.groupby("scene"):
        sites = own[own["side"] == "outside"]["site"].nunique()
        rows.loc[own.index, "place"] = own["site" if sites >= 2 or own["team"].isna().all() else "team"]
    rows = rows[rows["place"].notna()]
    return rows.rename(columns={"score": "points", "max_score": "possible"})[columns].reset_index(drop=True)


def _rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple]:
    return frame[list(columns)].itertuples(index=False, name=None)


def _nearest(own: pd.DataFrame) -> tuple[str, ...]:
    """Return the inside kinds of audit that share the most items with the outside ones of a scene."""
    outside = set(own.loc[own["side"] == "outside", "item"])
    inside = own[own["side"] == "inside"].groupby("kind")["item"].agg(lambda items: len(outside & set(items)))
    return tuple(sorted(inside.index[inside == inside.max()]))


def _items_of(own: pd.DataFrame) -> tuple[set[str], set[str]]:
    out, ins = (set(own.loc[own["side"] == side, "item"]) for side in ("outside", "inside"))
    return out, ins


def _visits(items: pd.DataFrame) -> pd.DataFrame:
    keys = ["side", "kind", "scene", "place", "wave", "day", "visit"]
    sums = items.groupby(keys, sort=True, observed=True)[["points", "possible"]].sum().reset_index()
    return sums.assign(score=sums["points"].astype("float64") / sums["possible"].astype("float64"))


def _waves(days: pd.Series, period: Period) -> pd.Series:
    """Return the key of the period each day is in: this one, or one of the same kind before it."""
    spans, reached = [period], period
    earliest = days.min()
    while reached.start > earliest:
        reached = reached.previous()
        spans.append(reached)
    starts = sorted(spans, key=lambda span: span.start)
    edges = pd.to_datetime([span.start for span in starts])
    places = edges.searchsorted(pd.to_datetime(days), side="right") - 1
    return pd.Series([starts[place].key for place in places], index=days.index)


def _pairs(visits: pd.DataFrame, period: Period) -> pd.DataFrame:
    means = visits.pivot_table(index=["wave", "scene", "place"], columns="side", values="score", observed=True)
    if not {"outside", "inside"} <= set(means.columns):
        return pd.DataFrame(columns=["wave", "scene", "place", "outside", "inside", "current"])
    pairs = means.dropna(subset=["outside", "inside"]).reset_index()
    return pairs.assign(current=pairs["wave"] == period.key)


def _courses(pairs: pd.DataFrame) -> pd.DataFrame:
    means = pairs.groupby(["scene", "wave"], sort=True)[["outside", "inside"]].mean().reset_index()
    return means.assign(difference=means["outside"] - means["inside"])


def _weak(visits: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for scene, own in visits.groupby("scene"):
        sides = {
            side: find_weak(own[own["side"] == side], "place").set_index("place") for side in ("outside", "inside")
        }
        both = sides["outside"].index.intersection(sides["inside"].index)
        columns = {
            name: sides[side].loc[both, column]
            for side in sides
            for name, column in ((side, "score"), (f"{side}_weak", "weak"))
        }
        parts.append(pd.DataFrame(columns).rename_axis("place").reset_index().assign(scene=scene))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
