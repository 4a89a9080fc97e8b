"""Rules against the worked example of a well-known library, and against chance."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes import rules
from svcanalytics.errors import CauseError

BASKETS = [
    {"Milk", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"},
    {"Dill", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"},
    {"Milk", "Apple", "Kidney Beans", "Eggs"},
    {"Milk", "Unicorn", "Corn", "Kidney Beans", "Yogurt"},
    {"Corn", "Onion", "Kidney Beans", "Ice cream", "Eggs"},
]


def baskets():
    items = sorted(set().union(*BASKETS))
    return pd.DataFrame([{item: item in basket for item in items} for basket in BASKETS])


def test_the_five_baskets_give_the_published_metrics():
    """mlxtend 0.25, test_association_rules.py::test_default: min_support 0.6."""
    found = rules(baskets(), "Eggs", ["Onion", "Kidney Beans"], 2, min_support=0.6, level=1).set_index("segment")
    onion = found.loc["Onion=True"]
    published = {
        "support": 0.6, "confidence": 1.0, "lift": 1.25, "leverage": 0.12, "conviction": np.inf, "zhang": 0.5,
        "jaccard": 0.75, "kulczynski": 0.875,
    }  # fmt: skip
    assert onion[list(published)].to_dict() == pytest.approx(published)
    beans = found.loc["Kidney Beans=True"]
    assert beans[["support", "confidence", "lift", "leverage", "zhang"]].tolist() == pytest.approx([0.8, 0.8, 1, 0, 0])
    assert found.loc["Onion=True&Kidney Beans=True", "confidence"] == 1.0
    back = rules(baskets(), "Onion", ["Eggs"], 1, min_support=0.6, level=1).set_index("segment").loc["Eggs=True"]
    assert back[["confidence", "lift", "conviction", "zhang"]].tolist() == pytest.approx([0.75, 1.25, 1.6, 1.0])


def test_metrics_equal_those_of_mlxtend_on_random_baskets():
    from mlxtend.frequent_patterns import apriori, association_rules

    rng = np.random.default_rng(1)
    items = pd.DataFrame(rng.random((400, 5)) < [0.5, 0.3, 0.6, 0.4, 0.3], columns=list("abcde"))
    items["e"] |= items["a"] & items["b"]
    theirs = association_rules(apriori(items, 0.02, use_colnames=True, max_len=4), metric="support", min_threshold=0.02)
    theirs = theirs[theirs["consequents"] == {"e"}]
    ours = rules(items, "e", list("abcd"), 3, min_support=0.02, level=1)
    ours = ours[~ours["segment"].str.contains("False")].set_index("segment")
    assert len(ours) == len(theirs) == 14
    same = ["support", "confidence", "lift", "leverage", "conviction", "jaccard", "kulczynski"]
    names = dict(zip(same, same, strict=True)) | {"zhang": "zhangs_metric"}
    for row in theirs.to_dict("records"):
        mine = ours.loc["&".join(f"{name}=True" for name in sorted(row["antecedents"]))]
        assert mine[list(names)].tolist() == pytest.approx([row[name] for name in names.values()])


def test_titanic_gives_the_published_subgroups():
    """pysubgroup 0.8, README: weighted relative accuracy at depth 2, on the passengers that it brings along."""
    spec = find_spec("pysubgroup")
    assert spec is not None and spec.origin is not None
    titanic = pd.read_csv(Path(spec.origin).parent / "data" / "titanic.csv", sep="\t")
    titanic["SibSp"] = titanic["SibSp"].clip(upper=1)
    found = rules(titanic, "Survived", ["Sex", "Parch", "SibSp", "Cabin", "Embarked"], 2, min_support=0.01, level=1)
    assert found["segment"].head(5).tolist() == [
        "Sex=female", "Sex=female&Parch=0", "Sex=female&SibSp=0", "Sex=female&Cabin=", "Sex=female&Embarked=S"
    ]  # fmt: skip
    published = [0.132150, 0.101331, 0.079142, 0.077663, 0.071746]
    assert found["leverage"].head(5).tolist() == pytest.approx(published, abs=5e-7)


def test_among_random_cases_false_rules_stay_rare():
    named = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cases = pd.DataFrame({f"d{i}": rng.integers(0, 4, 800) for i in range(4)}).assign(late=rng.random(800) < 0.2)
        named += len(rules(cases, "late", ["d0", "d1", "d2", "d3"], 2)) > 0
    assert named <= 6


def test_a_longer_rule_that_adds_nothing_is_left_out():
    rng = np.random.default_rng(3)
    cases = pd.DataFrame({"team": rng.choice(list("ABC"), 4000), "channel": rng.choice(["app", "phone"], 4000)})
    cases["late"] = rng.random(4000) < np.where(cases["team"] == "B", 0.5, 0.1)
    assert rules(cases, "late", ["team", "channel"])["segment"].tolist() == ["team=B"]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"outcome": "nobody"}, "no column"), ({"outcome": "k"}, "not of 0 and 1"), ({"min_support": 0}, "support of 0")],
)
def test_what_can_not_be_a_rule_is_named(change, words):
    cases = pd.DataFrame({"d": [1, 2, 3], "k": [1, 2, 3], "late": [0, 1, 0]})
    with pytest.raises(CauseError, match=words):
        rules(cases, **({"outcome": "late", "by": ["d"]} | change))


@pytest.mark.parametrize("given", [{"by": ["late"]}, {"by": []}, {"depth": 0}, {"level": 7}, {"min_support": 0}])
def test_strange_arguments_of_rules_are_refused(given):
    frame = pd.DataFrame({"team": ["A", "B"] * 20, "late": [0, 1] * 20})
    with pytest.raises(CauseError):
        rules(frame, "late", **({"by": ["team"]} | given))
