"""A source mapping compiled to SQL: text columns in, columns of the contract out, every failure named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.errors import MappingError
from svcanalytics.store.casts import Cast, among_sql, boolean_cast, clean_sql, failed_sql, mapped_cast, number_cast
from svcanalytics.store.contract import Column, contract
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.reading.headers import normalise
from svcanalytics.store.rules import ColumnRule, MappingModel
from svcanalytics.store.times import decide, duration_sql, local_sql, time_of_day_sql
from svcanalytics.store.whitelist import render

if TYPE_CHECKING:
    import duckdb

__all__ = ["compile_table"]

_WHOLE = "rows between unbounded preceding and unbounded following"


def compile_table(
    mapping: MappingModel, table: str, con: duckdb.DuckDBPyConnection, timezone: str, raw: str = "raw", origin: str = ""
) -> str:
    """Compile the rules of one table to a SELECT over the raw rows.

    Parameters
    ----------
    mapping : MappingModel
        The source's mapping.
    table : str
        A table it feeds.
    con : DuckDBPyConnection
        Holds the raw rows; date formats are decided over them.
    timezone : str
        The zone of times that carry none, unless the mapping says otherwise.
    raw : str
        Name of the raw table.
    origin : str
        The mapping's file, for messages.

    Returns
    -------
    str
        Selects the table's contract columns, typed; ``_file, _line``; ``_version`` (BIGINT: of rows with one key the
        greater is newer); ``_bad_column, _bad_reason`` (null when fine).

    Raises
    ------
    MappingError
        When the file lacks a column it needs, or a date form can't be decided.
    """
    return _Compiler(mapping, table, con, timezone, raw, origin or mapping.name).compile()


class _Compiler:
    def __init__(
        self, mapping: MappingModel, table: str, con: duckdb.DuckDBPyConnection, timezone: str, raw: str, origin: str
    ) -> None:
        self.mapping, self.table, self.con, self.raw, self.origin = mapping, contract()[table], con, raw, origin
        self.zone = mapping.timezone or timezone
        self.rule = mapping.tables[table]
        held = con.execute(f"describe {raw}").fetchall()
        self.held = {normalise(row[0]): row[0] for row in held if row[0] not in ("_file", "_line")}
        self.used: dict[str, str] = {}
        self.values: dict[str, Cast] = {}
        self.extra: dict[str, str] = {}
        # Columns of which a value map takes only the words it knows: the others must not be lost.
        self.partly: set[str] = set()

    def compile(self) -> str:
        for name in self.rule.columns:
            self._convert(name)
        # Attributes come last: "rest" is what no rule has used.
        attributes = self._attributes() if "attributes" in self.table.columns else None
        verdict = self._verdict()
        where = f"where {self._expression(self.rule.where, 'where')}" if self.rule.where else ""
        version, last = self._version(), ""
        if self.rule.rows == "last":
            last = f"qualify row_number() over ({self._window(descending=True, typed=True)}) = 1"
        # Values are made in one step and gathered over a case's rows in the next: windows don't nest.
        cells = [f"{value} as {_cell(name)}" for name, (value, _, _) in self.values.items()]
        cells += [f"{state} as {_cell(f'bad {name}')}" for name, (_, state, _) in self.values.items() if state]
        cells += [f"{sql} as {_cell(name)}" for name, sql in self.extra.items()]
        selected = [
            f"{self._final(column, attributes)} as {identifier(column.name)}" for column in self.table.columns.values()
        ]
        body = ", ".join([*selected, "_file", "_line", f"{version} as _version", *verdict])
        typed = ", ".join([*cells, "_file", "_line"])
        return (
            f"with source as (select {self._source()} from {self._rows()}), "
            f"typed as (select {typed} from source {where}) select {body} from typed {last}"
        )

    def _final(self, column: Column, attributes: str | None) -> str:
        if column.name in self.values:
            how = self.rule.columns[column.name].aggregate
            return f"cast({self._gather(_cell(column.name), how)} as {column.sql_type})"
        if column.name == "attributes" and attributes is not None:
            return attributes
        return f"cast(null as {column.sql_type})"

    def _extra(self, name: str, sql: str) -> str:
        """Carry a value from the first step to the second; return what it is called there."""
        self.extra[name] = sql
        return _cell(name)

    # -- source columns ------------------------------------------------------------------------------------------

    def _find(self, names: str | list[str] | None, where: str, needed: bool) -> str | None:
        """Return the cleaned source column behind a name or the first of several; None when the file has none."""
        listed = [names] if isinstance(names, str) else names or []
        for name in listed:
            if (key := normalise(name)) in self.held:
                column = self.held[key]
                return self.used.setdefault(column, identifier(f"s_{column}"))
            if name in self.mapping.derive:
                return f"cast({self._expression(self.mapping.derive[name], f'derive.{name}')} as varchar)"
        known = self.mapping.recognise
        recognised = set() if known.also else {normalise(name) for name in known.columns}
        if needed or recognised & {normalise(name) for name in listed}:
            shown = " or ".join(repr(name) for name in listed[:3])
            raise MappingError(
                f"the file has no column {shown}",
                where=self._where(where),
                fix="correct the name in the mapping, or check that the file is of this source",
            )
        return None

    def _source(self) -> str:
        """Select the columns in use, trimmed, with null words as null."""
        words = self.mapping.null_words
        cleaned = [f"{clean_sql(identifier(column), words)} as {alias}" for column, alias in self.used.items()]
        return ", ".join([*cleaned, "_file", "_line"])

    def _rows(self) -> str:
        """Return what to select from: for other tables, without the rows that the primary one refuses."""
        if self.table.name == self.mapping.primary:
            return self.raw
        primary = compile_table(self.mapping, self.mapping.primary, self.con, self.zone, self.raw, self.origin)
        refused = f"select _file, _line from ({primary}) where _bad_column is not null"
        return f"{self.raw} anti join ({refused}) using (_file, _line)"

    # -- one column ----------------------------------------------------------------------------------------------

    def _convert(self, name: str) -> str:
        """Compile a column's rule; return the SQL of its value."""
        if name in self.values:
            return self.values[name][0]
        rule, column = self.rule.columns[name], self.table.columns[name]
        self.values[name] = ("null", None, "")
        if rule.start is not None:
            self.values[name] = self._added(rule, name)
        elif rule.date is not None:
            self.values[name] = self._day_and_time(rule, column)
        elif rule.sequence is not None:
            self.values[name] = (self._sequence(rule, name), None, "")
        elif rule.constant is not None:
            self.values[name] = (literal(rule.constant), None, "")
        else:
            text = self._text(rule, name, not column.null)
            if text is not None:
                self.values[name] = self._typed(text, rule, column)
        if rule.not_before is not None:
            value, state, reason = self.values[name]
            known = f"case when {value} >= {self._convert(rule.not_before)} then {value} end"
            self.values[name] = (known, state, reason)
        return self.values[name][0]

    def _text(self, rule: ColumnRule, name: str, needed: bool) -> str | None:
        if rule.column is not None:
            text = self._find(rule.column, name, needed)
            if rule.otherwise == "null":
                self.partly.update(column for column, alias in self.used.items() if alias == text)
        elif rule.expression is not None:
            text = f"cast({self._expression(rule.expression, name)} as varchar)"
        else:
            whens = [f"when {self._expression(r.when, name)} then {literal(r.then)}" for r in rule.rules or []]
            text = f"case {' '.join(whens)} end"
        if text is not None and rule.null_words:
            text = f"case when {among_sql(text, rule.null_words)} then null else {text} end"
        return text

    def _typed(self, text: str, rule: ColumnRule, column: Column) -> Cast:
        """Return value, condition under which the text was not understood, and the reason."""
        if rule.values is not None:
            return self._mapped(text, rule, column)
        if column.type in ("timestamp", "date"):
            return self._time(text, rule, column)
        if column.type == "boolean":
            return boolean_cast(text)
        if column.type in ("integer", "number"):
            return number_cast(text, column, rule.unit, rule.scale)
        return text, None, ""

    def _mapped(self, text: str, rule: ColumnRule, column: Column) -> Cast:
        words = self.mapping.values[rule.values] if isinstance(rule.values, str) else rule.values or {}
        return mapped_cast(text, column, words, rule.otherwise)

    def _time(self, text: str, rule: ColumnRule, column: Column) -> Cast:
        formats = tuple(rule.formats) or self._decided(text, rule, column.name)
        zone = rule.timezone or self.zone
        value = local_sql(text, formats, zone, rule.offsets or self.mapping.offsets)
        if column.type == "date":
            value = f"cast(timezone({literal(zone)}, {value}) as date)"
            # People were hired and customers won before there were records of calls.
            return self._within(text, value, "1901-01-01")
        return self._within(text, value)

    def _within(self, text: str, value: str, earliest: str = "") -> Cast:
        earliest = earliest or self.mapping.earliest
        first, last = literal(earliest), literal(self.mapping.latest)
        bad = f"({text} is not null and not coalesce({value} between {first} and {last}, false))"
        return value, bad, f"no time, or outside {earliest} to {self.mapping.latest}"

    def _decided(self, text: str, rule: ColumnRule, name: str) -> tuple[str, ...]:
        rows = f"(select {text} as t from (select {self._source()} from {self.raw}))"
        order = rule.dates or self.mapping.dates
        return decide(self.con, "t", rows, order=order, where=self._where(name))

    def _day_and_time(self, rule: ColumnRule, column: Column) -> Cast:
        day = self._find(rule.date, column.name, not column.null)
        clock = self._find(rule.time, column.name, not column.null)
        if day is None or clock is None:
            return "null", None, ""
        if rule.null_words:
            clock = f"case when {among_sql(clock, rule.null_words)} then null else {clock} end"
        formats = tuple(rule.formats) or self._decided(day, rule, column.name)
        zone = rule.timezone or self.zone
        # The day is read as a day in UTC, moved to the time of day, and only then put into its zone.
        local = f"timezone('UTC', {local_sql(day, formats, 'UTC')}) + to_seconds({time_of_day_sql(clock)})"
        value = f"timezone({literal(zone)}, {local})"
        if rule.after is not None:
            before = self._convert(rule.after)
            # Over midnight; a little earlier is a clock that disagrees, not the next day.
            value = f"case when {value} < {before} - interval 12 hours then {value} + interval 1 day else {value} end"
        return self._within(f"({day} || {clock})", value)

    def _added(self, rule: ColumnRule, name: str) -> Cast:
        start = self._convert(rule.start or "")
        add = self._find(rule.add, name, False)
        if add is None:
            return "null", None, ""
        if rule.null_words:
            add = f"case when {among_sql(add, rule.null_words)} then null else {add} end"
        seconds = duration_sql(add, rule.unit)
        return f"({start} + to_seconds({seconds}))", failed_sql(add, seconds), "no duration: a number or H:MM:SS"

    def _sequence(self, rule: ColumnRule, name: str) -> str:
        per = self._find(self.rule.per, f"{name}.per", True)
        if not rule.sequence:
            return f"(row_number() over (partition by {per} order by _file, _line) - 1)"
        own = self._find(rule.sequence, name, True)
        # The source's own number, so that a later export gives the same; two of one number stay apart.
        among = f"row_number() over (partition by {per}, {own} order by _file, _line) - 1"
        return f"(try_cast({own} as bigint) * 10 + {among})"

    # -- expressions and windows ---------------------------------------------------------------------------------

    def _expression(self, text: str, where: str) -> str:
        def column(name: str) -> str:
            found = self._find(name, where, False)
            return "null" if found is None else found

        windows = {"PREVIOUS": self._previous, "FINAL": self._in_last}
        return render(text, column, windows, self._where(where))

    def _previous(self, sql: str) -> str:
        return f"lag({sql}) over ({self._window()})"

    def _in_last(self, sql: str) -> str:
        return f"last_value({sql}) over ({self._window()} {_WHOLE})"

    def _window(self, descending: bool = False, typed: bool = False) -> str:
        """Return the window over a case's rows, in the first step or, typed, in the second."""
        per = self._find(self.rule.per, "per", True) or ""
        way = " desc nulls last" if descending else " nulls first"
        terms = self._order()
        if typed:
            per = self._extra("per", per)
            terms = [self._extra(f"order {i}", term) for i, term in enumerate(terms)]
        return f"partition by {per} order by {', '.join(term + way for term in [*terms, '_file', '_line'])}"

    def _order(self) -> list[str]:
        terms = []
        for name in self.rule.order:
            if normalise(name) in self.held:
                source = self._find(name, "order", True)
                terms += [f"try_cast({source} as double)", f"{source}"]
            elif name in self.rule.columns:
                terms.append(self._convert(name))
            else:
                raise MappingError(f"there is no column {name!r}", where=self._where("order"), fix="correct the name")
        return terms

    def _gather(self, value: str, how: str) -> str:
        """Return a case's value in the second step, from the values of its rows."""
        if self.rule.rows != "last" or how == "last":
            return value
        if how in ("max", "min", "sum", "count"):
            return f"{how}({value}) over (partition by {self._per()})"
        function = "first_value" if how == "first" else "last_value"
        return f"{function}({value} ignore nulls) over ({self._window(typed=True)} {_WHOLE})"

    def _per(self) -> str:
        return self._extra("per", self._find(self.rule.per, "per", True) or "")

    def _version(self) -> str:
        name = self.rule.version
        if name is None:
            return "cast(0 as bigint)"
        if name in self.rule.columns and normalise(name) not in self.held:
            version = f"epoch_us({self._convert(name)})"
        else:
            version = f"try_cast({self._find(name, 'version', True)} as bigint)"
        return self._extra("version", f"coalesce(cast({version} as bigint), 0)")

    # -- verdict and attributes ----------------------------------------------------------------------------------

    def _verdict(self) -> tuple[str, str]:
        """Return the columns that name what is wrong with a row: refusals first, then failed conversions."""
        found: list[tuple[str, str, str]] = []
        for i, rule in enumerate(self.rule.refuse):
            state = self._extra(f"refuse {i}", self._expression(rule.when, "refuse"))
            found.append((rule.column, state, rule.reason.get("en") or next(iter(rule.reason.values()))))
        for name, (_, failed, reason) in self.values.items():
            if failed:
                cell = _cell(f"bad {name}")
                several = self.rule.rows == "last" and self.rule.columns[name].aggregate != "last"
                found.append((name, f"bool_or({cell}) over (partition by {self._per()})" if several else cell, reason))
        if not found:
            return "cast(null as varchar) as _bad_column", "cast(null as varchar) as _bad_reason"
        columns = " ".join(f"when {state} then {literal(name)}" for name, state, _ in found)
        reasons = " ".join(f"when {state} then {literal(reason)}" for _, state, reason in found)
        return f"case {columns} end as _bad_column", f"case {reasons} end as _bad_reason"

    def _attributes(self) -> str:
        """Return a JSON object of texts: what the source says beyond the contract."""
        wanted: list[tuple[str, str, str]] = []
        if self.rule.attributes == "rest":
            ignored = {normalise(name) for name in self.mapping.ignore}
            rest = [
                c for key, c in self.held.items() if (c not in self.used or c in self.partly) and key not in ignored
            ]
            wanted = [(column, self._find(column, "attributes", True) or "", "last") for column in rest]
        elif isinstance(self.rule.attributes, list):
            found = [(name, self._find(name, "attributes", False)) for name in self.rule.attributes]
            wanted = [(name, text, "last") for name, text in found if text is not None]
        else:
            for name, rule in self.rule.attributes.items():
                text = self._text(rule, f"attributes.{name}", False)
                if text is not None:
                    mapped = self._mapped(text, rule, self.table.columns["attributes"])[0] if rule.values else text
                    wanted.append((name, mapped, rule.aggregate))
        if not wanted:
            return "cast(null as varchar)"
        pairs = []
        for name, text, how in wanted:
            value = self._gather(self._extra(f"attribute {name}", text), how)
            pairs.append(f"{literal(_key(name))} || cast(to_json(cast({value} as varchar)) as varchar)")
        # A missing value makes its pair null, and concat_ws leaves nulls out.
        return f"'{{' || nullif(concat_ws(',', {', '.join(pairs)}), '') || '}}'"

    def _where(self, key: str) -> str:
        return f"{self.origin}: tables.{self.table.name}.columns.{key}"


def _cell(name: str) -> str:
    return identifier(f"= {name}")


def _key(name: str) -> str:
    import json

    return json.dumps(name, ensure_ascii=False) + ":"
