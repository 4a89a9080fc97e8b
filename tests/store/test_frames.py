"""A frame whose texts are shared is the same frame."""

from __future__ import annotations

import pandas as pd

from svcanalytics.store.engine import connect
from svcanalytics.store.frames import share_texts


def test_texts_that_repeat_are_in_memory_once_and_nothing_else_changes():
    query = (
        "select case when i % 5 > 0 then 'team ' || (i % 3) || ' of the house' end as team, 'case ' || i as id, i, "
        "cast(null as varchar) as empty from range(300) r(i)"
    )
    frame = connect().sql(query).df()
    shared = share_texts(frame)
    pd.testing.assert_frame_equal(shared, frame)
    assert len({id(text) for text in frame["team"].dropna()}) > 200
    assert len({id(text) for text in shared["team"].dropna()}) == 3


def test_a_frame_without_rows_stays_as_it_is():
    empty = pd.DataFrame({"team": pd.Series(dtype="str"), "n": pd.Series(dtype="int64")})
    pd.testing.assert_frame_equal(share_texts(empty), empty)
