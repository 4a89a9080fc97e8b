"""How a column, or an attribute, names the queue of a row."""

from __future__ import annotations

from svcanalytics.metrics.expressions import attribute
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

__all__ = ["queue_of"]


def queue_of(table: str, by: str) -> str:
    """Return the SQL of a queue's name, the same as `demand.count` gives it: a column, or a key of ``attributes``."""
    known = by in contract()[table].all_columns
    return f"coalesce(cast({identifier(by) if known else attribute(by)} as varchar), '-')"
