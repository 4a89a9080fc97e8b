import re

import pytest

from svcanalytics import charts
from svcanalytics.causes import cluster, weigh_themes
from svcanalytics.charts import theme

_NOW = ["refund not paid back", "refund money waiting", "parcel courier late", "parcel lost by courier"] * 15
_BEFORE = ["refund not paid back", "parcel courier late", "parcel lost by courier", "courier left parcel"] * 15


@pytest.mark.parametrize(("language", "word"), [("zh", "\u6587\u672c\u6570"), ("en", "texts")])
@pytest.mark.parametrize("before", [_BEFORE, []])
def test_the_picture_of_themes_fits_a_phone_with_and_without_a_period_before(language, word, before):
    themes = cluster([*_NOW, *_BEFORE], 2)
    told = weigh_themes(_NOW, before, {"dissatisfied": [1, 1, 0, 0] * 15}, clusters=themes)
    assert told["certain"].any() and told["n"].sum() == len(_NOW)
    drawn = charts.svg(charts.draw_themes(told, language=language), language)
    width = float(re.search(r'width="([\d.]+)"', drawn)[1])
    assert width <= theme.WIDTH + 20
    assert word in drawn and all(label.split()[0] in drawn for label in told["label"])
    assert "NaN" not in drawn and "undefined" not in drawn and "<image" not in drawn
