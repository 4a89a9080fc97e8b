"""A clock that is hours wrong is told from a service that is hours slower."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.tracing import artefact_findings, gate
from svcanalytics.causes.tracing.offsets import clock_offsets

FIRST, LAST = pd.Timestamp("2026-08-10"), pd.Timestamp("2026-08-25")


def waits(make_cases, seed=7, how=lambda rng, seconds: seconds + 8 * 3600):
    """Return cases with first responses of some minutes; those of the web between two days are changed by `how`."""
    rng = np.random.default_rng(seed)
    rows = make_cases(seed, 6000, luck=0.0)
    seconds = rng.lognormal(5.5, 0.7, len(rows))
    spoilt = (rows["channel"].eq("web") & rows["at"].ge(FIRST) & rows["at"].lt(LAST)).to_numpy()
    return rows.assign(bad=np.where(spoilt, how(rng, seconds), seconds)), spoilt


def test_durations_eight_hours_too_long_are_told_with_place_days_and_hours(make_cases):
    rows, spoilt = waits(make_cases)
    (found,) = clock_offsets(rows)
    assert (found.what, found.where, found.after) == ("clock", "channel=web", 8.0)
    assert abs((found.since - FIRST).days) <= 1 and abs((found.until - LAST).days) <= 1
    assert spoilt.sum() > 20 and found.p_value < 1e-12


@pytest.mark.parametrize(
    "how",
    [
        lambda rng, seconds: seconds * 30,
        lambda rng, seconds: seconds + rng.uniform(4, 12, len(seconds)) * 3600,
        lambda rng, seconds: np.where(rng.random(len(seconds)) < 0.6, seconds + 8 * 3600, seconds),
        lambda rng, seconds: seconds,
    ],
)
def test_a_service_that_is_slower_or_sometimes_a_night_late_is_no_clock(make_cases, how):
    assert clock_offsets(waits(make_cases, how=how)[0]) == []


def test_the_share_in_time_made_of_the_same_times_is_an_artefact_too_and_ends_with_it(make_cases, make_material):
    rows, spoilt = waits(make_cases)
    late = rows.assign(bad=(rows["bad"] > 900).astype("int64"))
    material = make_material({"speed": rows, "late": late})
    table = gate(material).set_index("measure")
    assert set(table.index) == {"speed", "late"} and table["where"].eq("channel=web").all()
    assert table.loc["late", "n"] == spoilt.sum()
    assert table.loc["late", "amount"] == pytest.approx(late["bad"][spoilt].sum(), rel=0.15)
    assert {f.measure for f in artefact_findings(material)} == {"speed", "late"}


def test_a_share_that_was_hardly_ever_missed_before_is_priced_too(make_cases, make_material):
    rows, spoilt = waits(make_cases)
    late = rows.assign(bad=spoilt.astype("int64"))
    late.loc[np.flatnonzero(~spoilt)[:7], "bad"] = 1
    found = {f.measure: f for f in artefact_findings(make_material({"speed": rows, "late": late}))}
    assert found["late"].where == "channel=web" and found["late"].excess == pytest.approx(spoilt.sum(), rel=0.1)
