"""What so many people can work together: one shift a day with rest after it, days off, and hours in the week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.programme import Sheet
from svcanalytics.staffing.shifting.rules import People

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Limit", "is_kept", "limit_rows"]


@dataclass(frozen=True, eq=False)
class Limit:
    """So many people for some groups together; with a pattern, so many a day who work it."""

    groups: tuple[str, ...]
    people: int
    pattern: str | None = None


def limit_rows(
    sheet: Sheet,
    limit: Limit,
    rules: People,
    shifts: pd.DataFrame,
    shift: NDArray[np.intp],
    first: Mapping[str, int],
) -> None:
    """Add a limit's rows to a programme.

    Parameters
    ----------
    sheet : Sheet
    limit : Limit
    rules : People
    shifts : DataFrame
        Of the offers.
    shift : numpy.ndarray
        The shift of each of a group's first columns.
    first : mapping
        By group: the number of its first column.
    """

    n, columns = limit.people, [first[group] for group in limit.groups]

    def add(uses: sparse.csr_matrix, high: NDArray[np.float64]) -> int:
        row = sheet.rows(np.full(len(high), -np.inf), high)
        for column in columns:
            sheet.block(uses[:, shift], row + np.arange(len(high)), column)
        return row

    day = shifts["day"].to_numpy()
    if limit.pattern is not None:
        uses, days = _sums(day, (shifts["pattern"] == limit.pattern).to_numpy(dtype="float64"))
        add(uses, np.full(len(days), n))
        return
    one = np.ones(len(shifts))
    uses, days = _sums(day, one)
    add(uses, np.full(len(days), n))
    week = (shifts["day"] - pd.to_timedelta(shifts["day"].dt.day_of_week, unit="D")).to_numpy()
    uses, weeks = _sums(week, one)
    in_plan = np.array([len(np.unique(day[week == each])) for each in weeks])
    add(uses, n * np.minimum(in_plan, 7 - rules.days_off))
    uses, weeks = _sums(week, np.where(shifts["on_call"], 0.0, shifts["paid_s"] / 3600))
    add(uses, np.full(len(weeks), n * (rules.max_hours_a_week - rules.training_hours_a_week)))
    _rest(sheet, n, rules, shifts, shift, columns)


def is_kept(limit: Limit, rules: People, shifts: pd.DataFrame, people: NDArray[np.int64]) -> bool:
    """Return whether so many people on each shift are within a limit.

    Parameters
    ----------
    limit : Limit
    rules : People
    shifts : DataFrame
        Of the offers.
    people : numpy.ndarray, shape ``(shifts,)``
        Of the limit's groups together.
    """
    if limit.pattern is not None:
        own = (shifts["pattern"] == limit.pattern).to_numpy()
        return bool(pd.Series(people[own]).groupby(shifts["day"].to_numpy()[own]).sum().max() <= limit.people)
    day = shifts["day"]
    week = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
    hours = np.where(shifts["on_call"], 0.0, shifts["paid_s"] / 3600)
    table = pd.DataFrame({"day": day, "week": week, "people": people, "hours": people * hours})
    weekly = table.groupby("week").agg(days=("day", "nunique"), people=("people", "sum"), hours=("hours", "sum"))
    most = limit.people * np.minimum(weekly["days"], 7 - rules.days_off)
    longest = limit.people * (rules.max_hours_a_week - rules.training_hours_a_week)
    again = shifts["end"] + round(60 * rules.min_rest_hours)
    moments = np.unique(shifts["begin"])
    came = np.array([people[shifts["begin"] <= moment].sum() for moment in moments])
    free = np.array([people[again <= moment].sum() for moment in moments])
    return bool(
        table.groupby("day")["people"].sum().max() <= limit.people
        and (weekly["people"] <= most).all()
        and (weekly["hours"] <= longest + 1e-6).all()
        and (came - free).max() <= limit.people
    )


def _sums(period: NDArray[np.datetime64], weight: NDArray[np.float64]) -> tuple[sparse.csr_matrix, NDArray]:
    from scipy import sparse

    keys, row = np.unique(period, return_inverse=True)
    return sparse.csr_matrix((weight, (row, np.arange(len(weight)))), shape=(len(keys), len(weight))), keys


def _rest(
    sheet: Sheet, n: int, rules: People, shifts: pd.DataFrame, shift: NDArray[np.intp], columns: list[int]
) -> None:
    """Nobody is at work or resting twice: how many are is carried from one moment to the next.

    Shifts with their rest are spans of time, of which so many at once can always be handed to so many people.
    """
    from scipy import sparse

    begin = shifts["begin"].to_numpy()
    again = shifts["end"].to_numpy() + round(60 * rules.min_rest_hours)
    moments = np.unique(np.concatenate([begin, again]))
    each = np.arange(len(shifts))
    enters = sparse.csr_matrix((np.ones(len(each)), (np.searchsorted(moments, begin), each)), (len(moments), len(each)))
    leaves = sparse.csr_matrix((np.ones(len(each)), (np.searchsorted(moments, again), each)), (len(moments), len(each)))
    taken = sheet.columns(np.zeros(len(moments)), most=float(n))
    row = sheet.rows(np.zeros(len(moments)), np.zeros(len(moments)))
    place = np.arange(len(moments))
    sheet.entries(row + place, taken + place, 1.0)
    sheet.entries(row + place[1:], taken + place[:-1], -1.0)
    for column in columns:
        sheet.block((leaves - enters).tocsr()[:, shift], row + place, column)
