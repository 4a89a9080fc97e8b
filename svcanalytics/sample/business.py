"""What customers did afterwards, what was forecast, and how many people that asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.arrivals import expected_arrivals
from svcanalytics.sample.customers import Pool, customer_ids
from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.tables import whole
from svcanalytics.sample.world import DAY, World

__all__ = ["forecasts_table", "outcomes_table", "requirements_table"]

_PANEL = 1_200  # customers whose business is followed
_FORECAST_DAYS = 396
_QUEUES = ("hotline", "chat")
_HANDLE_S = {"hotline": 300, "chat": 170}


def outcomes_table(world: World, pool: Pool, contacts: pd.DataFrame) -> pd.DataFrame:
    """Return what a panel of customers did, month by month."""
    rng = world.rng("outcomes")
    panel = np.sort(rng.choice(len(pool.type), _PANEL, replace=False))
    month_of_day = (world.days["day"].dt.year * 12 + world.days["month"]).to_numpy()[: world.n_days]
    month_of_day = month_of_day - month_of_day[0]
    months = int(month_of_day.max()) + 1
    size = len(pool.type)
    when = contacts["customer"].to_numpy() + size * month_of_day[contacts["offered"].to_numpy() // DAY]
    served = contacts["human"].to_numpy() >= 0
    count = np.bincount(when, minlength=size * months).reshape(months, size)[:, panel]
    waits = np.bincount(when[served], contacts["waited"].to_numpy()[served], minlength=size * months)
    waits = waits.reshape(months, size)[:, panel] / np.maximum(count, 1)
    level = rng.lognormal(2.7, 0.6, _PANEL) * np.where(pool.type[panel] == 1, 2.0, 1.0)
    orders = rng.poisson(np.broadcast_to(level, (months, _PANEL)))
    # Waiting costs business: so many points of conversion for every ten seconds.
    slow = CAUSES["waiting_costs"].effect / 10 * waits if "waiting_costs" in world.planted else 0.0
    converted = rng.random((months, _PANEL)) < np.clip(0.30 + slow, 0.02, 1)
    retained = np.cumprod(rng.random((months, _PANEL)) < 0.997, axis=0).astype(bool)
    assets = level * 1e6 * (1 + 0.5 * pool.tier[panel]) * rng.lognormal(0, 0.15, (months, _PANEL))
    last = np.searchsorted(month_of_day, np.arange(months), side="right") * DAY - 1
    orders = np.where(retained, orders, 0)
    return pd.DataFrame(
        {
            "customer_id": np.tile(customer_ids(panel), months),
            "at": world.stamps(np.repeat(last, _PANEL)),
            "contacted": (count > 0).ravel(),
            "converted": (converted & retained & (count > 0)).ravel(),
            "retained": retained.ravel(),
            "assets": whole(np.where(retained, assets, 0).ravel()),
            "orders": whole(orders.ravel()),
            "returns": whole(rng.binomial(orders, 0.04).ravel()),
            "revenue": whole((orders * rng.lognormal(9.6, 0.3, (months, _PANEL))).ravel()),
        }
    )


def _slots(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Queue, start and expected arrivals of every open half-hour of the last thirteen months.
    begins = max(0, world.n_days - _FORECAST_DAYS)
    queue, start, mean = [], [], []
    for code, name in enumerate(_QUEUES):
        expected = expected_arrivals(world, name)[begins:]
        day, slot = np.nonzero(expected)
        queue.append(np.full(len(day), code))
        start.append((day + begins) * DAY + slot * 1800)
        mean.append(expected[day, slot])
    return np.concatenate(queue), np.concatenate(start), np.concatenate(mean)


def _published(world: World, start: np.ndarray) -> np.ndarray:
    # One forecast a month, made for the whole month.
    day = world.days["day"].dt.strftime("%Y-%m").to_numpy(dtype=object)
    return day[start // DAY]


def forecasts_table(world: World) -> pd.DataFrame:
    """Return the forecasts of the last thirteen months as published then."""
    rng = world.rng("forecasts")
    queue, start, mean = _slots(world)
    month, code = np.unique(_published(world, start), return_inverse=True)
    bias = rng.normal(1.0, 0.04, len(month))[code]
    mean = np.round(mean * bias * rng.normal(1, 0.03, len(mean)), 3)
    deviation = np.sqrt(mean + (0.1 * mean) ** 2)
    bounds = {
        f"{side}_{level}": np.round(np.maximum(mean + sign * z * deviation, 0), 3)
        for level, z in ((80, 1.2816), (95, 1.96))
        for side, sign in (("lower", -1), ("upper", 1))
    }
    return pd.DataFrame(
        {
            "forecast_id": month[code],
            "queue": np.asarray(_QUEUES, dtype=object)[queue],
            "start_at": world.stamps(start),
            "slot_s": 1800,
            "counted": "contacts by queue",
            "mean": mean,
            **bounds,
        }
    )


def requirements_table(world: World) -> pd.DataFrame:
    """Return the agents asked for then: load plus a square-root margin."""
    queue, start, mean = _slots(world)
    load = mean * np.array([_HANDLE_S[name] for name in _QUEUES])[queue] / 1800
    return pd.DataFrame(
        {
            "forecast_id": _published(world, start),
            "queue": np.asarray(_QUEUES, dtype=object)[queue],
            "start_at": world.stamps(start),
            "agents": np.ceil(load + 0.9 * np.sqrt(load)).astype(np.int64),
        }
    )
