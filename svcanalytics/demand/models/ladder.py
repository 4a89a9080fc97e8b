"""The models by name: which are fast enough to be tried on every queue, which are tried only when asked."""

from __future__ import annotations

from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.models.boosting import Boosting
from svcanalytics.demand.models.curves import ProphetTotals
from svcanalytics.demand.models.dayfactors import DayFactors
from svcanalytics.demand.models.dayregression import DayRegression
from svcanalytics.demand.models.decomposition import SeasonalTrend
from svcanalytics.demand.models.nixtla import StatsForecast, statsforecast_installed
from svcanalytics.demand.models.poissongamma import PoissonGamma
from svcanalytics.demand.models.protocol import Model
from svcanalytics.errors import DemandError

__all__ = ["fast_models", "light_models", "named_model", "thorough_models"]


def light_models() -> tuple[Model, ...]:
    """Return the models that remain when there are very many queues."""
    return DayRegression(), PoissonGamma(), WeekdayAverage(8)


def fast_models() -> tuple[Model, ...]:
    """Return the models that ``model="auto"`` chooses among: milliseconds a fit."""
    return (*light_models(), WeekdayAverage(8, momentum=True), WeekdayAverage(1))


def thorough_models() -> tuple[Model, ...]:
    """Return all models that can be used here: up to seconds a fit."""
    slow = (DayFactors(), SeasonalTrend(), Boosting(), ProphetTotals())
    adapted = (StatsForecast("AutoETS"), StatsForecast("MSTL")) if statsforecast_installed() else ()
    return (*fast_models(), *slow, *adapted)


def named_model(name: str) -> Model:
    """Return a model by its name.

    Raises
    ------
    DemandError
        There is none of that name.
    """
    adapted = tuple(StatsForecast(kind) for kind in ("AutoETS", "AutoARIMA", "AutoTheta", "AutoCES", "MSTL", "MFLES"))
    known = {model.name: model for model in (*thorough_models(), *adapted)}
    if name not in known:
        raise DemandError(f"there is no model {name!r}", fix=f'use "auto" or one of {", ".join(sorted(known))}')
    return known[name]
