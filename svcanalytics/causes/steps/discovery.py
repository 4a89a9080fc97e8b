"""A process, read from its events: ways, flow, waiting, rework and bottlenecks at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcanalytics.causes.steps.bottlenecks import rank_bottlenecks
from svcanalytics.causes.steps.flow import count_activities, count_transitions, count_variants
from svcanalytics.causes.steps.log import NONE, StepLog, read_log
from svcanalytics.causes.steps.looping import Returns, count_handovers, count_rework, find_returns
from svcanalytics.causes.steps.opening import give_opening, infer_opening
from svcanalytics.causes.steps.result import Process
from svcanalytics.causes.steps.waiting import count_waiting, split_waiting
from svcanalytics.periods import Calendar

__all__ = ["process", "read_steps"]


def process(
    events: pd.DataFrame,
    calendar: Calendar | Mapping[str, Calendar] | None = None,
    *,
    until: str | None = None,
    timezone: str = "UTC",
    seed: int = 0,
) -> Process:
    """Read a process from its events.

    A step follows the last step of its case that was done when it began; steps that overlap ran side by side. What lies
    between is waiting, and is split by what the agent did meanwhile, see `split_waiting`. Bottlenecks are ranked by
    playing the cases again, see `rank_bottlenecks`.

    Parameters
    ----------
    events : pandas.DataFrame
        One row per step, as the table of events has it: ``case_id``, ``at`` (done), ``activity`` (or ``milestone``);
        optionally ``started_at``, ``agent``, ``team``, ``seq`` (decides among equal times), ``waits_for`` (customer
        or supplier: waiting from this step on is theirs).
    calendar : Calendar or mapping of str to Calendar, optional
        When people work: one for all, or by agent or team (the agent's goes first, ``""`` is for all others). Without
        it ``open_wait_s`` runs round the clock, and off-duty hours are read from the log.
    until : str, optional
        Activity or milestone that ends a case, such as "resolved"; the time a solved case waits to be closed by rule is
        not what customers wait for. Cases that never reach it are left out.
    timezone : str
        Zone that naive times are meant in, and in which hours are read from the log.
    seed : int
        Of the bootstrap behind the intervals of the bottlenecks.

    Returns
    -------
    Process

    Raises
    ------
    CauseError
        When a column is missing, no event is left, or a team has no calendar.
    """
    log, waits, remarks = _read(events, calendar, timezone, until)
    returns = find_returns(log)
    cases = _cases(log, waits, returns)
    variants, cases["variant"] = count_variants(log, cases["duration_s"].to_numpy())
    wait_s = waits["wait_s"].to_numpy()
    return Process(
        _steps(log, waits, returns, events.index),
        cases,
        variants,
        count_activities(log, waits),
        count_transitions(log, waits),
        count_rework(log, returns),
        count_handovers(log, wait_s),
        rank_bottlenecks(log, wait_s, returns, seed=seed),
        remarks,
    )


def read_steps(events: pd.DataFrame, timezone: str = "UTC") -> pd.DataFrame:
    """Return the steps alone, as `Process` has them, but for the parts of the waiting and what was open of it."""
    log = read_log(events, timezone)
    return _steps(log, count_waiting(log), find_returns(log), events.index)


def _read(
    events: pd.DataFrame, calendar: Calendar | Mapping[str, Calendar] | None, timezone: str, until: str | None
) -> tuple[StepLog, pd.DataFrame, tuple[str, ...]]:
    log = read_log(events, timezone, until)
    if calendar is not None:
        return log, split_waiting(log, give_opening(log, calendar)), log.remarks
    opening, said = infer_opening(log, timezone)
    waits = split_waiting(log, opening)
    return log, waits.assign(open_wait_s=waits["wait_s"]), (*log.remarks, said)


def _steps(log: StepLog, waits: pd.DataFrame, returns: Returns, index: pd.Index) -> pd.DataFrame:
    _, repeat, back = returns
    follows = log.before != NONE
    frame = {
        "case_id": pd.Categorical.from_codes(log.case, log.cases),
        "activity": pd.Categorical.from_codes(log.activity, log.activities),
        "source": pd.Categorical.from_codes(np.where(follows, log.activity[log.before], NONE), log.activities),
        "started_at": _times(log.start),
        "at": _times(log.end),
    }
    for name, code, names in (("agent", log.agent, log.agents), ("team", log.team, log.teams)):
        frame[name] = pd.Categorical.from_codes(code, names)
        frame[f"source_{name}"] = pd.Categorical.from_codes(np.where(follows, code[log.before], NONE), names)
    frame["service_s"] = log.end - log.start
    table = pd.DataFrame(frame | {name: waits[name].to_numpy() for name in waits} | {"repeat": repeat, "back": back})
    return table.set_axis(index[log.row])


def _cases(log: StepLog, waits: pd.DataFrame, returns: Returns) -> pd.DataFrame:
    heads, count = log.heads, len(log.cases)
    start, end = np.minimum.reduceat(log.start, heads), np.maximum.reduceat(log.end, heads)
    who = log.team if len(log.teams) else log.agent
    handed = (log.before != NONE) & (who != NONE) & (who[log.before] != NONE) & (who[log.before] != who)
    sums = {"service_s": log.end - log.start} | {name: waits[name] for name in ("wait_s", "open_wait_s", "outside_s")}
    counts = {"handovers": handed, "repeats": returns[1], "returns": returns[2]}
    return pd.DataFrame(
        {"case_id": log.cases, "start": _times(start), "end": _times(end), "duration_s": end - start}
        | {name: np.bincount(log.case, values, minlength=count).astype(np.int64) for name, values in sums.items()}
        | {"steps": np.bincount(log.case, minlength=count)}
        | {name: np.bincount(log.case, values, minlength=count).astype(np.int64) for name, values in counts.items()}
    )


def _times(seconds: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).as_unit("us").tz_localize("UTC")
