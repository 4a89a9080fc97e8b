"""Undo: rows return to what they were before the load, wherever later loads allow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import LakeError


def rows(texts: dict[str, str], month: int = 10) -> pd.DataFrame:
    opened = f"2026-{month:02d}-05 00:00:00"
    return pd.DataFrame({"case_id": list(texts), "opened_at": opened, "text": list(texts.values())})


def stored(lake: store.Lake) -> dict[str, str]:
    found = lake.refresh().sql("select case_id, text from cases order by 1")
    return dict(zip(found["case_id"], found["text"], strict=True))


def load(lake: store.Lake, texts: dict[str, str], month: int = 10) -> str:
    return store.load(lake, rows(texts, month), "contract:cases").load_id


def test_an_undone_load_gives_back_the_rows_before_it_and_takes_its_own_away(lake: store.Lake) -> None:
    load(lake, {"a": "1", "b": "1"})
    second = load(lake, {"a": "2", "c": "2"}, month=11)
    assert stored(lake) == {"a": "2", "b": "1", "c": "2"}
    undone = store.undo(lake, second)
    assert stored(lake) == {"a": "1", "b": "1"}
    assert undone.tables == {"cases": (1, 1)}
    assert lake.refresh().sql("select month_key from cases where case_id = 'a'")["month_key"].item() == 202610


def test_a_row_that_a_later_load_replaced_stays_as_that_load_wrote_it(lake: store.Lake) -> None:
    load(lake, {"a": "1"})
    second = load(lake, {"a": "2", "b": "2"})
    load(lake, {"a": "3"})
    store.undo(lake, second)
    assert stored(lake) == {"a": "3"}


def test_undoing_out_of_order_never_brings_back_an_undone_row(lake: store.Lake) -> None:
    load(lake, {"a": "1"})
    second, third = load(lake, {"a": "2"}), load(lake, {"a": "3"})
    store.undo(lake, second)
    store.undo(lake, third)
    assert stored(lake) == {"a": "1"}


def test_a_load_whose_rows_a_later_one_brought_again_is_not_undone_and_says_what_to_do(lake: store.Lake) -> None:
    first = load(lake, {"a": "1", "b": "1"})
    second = load(lake, {"a": "1", "b": "1", "c": "2"})
    with pytest.raises(LakeError, match=rf"(?s)later loads brought rows.*{second}.*undo the later ones first"):
        store.undo(lake, first)
    store.undo(lake, second)
    store.undo(lake, first)
    assert stored(lake) == {}


def test_an_undone_file_can_be_loaded_again_and_nothing_is_undone_twice(lake: store.Lake) -> None:
    first = load(lake, {"a": "1"})
    store.undo(lake, first)
    with pytest.raises(LakeError, match="taken back before"):
        store.undo(lake, first)
    with pytest.raises(LakeError, match="there is no load"):
        store.undo(lake, "nonsense")
    load(lake, {"a": "1"})
    assert stored(lake) == {"a": "1"}


def test_what_the_load_put_into_quarantine_goes_too(lake: store.Lake) -> None:
    bad = rows({"a": "1", "b": "1"})
    bad.loc[1, "opened_at"] = ""
    load_id = store.load(lake, bad, "contract:cases").load_id
    assert len(store.quarantined(lake.refresh())) == 1
    store.undo(lake, load_id)
    assert len(store.quarantined(lake.refresh())) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_undoing_any_load_is_as_if_it_had_never_been(lake: store.Lake, tmp_path, seed: int) -> None:
    """The same loads replayed into another lake without the undone one are the second derivation."""
    random = np.random.default_rng(seed)
    exports = [
        {str(key): f"{n}-{random.integers(9)}" for key in random.choice(12, size=6, replace=False)} for n in range(5)
    ]
    loads = [load(lake, export) for export in exports]
    without = sorted(random.choice(5, size=2, replace=False), reverse=bool(seed % 2))
    for n in without:
        store.undo(lake, loads[n])
    other = store.open(tmp_path / "other" / "lake", timezone="Asia/Shanghai")
    for n, export in enumerate(exports):
        if n not in without:
            load(other, export)
    assert stored(lake) == stored(other)
