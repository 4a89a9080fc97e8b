"""What a view is: a table, its derived columns and their joins, put together as SQL for the columns asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from svcanalytics.errors import CatalogueError
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier, literal

__all__ = ["Derived", "View", "seconds"]


@dataclass(frozen=True)
class Derived:
    """A column computed by a view: its contract type, its SQL, and the joins it needs."""

    type: str
    sql: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """One view.

    Attributes
    ----------
    name : str
        What the catalogue calls it.
    tables : tuple of str
        The contract tables whose rows it holds; they decide whether a period's data are complete.
    source : str
        SQL that replaces the table where a view isn't simply one table; then `types` says what it gives.
    also : tuple of str
        Tables beside the first without which the view has nothing to say.
    joint : bool
        True when rows of several sources only mean something together, as a planned roster and the hours worked.
    time : str
        The time column that the tables' ``day_key`` and ``month_key`` belong to, when the view has these.
    """

    name: str
    tables: tuple[str, ...]
    time: str = ""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    joint: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """The tables without which the view has nothing to say."""
        return (self.tables[0], *self.also)

    def columns(self) -> dict[str, str]:
        """Return the view's columns with their contract types."""
        own = self.types or {name: column.type for name, column in contract()[self.tables[0]].all_columns.items()}
        return {**own, **{name: derived.type for name, derived in self.derived.items()}}

    def select(
        self,
        needed: Iterable[str],
        zone: str,
        empty: Collection[str] = (),
        keep: Callable[[str], str] | None = None,
        schema: str = "",
    ) -> str:
        """Return the SQL of the view with the columns `needed` and nothing else.

        Parameters
        ----------
        needed : iterable of str
            Columns.
        zone : str
            The lake's time zone.
        empty : collection of str
            Tables known to hold no rows: joins to these are spared.
        keep : callable, optional
            Gives SQL for the rows of a query that views of the same lake join to again and again, as `Lake.keep`.
        schema : str
            "main": everybody's rows, where the lake shows one unit.

        Raises
        ------
        CatalogueError
            When the view has no such column.
        """
        known, listed, joins = self.columns(), [], []
        for name in sorted(set(needed)):
            if name not in known:
                raise CatalogueError(
                    f"view {self.name!r} has no column {name!r}", fix=f"use one of {', '.join(sorted(known))}"
                )
            derived = self.derived.get(name)
            joins += [join for join in (derived.needs if derived else ()) if join in self.joins and join not in joins]
            listed.append(f"{derived.sql if derived else 't.' + identifier(name)} as {identifier(name)}")
        table = f"{schema}.{identifier(self.tables[0])}" if schema else identifier(self.tables[0])
        text = f"select {', '.join(listed) or '1 as one'} from {self.source or table} t"
        text = " ".join([text, *(_joined(self.joins[join], empty, keep) for join in joins)])
        return text.replace("{zone}", literal(zone))


def _joined(join: str, empty: Collection[str], keep: Callable[[str], str] | None) -> str:
    if set(re.findall(r"\b(?:from|join) (?:main\.)?(\w+)", join)) & set(empty):
        # A left join to an empty table reads no keys; its columns stay, as nulls.
        return f"{join.rsplit(' on ', 1)[0]} on false"
    query = re.fullmatch(r"((?:left )?join )\((select .*)\)( \w on .*)", join, re.DOTALL) if keep else None
    return f"{query[1]}{keep(query[2])}{query[3]}" if query else join


def seconds(earlier: str, later: str) -> str:
    """Return SQL for the whole seconds from one time to another."""
    # Differences of microseconds: date_diff on times with a zone goes through the calendar and is many times slower.
    return f"((epoch_us({later}) - epoch_us({earlier})) // 1000000)"
