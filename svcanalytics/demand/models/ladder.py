"""The models by name: which are fast enough to be tried on every queue, which are tried only when asked."""

from __future__ import annotations

from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.models.dayregression import DayRegression
from svcanalytics.demand.models.poissongamma import PoissonGamma
from svcanalytics.demand.models.protocol import Model
from svcanalytics.errors import DemandError

__all__ = ["fast_models", "light_models", "named_model", "thorough_models"]


def fast_models() -> tuple[Model, ...]:
    """Return the models that ``model="auto"`` chooses among: milliseconds a fit."""
    return (*light_models(), WeekdayAverage(8, momentum=True), WeekdayAverage(1))


def light_models() -> tuple[Model, ...]:
    """Return the models that remain when there are very many queues."""
    return DayRegression(), PoissonGamma(), WeekdayAverage(8)


def thorough_models() -> tuple[Model, ...]:
    """Return all models that can be used here: seconds a fit."""
    return fast_models()


def named_model(name: str) -> Model:
    """Return a model by its name.

    Raises
    ------
    DemandError
        There is none of that name.
    """
    known = {model.name: model for model in thorough_models()}
    if name not in known:
        raise DemandError(f"there is no model {name!r}", fix=f'use "auto" or one of {", ".join(sorted(known))}')
    return known[name]
