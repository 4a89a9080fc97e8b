import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.recognition import barred_units, star_reason, stars
from svcanalytics.quality.comparison.units import compare_counts


def agents(truth, n=400, seed=1):
    truth = np.asarray(truth)
    hits = np.random.default_rng(seed).binomial(n, truth)
    names = [f"A{i:03}" for i in range(len(truth))]
    return compare_counts(pd.DataFrame({"unit": names, "numerator": hits, "denominator": n}))


MANY = agents([0.8] * 40 + [0.97] * 14)


def test_ten_are_named_of_more_that_stand_out_and_all_are_truly_better():
    found = stars(MANY, of="rate")
    assert found["star"].tolist() == list(range(1, 11)) and found.attrs["stood_out"] == 14
    assert all(int(unit[1:]) >= 40 for unit in found["unit"])
    assert found["value"].is_monotonic_decreasing and (found["low"] > found["centre"]).all()


def test_fewer_are_named_when_fewer_stand_out_and_none_when_nobody_does():
    assert set(stars(agents([0.8] * 40 + [0.97] * 3), of="rate")["unit"]) == {"A040", "A041", "A042"}
    nobody = stars(agents([0.8] * 40), of="rate")
    assert nobody.empty and nobody.attrs["stood_out"] == 0


def test_a_small_agent_s_luck_makes_no_star():
    counts = pd.DataFrame(
        {"unit": ["lucky", *"abcdef"], "numerator": [12, *[400] * 6], "denominator": [12, *[500] * 6]}
    )
    assert "lucky" not in set(stars(compare_counts(counts), of="rate")["unit"])
    assert "lucky" not in set(stars(compare_counts(counts, smallest=1), of="rate")["unit"])


def test_of_measures_where_less_is_better_the_lowest_are_named():
    counts = pd.DataFrame({"unit": list("abcdefgh"), "numerator": [10, 20, *[100] * 6], "denominator": 400})
    found = stars(compare_counts(counts, direction="down"), of="rate", most=1)
    assert found["unit"].tolist() == ["a"] and found.attrs["stood_out"] == 2


def test_a_fatal_error_or_a_missed_standard_bars_and_says_so():
    measures = pd.DataFrame(
        {
            "agent": ["A040", "A041", "A042", "A041"],
            "metric": ["fatal_error_rate", "fatal_error_rate", "first_response", "first_response"],
            "numerator": pd.array([1, 0, 80, pd.NA], dtype="Int64"),
            "met": pd.array([pd.NA, pd.NA, False, pd.NA], dtype="boolean"),
        }
    )
    barred = barred_units(measures, "agent", must_meet=["first_response"])
    assert barred == {"A040": "fatal_error_rate", "A042": "first_response"}
    found = stars(MANY, of="rate", barred=barred)
    assert len(found) == 10 and not set(found["unit"]) & set(barred)
    assert found.attrs["barred"] == barred


def test_the_reason_names_place_and_strengths_in_both_languages():
    also = MANY.assign(of="courtesy", p_value=0.01)
    star = stars(pd.concat([MANY, also]), of="rate").to_dict("records")[0]
    assert star["strengths"] == ("courtesy",)
    english = star_reason(star, "en", {"courtesy": "courtesy of speech"})
    chinese = star_reason(star, "zh", {"courtesy": "\u793c\u8c8c\u7528\u8bed"})
    share = f"{star['value']:.1%}"
    assert (
        share in english and "places 1 to" in english and "courtesy of speech" in english and "400 records" in english
    )
    assert share in chinese and "\u7b2c1\u81f3" in chinese and "\u793c\u8c8c\u7528\u8bed" in chinese
    assert "\u663e\u8457\u4f18\u4e8e" in chinese


@pytest.mark.parametrize(
    ("compared", "options", "what"),
    [
        (MANY, {"of": "index"}, "'index' is not compared"),
        (pd.concat([MANY, MANY.assign(period="2026-11")]), {"of": "rate"}, "several periods"),
        (MANY, {"of": "rate", "most": 0}, "0 stars"),
    ],
)
def test_stars_that_can_not_be_chosen_are_refused(compared, options, what):
    with pytest.raises(CatalogueError, match=what):
        stars(compared, **options)


@pytest.mark.slow
def test_of_months_in_which_all_agents_are_alike_at_most_one_in_twenty_names_a_star():
    named = [len(stars(agents([0.95] * 100, n=60, seed=seed), of="rate")) for seed in range(100)]
    assert np.mean(np.array(named) > 0) <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / 100)
