"""What a source mapping may say: the model of its TOML file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FieldSerializationInfo,
    field_serializer,
    model_validator,
)

from svcanalytics.store.contract import contract
from svcanalytics.store.reading.formats import FileFormat
from svcanalytics.store.reading.headers import normalise

__all__ = ["ColumnRule", "MappingModel", "RefuseRule", "TableRule", "WhenThen"]

Aggregate = Literal["last", "last_known", "first", "max", "min", "sum", "count"]
Dates = Literal["auto", "day_first", "month_first"]
Unit = Literal["s", "ms", "min", "h", "d", "m:s", "h:m"]
Words = dict[str, str | int | bool]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WhenThen(_Model):
    """One rule of a list: the first whose condition holds gives the value."""

    when: str
    then: str


class ColumnRule(_Model):
    """Where a column's value comes from, and what happens to it on the way.

    Exactly one origin: `column` (a name, or several: the first the file has), `constant`, `expression` (whitelisted SQL
    over the source's columns), `sequence`, `rules`, `date` with `time` (a day and a time of day), or `start` with `add`
    (another column of the table, and seconds to add).

    Attributes
    ----------
    values, otherwise : dict or name, str
        Value map, its words compared without case; what to do with other words: ``keep``, ``refuse`` (to quarantine) or
        ``null``. Default: refuse where the contract has a closed list, else keep.
    null_words : list of str
        Words that mean nothing here, beside those of the file.
    formats, dates, timezone, offsets
        For times: strptime formats or ``iso``, ``excel``, ``epoch``, ``epoch_ms``; found over the whole column when
        left out, with `dates` to tell day from month. The zone of values without offset. ``ignore``: offsets are wrong.
    unit : str
        For durations: the unit of plain numbers, or what two parts mean (``m:s``, ``h:m``).
    scale : float
        For numbers: multiplied by this, then rounded where the column holds integers.
    after : str
        For `date` with `time`: a column of the table; a time of day far before it belongs to the next day.
    not_before : str
        For times: a column of the table; an earlier time says nothing (work written down before the case was opened).
    aggregate : str
        For tables with ``rows = "last"``: which of the case's values counts.
    """

    column: str | list[str] | None = None
    constant: str | int | float | bool | None = None
    expression: str | None = None
    sequence: str | None = None
    rules: list[WhenThen] | None = None
    date: str | list[str] | None = None
    time: str | list[str] | None = None
    start: str | None = None
    add: str | list[str] | None = None
    values: str | Words | None = None
    otherwise: Literal["keep", "refuse", "null"] | None = None
    null_words: list[str] = []
    formats: list[str] = []
    dates: Dates | None = None
    timezone: str | None = None
    offsets: Literal["keep", "ignore"] | None = None
    unit: Unit = "s"
    scale: float = 1
    after: str | None = None
    not_before: str | None = None
    aggregate: Aggregate = "last"

    @model_validator(mode="after")
    def _check_origin(self) -> ColumnRule:
        origins = ("column", "constant", "expression", "sequence", "rules", "date", "start")
        given = [name for name in origins if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(origins)}; has {', '.join(given) or 'none'}")
        if (self.date is None) != (self.time is None) or (self.start is None) != (self.add is None):
            raise ValueError("date needs time, and start needs add")
        return self


def _short(rule: Any) -> Any:
    return {"column": rule} if isinstance(rule, (str, list)) else rule


Rule = Annotated[ColumnRule, BeforeValidator(_short)]


class RefuseRule(_Model):
    """Rows that are no rows of the table: they go to quarantine with the reason."""

    when: str
    column: str
    reason: dict[Literal["en", "zh"], str]


class TableRule(_Model):
    """How one table is filled.

    Attributes
    ----------
    columns : dict
        Rules by column of the contract; a name or a list of names stands for ``{ column = … }``.
    attributes : "rest", list or dict
        Source columns kept as attributes: all that the table doesn't use, those named, or ``{ name = rule }``.
    per, order : str, list of str
        The source column that holds a case's rows together, and the columns (of source or table) that order them.
    rows : str
        ``all``: a row gives a row; ``last``: the rows of one `per` give one row.
    version : str
        The column of source or table by which, of rows with the same key, the newer is known.
    where : str
        Whitelisted SQL: only these rows feed the table. Not for the primary table, which accounts for every row.
    refuse : list
        Rows to quarantine.
    """

    columns: dict[str, Rule]
    attributes: Literal["rest"] | list[str] | dict[str, Rule] = []
    per: str | None = None
    order: list[str] = []
    rows: Literal["all", "last"] = "all"
    version: str | None = None
    where: str | None = None
    refuse: list[RefuseRule] = []

    @field_serializer("attributes")
    def _dump_attributes(self, value: Any, info: FieldSerializationInfo) -> Any:
        # Pydantic warns about every member of a union but the one at hand.
        if not isinstance(value, dict):
            return value
        return {key: rule.model_dump(exclude_defaults=info.exclude_defaults) for key, rule in value.items()}


class Recognise(_Model):
    """Columns by which a file of this source is known; `also` are those of its other layouts."""

    columns: list[str] = []
    also: list[list[str]] = []


class MappingModel(_Model):
    """A source mapping as its TOML file has it.

    Attributes
    ----------
    name, title, page : str, dict, str
        Its name, its title in Chinese and English, and the vendor's page that documents the export.
    file : FileFormat
        How the file is laid out, where that has to be said.
    null_words : list of str
        Words that mean nothing, beside the empty text.
    dates, timezone, offsets
        For all times of the source; see `ColumnRule`.
    earliest, latest : str
        Times outside are no times (1970-01-01, 2059) and go to quarantine.
    recognise : Recognise
        Columns by which a file is known.
    ignore : list of str
        Columns that never become attributes.
    values : dict
        Value maps by name.
    derive : dict
        Columns that the source does not have, as whitelisted SQL over those it has; rules then name them like others.
    tables : dict
        The tables fed; the first is the primary one, which accounts for every row of the source.
    """

    name: str
    title: dict[Literal["en", "zh"], str] = {}
    page: str = ""
    file: FileFormat = FileFormat()
    null_words: list[str] = []
    dates: Dates = "auto"
    timezone: str | None = None
    offsets: Literal["keep", "ignore"] = "keep"
    earliest: str = "1980-01-01"
    latest: str = "2050-01-01"
    recognise: Recognise = Recognise()
    ignore: list[str] = []
    values: dict[str, Words] = {}
    derive: dict[str, str] = {}
    tables: dict[str, TableRule] = Field(default={})

    @property
    def primary(self) -> str:
        """The table that accounts for every row of the source."""
        return next(iter(self.tables))

    @property
    def recognise_columns(self) -> tuple[str, ...]:
        """The columns that files of this source have."""
        return tuple(dict.fromkeys([*self.recognise.columns, *(name for one in self.recognise.also for name in one)]))

    @model_validator(mode="after")
    def _check_tables(self) -> MappingModel:
        for name, rule in self.tables.items():
            if name not in contract().tables:
                raise ValueError(f"tables.{name}: there is no such table; use one of {', '.join(contract().tables)}")
            self._check_columns(name, rule)
        if self.tables and self.tables[self.primary].where:
            raise ValueError(f"tables.{self.primary}.where: the primary table accounts for every row; use refuse")
        return self

    def _check_columns(self, name: str, rule: TableRule) -> None:
        table = contract()[name]
        for column, of in rule.columns.items():
            if column not in table.columns:
                raise ValueError(f"tables.{name}.columns.{column}: the table has no such column")
            if isinstance(of.values, str) and of.values not in self.values:
                raise ValueError(f"tables.{name}.columns.{column}.values: there is no value map {of.values!r}")
            for other in (of.start, of.after, of.not_before):
                if other is not None and (other not in rule.columns or other == column):
                    raise ValueError(f"tables.{name}.columns.{column}: {other!r} is no other column of the table")
        needed = [c.name for c in table.columns.values() if not c.null and c.name not in rule.columns]
        if needed:
            raise ValueError(f"tables.{name}.columns.{needed[0]}: the contract needs this column, no rule gives it")
        if rule.attributes and "attributes" not in table.columns:
            raise ValueError(f"tables.{name}.attributes: the table has no attributes")
        if rule.rows == "last" and not rule.per:
            raise ValueError(f'tables.{name}.rows = "last" needs per')

    def find_columns(self, columns: tuple[str, ...]) -> int:
        """Count the recognised columns a file has; 0 unless it has all those of one layout."""
        held = {normalise(column) for column in columns}
        layouts = [{normalise(name) for name in names} for names in (self.recognise.columns, *self.recognise.also)]
        return max((len(layout) for layout in layouts if layout <= held), default=0)
