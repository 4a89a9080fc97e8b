"""Prophet on day totals, told our calendar instead of its own, times profiles of the day."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv
from svcanalytics.demand.models.shapes import fit_shapes
from svcanalytics.demand.models.totals import FittedTotals, recorded_rows

__all__ = ["ProphetTotals"]

_PLAIN = ("ordinary", "weekend")


@dataclass(frozen=True)
class ProphetTotals:
    """Prophet (Taylor and Letham 2018, Amer. Statist. 72:37) on log day totals.

    Day classes and festival days of our calendar are its holidays, by class and not by each year's own name, so that
    make-up working days and substituted days off of past years teach those to come; days of the month are a season;
    regressors and events are its regressors.
    """

    @property
    def name(self) -> str:
        """``prophet``."""
        return "prophet"

    def fit(self, history: DayMatrix) -> FittedTotals:
        """Prepare; Prophet itself runs when the days to come are known, whose holidays it must be told beforehand.

        Raises
        ------
        DemandError
            Fewer than three weeks are on record.
        """
        rows = recorded_rows(history, 15, self.name)
        shapes = fit_shapes(history)
        offset = np.maximum(shapes.of(history).sum(axis=1), 1e-9)
        level = np.log((np.nansum(history.counts, axis=1) + 0.5) / offset)

        def totals(future: DayMatrix, seen: bool = False):
            found = _run(history, rows, level[rows], future)
            return np.exp(found[: len(rows)] if seen else found[len(rows) :])

        expected = totals(history.rows(0, 0), seen=True)
        return FittedTotals(shapes, totals, busyness_cv(np.exp(level[rows]), expected))


def _run(history, rows, level, future):
    prophet = _quiet_prophet()
    days = history.days[rows].append(future.days)
    features = pd.concat([history.features.iloc[rows], future.features])
    known = [name for name in features if str(name).startswith(("event_", "x_"))]
    past = features.iloc[: len(rows)]
    known = [name for name in known if features[name].notna().all() and past[name].min() < past[name].max()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = prophet.Prophet(holidays=_holidays(days, features), uncertainty_samples=0)
        model.add_seasonality("monthly", 30.4375, 6)
        for name in known:
            model.add_regressor(name)
        frame = pd.DataFrame({"ds": days, **{name: features[name].to_numpy(float) for name in known}})
        model.fit(frame.iloc[: len(rows)].assign(y=level), seed=0)
        return model.predict(frame)["yhat"].to_numpy() if len(frame) else np.zeros(0)


def _holidays(days, features):
    kind = features["day_class"].astype(str).to_numpy()
    named = [(str(k), day) for k, day in zip(kind, days, strict=True) if k not in _PLAIN]
    if "window" in features:
        window = features["window"].astype(str).to_numpy()
        offset = features["window_offset"].to_numpy()
        named += [(f"{w} {o:+d}", day) for w, o, day in zip(window, offset, days, strict=True) if w]
    return pd.DataFrame(named, columns=["holiday", "ds"]) if named else None


def _quiet_prophet():
    # Its loggers get a handler before the import, or cmdstanpy gives itself one that prints.
    for name in ("cmdstanpy", "prophet", "prophet.plot"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
    import prophet

    logging.getLogger("prophet").setLevel(logging.CRITICAL)
    return prophet
