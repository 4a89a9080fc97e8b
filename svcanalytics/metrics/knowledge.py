"""What a lake's rows can answer: which attributes they have, and which sources record what a metric needs.

A source that never notes when a case was answered does not answer late: the metric has nothing to say about its cases.
That is asked of everybody's rows, also where a lake shows one unit: a team without an escalation records escalations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from svcanalytics.metrics.definitions import Metric
from svcanalytics.metrics.expressions import condition, parse
from svcanalytics.metrics.grid import bounds
from svcanalytics.metrics.views import View, view
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier
from svcanalytics.store.units import see_all

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Knowledge"]

# A snapshot never changes, so an answer holds for as long as the process lives.
_ANSWERS: dict[tuple[object, ...], object] = {}
_MOST_ANSWERS = 20_000
_FIRST_ROWS = 10_000


@dataclass(frozen=True)
class Knowledge:
    """Asks a lake's rows, once per question and snapshot."""

    lake: Lake
    con: duckdb.DuckDBPyConnection = field(compare=False)

    def __post_init__(self) -> None:
        if self.lake.unit:
            object.__setattr__(self, "con", see_all(self.con))

    def has_attribute(self, of: View, name: str) -> bool:
        """Tell whether any row of a view has an attribute."""
        if "attributes" not in of.columns():
            return False
        # All keys at once, from the few texts that differ: to find out that a key is nowhere takes a scan of all rows.
        texts = f"select distinct attributes from ({of.select(['attributes'], self.lake.timezone)})"
        keys = f"select distinct e.key from ({texts}) t, json_each(t.attributes) e where e.type <> 'NULL'"
        known = self._remembered(of.name, "attributes", lambda: {key for (key,) in self.con.execute(keys).fetchall()})
        return name in known

    def learn(self, metrics: Iterable[Metric]) -> None:
        """Ask what all these metrics require."""
        wanted: dict[str, set[str]] = {}
        for metric in metrics:
            if metric.requires and self._key(metric.view, metric.requires) not in _ANSWERS:
                wanted.setdefault(metric.view, set()).add(metric.requires)
        for name, requirements in wanted.items():
            for test, answer in self._asked(view(name), sorted(requirements)).items():
                self._remembered(name, test, lambda answer=answer: answer)

    def _asked(self, of: View, tests: list[str]) -> dict[str, tuple[list[str], list[str]]]:
        """Return for each test the sources with a row that holds, and all sources."""
        apart = "source" in of.columns() and not of.joint
        sources = self._sources(of) if apart else [""]
        if len(sources) == 1:
            return {test: (sources if found else [], sources) for test, found in self._held(of, tests).items()}
        columns = set().union(*(parse(test).columns for test in tests)) | {"source"}
        rows = of.select(columns, self.lake.timezone, self.empty, self.lake.keep)
        asked = ", ".join(f"coalesce(bool_or({parse(test).sql}), false)" for test in tests)
        found = self.con.execute(f"select source, {asked} from ({rows}) group by 1 order by 1").fetchall()
        return {test: ([row[0] for row in found if row[i + 1]], sources) for i, test in enumerate(tests)}

    def _sources(self, of: View) -> list[str]:
        table = of.tables[0]
        query = f"select distinct source from {identifier(table)} order by 1"
        return self._remembered(table, "sources", lambda: [row[0] for row in self.con.execute(query).fetchall()])

    def _held(self, of: View, tests: list[str]) -> dict[str, bool]:
        """Tell for each test whether any row of a view holds: most do early on, the others are asked of all at once."""
        held: dict[str, bool] = {}
        for some in (f" limit {_FIRST_ROWS}", ""):
            asked = [test for test in tests if not held.get(test)]
            if not asked:
                break
            columns = set().union(*(parse(test).columns for test in asked))
            rows = f"select * from ({of.select(columns, self.lake.timezone, self.empty, self.lake.keep)}){some}"
            listed = ", ".join(f"coalesce(bool_or({parse(test).sql}), false)" for test in asked)
            held |= zip(asked, self.con.execute(f"select {listed} from ({rows})").fetchall()[0], strict=True)
        return held

    def test(self, metric: Metric) -> str | None:
        """Return SQL that keeps the rows of the sources that know, "" when all do, None when none does."""
        if not metric.requires:
            return ""
        knowing, sources = _ANSWERS[self._key(metric.view, metric.requires)]
        if not knowing:
            return None
        return "" if len(knowing) == len(sources) else condition({"source": knowing})

    def days(self, table: str) -> tuple[list[date], list[int]] | None:
        """Return the local days on which a table has rows, and how many; None without any."""

        def ask() -> tuple[list[date], list[int]] | None:
            query = f"select day_key, count(*) from {identifier(table)} where day_key is not null group by 1 order by 1"
            found = self.con.execute(query).fetchall()
            days = [date(key // 10_000, key // 100 % 100, key % 100) for key, _ in found]
            return (days, [count for _, count in found]) if found else None

        return self._remembered(table, "days", ask)

    def limits(self, of: View, at: str, beside: Iterable[str] = ()) -> tuple[date, date] | None:
        """Return the first and the last local day of a time column; None without any.

        The columns `beside` it are asked for in the same scan, since they are wanted next.
        """
        if self._key(of.name, f"limits {at}") not in _ANSWERS:
            times = sorted({at, *beside})
            zone = self.lake.timezone
            found = bounds(self.con, f"({of.select(times, zone)})", [identifier(time) for time in times], zone)
            for time, days in zip(times, found, strict=True):
                self._remembered(of.name, f"limits {time}", lambda days=days: days)
        return _ANSWERS[self._key(of.name, f"limits {at}")]

    @property
    def empty(self) -> list[str]:
        """The tables in which nobody has rows."""
        whole = self.lake.whole
        return [name for name in contract().tables if not whole.has(name)]

    def _key(self, of: str, question: str) -> tuple[object, ...]:
        return *self.lake.whole.key, of, question

    def _remembered(self, of: str, question: str, ask):  # type: ignore[no-untyped-def]
        key = self._key(of, question)
        if key not in _ANSWERS:
            if len(_ANSWERS) >= _MOST_ANSWERS:
                _ANSWERS.clear()
            _ANSWERS[key] = ask()
        return _ANSWERS[key]
