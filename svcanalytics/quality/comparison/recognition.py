"""Service stars: recognised are those that stand out for sure, with what they did well; fewer when fewer do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from svcanalytics.errors import CatalogueError

__all__ = ["barred_units", "star_reason", "stars"]


def stars(
    compared: pd.DataFrame, *, of: str = "index", most: int = 10, barred: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Choose service stars among the units that stand out.

    A star does better than the others together for sure: corrected for the number of units asked, so that in a month in
    which nobody differs one is named with probability 0.05 at most. Small, suppressed and barred units are never named.
    Of more than `most` the best by their shrunken value are taken, because a small unit's luck counts less there.

    Parameters
    ----------
    compared : pandas.DataFrame
        What `compare` returned for `of`, and for further families and metrics that may serve as the reason.
    of : str
        What stars are chosen by.
    most : int
        How many at most.
    barred : mapping of str to str, optional
        Units that can't be stars and why, as `barred_units` gives them.

    Returns
    -------
    pandas.DataFrame
        Best first: star (1, 2, …), unit, period, value, low, high, centre, n, rank, rank_low, rank_high, p_value and
        strengths: the families and other metrics of `compared` in which the unit stands out too (tuple, clearest
        first). ``attrs["stood_out"]`` counts those that stood out, ``attrs["barred"]`` names those of them left out.

    Raises
    ------
    CatalogueError
        When `compared` does not hold `of`, holds it for several periods, or `most` is below 1.
    """
    chosen = compared[compared["of"] == of]
    if chosen.empty or chosen["period"].ne(chosen["period"].iloc[0]).any():
        held = ", ".join(compared["of"].drop_duplicates())
        raise CatalogueError(
            f"{of!r} is not compared" if chosen.empty else f"{of!r} is compared in several periods",
            where="stars",
            fix=f"choose by one of: {held}" if chosen.empty else "choose the stars of one period",
        )
    if most < 1:
        raise CatalogueError(f"{most} stars can't be named", where="stars", fix="give 1 or more")
    reasons = dict(barred or {})
    outstanding = chosen[chosen["stands_out"] == "better"]
    # `compare` puts the best first, whichever way the metric runs; shrunken values need the same sense.
    up = outstanding["value"].gt(outstanding["centre"]).all()
    ordered = outstanding.sort_values(["shrunk", "unit"], ascending=[not up, True], kind="stable")
    named = ordered[~ordered["unit"].isin(reasons)].head(most).reset_index(drop=True)
    others = compared[~compared["of"].isin([of, "index"]) & (compared["stands_out"] == "better")].sort_values(
        "p_value", kind="stable"
    )
    strengths = others.groupby("unit", sort=False)["of"].agg(tuple)
    kept = ["unit", "period", "value", "low", "high", "centre", "n", "rank", "rank_low", "rank_high", "p_value"]
    table = named[kept].assign(strengths=[strengths.get(unit, ()) for unit in named["unit"]])
    table.insert(0, "star", range(1, len(table) + 1))
    table.attrs["stood_out"] = len(outstanding)
    table.attrs["barred"] = {unit: reasons[unit] for unit in outstanding["unit"] if unit in reasons}
    return table


def barred_units(
    measures: pd.DataFrame,
    unit: str,
    *,
    none_of: Sequence[str] = ("fatal_error_rate",),
    must_meet: Sequence[str] = (),
) -> dict[str, str]:
    """Return which units can't be recognised, and by which metric: it rules out a single case, or its target is missed.

    Parameters
    ----------
    measures : pandas.DataFrame
        As `measure` gives them by `unit`, of the period in question.
    unit : str
        Column of units.
    none_of : sequence of str
        Metrics of which nothing may have occurred (numerator above 0 bars).
    must_meet : sequence of str
        Metrics, such as standards, whose target must be met; a unit without a verdict isn't barred.

    Returns
    -------
    dict of str to str
        Unit to the metric that bars it, the first in the order given.
    """
    metric = measures["metric"]
    occurred = metric.isin(none_of) & measures["numerator"].fillna(0).gt(0)
    missed = metric.isin(must_meet) & measures["met"].eq(False).fillna(False)
    wrong = measures[(occurred | missed).to_numpy(dtype=bool)]
    order = {name: place for place, name in enumerate([*none_of, *must_meet])}
    rows = sorted(zip(wrong[unit].astype(str), wrong["metric"], strict=True), key=lambda row: (row[0], order[row[1]]))
    return dict(reversed(rows))


def star_reason(star: Mapping[str, object], language: str, names: Mapping[str, str] | None = None) -> str:
    """Say in a sentence why a unit is a star.

    Parameters
    ----------
    star : mapping
        A row of `stars` (``row._asdict()``, ``to_dict("records")``).
    language : str
        "zh" or "en".
    names : mapping of str to str, optional
        What families and metrics are called in that language.
    """
    called = dict(names or {})
    strengths = [called.get(str(key), str(key)) for key in star["strengths"]][:3]  # type: ignore[attr-defined]
    value, centre = float(star["value"]), float(star["centre"])  # type: ignore[arg-type]
    # Rates read as percentages; an index runs to 100.
    score, mean = (f"{v:.1%}" if max(abs(value), abs(centre)) <= 1 else f"{v:.1f}" for v in (value, centre))
    first, last, n = star["rank_low"], star["rank_high"], star["n"]
    if language == "zh":
        place = f"第{first}名" if first == last else f"第{first}至{last}名之间"
        also = f"\uff0c{'、'.join(strengths)}也显著更好" if strengths else ""
        cases = "" if pd.isna(n) else f"\uff08样本{n}\uff09"
        return f"{score}{cases}\uff0c显著优于总体{mean}\uff0c名次在{place}{also}\u3002"
    place = f"place {first}" if first == last else f"places {first} to {last}"
    also = f"; also stands out in {', '.join(strengths)}" if strengths else ""
    cases = "" if pd.isna(n) else f" on {n} records"
    return f"{score}{cases}, better than the others' {mean} for sure, {place}{also}."
