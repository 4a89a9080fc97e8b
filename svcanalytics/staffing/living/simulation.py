"""A plan lived through on sample days: what service comes of it, how often each promise is kept, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.staffing.formulas.sizing import Definition
from svcanalytics.staffing.living.rehearsal import Tally, rehearse, whole_agents
from svcanalytics.staffing.promise import Promise, Setting, promises
from svcanalytics.staffing.volumes import Demand, Times, Volume, for_queue, read_volumes

__all__ = ["Simulation", "compare", "simulate"]

_SUMS = ("offered", "answered", "within", "wait_s", "busy_s", "paid_s")
_MEASURES = ("service_level", "abandonment", "asa_s", "occupancy")
_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came of a plan; intervals of confidence (95 %) are about the number of draws, not about the world.

    Attributes
    ----------
    intervals : pandas.DataFrame
        queue, start, agents, arrivals, service_level, low, high, abandonment, asa_s, occupancy, and kept: the share of
        draws in which all targets were met, with kept_low and kept_high. Customers belong to the interval they came in.
    days, weeks : pandas.DataFrame
        The same by queue and day, or by the week's Monday.
    promises : pandas.DataFrame
        queue, period (interval, day, week), target (service_level, asa_s, abandonment, occupancy, all), probability
        that it is kept in such a period, low, high.
    draws : pandas.DataFrame
        A row per queue, day and draw: offered, answered, within, wait_s, busy_s, paid_s, the measures, and kept.
    seed : int
    """

    intervals: pd.DataFrame
    days: pd.DataFrame
    weeks: pd.DataFrame
    promises: pd.DataFrame
    draws: pd.DataFrame
    seed: int


def simulate(
    plan: pd.DataFrame,
    forecast: Demand,
    handle_s: Times,
    *,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    max_occupancy: Setting = None,
    max_abandonment: Setting = None,
    max_asa_s: Setting = None,
    definition: Definition = "offered",
    concurrency: float | Mapping[str, float] = 1,
    absence: float = 0.0,
    handle_noise: float = 0.0,
    handle_cv: float = 1.0,
    interval_s: float | None = None,
    draws: int = 200,
    seed: int = 1,
) -> Simulation:
    """Live through the plan's days again and again and return what came of them.

    Each draw takes one sample path of demand (Poisson counts about the means of a plain table; what really came, when
    the table has whole `arrivals` and no mean), serves every customer in order of arrival by the plan's agents, and
    counts. Agents finish their call before they leave. With the same
    seed, two plans meet the same days, customers and absences: `compare` then sees what the plans do and not luck.

    Parameters
    ----------
    plan : DataFrame
        queue, start, agents (others are ignored), such as `requirement` returns. Open slots that it leaves out have
        nobody. Fractions of agents are made whole within each opening, so that hours add up.
    forecast, handle_s, interval_s
        As in `requirement`.
    service_level, within_s, patience_s, max_occupancy, max_abandonment, max_asa_s, definition
        What is promised, as in `requirement`.
    concurrency : float or mapping
        Chats an agent holds at once, as in `requirement`; fractions are rounded down to what all agents together hold.
    absence : float
        Probability that an agent of the plan is away for the day, beyond what shrinkage covers.
    handle_noise : float
        Coefficient of variation of a day's mean handle time (log-normal): some days everything takes longer.
    handle_cv : float
        Coefficient of variation of one handle time: 1 is exponential, else log-normal.
    draws, seed : int
        How many sample paths, and which: by default others than those a requirement was made from.

    Raises
    ------
    StaffingError
        A number is out of its range, or the plan names a queue that the forecast does not.
    """
    for name, value, high in (
        ("absence", absence, 1.0),
        ("handle_noise", handle_noise, np.inf),
        ("handle_cv", handle_cv, np.inf),
    ):
        if not 0 <= value < high:
            raise StaffingError(f"{name} is {value}", where=name, fix="give 0.05 for 5 %")
    if draws < 2:
        raise StaffingError("one draw says nothing about chance", where="draws", fix="give 200 or more")
    volumes = read_volumes(forecast, handle_s, paths=draws, seed=seed, interval_s=interval_s)
    promised = promises(
        volumes, service_level=service_level, within_s=within_s, definition=definition, patience_s=patience_s,
        max_asa_s=max_asa_s, max_abandonment=max_abandonment, max_occupancy=max_occupancy,
    )  # fmt: skip
    agents = _agents(plan, volumes)
    counted = isinstance(forecast, pd.DataFrame) and "mean" not in forecast
    at_once = for_queue("concurrency", concurrency, [volume.queue for volume in volumes])
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in ("interval", "day", "week", "draws", "promises")}
    for number, volume in enumerate(volumes):
        promise, rng = promised[volume.queue], np.random.default_rng([seed, number])
        arrivals = _arrivals(volume, draws, rng, counted)
        at_work = _present(agents[number], volume, absence, draws, rng)
        factor = _busy_days(volume, handle_noise, draws, rng)
        hands = float(at_once(volume.queue))
        if not hands >= 1:
            raise StaffingError(f"concurrency is {hands:g}", where=volume.queue, fix="give a number from 1 up")
        held = np.floor(at_work * hands + 1e-9).astype(np.int64)
        tally = rehearse(volume, arrivals, held, promise, seed=seed, handle_factor=factor, handle_cv=handle_cv)
        # Seconds of people, whose time chats held together share.
        tally = replace(tally, busy_s=tally.busy_s / hands, paid_s=at_work * volume.interval_s)
        weeks = volume.days - pd.to_timedelta(volume.days.day_of_week, unit="D")
        for period, keys in (("interval", volume.start), ("day", volume.days), ("week", weeks)):
            names, group = np.unique(keys.asi8, return_inverse=True)
            label = keys[np.searchsorted(keys.asi8, names)]
            sums = tally if period == "interval" else tally.by(group)
            table = _summary(sums, promise, label.rename("start" if period == "interval" else period), volume.queue)
            if period == "interval":
                table.insert(2, "agents", agents[number])
            parts[period].append(table)
            parts["promises"].append(_kept(sums, promise, period, volume.queue))
            if period == "day":
                parts["draws"].append(_rows(sums, promise, label, volume.queue))
    made = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
    return Simulation(made["interval"], made["day"], made["week"], made["promises"], made["draws"], seed)


def compare(before: Simulation, after: Simulation, by: Sequence[str] = ("queue",)) -> pd.DataFrame:
    """Return what a change of plan changes, draw by draw on the same random days.

    Parameters
    ----------
    before, after : Simulation
        Of the same forecast days, draws and seed.
    by : sequence of str
        ``"queue"``, ``"day"``, both, or none for everything together.

    Returns
    -------
    pandas.DataFrame
        by columns, measure (service_level, abandonment, asa_s, occupancy, kept: the share of days, hours), before,
        after, change, low, high: a 95 % interval of the mean change over paired draws.

    Raises
    ------
    StaffingError
        The simulations are not of the same days, draws and seed.
    """
    keys = ["queue", "day", "draw"]
    if before.seed != after.seed or not before.draws[keys].equals(after.draws[keys]):
        raise StaffingError(
            "the two simulations did not meet the same days", fix="use the same forecast, draws and seed for both"
        )
    keys = [*by, "measure"]
    pairs = pd.concat([_by_draw(before.draws, by), _by_draw(after.draws, by)], axis=1, keys=["before", "after"])
    pairs["change"] = pairs["after"] - pairs["before"]
    grouped = pairs.groupby(level=keys, sort=False)
    table = grouped.mean()
    half = _Z * grouped["change"].std() / np.sqrt(grouped["change"].count())
    return table.assign(low=table["change"] - half, high=table["change"] + half).reset_index()


def _by_draw(draws: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    grouped = draws.groupby([*by, "draw"], sort=False)
    sums = grouped[[*_SUMS, "base"]].sum()
    made = pd.DataFrame(
        {
            "service_level": (sums["within"] / sums["base"]).fillna(1.0),
            "abandonment": (1 - sums["answered"] / sums["offered"]).fillna(0.0),
            "asa_s": (sums["wait_s"] / sums["answered"]).fillna(0.0),
            "occupancy": (sums["busy_s"] / sums["paid_s"]).fillna(0.0).clip(upper=1.0),
            "kept": grouped["kept"].mean(),
            "hours": sums["paid_s"] / 3600,
        }
    )
    return made.melt(var_name="measure", ignore_index=False).set_index("measure", append=True)["value"]


def _agents(plan: pd.DataFrame, volumes: list[Volume]) -> list[NDArray[np.float64]]:
    missing = [name for name in ("queue", "start", "agents") if name not in plan]
    if missing:
        raise StaffingError(f"the plan has no column {missing[0]!r}", fix="give queue, start and agents")
    bad = plan[~(plan["agents"] >= 0)]
    if len(bad):
        row = bad.iloc[0]
        raise StaffingError(
            f"agents is {row['agents']}", where=f"{row['queue']}, {row['start']}", fix="give a number from 0 up"
        )
    strange = sorted(set(plan["queue"].astype(str)) - {volume.queue for volume in volumes})
    if strange:
        raise StaffingError(f"there is no queue {strange[0]!r} in the forecast", where="plan", fix="rename it")
    by_slot = plan.groupby([plan["queue"].astype(str), "start"], sort=False)["agents"].sum()
    found = []
    for volume in volumes:
        own = by_slot.xs(volume.queue) if volume.queue in by_slot.index.get_level_values(0) else by_slot.iloc[:0]
        if len(own) and not own.index.isin(volume.start).any():
            raise StaffingError("the plan has none of the forecast's slots", where=volume.queue, fix="align the starts")
        found.append(own.reindex(volume.start).fillna(0.0).to_numpy(dtype="float64") if len(own) else 0 * volume.mean)
    return found


def _arrivals(volume: Volume, draws: int, rng: np.random.Generator, counted: bool) -> NDArray[np.float64]:
    if volume.paths is not None:
        return np.maximum(np.round(volume.paths), 0.0)
    if counted and (volume.mean == np.round(volume.mean)).all():
        return np.repeat(volume.mean[:, None], draws, axis=1)
    return rng.poisson(volume.mean[:, None], (len(volume.mean), draws)).astype("float64")


def _present(
    agents: NDArray[np.float64], volume: Volume, absence: float, draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Whole agents at work ``(S, D)``; agent number i of a day is away in the same draws whatever the plan."""
    whole = whole_agents(agents, volume.opens)
    if absence == 0 or whole.max() == 0:
        return np.broadcast_to(whole[:, None], (len(whole), draws))
    _, day = np.unique(volume.days, return_inverse=True)
    at_work = np.empty((len(whole), draws), dtype=np.int64)
    for number, stream in enumerate(rng.spawn(day.max() + 1)):
        rows = day == number
        here = stream.random((int(whole[rows].max()), draws)) >= absence
        present = np.vstack([np.zeros(draws, dtype=np.int64), np.cumsum(here, axis=0)])
        at_work[rows] = present[whole[rows]]
    return at_work


def _busy_days(volume: Volume, noise: float, draws: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
    if noise == 0:
        return None
    _, day = np.unique(volume.days, return_inverse=True)
    variance = np.log1p(noise**2)
    factor = np.exp(np.sqrt(variance) * rng.standard_normal((day.max() + 1, draws)) - variance / 2)
    return factor[day]


def _summary(tally: Tally, promise: Promise, label: pd.Index, queue: str) -> pd.DataFrame:
    """One row per period: ratios of sums over all draws, with the interval of a ratio estimator (Cochran 1977, 6.4)."""
    pooled = Tally(*(getattr(tally, name).sum(axis=1) for name in _SUMS))
    measures = pooled.measures(promise)
    base = tally.answered if promise.definition == "answered" else tally.offered
    level, draws = measures["service_level"], base.shape[1]
    off = tally.within - level[:, None] * base
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.nan_to_num(_Z * off.std(axis=1, ddof=1) / np.sqrt(draws) / base.mean(axis=1))
    kept = promise.kept(tally.measures(promise)).sum(axis=1)
    kept_low, kept_high = wilson_interval(kept, np.full(len(kept), draws))
    return pd.DataFrame(
        {
            "queue": queue,
            str(label.name): label,
            "arrivals": pooled.offered / draws,
            "service_level": level,
            "low": np.maximum(level - half, 0.0),
            "high": np.minimum(level + half, 1.0),
            **{name: measures[name] for name in _MEASURES[1:]},
            "kept": kept / draws,
            "kept_low": kept_low,
            "kept_high": kept_high,
        }
    )


def _kept(tally: Tally, promise: Promise, period: str, queue: str) -> pd.DataFrame:
    measures = tally.measures(promise)
    met = {name: side * measures[name] >= side * bound for name, side, bound in promise.bounds}
    met["all"] = promise.kept(measures)
    rows = []
    for target, each in met.items():
        # Periods of one draw may share its luck: the draw is the unit.
        share = each.mean(axis=0)
        half = _Z * share.std(ddof=1) / np.sqrt(len(share))
        rows.append((queue, period, target, share.mean(), max(share.mean() - half, 0), min(share.mean() + half, 1)))
    return pd.DataFrame(rows, columns=["queue", "period", "target", "probability", "low", "high"])


def _rows(tally: Tally, promise: Promise, days: pd.DatetimeIndex, queue: str) -> pd.DataFrame:
    measures = tally.measures(promise)
    draws = tally.offered.shape[1]
    base = tally.answered if promise.definition == "answered" else tally.offered
    columns = {name: getattr(tally, name) for name in _SUMS} | {"base": base} | measures
    return pd.DataFrame(
        {"queue": queue, "day": days.repeat(draws), "draw": np.tile(np.arange(draws), len(days))}
        | {name: values.ravel() for name, values in columns.items()}
        | {"kept": promise.kept(measures).ravel()}
    )
