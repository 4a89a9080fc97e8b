import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Dependence, Goalposts, Profile, ProfileMetric, estimate_dependence, measure_dependence


def rates(hits, trials, start="2025-01-01", **columns):
    """Rates by day; hits and trials are dicts of arrays by metric."""
    parts = []
    for metric, x in hits.items():
        days = pd.date_range(start, periods=len(x))
        value = np.asarray(x) / trials[metric]
        part = {"metric": metric, "period": days.strftime("%Y-%m-%d"), "start": days, "value": value}
        part |= {
            "n": trials[metric],
            "numerator": x,
            "denominator": trials[metric],
            "std": np.sqrt(value * (1 - value)),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).assign(**columns)


def same_cases(r, days=720, cases=30, day_luck=0.0, seed=0):
    """Two rates of the same cases, whose yes and no are correlated by r; and one of other cases."""
    rng = np.random.default_rng(seed)
    luck = day_luck * rng.standard_normal((days, 1, 1))
    shared, own = rng.standard_normal((days, cases, 1)), rng.standard_normal((days, cases, 3))
    # Where both rest on the same luck they are equal, else independent: that correlates them by the share of `both`^2.
    pick = (rng.random((days, cases, 2)) < np.sqrt(r)) if r else np.zeros((days, cases, 2), dtype=bool)
    good = np.concatenate([np.where(pick, shared, own[..., :2]), own[..., 2:]], axis=2) + luck > -0.5
    return rates({m: good[..., i].sum(axis=1) for i, m in enumerate("abc")}, dict.fromkeys("abc", np.full(days, cases)))


def test_measures_of_the_same_cases_are_found_to_be_correlated_as_their_cases_are():
    found = estimate_dependence(same_cases(0.5))
    assert found.correlation.loc["a", "b"] == pytest.approx(0.5, abs=0.08)
    assert found.correlation.loc[["a", "b"], "c"].abs().max() < 0.08
    assert (found.factors < 1.1).all() and found.days == 720


def test_the_estimate_before_shrinking_is_that_of_a_naive_loop_over_days():
    frame = same_cases(0.5, days=28 * 6)
    x, y = (frame.pivot_table(name, "start", "metric").to_numpy() for name in ("numerator", "denominator"))
    month, weekday = (frame["start"].drop_duplicates().dt.month.to_numpy(), np.arange(len(x)) % 7)
    e = np.empty_like(x)
    for j in range(3):
        for m in set(month):
            at = month == m
            e[at, j] = x[at, j] - x[at, j].sum() / y[at, j].sum() * y[at, j]
        for d in range(7):
            at = weekday == d
            e[at, j] -= e[at, j].sum() / y[at, j].sum() * y[at, j]
    raw = e.T @ e / np.sqrt(np.outer((e**2).sum(axis=0), (e**2).sum(axis=0)))
    found = estimate_dependence(frame).correlation.to_numpy()
    kept = found[0, 1] / raw[0, 1]
    assert 0.8 < kept < 1
    assert found[~np.eye(3, dtype=bool)] == pytest.approx(kept * raw[~np.eye(3, dtype=bool)])


def test_lucky_days_show_as_over_dispersion_and_as_correlation_of_measures_of_different_cases():
    calm, lucky = (estimate_dependence(same_cases(0.0, day_luck=luck)) for luck in (0.0, 0.25))
    assert calm.factors.to_numpy() == pytest.approx(1, abs=0.1)
    # A day's luck of 0.25 moves its rate by 0.25 x the normal density at -0.5: variance 30 x that^2 / (p (1 - p)) more.
    extra = 29 * (0.25 * 0.352) ** 2 / (0.69 * 0.31)
    assert lucky.factors.to_numpy() == pytest.approx(1 + extra, abs=0.25)
    assert lucky.correlation.loc["a", "c"] == pytest.approx(extra / (1 + extra), abs=0.1)


def test_the_estimated_covariance_is_that_of_the_measures_over_longer_periods():
    """What the days of two years say of months agrees with four thousand months simulated."""
    rng = np.random.default_rng(5)
    days, months, cases = 30, 4000, 20
    luck = 0.2 * rng.standard_normal((months, days, 1, 1)) + np.sqrt(0.4) * rng.standard_normal(
        (months, days, cases, 1)
    )
    good = luck + np.sqrt(0.6) * rng.standard_normal((months, days, cases, 2)) > -0.5
    rate = good.mean(axis=(1, 2))
    by_day = good[:24].sum(axis=2).reshape(-1, 2)
    found = estimate_dependence(
        rates({m: by_day[:, i] for i, m in enumerate("ab")}, dict.fromkeys("ab", np.full(len(by_day), cases)))
    )
    p = rate.mean()
    assert found.factors.mean() == pytest.approx(rate.var(axis=0).mean() * days * cases / (p * (1 - p)), rel=0.12)
    assert found.correlation.loc["a", "b"] == pytest.approx(np.corrcoef(rate.T)[0, 1], abs=0.08)


def test_weekdays_and_real_changes_between_months_are_no_error():
    days = np.arange(364)
    month = pd.date_range("2025-01-01", periods=364).month.to_numpy()
    trials = np.full(364, 400)
    level = 0.6 + 0.15 * (days % 7 >= 5) + 0.1 * np.sin(month)
    rng = np.random.default_rng(3)
    hits = {m: rng.binomial(trials, level) for m in "ab"}
    found = estimate_dependence(rates(hits, dict.fromkeys("ab", trials)))
    assert found.factors.to_numpy() == pytest.approx(1, abs=0.2)
    assert abs(found.correlation.loc["a", "b"]) < 0.1


def test_means_are_compared_with_the_spread_of_their_rows():
    rng = np.random.default_rng(4)
    days, n = 400, 25
    luck = np.exp(0.3 * rng.standard_normal((days, 1)))
    for factor, values in ((1, rng.exponential(60, (days, n))), (2, luck * rng.exponential(60, (days, n)))):
        start = pd.date_range("2025-01-01", periods=days)
        frame = pd.DataFrame({"metric": "wait", "period": start.strftime("%Y-%m-%d"), "start": start})
        frame = frame.assign(value=values.mean(axis=1), n=n, numerator=values.sum(axis=1), denominator=n)
        found = estimate_dependence(frame.assign(std=values.std(axis=1, ddof=1))).factors["wait"]
        assert found < 1.15 if factor == 1 else found > 2


def test_counts_and_quantiles_correlate_but_keep_factor_one():
    rng = np.random.default_rng(6)
    luck, start = rng.standard_normal(300), pd.date_range("2025-01-01", periods=300)
    base = pd.DataFrame({"period": start.strftime("%Y-%m-%d"), "start": start, "std": np.nan, "denominator": np.nan})
    count = np.rint(200 + 20 * luck + 5 * rng.standard_normal(300))
    p90 = 500 + 50 * luck + 10 * rng.standard_normal(300)
    frame = pd.concat(
        [
            base.assign(metric="opened", value=count, n=count, numerator=count),
            base.assign(metric="wait_p90", value=p90, n=200, numerator=np.nan),
        ]
    )
    found = estimate_dependence(frame)
    assert found.correlation.loc["opened", "wait_p90"] > 0.85
    assert found.factors.tolist() == [1.0, 1.0]


def test_units_are_pooled_and_neither_their_levels_nor_the_order_of_rows_matters():
    near = same_cases(0.5, days=120, seed=1).assign(team="A")
    far = same_cases(0.5, days=120, seed=2).assign(team="B")
    both = pd.concat([near, far], ignore_index=True)
    found = estimate_dependence(both)
    apart = (estimate_dependence(part).correlation.loc["a", "b"] for part in (near, far))
    assert found.correlation.loc["a", "b"] == pytest.approx(np.mean(list(apart)), abs=0.05)
    again = estimate_dependence(both.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(found.correlation, again.correlation)
    assert found.factors.to_numpy() == pytest.approx(again.factors.to_numpy())


def test_two_names_of_one_metric_still_give_a_correlation_that_can_be_drawn_from():
    frame = same_cases(0.5)
    twin = frame[frame["metric"] == "a"].assign(metric="z")
    matrix = estimate_dependence(pd.concat([frame, twin])).correlation
    assert matrix.loc["a", "z"] > 0.9 and np.isfinite(np.linalg.cholesky(matrix)).all()


def test_a_lake_is_measured_by_day_even_where_days_are_too_few_to_show(lake):
    start = pd.Timestamp("2026-01-01 09:00", tz="Asia/Shanghai")
    days = np.repeat(np.arange(60), 6)
    rng = np.random.default_rng(0)
    good = rng.random(360) < 0.5
    cases = pd.DataFrame({"case_id": [f"C{i}" for i in range(360)]})
    cases["opened_at"] = (start + pd.to_timedelta(days, unit="D")).tz_convert("UTC")
    cases["resolved_at"] = cases["opened_at"] + pd.to_timedelta(np.where(good, 1, 40), unit="h")
    cases["resolution"], cases["due_at"] = "yes", cases["opened_at"] + pd.Timedelta(hours=24)
    sv.store.write(lake, {"cases": cases})
    posts = Goalposts(0.0, 0.8, 1.0)
    metrics = ("resolved_by_due", "resolution_rate")
    profile = Profile("p", {"resolution": 1.0}, tuple(ProfileMetric(m, "resolution", 0.5, posts) for m in metrics))
    found = measure_dependence(lake, profile)
    assert set(found.factors.index) == set(metrics) and found.days == 60


def test_stated_dependence_must_be_possible():
    names = ["a", "b"]
    whole = pd.Series(1.0, index=names)
    with pytest.raises(CatalogueError, match="correlated like this"):
        Dependence(pd.DataFrame([[1, 1.2], [1.2, 1]], names, names), whole)
    with pytest.raises(CatalogueError, match="not symmetric"):
        Dependence(pd.DataFrame([[1, 0.2], [0.3, 1]], names, names), whole)
    with pytest.raises(CatalogueError, match="factor is below 1"):
        Dependence(pd.DataFrame(np.eye(2), names, names), whole / 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f[f["start"] < "2025-01-11"], "10 days are too few"),
        (lambda f: f.drop(columns="n"), "no column n"),
        (lambda f: f.assign(start=f["start"] + 30 * (f["start"] - f["start"].min())), "longer periods than weeks"),
    ],
)
def test_measures_that_say_too_little_are_refused(change, message):
    with pytest.raises(CatalogueError, match=message):
        estimate_dependence(change(same_cases(0.5, days=60)))


def test_an_unknown_calendar_period_is_refused():
    with pytest.raises(CatalogueError, match="no period 'decade'"):
        estimate_dependence(same_cases(0.5, days=60), within="decade")
