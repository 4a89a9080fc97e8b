"""Reading of every kind of source into one DuckDB table of text, with the line each row came from."""

from svcanalytics.store.reading.formats import FileFormat, Query, Reading
from svcanalytics.store.reading.source import read

__all__ = ["FileFormat", "Query", "Reading", "read"]
