"""What a lake's rows can answer: which attributes they have, and which sources record what a metric needs.

A source that never notes when a case was answered does not answer late: the metric has nothing to say about its cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from svcanalytics.metrics.definitions import Metric
from svcanalytics.metrics.expressions import attribute, condition, parse
from svcanalytics.metrics.views import View, view
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Knowledge"]

# A snapshot never changes, so an answer holds for as long as the process lives.
_ANSWERS: dict[tuple[str, int, str, str], object] = {}
_MOST_ANSWERS = 20_000


@dataclass(frozen=True)
class Knowledge:
    """Asks a lake's rows, once per question and snapshot."""

    lake: Lake
    con: duckdb.DuckDBPyConnection = field(compare=False)

    def has_attribute(self, of: View, name: str) -> bool:
        """Tell whether any row of a view has an attribute."""
        if "attributes" not in of.columns():
            return False
        rows = of.select(["attributes"], self.lake.timezone)
        query = f"select 1 from ({rows}) where {attribute(name)} is not null limit 1"
        return bool(self._remembered(of.name, f"attribute {name}", lambda: self.con.execute(query).fetchall()))

    def learn(self, metrics: Iterable[Metric]) -> None:
        """Ask what all these metrics require, in one query per view."""
        wanted: dict[str, set[str]] = {}
        for metric in metrics:
            if metric.requires and self._key(metric.view, metric.requires) not in _ANSWERS:
                wanted.setdefault(metric.view, set()).add(metric.requires)
        for name, requirements in wanted.items():
            of, tests = view(name), sorted(requirements)
            columns = set().union(*(parse(test).columns for test in tests))
            source = "source" if "source" in of.columns() else "''"
            read = of.select(columns | ({"source"} if source == "source" else set()), self.lake.timezone, self.empty)
            asked = ", ".join(f"coalesce(bool_or({parse(test).sql}), false)" for test in tests)
            found = self.con.execute(f"select {source}, {asked} from ({read}) group by 1 order by 1").fetchall()
            for i, test in enumerate(tests):
                answer = [row[0] for row in found if row[i + 1]], [row[0] for row in found]
                self._remembered(of.name, test, lambda answer=answer: answer)

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

    @property
    def empty(self) -> list[str]:
        """The tables without rows."""
        return [name for name in contract().tables if not self.lake.has(name)]

    def _key(self, of: str, question: str) -> tuple[str, int, str, str]:
        return str(self.lake.path), self.lake.snapshot.id, of, question

    def _remembered(self, of: str, question: str, ask):  # type: ignore[no-untyped-def]
        key = self._key(of, question)
        if key not in _ANSWERS:
            if len(_ANSWERS) >= _MOST_ANSWERS:
                _ANSWERS.clear()
            _ANSWERS[key] = ask()
        return _ANSWERS[key]
