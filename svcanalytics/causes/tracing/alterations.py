"""Alterations of the data: what changed in how cases are recorded, not in how they went.

A definition or mapping that became another, a column no longer filled, answers that no longer arrive, a value written
otherwise, rows that come twice, a source that is silent, a clock that goes wrong. Each is found by its own mark in the
data, whatever it did to a metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from svcanalytics.causes.tracing.breaks import find_breaks
from svcanalytics.causes.tracing.daily import Daily

__all__ = [
    "Alteration",
    "are_doubled",
    "clock_shifts",
    "doubled_rows",
    "lost_rows",
    "missing_values",
    "new_definitions",
    "renamed_values",
    "silences",
    "turned_scales",
]

What = Literal["definition", "missing", "lost", "renamed", "doubled", "silent", "clock", "turned"]

_SURE = 1e-3
"""Alterations are glaring or of no matter: a p-value above this, over all that was looked at, is none."""
_JUMP = 0.05
"""A share must change by so much to matter."""
_FEWEST = 30
_DAYS = 7
_MOST_VALUES = 30
_CLOCKS = ("source", "system", "site", "channel")
"""Dimensions whose values may have a clock of their own, or fall silent."""
_MOVED = (np.arange(24) - np.arange(24)[:, None]) % 24  # row k: the hours of the day, moved by k


@dataclass(frozen=True)
class Alteration:
    """One change of the data.

    Attributes
    ----------
    what : {"definition", "missing", "lost", "renamed", "doubled", "silent", "clock", "turned"}
    name : str
        The metric, mapping, column or value it is about.
    where : str
        The rows it touches, as a finding has it; "" all of them.
    since : pandas.Timestamp
        First day.
    before, after : float
        The share concerned (missing, arrived, doubled ...), or the hours of the clock; NaN where there is none.
    p_value : float
        Of no change, over all that was looked at; 0 for what is written down.
    until : pandas.Timestamp
        First day it is no more; NaT when it lasts.
    """

    what: What
    name: str
    where: str
    since: pd.Timestamp
    before: float = np.nan
    after: float = np.nan
    p_value: float = 0.0
    until: pd.Timestamp = pd.NaT  # type: ignore[assignment]


def new_definitions(definitions: pd.DataFrame) -> list[Alteration]:
    """Return where the number that stands for a definition or mapping changes; the frame is as `Material` has it."""
    out = []
    kept = definitions[definitions["what"] == "definition"].sort_values("at", kind="stable")
    for (_, name), rows in kept.groupby(["table", "name"], dropna=False, sort=True):
        changed = rows["value"].ne(rows["value"].shift()) & rows["value"].shift().notna()
        out += [Alteration("definition", str(name), "", at) for at in rows.loc[changed, "at"]]
    return out


def missing_values(definitions: pd.DataFrame) -> list[Alteration]:
    """Return the columns whose share of missing values jumps from one week to the next."""
    kept = definitions[definitions["what"] == "missing"]
    if kept.empty:
        return []
    n = kept["n"] if "n" in kept.columns else pd.Series(100.0, index=kept.index)
    keyed = kept.assign(_n=n.fillna(0.0), _key=kept["table"].astype(str) + "." + kept["name"].astype(str))
    total = keyed.pivot_table(index="at", columns="_key", values="_n", aggfunc="sum", fill_value=0.0)
    hits = keyed.assign(_h=keyed["value"].fillna(0.0) * keyed["_n"])
    hits = hits.pivot_table(index="at", columns="_key", values="_h", aggfunc="sum", fill_value=0.0)
    found = find_breaks(hits.to_numpy("float64"), total.to_numpy("float64"), edge=2)
    return [
        Alteration("missing", str(key), "", total.index[found.place[i]], found.before[i], found.after[i], p)
        for i, key in enumerate(hits.columns)
        if (p := min(found.p_value[i] * hits.shape[1], 1.0)) < _SURE and found.after[i] - found.before[i] > _JUMP
    ]


def lost_rows(rows: pd.DataFrame, cases: pd.DataFrame, daily: Daily | None = None) -> list[Alteration]:
    """Return the kinds of cases of which fewer have a row than before: answers that no longer arrive.

    Parameters
    ----------
    rows : DataFrame
        Rows of the metric, with ``case_id`` (or ``id``).
    cases : DataFrame
        The cases that could have one: ``case_id`` (or ``id``), ``at``, dimensions.
    daily : Daily, optional
        These cases by day, to spare counting them again.
    """
    case, own = (frame["case_id"] if "case_id" in frame else frame["id"] for frame in (cases, rows))
    arrived = case.isin(own).to_numpy()
    if arrived.mean() > 0.95 or not arrived.any():
        return []
    daily = daily or Daily(cases)
    columns = daily.read(cases)
    (total, names), (hits, _) = daily.table(columns), daily.table(columns, arrived)
    found = find_breaks(hits, total, edge=5)
    p = np.minimum(found.p_value * len(names), 1.0)
    fell = (p < _SURE) & (found.before - found.after > _JUMP) & (found.after < 0.9 * found.before)
    if not fell.any():
        return []
    # Where it fell most surely; all cases only when no kind of them stands out.
    best = int(np.argmin(np.where(fell, found.p_value, 2.0)))
    since = daily.times[found.place[best]]
    return [Alteration("lost", "", names[best], since, found.before[best], found.after[best], float(p[best]))]


def renamed_values(rows: pd.DataFrame, daily: Daily | None = None) -> list[Alteration]:
    """Return values that vanish on the day another appears that is as frequent; ``name`` is the old one."""
    out = []
    daily = daily or Daily(rows)
    first_day, span = daily.times[0], len(daily.times) - 1
    for column in daily.read(rows):
        if pd.api.types.is_numeric_dtype(rows[column]):
            continue
        values, count = daily.codes[column][1], daily.count(column)
        there = count > 0
        size, days = count.sum(axis=0), there.sum(axis=0)
        first, last = there.argmax(axis=0), span - there[::-1].argmax(axis=0)
        often = (size >= _FEWEST) & (days >= _DAYS) & (days >= (last - first) / 3)  # no festival, no season
        gone, come = np.flatnonzero((last < 0.98 * span) & often), np.flatnonzero((first > 0.02 * span) & often)
        for old in gone:
            for new in come:
                rate, rate_new = size[old] / max(last[old], 1), size[new] / max(span - first[new], 1)
                p = float(np.exp(-min(rate * (span - last[old]), 700.0)))
                near = abs(first[new] - last[old]) <= max(3.0, 3 / rate)
                if near and 0.6 < rate_new / rate < 1.7 and p < _SURE:
                    since = first_day + pd.Timedelta(days=int(first[new]))
                    place = f"{column}={values[new]}"
                    out.append(Alteration("renamed", str(values[old]), place, since, rate, rate_new, p))
    return out


def doubled_rows(rows: pd.DataFrame) -> list[Alteration]:
    """Return from when on rows come twice: the same in everything but their id."""
    twice = are_doubled(rows)
    if not twice.any():
        return []
    daily = Daily(rows[["at"]])
    found = find_breaks(daily.table((), twice)[0], daily.table(())[0])
    if found.p_value[0] < _SURE and found.after[0] - found.before[0] > _JUMP:
        since = daily.times[found.place[0]]
        return [Alteration("doubled", "", "", since, found.before[0], found.after[0], float(found.p_value[0]))]
    return []


def are_doubled(rows: pd.DataFrame) -> np.ndarray:
    """Tell which rows repeat an earlier one in everything but their id, shape ``(n,)``."""
    out = np.zeros(len(rows), dtype=bool)
    again = rows["at"].duplicated(keep=False).to_numpy()
    if again.any():
        some = rows.loc[again].drop(columns=["id", *({"case_id"} & set(rows.columns))])
        out[again] = some.astype("object").duplicated().to_numpy()
    return out


def silences(rows: pd.DataFrame, daily: Daily | None = None) -> list[Alteration]:
    """Return which sources fall silent while the others go on; ``before`` and ``after`` are their share of the rows."""
    daily = daily or Daily(rows)
    hits, names = daily.table([name for name in daily.read(rows) if name in _CLOCKS])
    everything = np.repeat(hits[:, :1], hits.shape[1], axis=1)
    found = find_breaks(hits, everything)
    return [
        Alteration("silent", name, name, daily.times[found.place[i]], found.before[i], found.after[i], float(p))
        for i, name in enumerate(names)
        if name and (p := found.p_value[i] * len(names)) < _SURE and found.after[i] < 0.1 * found.before[i]
    ]


def clock_shifts(rows: pd.DataFrame, daily: Daily | None = None) -> list[Alteration]:
    """Return whose clock goes wrong: from a week on, hours of the day fit those before only if moved by whole hours.

    ``after`` is by how many hours (-11 to 12).
    """
    week = ((rows["at"] - rows["at"].min()).dt.days // 7).to_numpy()
    hour = rows["at"].dt.hour.to_numpy()
    weeks = int(week.max()) + 1 if len(week) else 0
    if weeks < 6 or len(np.unique(hour)) < 6:
        return []
    daily = daily or Daily(rows)
    sets = [("", np.ones(len(rows), dtype=bool))]
    for name in (each for each in daily.read(rows) if each in _CLOCKS):
        code, values = daily.codes[name]
        order = sorted(range(len(values)), key=lambda number, values=values: str(values[number]))[:_MOST_VALUES]
        sets += [(f"{name}={values[number]}", code == number) for number in order]
    out = []
    for where, inside in sets:
        table = np.bincount(week[inside] * 24 + hour[inside], minlength=weeks * 24).reshape(weeks, 24).astype("float64")
        best: tuple[float, int, int] = (0.0, 0, 0)
        for start in range(3, weeks - 1):
            usual = table[:start].sum(axis=0) + 0.5
            later = table[start:].sum(axis=0)
            fits = np.log(usual / usual.sum())[_MOVED] @ later
            k = int(fits.argmax())
            # Days differ of themselves; and after the shift the hours must fit as well as they did before it.
            own = later @ np.log((later + 0.5) / (later + 0.5).sum())
            gain = (fits[k] - fits[0]) / 4
            if k and gain > best[0] and own - fits[k] < 0.2 * (own - fits[0]):
                best = (float(gain), k, start)
        p = 23 * weeks * len(sets) * np.exp(-min(best[0], 700.0))
        if best[1] and p < _SURE:
            since = rows["at"].min().normalize() + pd.Timedelta(days=7 * best[2])
            hours = best[1] if best[1] <= 12 else best[1] - 24
            out.append(Alteration("clock", where, where, since, 0.0, float(hours), float(p)))
    whole = [each for each in out if not each.where]
    return whole or out


def turned_scales(rows: pd.DataFrame, daily: Daily | None = None) -> list[Alteration]:
    """Return where good and bad changed places from one day to the next, for a metric whose ``bad`` is 0 or 1.

    A service that gets worse does so by some amount; a scale read from the wrong end turns a share into its complement.
    """
    bad = rows["bad"].to_numpy("float64")
    if not np.isin(bad, (0.0, 1.0)).all() or len(rows) < 2 * _FEWEST:
        return []
    daily = daily or Daily(rows)
    columns = daily.read(rows)
    (total, names), (hits, _) = daily.table(columns), daily.table(columns, bad)
    found = find_breaks(hits, total)
    out = []
    for i, name in enumerate(names):
        p = min(found.p_value[i] * len(names), 1.0)
        later = total[found.place[i] :, i].sum()
        error = np.sqrt(found.before[i] * (1 - found.before[i]) / max(later, 1.0))
        mirrored = abs(found.after[i] - (1 - found.before[i])) < max(3 * error, 0.08)
        if p < _SURE and mirrored and found.before[i] < 0.35 and later >= _FEWEST:
            out.append(
                Alteration("turned", name, name, daily.times[found.place[i]], found.before[i], found.after[i], float(p))
            )
    return sorted(out, key=lambda each: each.p_value)[:1]
