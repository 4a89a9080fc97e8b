"""Where there is no time before, themes are one more way to divide the cases."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.ranking.theming import divide_by_theme
from svcanalytics.causes.ranking.union import find
from svcanalytics.periods import parse_period

WORDS = {
    "parcel": ["my parcel has not arrived", "the parcel was left at a wrong door", "where is the parcel I ordered"],
    "invoice": [
        "the invoice shows a wrong amount",
        "please send the invoice again",
        "I was charged twice on my invoice",
    ],
}


def make(n=800):
    rng = np.random.default_rng(0)
    topic = rng.choice(list(WORDS), n)
    said = [f"{WORDS[each][rng.integers(3)]} number {rng.integers(10_000)}" for each in topic]
    rows = pd.DataFrame(
        {
            "id": [f"K{i}" for i in range(n)],
            "at": pd.Timestamp("2026-07-02") + pd.to_timedelta(rng.integers(0, 7_000_000, n), "s"),
            "bad": (rng.random(n) < np.where(topic == "parcel", 0.4, 0.1)).astype(int),
            "period": "now",
            "channel": rng.choice(["app", "web"], n),
        }
    ).astype({"at": "datetime64[us]"})
    worth = pd.DataFrame({"metric": ["csat"], "points": [0.01]})
    texts = rows[["id", "at", "period"]].assign(text=said)
    return Material(parse_period("2026Q3"), None, {"csat": rows}, worth, texts=texts), topic


def test_a_theme_that_goes_wrong_more_often_is_found_in_one_period_alone():
    material, topic = make()
    first = find(material).iloc[0]
    assert first["kind"] == "theme" and "theme=T-" in first["where"]
    bad = dict(zip(material.outcomes["csat"]["id"], topic, strict=True))
    assert np.mean([bad[case] == "parcel" for case in first["cases"]]) > 0.9
    assert "parcel" in str(first["details"])


def test_a_few_texts_make_no_themes():
    material, _ = make(60)
    assert divide_by_theme(material)[0] is material
