import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, ttest_ind

from svcanalytics.report.facts.differences import mark_differences


def shares(hits: list[int], totals: list[int]) -> pd.DataFrame:
    n = np.array(totals, float)
    p = np.array(hits) / n
    return pd.DataFrame({"value": p, "n": totals, "std": np.sqrt(p * (1 - p)), "unit": "share"})


def test_two_units_are_marked_as_the_chi_square_test_says():
    for hits in range(60, 100, 2):
        frame = shares([hits, 80], [100, 100])
        p = chi2_contingency([[hits, 100 - hits], [80, 20]], correction=False).pvalue
        assert mark_differences(frame).tolist() == [p < 0.025] * 2  # two units: Bonferroni halves the 5 %


def test_two_means_are_marked_as_welch_says_in_large_samples():
    rng = np.random.default_rng(5)
    for shift in (0.0, 2.0, 4.0, 8.0):
        samples = [rng.normal(100, 20, 900), rng.normal(100 + shift, 35, 700)]
        frame = pd.DataFrame(
            {
                "value": [sample.mean() for sample in samples],
                "n": [len(sample) for sample in samples],
                "std": [sample.std(ddof=1) for sample in samples],
                "unit": "s",
            }
        )
        p = ttest_ind(*samples, equal_var=False).pvalue
        assert mark_differences(frame).tolist() == [p < 0.025] * 2


def test_noise_is_marked_in_no_more_reports_than_promised():
    rng = np.random.default_rng(11)
    marked = 0
    for _ in range(400):
        totals = rng.integers(50, 400, 12)
        marked += mark_differences(shares(list(rng.binomial(totals, 0.8)), list(totals))).any()
    assert marked <= 0.05 * 400 + 3 * np.sqrt(400 * 0.05 * 0.95)


def test_suppressed_units_take_no_part():
    frame = shares([90, 50, 5], [100, 100, 6]).astype({"value": float})
    frame.loc[2, ["value", "std"]] = np.nan
    assert mark_differences(frame).tolist() == [True, True, False]


@pytest.mark.parametrize("frame", [shares([5], [10]), shares([], [])])
def test_one_unit_differs_from_nothing(frame):
    assert not mark_differences(frame).any()
