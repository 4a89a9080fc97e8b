"""Measures by team, channel, agent or another unit: what a movement is split by, and what places are given on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import metrics
from svcanalytics.metrics.views import view
from svcanalytics.store.units import case_column

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["divide_measures", "divisions_of"]

_OF_CASES = ("cases", "flow", "events")


def divisions_of(lake: Lake) -> tuple[str, ...]:
    """Return what a report splits by, in order of preference: teams, then channels; a team's own report by channels."""
    return tuple(name for name in ("team", "channel") if not lake.unit or lake.unit.by != name)


def divide_measures(lake: Lake, chosen: Sequence[str], unit: str, period: Period, *, before: bool) -> pd.DataFrame:
    """Measure metrics by unit.

    A case counts for the team in charge of it; a contact, survey or audit for the team it names. Metrics that know no
    such column are left out.

    Parameters
    ----------
    lake : Lake
    chosen : sequence of str
        Metrics.
    unit : str
        "team", "channel", "agent", "site" …
    period : Period
        The period reported on.
    before : bool
        Measure last period too.

    Returns
    -------
    DataFrame
        As `measure` gives it, with a column named `unit`, missing for rows of nobody. Empty where fewer than two units
        are named.
    """
    known, own = metrics.catalogue(lake).metrics, case_column(lake, unit)
    columns: dict[str, list[str]] = {}
    for name in chosen:
        source = view(known[name].view)
        column = own if source.name in _OF_CASES else unit
        if column and column in source.columns():
            columns.setdefault(column, []).append(name)
    start = period.previous().start if before else period.start
    parts = [
        metrics.measure(lake, names, by=[column], every=period.kind, start=start, end=period.last).rename(
            columns={column: unit}
        )
        for column, names in columns.items()
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return frame if len(frame) and frame[unit].nunique() >= 2 else pd.DataFrame()
