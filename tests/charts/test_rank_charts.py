import re

import numpy as np
import pandas as pd
import pytest

from svcanalytics import charts, quality
from svcanalytics.charts import theme


def units(count, seed=3, better=0.0):
    rng = np.random.default_rng(seed)
    n = rng.integers(100, 20_000, count)
    truth = rng.normal(0.85, 0.03, count).clip(0, 1)
    truth[0] += better
    names = [f"U{i:03}" for i in range(count)]
    return pd.DataFrame({"unit": names, "numerator": rng.binomial(n, truth.clip(0, 1)), "denominator": n})


def funnel_of(counts, language, dispersion="none"):
    found = quality.funnel(counts, dispersion=dispersion)
    return charts.svg(
        charts.draw_funnel(found.units, found.limits, centre=found.centre, language=language, up=True), language
    ), found


def texts(svg):
    """Return the names drawn with where they stand: (text, x, y, end)."""
    found = re.findall(
        r'<text text-anchor="(\w+)" transform="translate\(([-\d.]+),([-\d.]+)\)"[^>]*>([^<]*)</text>', svg
    )
    return [(text, float(x), float(y), anchor) for anchor, x, y, text in found if text.startswith("U")]


@pytest.mark.parametrize(("count", "language"), [(8, "zh"), (237, "en")])
def test_pictures_of_few_and_of_many_units_fit_a_phone(count, language):
    counts = units(count)
    drawn = [
        funnel_of(counts, language)[0],
        charts.svg(charts.draw_rank_intervals(quality.compare_counts(counts), language=language), language),
    ]
    for text in drawn:
        width, height = (float(re.search(rf'{side}="([\d.]+)"', text)[1]) for side in ("width", "height"))
        assert width <= theme.WIDTH + 20 and height <= 900
        assert "NaN" not in text and "undefined" not in text and "<image" not in text
        assert ("\u540d\u6b21" in text or "\u6837\u672c\u91cf" in text) == (language == "zh")


def test_no_name_covers_another_however_many_lie_outside():
    text, found = funnel_of(units(237), "en")
    assert found.units["outlier"].ne("").sum() > 60
    names = {name: (x, y, anchor) for name, x, y, anchor in texts(text)}
    assert 5 <= len(names) <= 14
    boxes = [(x - (28 if anchor == "end" else 0), y) for x, y, anchor in names.values()]
    for place, (x, y) in enumerate(boxes):
        assert not any(abs(x - a) < 25 and abs(y - b) < 11 for a, b in boxes[:place])


def test_only_units_outside_the_limits_are_named():
    text, found = funnel_of(units(60, better=0.12), "en", "additive")
    outside = set(found.units.loc[found.units["outlier"] != "", "unit"])
    assert outside and {name for name, *_ in texts(text)} == outside


def test_colours_say_better_or_worse_by_the_measure_s_own_direction():
    counts = pd.DataFrame({"unit": ["U1", "U2", "U3"], "numerator": [500, 800, 800], "denominator": 1000})
    found = quality.funnel(counts, dispersion="none", levels=(0.8, 0.9))
    for up, colour in ((True, "#B10E1E"), (False, theme.MAIN)):
        chart = charts.draw_funnel(found.units, found.limits, centre=found.centre, language="en", up=up)
        assert re.search(rf'fill="{colour}"[^>]*>U1<', charts.svg(chart))


def test_units_without_a_place_are_not_drawn():
    counts = units(8)
    counts.loc[0, ["numerator", "denominator"]] = [3, 5]
    found = quality.compare_counts(counts)
    text = charts.svg(charts.draw_rank_intervals(found, language="en"))
    assert ">U000<" not in text and ">U001<" in text
