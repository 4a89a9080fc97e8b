"""Rows counted day by day: all of them, and those of each value of each dimension."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.design import list_circumstances

__all__ = ["Daily"]

Array = NDArray[np.float64]

_MOST_VALUES, _MOST_CODED = 30, 300
_FEWEST = 30


class Daily:
    """Rows by day and value, each dimension read once whatever is asked of it.

    Parameters
    ----------
    rows : DataFrame
        ``at``, dimensions; in the order in which anything is counted later.

    Attributes
    ----------
    times : pandas.DatetimeIndex
        All days from the first to the last.
    place : numpy.ndarray of int64, shape ``(rows,)``
        The day of each row.
    codes : dict of str to (numpy.ndarray of int16, numpy.ndarray of object)
        By dimension the value of each row (-1 where it is missing), and the values; dimensions with more than 300
        values, and broken numbers, are not among them.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        day = rows["at"].dt.normalize()
        self.times = pd.date_range(day.min(), day.max(), freq="D")
        self.place = ((day - self.times[0]).dt.days).to_numpy()
        self.codes: dict[str, tuple[NDArray[np.int16], NDArray[np.object_]]] = {}
        self._left_out: set[str] = set()
        self._counts: dict[str, Array] = {}
        self.read(rows)

    def read(self, rows: pd.DataFrame) -> list[str]:
        """Read the dimensions of a frame of the same rows that were not read yet; return those it has."""
        columns = list_circumstances(rows)
        for column in columns:
            if column in self.codes or column in self._left_out:
                continue
            code, values = (
                ((), ()) if pd.api.types.is_float_dtype(rows[column]) else pd.factorize(rows[column].astype("object"))
            )
            if 0 < len(values) <= _MOST_CODED:
                self.codes[column] = code.astype(np.int16), np.asarray(values, dtype="object")
            else:
                self._left_out.add(column)
        return [column for column in columns if column in self.codes]

    def count(self, column: str, hit: NDArray | None = None) -> Array:
        """Return rows (or the sum of `hit` over them) by day and value of a dimension, shape ``(days, values)``."""
        if hit is None and column in self._counts:
            return self._counts[column]
        code, values = self.codes[column]
        size = (len(self.times), len(values) + 1)
        cell = self.place * size[1] + code + 1  # 0 is missing
        counted = np.bincount(cell, hit, size[0] * size[1]).reshape(size)[:, 1:].astype("float64")
        if hit is None:
            self._counts[column] = counted
        return counted

    def table(self, columns: Sequence[str], hit: NDArray | None = None) -> tuple[Array, list[str]]:
        """Return counts by day, shape ``(days, names)``: of all rows (""), then of each frequent value ("team=A")."""
        names, parts = [""], [np.bincount(self.place, hit, len(self.times)).astype("float64")[:, None]]
        for column in columns:
            values = self.codes[column][1]
            if len(values) > _MOST_VALUES:
                continue
            kept = np.flatnonzero(self.count(column).sum(axis=0) >= _FEWEST)
            names += [f"{column}={values[number]}" for number in kept]
            parts.append(self.count(column, hit)[:, kept])
        return np.concatenate(parts, axis=1), names
