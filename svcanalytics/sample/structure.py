"""Teams, sites, subjects and channels of the made-up organisation."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

__all__ = [
    "CATEGORIES",
    "COUNTERS",
    "SYSTEMS",
    "TEAMS",
    "Team",
    "category_shares",
    "expert_team",
    "team_codes",
    "teams",
]


@dataclass(frozen=True)
class Team:
    """One team.

    Attributes
    ----------
    name, department : str
        Chinese and English, as a bilingual organisation writes them.
    kind, calendar : str
        As in the contract.
    seats : int
        People at a time.
    queue : str
        The queue its people answer; empty for teams that work on cases only.
    site : str
        Where it sits.
    shifts : tuple of (start hour, end hour)
        Its shifts; seats rotate through them week by week.
    cycle : tuple of (length, days on)
        The rotation in days; (0, 0): working days, with one person on Saturdays at counters.
    """

    name: str
    department: str
    kind: str
    calendar: str
    seats: int
    queue: str
    site: str
    shifts: tuple[tuple[float, float], ...]
    cycle: tuple[int, int]


_SERVICE, _BRANCH, _EXPERT = "客户服务部 Service", "网点管理部 Branches", "专家支持部 Experts"
_HQ = "总部 Head office"
_EARLY_LATE = ((8.0, 15.0), (14.0, 21.0))

TEAMS = (
    Team("热线A组 Hotline A", _SERVICE, "front", "service_hours", 4, "hotline", _HQ, _EARLY_LATE, (7, 5)),
    Team("热线B组 Hotline B", _SERVICE, "front", "service_hours", 4, "hotline", _HQ, _EARLY_LATE, (7, 5)),
    Team("英文组 English desk", _SERVICE, "front", "service_hours", 4, "english", _HQ, _EARLY_LATE, (7, 5)),
    Team("夜班组 Night desk", _SERVICE, "front", "round_the_clock", 3, "night", _HQ, ((21.0, 32.0),), (3, 1)),
    Team("在线组 Online", _SERVICE, "front", "service_hours", 4, "chat", _HQ, _EARLY_LATE, (7, 5)),
    Team(
        "东城窗口 East", _BRANCH, "branch", "counter_hours", 2, "counter_east", "东城窗口 East", ((9.0, 17.5),), (0, 0)
    ),
    Team(
        "西城窗口 West", _BRANCH, "branch", "counter_hours", 2, "counter_west", "西城窗口 West", ((9.0, 17.5),), (0, 0)
    ),
    Team(
        "南城窗口 South",
        _BRANCH,
        "branch",
        "counter_hours",
        2,
        "counter_south",
        "南城窗口 South",
        ((9.0, 17.5),),
        (0, 0),
    ),
    Team("投诉组 Complaints", _EXPERT, "expert", "business_hours", 4, "", _HQ, ((8.5, 18.0),), (0, 0)),
    Team("技术组 Technical", _EXPERT, "expert", "business_hours", 4, "", _HQ, ((8.5, 18.0),), (0, 0)),
    Team("售后组 After-sales", _EXPERT, "expert", "business_hours", 5, "", _HQ, ((8.5, 18.0),), (0, 0)),
    Team("财务组 Finance", _EXPERT, "expert", "business_hours", 3, "", _HQ, ((8.5, 18.0),), (0, 0)),
)

COUNTERS = {team.queue: team.site for team in TEAMS if team.kind == "branch"}
"""Counter queues and the sites they stand at."""

# Share of all requests, team of experts, system concerned.
CATEGORIES = MappingProxyType(
    {
        "delivery": (0.20, "售后组 After-sales", "物流系统 Logistics"),
        "refund": (0.15, "售后组 After-sales", "支付系统 Payment"),
        "quality": (0.11, "售后组 After-sales", "订单系统 Orders"),
        "billing": (0.13, "财务组 Finance", "支付系统 Payment"),
        "account": (0.13, "技术组 Technical", "账户系统 Accounts"),
        "technical": (0.12, "技术组 Technical", "应用 App"),
        "product": (0.10, "技术组 Technical", "应用 App"),
        "attitude": (0.03, "投诉组 Complaints", "客服系统 Service desk"),
        "environment": (0.03, "投诉组 Complaints", "网点设备 Counter devices"),
    }
)
"""Subjects of requests; codes, since standards and filters name them."""

SYSTEMS = (
    "支付系统 Payment",
    "订单系统 Orders",
    "物流系统 Logistics",
    "账户系统 Accounts",
    "应用 App",
    "客服系统 Service desk",
)


def category_shares() -> np.ndarray:
    """Return the shares of the categories, in their order."""
    return np.array([share for share, _, _ in CATEGORIES.values()])


def expert_team(category: np.ndarray) -> np.ndarray:
    """Return the codes of the expert teams for category codes."""
    codes = team_codes()
    return np.array([codes[team] for _, team, _ in CATEGORIES.values()])[category]


def team_codes() -> dict[str, int]:
    """Return every team's position in `TEAMS`."""
    return {team.name: i for i, team in enumerate(TEAMS)}


def teams() -> pd.DataFrame:
    """Return the teams in the contract's form."""
    return pd.DataFrame(
        [(t.name, t.department, t.kind, t.calendar) for t in TEAMS], columns=["team", "department", "kind", "calendar"]
    )
