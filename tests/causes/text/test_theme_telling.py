import warnings

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.text import theme_findings
from svcanalytics.causes.text.shifting import theme_shift
from svcanalytics.periods import parse_period


def test_the_shift_is_the_excess_now_less_the_one_before_scaled():
    rng = np.random.default_rng(0)
    theme, now = rng.integers(3, size=3000), rng.random(3000) < 0.4
    bad = (rng.random(3000) < 0.1 + 0.2 * (theme == 1) * now).astype(float)
    shift = theme_shift(theme, bad, now, 3)
    inside, t = (theme == 1), now
    gap_now = (inside & t).sum() * (bad[inside & t].mean() - bad[~inside & t].mean())
    gap_before = (inside & ~t).sum() * (bad[inside & ~t].mean() - bad[~inside & ~t].mean())
    assert shift["excess"][1] == pytest.approx(gap_now - gap_before * t.sum() / (~t).sum())
    assert shift["low"][1] < 0.2 * (inside & t).sum() < shift["high"][1]
    assert shift["p_value"][1] < 1e-6 < 0.01 < shift["p_value"][2]


def test_a_stratum_that_one_period_lacks_adds_nothing_and_no_warning():
    theme, bad, now = np.array([0, 1] * 40), np.array([1, 0, 0, 0] * 20), np.repeat([True, False], 40)
    stratum = np.where(np.arange(80) >= 70, "only before", "both")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shift = theme_shift(theme, bad, now, 2, within=stratum)
    assert np.isfinite(shift).all(axis=None) and shift["n"].tolist() == [20, 20]


def test_a_p_value_of_a_theme_is_uniform_when_nothing_changed_though_themes_differ():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        theme, stratum, now = rng.integers(5, size=900), rng.integers(2, size=900), rng.random(900) < 0.5
        bad = rng.random(900) < 0.1 + 0.08 * theme / 4 + 0.1 * stratum
        found += theme_shift(theme, bad, now, 5, within=stratum)["p_value"].tolist()
    assert abs(np.mean(found) - 0.5) < 0.03
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.02)


_WORDS = {
    "refund": "refund money back account returned amount balance credited card waiting",
    "parcel": "parcel courier late address tracking delivered van package door driver",
    "invoice": "invoice tax company charged statement billing fee discount receipt total",
    "papers": "documents papers upload again proof identity forms submitted scanned requested",
}
_COMMON = [
    "hello",
    "please",
    "soon",
    "thanks",
    "still",
    "since",
    "yesterday",
    "help",
    "nothing",
    "today",
    "why",
    "when",
]


def material(seed=0, worse=0.5):
    rng = np.random.default_rng(seed)
    period, baseline = parse_period("2026Q3"), parse_period("2026Q2")
    n = 1600
    at = pd.Timestamp("2026-04-01") + pd.to_timedelta(rng.integers(0, 183 * 86400, n), unit="s")
    now = at >= pd.Timestamp("2026-07-01")
    new = now & (at >= pd.Timestamp("2026-08-01")) & (rng.random(n) < 0.15)
    about = np.where(new, "papers", rng.choice(["refund", "parcel", "invoice"], n))
    texts = [" ".join(rng.permutation([*rng.choice(_WORDS[a].split(), 4), *rng.choice(_COMMON, 3)])) for a in about]
    bad = (rng.random(n) < 0.15 + worse * new).astype(float)
    ids = np.array([f"c{i}" for i in range(n)])
    rows = pd.DataFrame({"id": ids, "at": at, "bad": bad, "period": np.where(now, "now", "before")})
    worth = pd.DataFrame({"metric": ["csat"], "points": [0.02]})
    frame = pd.DataFrame({"id": ids, "at": at, "text": texts, "period": rows["period"]})
    return Material(period=period, baseline=baseline, outcomes={"csat": rows}, worth=worth, texts=frame), new


def test_a_new_theme_that_goes_wrong_is_told_with_its_cases_its_day_and_its_points():
    given, new = material()
    found, members = theme_findings(given)
    assert len(found) == 1
    one = found[0]
    assert one.kind == "theme" and one.trend in ("new", "larger") and one.details["emerging"]
    assert set(one.details["terms_en"][:4]) <= set(_WORDS["papers"].split())
    assert abs((one.since - pd.Timestamp("2026-08-01")).days) <= 4
    assert one.low < 0.5 * new.sum() * 0.02 < one.high and one.points == pytest.approx(one.excess * 0.02)
    truth = set(given.texts["id"][new])
    assert set(members[one.finding_id]) == truth and set(one.cases) <= truth


def test_without_a_change_or_without_texts_there_is_nothing_to_tell():
    assert sum(bool(theme_findings(material(seed, worse=0.0)[0])[0]) for seed in range(4)) <= 1
    given, _ = material()
    empty = Material(
        period=given.period, baseline=given.baseline, outcomes=given.outcomes, worth=given.worth, texts=given.texts[:0]
    )
    assert theme_findings(empty) == ([], {})
