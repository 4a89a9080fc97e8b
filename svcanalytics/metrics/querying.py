"""The query behind a figure, as SQL that anybody can run on the lake."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from svcanalytics.metrics.atoms import row_sums
from svcanalytics.metrics.definitions import catalogue
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.knowledge import Knowledge
from svcanalytics.metrics.listing import within
from svcanalytics.metrics.views import view
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["query_of"]


def query_of(lake: Lake, metric: str, start: date | str, end: date | str) -> str:
    """Return SQL that gives a metric's numerator and denominator over some days; of a quantile its value and n.

    It is put together apart from the query that `measure` sends, which asks for many metrics and periods at once: both
    must give the same whole numbers.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    metric : str
        Id of the catalogue.
    start, end : date or str
        First and last local day or written period, both inclusive.

    Returns
    -------
    str
        For `lake.sql`: one row with columns numerator and denominator.

    Raises
    ------
    CatalogueError
        When the metric is unknown.
    """
    chosen = catalogue(lake).choose([metric])[0]
    of, zone = view(chosen.view), lake.timezone
    con = lake.connection()
    try:
        known = Knowledge(lake, con)
        known.learn([chosen])
        test = known.test(chosen) or ""
        empty = known.empty
    finally:
        con.close()
    read = {chosen.at, *chosen.columns()} | ({"source"} if test else set())
    rows = f"({of.select(read, zone, empty)})"
    days = within(identifier(chosen.at), span(start, end, lake.month_start), zone)
    if chosen.kind == "quantile":
        parsed = chosen.expressions()
        number, base = parsed["numerator"].sql, parsed["denominator"].sql
        kept = " and ".join(f"({part})" for part in (base, test, f"({number}) is not null") if part)
        return (
            f"select quantile_disc(cast(({number}) as bigint), {chosen.q}) as numerator, count(*) as denominator "
            f"from {rows} where {days} and {kept}"
        )
    counts, above, below = row_sums(of, chosen, test)
    return (
        f"select cast(sum(case when {counts} then {above} end) as decimal(38,0)) as numerator, "
        f"cast(sum(case when {counts} then {below} end) as decimal(38,0)) as denominator from {rows} where {days}"
    )
