"""Relations over time: a planted one is found at its lag, and series that only drift or share a weekday are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.tracing import relation_findings, relations
from svcanalytics.errors import CauseError


def drift(rng, n, inertia):
    shocks, out = rng.standard_normal(n + 50), np.zeros(n + 50)
    for t in range(1, n + 50):
        out[t] = inertia * out[t - 1] + shocks[t]
    return out[50:]


def tidy(series, freq="W-MON"):
    times = pd.date_range("2024-01-01", periods=len(next(iter(series.values()))), freq=freq)
    return pd.concat([pd.DataFrame({"metric": name, "start": times, "value": v}) for name, v in series.items()])


def test_complaints_that_follow_response_time_by_two_weeks_are_found_there():
    found, covered = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        response, complaints = drift(rng, 104, 0.7), drift(rng, 104, 0.5)
        complaints[2:] += 0.6 * response[:-2]
        table = relations(tidy({"complaints": complaints, "response": response, "volume": drift(rng, 104, 0.7)}))
        first = table.head(1)
        told = first[["measure", "with", "lag"]].to_numpy().tolist() == [["complaints", "response", 2]]
        found += told
        covered += told and bool(first["low"].le(0.6).all() and first["high"].ge(0.6).all())
    assert found >= 18 and covered >= 16


@pytest.mark.slow
@pytest.mark.parametrize(("n", "inertia"), [(52, 0.5), (104, 0.9), (30, 0.5)])
def test_series_that_have_nothing_to_do_with_one_another_are_rarely_related(n, inertia):
    false = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        false += len(relations(tidy({name: drift(rng, n, inertia) for name in "abcd"}))) > 0
    assert false <= 11  # 5 % and three standard errors


def test_a_weekday_pattern_or_a_trend_in_common_is_no_relation():
    false = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        week = np.tile(3 * rng.standard_normal(7), 18)[:120] + 0.05 * np.arange(120)
        false += len(relations(tidy({name: drift(rng, 120, 0.4) + week for name in "abc"}, "D"), lags=3)) > 0
    assert false <= 4


def test_the_effect_is_the_slope_of_a_plain_regression_when_the_leading_series_is_white():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal(200), rng.standard_normal(200)
    table = relations(tidy({"x": x, "y": y}, "2D"), of="y", lags=1, level=1.0).set_index("lag")
    trend = np.column_stack([np.ones(200), np.arange(200)])
    calm = [v - trend @ np.linalg.lstsq(trend, v, rcond=None)[0] for v in (x, y)]
    slope = np.polyfit(calm[0][:-1], calm[1][1:], 1)[0]
    if table.loc[1, "n"] == 199:  # Akaike's criterion left the leading series as it is
        assert table.loc[1, "effect"] == pytest.approx(slope, rel=0.02)
    assert table.loc[1, "low"] < slope < table.loc[1, "high"]


def test_series_too_short_constant_or_with_gaps_are_left_out_by_name():
    rng = np.random.default_rng(0)
    measures = tidy({"a": drift(rng, 60, 0.5), "b": drift(rng, 60, 0.5), "flat": np.ones(60)})
    gaps = tidy({"gaps": drift(rng, 60, 0.5)}).iloc[::2]
    short = tidy({"short": drift(rng, 60, 0.5)}).head(10)
    table = relations(pd.concat([measures, gaps, short]), level=1.0)
    assert set(table.attrs["left_out"]) == {"flat", "gaps", "short"} and set(table["measure"]) == {"a", "b"}
    assert relations(measures.head(0)).empty


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.drop(columns="value"), "no column 'value'"),
        (lambda m: pd.concat([m, m]), "two values for one time"),
    ],
)
def test_measures_that_can_not_be_read_are_refused(change, said):
    measures = tidy({"a": np.arange(30.0), "b": np.arange(30.0)})
    with pytest.raises(CauseError, match=said):
        relations(change(measures))
    with pytest.raises(CauseError, match="no measure 'c'"):
        relations(measures, of="c")
    with pytest.raises(CauseError, match="can't be looked at"):
        relations(measures, lags=-1)


def test_a_measure_that_got_worse_after_another_is_a_finding_worth_points(make_cases, make_material):
    rng = np.random.default_rng(3)
    response = drift(rng, 120, 0.5) * 0.01 + 0.1
    complaints = np.concatenate([[0.05], 0.05 + 0.8 * (response[:-1] - 0.1)]) + 0.001 * rng.standard_normal(120)
    rows = make_cases(0, 2000)
    worse = rows.assign(bad=np.where(rows["period"] == "now", 0.13, 0.1))
    material = make_material(
        {"response": worse, "complaints": rows.assign(bad=0.05)},
        measures=tidy({"response": response, "complaints": complaints}).assign(every="week"),
    )
    first = relation_findings(material)[0]
    assert (first.kind, first.measure, first.where) == ("relation", "complaints", "lag=1&with=response")
    assert first.excess == pytest.approx(0.8 * 0.03 * first.n, rel=0.2) and first.low > 0
