"""Themes are found anew in every period; what is the same trouble keeps its id."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.causes.finding import Finding, finding_id, tabulate
from svcanalytics.causes.ranking.following import follow, keep_themes
from svcanalytics.causes.text import cluster

WORDS = {
    "papers": ["documents", "papers", "upload", "proof", "identity", "forms", "scanned", "requested", "again"],
    "parcel": ["parcel", "courier", "late", "tracking", "van", "door", "driver", "package", "address"],
    "refund": ["refund", "money", "returned", "balance", "credited", "amount", "goods", "paid", "waiting"],
    "log in": ["password", "login", "account", "locked", "code", "page", "blank", "crash", "update"],
}
COMMON = ["hello", "please", "soon", "thanks", "since", "today", "why", "help", "when"]


def quarter(seed, topics):
    """Return texts of a quarter, what they are about, and the findings that each theme would be."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(topics, 400)
    texts = [" ".join([*rng.choice(WORDS[t], 4, replace=False), *rng.choice(COMMON, 4, replace=False)]) for t in truth]
    clusters = cluster(texts, len(topics), thorough=False)
    about = [truth[clusters.labels == row][0] for row in range(len(topics))]
    found = []
    for number, theme in enumerate(clusters.table.to_dict("records")):
        details = {"terms_zh": list(theme["terms_zh"]), "terms_en": list(theme["terms_en"])}
        cost = 1.0 + number + seed
        where = f"theme={theme['theme']}"
        one = Finding("theme", "csat", where, 100, 9.0, cost, cost - 0.1, cost + 0.1, 0.001, details=details)
        found.append(one)
    return about, tabulate(found)


def test_a_theme_is_still_there_new_or_gone_from_one_quarter_to_the_next():
    about, before = quarter(1, ["papers", "parcel", "refund"])
    later, now = quarter(2, ["papers", "log in", "refund"])
    id_before = dict(zip(about, before["finding_id"], strict=True))
    told = follow(now, before).set_index("finding_id")["trend"]
    assert len(told) == 4 and told[id_before["parcel"]] == "gone"
    assert not {"new", "gone"} & set(told[[id_before["papers"], id_before["refund"]]])
    kept = keep_themes(now, before)
    for topic, own in zip(later, kept["finding_id"], strict=True):
        assert own == id_before.get(topic, own)
    assert kept["finding_id"].is_unique and (told == "new").sum() == 1
    assert kept["finding_id"].tolist() == [finding_id("csat", where) for where in kept["where"]]


def test_findings_that_name_a_renamed_theme_name_it_by_its_old_id():
    terms = {"terms_en": ["papers", "upload", "again"], "terms_zh": []}
    old = Finding("theme", "csat", "theme=T-1", 50, 9.0, 1.0, 0.5, 1.5, 0.01, details=terms)
    new = Finding("theme", "csat", "team=B&theme=T-2", 50, 9.0, 1.0, 0.5, 1.5, 0.01, details=terms)
    also = {"also": [{"kind": "theme", "where": "theme=T-2"}], "related": [new.finding_id, "F-other"]}
    place = Finding("segment", "csat", "team=C", 50, 9.0, 1.0, 0.5, 1.5, 0.01, details=also)
    kept = keep_themes(tabulate([new, place]), tabulate([old]))
    assert kept["where"].tolist() == ["team=B&theme=T-1", "team=C"]
    assert kept["finding_id"][0] == finding_id("csat", "team=B&theme=T-1") and kept["finding_id"][1] == place.finding_id
    assert kept["details"][1]["also"][0]["where"] == "theme=T-1"
    assert kept["details"][1]["related"] == [kept["finding_id"][0], "F-other"]


def test_tables_without_themes_stay_as_they_are():
    table = tabulate([Finding("segment", "csat", "team=R&D", 50, 9.0, 1.0, 0.5, 1.5, 0.01)])
    pd.testing.assert_frame_equal(keep_themes(table, table), table)
    assert keep_themes(table.head(0), table).empty and len(keep_themes(table, table.head(0))) == 1
