"""Along what causes are looked for: what was known of a case before its outcome, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

__all__ = ["DIMENSIONS", "KEYS", "add_tenure", "add_times", "is_known_late", "usable"]

KEYS: Mapping[str, tuple[str, ...]] = {
    "cases": ("case_id",),
    "contacts": ("contact_id", "case_id"),
    "surveys": ("survey_id", "case_id", "contact_id"),
    "audits": ("audit_id", "case_id", "contact_id"),
}
"""Views whose rows can be pointed at, and the columns that do; the first is the row's own."""

_CASE = (
    "business_type",
    "complaint_level",
    "urgency",
    "category",
    "system",
    "customer_type",
    "first_team",
    "owner_team",
)
_PLACE = ("channel", "site", "team", "source")
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "cases": (*_CASE, *_PLACE, "complexity", "grade", "language"),
    "contacts": (*_CASE, *_PLACE, "direction", "window", "queue", "priority"),
    "surveys": (*_CASE, *_PLACE, "queue", "route"),
    "audits": (*_PLACE, "business_type", "category", "customer_type", "queue", "kind", "scene", "item"),
}
"""The contract's dimensions of each view. Left out is what is only known with the outcome (resolution, cause,
reopened_n, handled_by) and who a person is."""

# Words in the names of a source's own attributes that tell of the end of a case, of the work on it, or of a person.
_LATE = re.compile(
    r"clos|resol|solved|state|status|outcome|result|sla|breach|updat|reopen|reassign|transfer|duration|elapsed|score|"
    r"rating|confirm|(^|_)(end|ended|count|counts|number|events|steps|change|rfc|problem|caused_by|knowledge)(_|$)|"
    r"^(role|line|organi[sz]ation.*)$"
)
_PERSON = re.compile(r"(^|_)by$|agent|assigned|caller|user|person|employee|owner$|resource$|(^|_)name$|phone|mail$")

# Where a case ended up tells how it went: of no use for measures made of hand-overs.
_PATH = {"transferred_n", "at_first_contact", "teams_n"}
_ENDS = {"team", "owner_team", "agent", "tenure"}

_SHARE_OF_IDS = 0.5
_FEW = 100
_TELLING, _MUCH = 0.75, 0.1  # shares of the outcome's variance
_NEARLY_ALL, _HALF, _FEW_ROWS = 0.98, 0.55, 20
_WITHIN = ("channel", "queue", "source", "first_team", "team")
_TENURES = ((60, "under 60 days"), (365, "under a year"), (np.inf, "a year or more"))
_HOURS = 3


def is_known_late(name: str) -> bool:
    """Tell whether an attribute's name says that it is known only afterwards, or who somebody is."""
    return bool(_LATE.search(name.lower()) or _PERSON.search(name.lower()))


def add_times(rows: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Add weekday ("1 Mon" ...), day_class and hour ("09-12") of the local time ``at``.

    Parameters
    ----------
    rows : DataFrame
        With ``at``.
    days : DataFrame
        As `periods.day_classes` gives it.
    """
    at = rows["at"]
    names = np.array(["1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun"], dtype="object")
    classes = days.set_index("day")["day_class"]
    hour = at.dt.hour.to_numpy() // _HOURS * _HOURS
    bands = np.array([f"{h:02}-{h + _HOURS:02}" for h in range(24)], dtype="object")
    added = {
        "weekday": names[at.dt.day_of_week.to_numpy()],
        "day_class": at.dt.normalize().astype("datetime64[s]").map(classes).astype("object").to_numpy(),
    }
    # Without times of day, all would have come at midnight.
    if len(rows) and (at != at.dt.normalize()).mean() > _SHARE_OF_IDS:
        added["hour"] = bands[hour]
    return rows.assign(**added)


def add_tenure(rows: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Add how long the agent had been in post, where rows have an agent and people a day of hiring."""
    if "agent" not in rows.columns or "hired_on" not in people.columns or people["hired_on"].isna().all():
        return rows
    hired = rows["agent"].map(people.drop_duplicates("agent").set_index("agent")["hired_on"])
    days = (rows["at"] - pd.to_datetime(hired)).dt.days
    tests = [days < limit for limit, _ in _TENURES]
    return rows.assign(tenure=np.select(tests, [name for _, name in _TENURES], None))


def usable(rows: pd.DataFrame, names: Collection[str], own: Collection[str] = ()) -> tuple[list[str], dict[str, str]]:
    """Choose the columns to look along.

    Left out is what says nothing (one value), what names single rows, what the metric itself is made of, and what as
    good as tells the outcome: a value only filled in for the bad ones, if only in one channel or team, explains
    nothing, nor does one that is mostly empty for them. Of several columns that divide the rows alike the first is
    kept.

    Parameters
    ----------
    rows : DataFrame
        With ``bad`` and the columns.
    names : collection of str
        The columns, those to prefer first.
    own : collection of str
        Columns that the metric is made of.

    Returns
    -------
    kept : list of str
    left_out : dict of str to str
        Column to the reason.
    """
    kept: list[str] = []
    left_out: dict[str, str] = {}
    partitions: dict[tuple[int, bytes], str] = {}
    bad = rows["bad"].to_numpy("float64")
    made_of = set(own) | (_ENDS if _PATH & set(own) else set())
    places = [np.zeros(len(rows), dtype=np.int64)] if np.isin(bad, (0.0, 1.0)).all() else []
    places += [pd.factorize(rows[c])[0] + 1 for c in _WITHIN if places and c in rows.columns and c not in made_of]
    for name in names:
        if name in made_of:
            left_out[name] = "the measure is made of it"
            continue
        codes, values = pd.factorize(rows[name], use_na_sentinel=False)
        if len(values) < 2:
            continue
        alike = partitions.setdefault((len(values), codes.tobytes()), name)
        if len(values) > _SHARE_OF_IDS * len(rows) and len(rows) > _FEW:
            left_out[name] = "it names single rows"
        elif _tells(codes, bad):
            left_out[name] = "it as good as tells the outcome"
        elif _filled_in_tells(rows[name], bad, places):
            left_out[name] = "whether it is filled in as good as tells the outcome"
        elif alike != name:
            left_out[name] = f"it divides the rows as {alike} does"
        else:
            kept.append(name)
    return kept, left_out


def _filled_in_tells(column: pd.Series, bad: np.ndarray, places: Collection[np.ndarray]) -> bool:
    # Whether somewhere nearly all rows with it (or without it) went wrong, and of the others hardly more than half did:
    # an agent who is only noted when the bot fails, a window that is only noted when somebody came to it. Or whether it
    # tells much of the outcome everywhere: a country that is only noted when all who had the case sit in one.
    empty = (column.isna() | column.eq("")).to_numpy()
    if not empty.any() or empty.all():
        return False
    if _tells(empty.astype(np.int64), bad, _MUCH):
        return True
    for code in places:
        cell = 2 * code + empty
        n = np.bincount(cell, minlength=2 * code.max() + 2).reshape(-1, 2)
        share = np.bincount(cell, bad, n.size).reshape(-1, 2) / np.maximum(n, 1)
        known = n.min(axis=1) >= _FEW_ROWS
        if ((share.max(axis=1) >= _NEARLY_ALL) & (share.min(axis=1) <= _HALF) & known).any():
            return True
    return False


def _tells(codes: np.ndarray, bad: np.ndarray, share: float = _TELLING) -> bool:
    # Share of the variance of the outcome between the values of a column, less what chance puts there.
    counts = np.bincount(codes)
    between = (np.bincount(codes, bad) ** 2 / counts).sum() - bad.sum() ** 2 / len(bad)
    whole = ((bad - bad.mean()) ** 2).sum()
    rest = len(bad) - len(counts)
    return bool(whole > 0 and rest > 0 and 1 - (whole - between) / rest / (whole / (len(bad) - 1)) > share)
