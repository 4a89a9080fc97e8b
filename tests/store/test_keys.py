"""The keyed hash of customers."""

from __future__ import annotations

import hashlib
import hmac

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics import store
from svcanalytics.errors import LakeError
from svcanalytics.store.keys import Key, key, key_path


@given(st.binary(min_size=1, max_size=100), st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")))
def test_the_engine_hashes_as_hmac_sha256_does(secret: bytes, identifier: str) -> None:
    expected = hmac.new(secret, identifier.encode(), hashlib.sha256).hexdigest()[:32]
    assert Key(secret).hash(identifier) == expected
    assert duckdb.execute(f"select {Key(secret).sql('?')}", [identifier]).fetchall() == [(expected,)]


def test_the_key_is_made_once_beside_the_lake_and_only_its_owner_reads_it(lake: store.Lake) -> None:
    made = key(lake)
    assert key(lake) == made
    assert key_path(lake).stat().st_mode & 0o777 == 0o600
    assert key_path(lake).parent.stat().st_mode & 0o077 == 0
    assert lake.path not in key_path(lake).parents
    assert made.secret.hex() not in repr(made)


def test_a_key_that_others_can_read_or_that_is_damaged_is_refused(lake: store.Lake) -> None:
    key(lake)
    key_path(lake).chmod(0o644)
    with pytest.raises(LakeError, match="others can read the key"):
        key(lake)
    key_path(lake).chmod(0o600)
    key_path(lake).write_text("zz")
    with pytest.raises(LakeError, match="damaged"):
        key(lake)
