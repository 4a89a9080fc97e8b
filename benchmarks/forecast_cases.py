"""The queues of the forecast benchmark, real and made up, and how each is backtested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from benchmarks import arrivals_made_up, arrivals_real
from svcanalytics.demand import Arrivals

__all__ = ["Case", "cases"]


@dataclass(frozen=True)
class Case:
    """One queue: its counts, what its planner knows, its origins, and whether the peers forecast it too."""

    name: str
    frame: pd.DataFrame
    slot: str
    country: str | None
    days: int
    origins: int
    step: int
    drivers: pd.DataFrame | None = None
    compared: bool = True

    @property
    def arrivals(self) -> Arrivals:
        """The queue as our forecasts take it; nothing is set but slot, country and drivers."""
        slot = {"1D": "day", "1h": "60min"}.get(self.slot, self.slot)
        return Arrivals(self.frame, slot, holidays=self.country, timezone="UTC", regressors=self.drivers)


def cases(data: Path | None, quick: bool = False) -> Iterator[Case]:
    """Yield the queues; the real ones when their folder is given, with a fifth of the origins when in haste."""
    for name, real in arrivals_real.SERIES.items() if data else ():
        drivers = real.drivers(data) if real.drivers else None
        frame = real.read(data)
        case = Case(name, frame, real.slot, real.country, real.days, real.origins, real.step, drivers)
        yield _fewer(case) if quick else case
    for name, kind in (arrivals_made_up.KINDS | arrivals_made_up.COVERAGE_ONLY).items():
        compared = name in arrivals_made_up.KINDS
        days, step = (5, 2) if kind.days < 100 else (10, 5)
        frame = arrivals_made_up.draw(name)
        case = Case(name, frame, kind.slot, kind.country, days, kind.origins, step, compared=compared)
        yield _fewer(case) if quick else case


def _fewer(case: Case) -> Case:
    return replace(case, origins=max(case.origins // 5, 2), step=case.step * min(5, case.origins // 2))
