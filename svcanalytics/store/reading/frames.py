"""Data frames, queries on a database, and Parquet files as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import LoadError
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.masking import mask
from svcanalytics.store.reading.formats import Query
from svcanalytics.store.reading.headers import unique_names
from svcanalytics.store.reading.staging import Stage
from svcanalytics.store.reading.values import as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_frame", "read_parquet", "read_query"]


def read_frame(stage: Stage, frame: pd.DataFrame) -> None:
    """Read a data frame; ``_line`` is the row's position from 1."""
    names = unique_names([str(name) for name in frame.columns])
    columns = [_texts(frame.iloc[:, i]) for i in range(len(names))]
    rows = enumerate(zip(*columns, strict=True), start=1) if columns else iter(())
    stage.add_rows("data frame", names, rows)


def _texts(series: pd.Series) -> Sequence[str | None]:
    # A column of whole numbers with gaps is a column of floats; `as_text` takes the `.0` off again.
    return [as_text(value) for value in series.astype(object).where(series.notna(), None)]


def read_query(stage: Stage, query: Query) -> None:
    """Read the rows of a query, streamed; ``_line`` is the row's position from 1.

    Raises
    ------
    LoadError
        When the database can't be reached or refuses the query. The message leaves the URL out: it may hold a password.
    """
    import sqlalchemy
    from sqlalchemy.exc import ResourceClosedError, SQLAlchemyError

    try:
        engine = sqlalchemy.create_engine(query.url)
        with engine.connect() as connection:
            result = connection.execution_options(stream_results=True).execute(sqlalchemy.text(query.sql))
            names = unique_names(list(result.keys()))
            stage.add_rows(query.name, names, _numbered(result))
        engine.dispose()
    except ResourceClosedError:
        raise LoadError("the query gives no rows", where=query.name, fix="write one that selects") from None
    except ImportError as error:
        fix = "install it beside the package, or name another driver in the URL"
        raise LoadError(f"the driver {error.name} is not installed", where=query.name, fix=fix) from None
    except SQLAlchemyError as error:
        raise LoadError(
            f"the database refused: {_reason(error)}", where=query.name, fix="check the URL, its driver and the query"
        ) from None


def _reason(error: Exception) -> str:
    """Return what the database said of a table, column or connection; of a value it may hold, only the kind."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    kind = type(getattr(error, "orig", None) or error).__name__
    if not isinstance(error, OperationalError | ProgrammingError):
        return kind
    return f"{kind}: {mask(str(error.orig).partition(chr(10))[0])}"


def _numbered(result: object) -> Iterator[tuple[int, list[str | None]]]:
    for line, row in enumerate(result, start=1):
        yield line, [as_text(value) for value in row]


def read_parquet(stage: Stage, path: Path, name: str) -> None:
    """Read a Parquet file inside DuckDB; ``_line`` is the row's position from 1."""
    import duckdb

    con, part = stage.con, stage.new_part()
    source = f"read_parquet({literal(str(path))}, file_row_number=true, hive_partitioning=false)"
    try:
        described = con.execute(f"describe select * exclude (file_row_number) from {source}").fetchall()
    except duckdb.Error:
        raise LoadError("not a readable Parquet file", where=name, fix="fetch it again") from None
    names = unique_names([row[0] for row in described])
    listed = [
        f"{_parquet_text(row[0], row[1])} as {identifier(new)}" for row, new in zip(described, names, strict=True)
    ]
    con.execute(
        f"create or replace temp table {part} as select {', '.join(listed)}, file_row_number + 1 as _line from {source}"
    )
    stage.add(name, part, names)


def _parquet_text(column: str, kind: str) -> str:
    name = identifier(column)
    if kind in ("DOUBLE", "FLOAT"):
        # Frames saved by pandas hold whole numbers with gaps as floats.
        whole = f"{name} = trunc({name}) and abs({name}) < 1e17"
        return f"case when {whole} then cast(cast({name} as bigint) as varchar) else cast({name} as varchar) end"
    if kind.startswith(("STRUCT", "MAP")) or kind.endswith("]"):
        return f"cast(to_json({name}) as varchar)"
    return f"cast({name} as varchar)"
