"""Which rows of a large lake are looked at: a share of its cases, drawn by their ids, the same in every table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svcanalytics.causes.gathering.dimensions import KEYS
from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["MOST", "Draw", "draw_rows"]

MOST = 20_000
"""Most rows of one table and period that are looked at. So many show a cause of a few tenths of an index point in a
twentieth of the cases beyond doubt; more cost time and memory in proportion, and tell the same."""


@dataclass(frozen=True)
class Draw:
    """A share of the rows of every table.

    What belongs to one case is in or out together: a case is in where a hash of its id, as a part of all hashes, is
    below the share. So a case of a smaller share is in every larger one, whatever the table.

    Attributes
    ----------
    shares : dict of str to float
        Table to the share of its rows, above 0; a table that isn't named is looked at as a whole.
    seed : int
    """

    shares: dict[str, float]
    seed: int = 0

    def share(self, table: str) -> float:
        """Return the share of a table's rows, 0-1."""
        return self.shares.get(table, 1.0)

    def test(self, table: str, ids: Sequence[str]) -> str:
        """Return SQL that is true for the rows that are in.

        Parameters
        ----------
        table : str
            The table whose share is taken.
        ids : sequence of str
            SQL of the ids that a row goes by, the first that is filled in counts: the case's, then its own.
        """
        if self.share(table) >= 1:
            return "true"
        # MD5 gives the same answer with every version of the engine, so that an edition can be recomputed.
        hashed = f"md5_number_lower({literal(f'{self.seed}|')} || coalesce({', '.join(ids)}))"
        return f"{hashed} < {int(self.share(table) * 2**64)}::ubigint"


def draw_rows(
    lake: Lake, con: duckdb.DuckDBPyConnection, periods: Iterable[Period], most: int | None, seed: int
) -> Draw:
    """Choose a share of the rows of every table, so that no period has more than about `most` of them.

    Where cases are drawn no other table has a larger share than they: of what is looked at, the case's steps are known.

    Parameters
    ----------
    lake : Lake
    con : duckdb.DuckDBPyConnection
        The lake's connection.
    periods : iterable of Period
    most : int or None
        None: all rows.
    seed : int
    """
    if most is None:
        return Draw({}, seed)
    spans = [f"day_key between {each.start:%Y%m%d} and {each.last:%Y%m%d}" for each in periods]
    shares: dict[str, float] = {}
    for table in KEYS:
        if not lake.has(table):
            continue
        counted = ", ".join(f"count(*) filter (where {span})" for span in spans)
        largest = max(con.execute(f"select {counted} from {identifier(table)}").fetchall()[0])
        share = min(1.0, most / max(largest, 1), shares.get("cases", 1.0))
        if share < 1:
            shares[table] = share
    return Draw(shares, seed)
