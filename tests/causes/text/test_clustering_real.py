"""Acceptance on real texts with labels; settings were chosen on others, see benchmarks/clustering.py."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.clustering import scores
from svcanalytics import causes


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "label", "k", "accuracy", "nmi"),
    [("banking77_test", "category", 77, 48, 67), ("hotline_zh_labelled", "label", 7, 57, 46)],
)
def test_themes_of_real_texts_agree_with_what_people_say_they_are_about(real_data, file, label, k, accuracy, nmi):
    frame = pd.read_csv(real_data / f"text/{file}.csv")
    found = causes.cluster(frame["text"], k)
    reached_nmi, reached_accuracy = scores(frame[label], found.labels)
    assert reached_accuracy >= accuracy and reached_nmi >= nmi
    assert (found.assign(frame["text"]) == found.labels).all()
    order = np.random.default_rng(0).permutation(len(frame))
    assert (causes.cluster(frame["text"].iloc[order], k).labels == found.labels[order]).all()
