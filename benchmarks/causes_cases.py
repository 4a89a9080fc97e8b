"""The cases of a made-up organisation: when they come in, about what, how, and who gets them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.causes_staff import TEAMS, Staff, assign

__all__ = ["BEFORE", "DAYS", "DIMENSIONS", "START", "draw_cases"]

Array = np.ndarray

START = pd.Timestamp("2026-04-01")
BEFORE, DAYS = 91, 183
"""Days of the baseline quarter, and of both."""

DIMENSIONS = ("team", "channel", "queue", "category", "product", "customer_type", "region", "source", "version",
              "device", "route", "weekend", "shift", "tenure", "certified", "load")  # fmt: skip

_CATEGORIES = ("account", "advice", "billing", "delivery", "refund", "technical")
_CATEGORY_OF = {
    "app": (0.14, 0.12, 0.16, 0.18, 0.18, 0.22), "phone": (0.10, 0.24, 0.20, 0.16, 0.16, 0.14),
    "web": (0.16, 0.14, 0.18, 0.18, 0.16, 0.18), "mail": (0.12, 0.10, 0.28, 0.14, 0.22, 0.14),
}  # fmt: skip
_QUEUE_OF = {"refund": "refunds", "technical": "technical"}
_TEAM_OF = {  # shares of TEAMS
    "refunds": (0.62, 0.33, 0.03, 0.02, 0.0, 0.0, 0.0),
    "general": (0.02, 0.06, 0.47, 0.41, 0.04, 0.0, 0.0),
    "enterprise": (0.05, 0.05, 0.05, 0.05, 0.72, 0.04, 0.04),
    "technical": (0.0, 0.0, 0.04, 0.04, 0.02, 0.47, 0.43),
}
_TENURES = ((60, "0-2 months"), (365, "3-12 months"), (1095, "1-3 years"), (10**9, "over 3 years"))


def draw_cases(rng: np.random.Generator, a_quarter: int, staff: Staff, usual: Staff, luck: int) -> pd.DataFrame:
    """Draw the cases of both quarters, in order of time.

    Parameters
    ----------
    rng : numpy.random.Generator
    a_quarter : int
        Roughly how many come in a quarter.
    staff, usual : Staff
        As it is, and as it would be with nothing planted.
    luck : int
        Seed of the lots by which cases go to agents.

    Returns
    -------
    DataFrame
        id, at, period, day (from 0), hour (of the clock), the DIMENSIONS, agent, number (the agent's), usual_load.
    """
    weekday = (START.day_of_week + np.arange(DAYS)) % 7
    busy = np.where(weekday >= 5, 0.62, 1.15) * np.where(weekday == 0, 1.1, 1.0)
    mean = a_quarter / BEFORE * busy / busy.mean() * rng.gamma(60, 1 / 60, DAYS)
    day = np.repeat(np.arange(DAYS), rng.poisson(mean))
    n, later = len(day), day >= BEFORE
    draw = rng.random((14, n))
    drifting = np.where(later[:, None], (0.36, 0.29, 0.23, 0.12), (0.34, 0.31, 0.23, 0.12))
    channel = _lot(draw[0], drifting, ("app", "phone", "web", "mail"))
    category = _by(draw[1], channel, _CATEGORY_OF, _CATEGORIES)
    enterprise = draw[2] < np.where(channel == "mail", 0.32, np.where(category == "billing", 0.22, 0.12))
    large = np.where(enterprise[:, None], (0.36, 0.28, 0.2, 0.16), (0.24, 0.28, 0.28, 0.2))
    region = _lot(draw[3], large, ("east", "north", "south", "west"))
    faulty = np.where((category == "technical")[:, None], (0.2, 0.35, 0.3, 0.15), (0.34, 0.28, 0.22, 0.16))
    product = _lot(draw[4], faulty, ("alpha", "beta", "gamma", "delta"))
    queue = np.array([_QUEUE_OF.get(each, "general") for each in category], dtype=object)
    queue[enterprise & (draw[5] < 0.7)] = "enterprise"
    team = _by(draw[6], queue, _TEAM_OF, tuple(range(len(TEAMS)))).astype(int)
    hour = 8 + 12 * rng.beta(2.0, 2.2, n)
    hour = np.where(channel == "phone", hour, 8 + 12 * draw[7])
    shift = (hour >= 14).astype(int)
    order = np.lexsort((hour, day))
    frame = pd.DataFrame(
        {
            "day": day, "hour": hour, "team": team, "channel": channel, "queue": queue, "category": category,
            "product": product, "customer_type": np.where(enterprise, "enterprise", "individual"), "region": region,
            "source": np.where(draw[8] < np.where(np.isin(region, ("south", "west")), 0.42, 0.06), "crm_b", "crm_a"),
            "version": _version(draw[9], channel, day), "device": _device(draw[10], channel),
            "route": _route(draw[11], channel, region), "weekend": np.where(weekday[day] >= 5, "yes", "no"),
            "shift": np.where(shift == 1, "evening", "morning"),
        }
    ).astype({"device": "object"})  # fmt: skip
    number, load = assign(np.random.default_rng(luck), staff, team, day, shift)
    frame["number"], frame["agent"] = number, staff.people["agent"].to_numpy("object")[number]
    frame["load"] = np.select([load < 3.2, load < 8], ["low", "usual"], "high").astype("object")
    tenure = staff.tenure[number, day]
    frame["tenure"] = np.array([name for _, name in _TENURES], dtype=object)[
        np.searchsorted([end for end, _ in _TENURES], tenure, side="right")
    ]
    frame["certified"] = np.where(staff.skilled[number, day], "yes", "no").astype("object")
    _, frame["usual_load"] = assign(np.random.default_rng(luck), usual, team, day, shift)
    frame["team"] = np.array(TEAMS, dtype=object)[team]
    frame = frame.iloc[order].reset_index(drop=True)
    frame.insert(0, "id", np.array([f"c{number:05d}" for number in range(n)], dtype=object))
    frame["at"] = START + pd.to_timedelta(np.round((frame["day"] * 24 + frame["hour"]) * 3600), "s")
    frame["period"] = np.where(frame["day"] >= BEFORE, "now", "before").astype("object")
    return frame


def _lot(luck: Array, shares: Array, values: tuple) -> Array:
    """Return one of `values` per row, by the shares (one row per case, or one for all)."""
    return np.array(values, dtype=object)[(luck[:, None] > np.cumsum(shares, axis=-1)[..., :-1]).sum(axis=1)]


def _by(luck: Array, given: Array, shares: Mapping[str, tuple[float, ...]], values: tuple) -> Array:
    out = np.empty(len(luck), dtype=object)
    for key, each in shares.items():
        rows = given == key
        out[rows] = _lot(luck[rows], np.array(each), values)
    return out


def _version(luck: Array, channel: Array, day: Array) -> Array:
    # 5.1 is old, 5.2 comes out early in the second quarter and gains a share of three in ten; the rest stays behind.
    share = np.clip((day - BEFORE - 5) / 30, 0, 1) * 0.3
    old = luck > 0.75 + 0.1 * day / DAYS
    version = np.where(old, "5.0", np.where(luck < share, "5.2", "5.1")).astype(object)
    version[channel != "app"] = None
    return version


def _device(luck: Array, channel: Array) -> Array:
    device = np.where(luck < 0.45, "ios", "android").astype(object)
    web = channel == "web"
    device[web] = np.select([luck[web] < 0.6, luck[web] < 0.78], ["desktop", "ios"], "android")
    device[(channel == "phone") | (channel == "mail")] = None
    return device


def _route(luck: Array, channel: Array, region: Array) -> Array:
    near = np.isin(region, ("east", "north"))
    share = np.stack([np.where(near, 0.6, 0.35), np.where(near, 0.25, 0.5), np.full(len(near), 0.15)], axis=1)
    route = _lot(luck, share, ("gateway a", "gateway b", "gateway c"))
    phone = channel == "phone"
    route[phone] = np.where(luck[phone] < 0.5, "trunk 1", "trunk 2")
    route[channel == "mail"] = None
    return route
