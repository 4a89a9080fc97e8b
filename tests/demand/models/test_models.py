"""Models of arrivals: each by a loop, a closed form or a made-up truth, and all by what every model must keep."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from benchmarks.arrivals_made_up import Kind, simulate
from svcanalytics.demand import Arrivals, DayMatrix
from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.models.dayregression import DayRegression
from svcanalytics.demand.models.drawing import busyness_cv, draw_counts
from svcanalytics.demand.models.ladder import fast_models, named_model, thorough_models
from svcanalytics.demand.models.mixed import Group, fit_effects, fit_values
from svcanalytics.demand.models.nixtla import StatsForecast
from svcanalytics.demand.models.poissongamma import PoissonGamma
from svcanalytics.demand.models.shapes import fit_shapes
from svcanalytics.errors import DemandError

HOURLY = Kind(130, 200, "1h", 8, 18, cv=0.06, country="US", holiday=0)


def history_of(kind: Kind, seed: int = 1, country: str = "US") -> tuple[DayMatrix, DayMatrix]:
    frame = simulate("q", kind, np.random.default_rng(seed))
    slot = {"1h": "60min", "1D": "day"}.get(kind.slot, kind.slot)
    arrivals = Arrivals(frame, slot=slot, holidays=country)
    return arrivals.matrices["q"], arrivals.future(10)["q"]


@pytest.fixture(scope="module")
def hourly() -> tuple[DayMatrix, DayMatrix]:
    return history_of(HOURLY)


def slow_or_not(models):
    slow = {model.name for model in models} - {model.name for model in fast_models()}
    return [pytest.param(m, id=m.name, marks=[pytest.mark.slow] if m.name in slow else []) for m in models]


EVERY = slow_or_not(thorough_models())


@pytest.mark.parametrize("model", EVERY)
def test_a_forecast_is_missing_where_closed_and_courses_are_whole_numbers_around_its_mean(model, hourly):
    history, future = hourly
    fitted = model.fit(history)
    mean = fitted.mean(future)
    courses = fitted.sample(future, 400, np.random.default_rng(0))
    assert np.array_equal(np.isnan(mean), ~future.open_slots)
    assert np.array_equal(np.isnan(courses), np.broadcast_to(~future.open_slots, courses.shape))
    counted = courses[:, future.open_slots]
    assert (counted >= 0).all() and (counted == np.rint(counted)).all()
    assert np.allclose(counted.mean(axis=0), mean[future.open_slots], rtol=0.1)


@pytest.mark.parametrize("model", EVERY)
def test_what_happens_later_never_changes_a_forecast_made_before(model):
    history, _ = history_of(HOURLY)
    recorded = np.flatnonzero(history.recorded)
    at, end = recorded[-30], recorded[-20] + 1
    other = replace(history, counts=np.where(np.arange(len(history.days))[:, None] >= at, 7.0, history.counts))
    first, second = (
        model.fit(m.rows(0, at)).mean(replace(m.rows(at, end), exposure=history.exposure[at:end]))
        for m in (history, other)
    )
    assert np.array_equal(first, second, equal_nan=True)


@pytest.mark.parametrize("model", EVERY)
def test_three_times_the_volume_gives_three_times_the_forecast(model, hourly):
    history, future = hourly
    once = model.fit(history).mean(future)
    thrice = model.fit(replace(history, counts=3 * history.counts)).mean(future)
    # Trees split elsewhere when their weights change; the others differ by the noise floor of small counts alone.
    tolerance = 0.05 if model.name in ("boosting", "prophet") else 0.015
    assert np.nanmax(np.abs(thrice / (3 * once) - 1)) < tolerance


@pytest.mark.parametrize("model", EVERY)
def test_closing_a_day_leaves_the_other_weekdays_as_they_were(model, hourly):
    history, future = hourly
    row = np.flatnonzero(history.recorded)[-25]
    closed = history.exposure.copy()
    closed[row] = 0
    shut = replace(history, exposure=closed, counts=np.where(closed > 0, history.counts, np.nan))
    with_it, without = model.fit(history).mean(future), model.fit(shut).mean(future)
    others = future.days.day_of_week != history.days[row].day_of_week
    moved = np.abs(without / with_it - 1)[others]
    assert np.nanmax(moved) < (1e-12 if isinstance(model, WeekdayAverage) and not model.momentum else 0.04)


def test_an_eight_week_average_is_the_mean_of_the_last_eight_same_weekdays(hourly):
    history, future = hourly
    mean = WeekdayAverage(8).fit(history).mean(future)
    for row, day in enumerate(future.days):
        if future.open_days[row]:
            same = [i for i in np.flatnonzero(history.recorded) if history.days[i].day_of_week == day.day_of_week][-8:]
            assert np.allclose(mean[row], sum(history.counts[i] for i in same) / 8)


def test_a_seasonal_naive_forecast_is_last_week_again(hourly):
    history, future = hourly
    mean = WeekdayAverage(1).fit(history).mean(future)
    row = int(np.flatnonzero(future.open_days)[0])
    last = [i for i in np.flatnonzero(history.recorded) if history.days[i].day_of_week == future.days[row].day_of_week][
        -1
    ]
    assert np.allclose(mean[row], history.counts[last])


def test_effects_equal_the_generalised_least_squares_of_a_dense_covariance():
    rng = np.random.default_rng(0)
    n, ahead = 60, 5
    groups = [
        Group("a", rng.standard_normal((n + ahead, 4)), 0.5),
        Group("b", rng.standard_normal((n + ahead, 3)), 0.2),
    ]
    values = np.append(rng.standard_normal(n), np.full(ahead, np.nan))
    variance = rng.uniform(0.1, 0.3, n + ahead)
    sds = {"a": 0.7, "b": 0.3, "noise": 0.4}
    found = fit_values(values[:20], variance[:20], [replace(g, root=g.root[:20]) for g in groups], noise=0.4, sds=sds,
                       steps=0, wanted=np.arange(2))  # fmt: skip
    z = np.hstack([4.0 * np.ones((20, 1)), 0.7 * groups[0].root[:20], 0.3 * groups[1].root[:20]])
    between = z @ z.T
    v = between + np.diag(0.16 + variance[:20])
    centre = np.average(values[:20], weights=1 / (variance[:20] + 0.16))
    assert np.allclose(found.log_rate, centre + between @ np.linalg.solve(v, values[:20] - centre))
    dense = (between - between @ np.linalg.solve(v, between))[:2, :2] + 0.16 * np.eye(2)
    assert np.allclose(found.covariance, dense)


def test_standard_deviations_of_effects_and_noise_are_recovered_from_counts():
    rng = np.random.default_rng(3)
    groups = [Group("kind", np.eye(40)[rng.integers(0, 40, 500)], 0.1)]
    rate = 300 * np.exp(groups[0].root @ rng.normal(0, 0.3, 40) + rng.normal(0, 0.08, 500))
    found = fit_effects(rng.poisson(rate).astype(float), np.ones(500), groups, noise=0.03).sds
    assert found["kind"] == pytest.approx(0.3, rel=0.25)
    assert found["noise"] == pytest.approx(0.08, rel=0.15)


def test_profiles_come_back_and_a_usual_day_sums_to_one():
    history, _ = history_of(replace(HOURLY, level=2000, cv=0.0))
    shapes = fit_shapes(history)
    exposed = shapes.of(history)[history.recorded]
    truth = np.nansum(history.counts, axis=0) / np.nansum(history.counts)
    assert np.allclose(exposed.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(exposed, truth, rtol=0.02)


def test_poisson_gamma_recovers_the_variation_of_days_within_a_tenth():
    found = []
    for seed in range(6):
        history, _ = history_of(Kind(300, 150, "1h", 8, 18, cv=0.15), seed, "")
        found.append(PoissonGamma().fit(history).cv)
    assert np.mean(found) == pytest.approx(0.15, rel=0.1)


def test_variation_of_days_by_moments_is_none_for_pure_poisson():
    rng = np.random.default_rng(0)
    mean = np.full(4000, 200.0)
    assert busyness_cv(rng.poisson(mean).astype(float), mean) < 0.02
    busy = rng.poisson(mean * rng.gamma(25, 0.04, 4000)).astype(float)
    assert busyness_cv(busy, mean) == pytest.approx(0.2, rel=0.05)


def test_counts_drawn_have_the_mean_and_variance_of_poisson():
    rng = np.random.default_rng(0)
    for rate in (0.2, 5.0, 29.0, 31.0, 400.0):
        counts = draw_counts(np.full(200_000, rate), rng)
        assert counts.mean() == pytest.approx(rate, rel=0.02)
        assert counts.var() == pytest.approx(rate, rel=0.03)


@pytest.mark.slow
def test_make_up_and_substituted_days_are_foreseen_within_eight_per_cent():
    days = pd.date_range("2021-01-01", "2026-10-31")
    from svcanalytics.demand import describe_days

    kind = describe_days(days, "CN")["day_class"].to_numpy(dtype=str)
    rest = np.isin(kind, ("holiday", "substituted"))
    level = np.where(rest, 350.0, np.where(kind == "weekend", 500.0, 1000.0))
    rng = np.random.default_rng(5)
    counts = np.rint(level * (1 + 0.05 * rng.standard_normal(len(days))))
    frame = pd.DataFrame({"start": days, "arrivals": counts})
    matrix = next(iter(Arrivals(frame, slot="day", holidays="CN").matrices.values()))
    missed = {"make_up": [], "substituted": []}
    for origin in np.flatnonzero(matrix.days >= "2026-01-01")[::14]:
        end = min(origin + 14, len(days))
        model = DayRegression().tuned(matrix.rows(0, origin)) if origin < len(days) - 290 else model  # noqa: F821
        mean = model.fit(matrix.rows(0, origin)).mean(matrix.rows(origin, end))[:, 0]
        for label, off in missed.items():
            at = kind[origin:end] == label
            off += list(zip(np.abs(mean - counts[origin:end])[at], counts[origin:end][at], strict=True))
    for label, off in missed.items():
        error, came = np.sum(off, axis=0)
        assert error / came <= 0.08, label


def test_a_model_that_needs_more_history_says_how_much():
    history, _ = history_of(HOURLY)
    with pytest.raises(DemandError, match="needs 30 days on record"):
        named_model("boosting").fit(history.rows(0, 10))


def test_statsforecast_is_asked_for_by_the_name_of_its_extra(hourly):
    if find_spec("statsforecast"):
        pytest.skip("statsforecast is installed")
    with pytest.raises(DemandError, match=r"svcanalytics\[nixtla\]"):
        StatsForecast("MSTL").fit(hourly[0])


@pytest.mark.parametrize("kind", ["AutoETS", "MSTL"])
def test_statsforecast_forecasts_through_the_adapter(kind, hourly):
    pytest.importorskip("statsforecast")
    history, future = hourly
    mean = StatsForecast(kind).fit(history).mean(future)
    assert np.nansum(mean) == pytest.approx(np.nansum(WeekdayAverage(8).fit(history).mean(future)), rel=0.1)


def test_an_unknown_model_is_answered_with_the_names_of_those_there_are():
    with pytest.raises(DemandError, match="day_regression"):
        named_model("oracle")
