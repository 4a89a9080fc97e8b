"""The people there are: how many, how many leave, how fast new ones learn, how much of their time is worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Workforce", "describe_workforce", "learning_curve"]

_LEAVERS, _AGENT_MONTHS = 0.5, 12.0
"""What is believed of attrition before anybody was seen to leave: worth one agent-year."""
_PAID_HOURS = 168.0


@dataclass(frozen=True)
class Workforce:
    """A workforce and how it changes.

    Attributes
    ----------
    agents : float
        People now, in full-time equivalents.
    leavers, agent_months : float
        What attrition was seen: so many left in so many months of one person. Their monthly hazard is uncertain by
        that much: Gamma(leavers + .5, agent_months + 12).
    paid_hours : float
        Paid hours of one person in a month of average length.
    leave : tuple of float
        Share of paid hours on leave, January to December.
    shrinkage : float
        Share of the other paid hours lost to sickness, training, meetings and breaks.
    curve : tuple of float
        Productivity of a new person in the first, second ... month after training, 0-1; 1 from then on.
    training_months : int
        Months paid before the first contact.
    lead_months : int
        Months from the decision to hire to the first day.
    most_hires : int or None
        At most so many new people start in one month: places in the class.
    """

    agents: float
    leavers: float = 0.0
    agent_months: float = 0.0
    paid_hours: float = _PAID_HOURS
    leave: tuple[float, ...] = (0.08,) * 12
    shrinkage: float = 0.25
    curve: tuple[float, ...] = (0.6, 0.75, 0.87, 0.95)
    training_months: int = 1
    lead_months: int = 1
    most_hires: int | None = None

    def __post_init__(self) -> None:
        wrong = [
            (not (np.isfinite(self.agents) and self.agents >= 0), "agents", "give people from 0 up"),
            (self.leavers < 0 or self.agent_months < 0, "leavers, agent_months", "give numbers from 0 up"),
            (not self.paid_hours > 0, "paid_hours", "give hours a month above 0"),
            (len(self.leave) != 12 or not all(0 <= x < 1 for x in self.leave), "leave", "give 12 shares of 0-1"),
            (not 0 <= self.shrinkage < 1, "shrinkage", "give a share below 1"),
            (not all(0 <= x <= 1 for x in self.curve), "curve", "give productivities of 0-1"),
            (min(self.training_months, self.lead_months) < 0, "training_months, lead_months", "give months from 0 up"),
            (self.most_hires is not None and self.most_hires < 0, "most_hires", "give a number from 0 up, or None"),
        ]
        for fault, where, fix in wrong:
            if fault:
                raise StaffingError("this workforce can't be", where=where, fix=fix)

    def draw_hazards(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return `n` equally likely chances that somebody leaves within a month, shape ``(n,)``."""
        rate = rng.gamma(self.leavers + _LEAVERS, 1 / (self.agent_months + _AGENT_MONTHS), n)
        return -np.expm1(-rate)

    def productivity(self, months: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the productivity of people so many months after their first day; 0 in training."""
        steps = np.array([*([0.0] * self.training_months), *self.curve, 1.0])
        return np.where(months < 0, 0.0, steps[np.clip(months, 0, len(steps) - 1)])


def learning_curve(start: float, months_to_half: float, months: int = 12) -> tuple[float, ...]:
    """Return a new person's productivity month by month.

    What is missing to full productivity halves every `months_to_half` months: ``1 - (1 - start) 2^(-k / half)``, the
    exponential form of the learning curve (Mazur and Hastie 1978, Psychological Bulletin 85:1256, eq. 4).

    Parameters
    ----------
    start : float
        Productivity in the first month after training, 0-1.
    months_to_half : float
        Months until half of what was missing is learned.
    months : int
        Months to give.

    Raises
    ------
    StaffingError
        When `start` is no share or `months_to_half` not above 0.
    """
    if not 0 <= start <= 1 or not months_to_half > 0:
        raise StaffingError(
            "this is no learning curve", where="start, months_to_half", fix="give 0-1 and a number of months above 0"
        )
    return tuple(float(1 - (1 - start) * 2 ** (-k / months_to_half)) for k in range(months))


def describe_workforce(
    lake: Lake, until: pd.Timestamp | None = None, months: int = 24, roles: Sequence[str] = ()
) -> Workforce:
    """Count the people of a lake's table `agents` and how many left of late; the rest as `Workforce` assumes it.

    Parameters
    ----------
    lake : Lake
    until : pandas.Timestamp, optional
        The day it is; default: the day of the last hiring or leaving on record.
    months : int
        How far back leavers count.
    roles : sequence of str
        Only people in these roles; all when empty.

    Raises
    ------
    StaffingError
        When the lake knows no agent with a day of hiring.
    """
    if not lake.has("agents"):
        raise StaffingError("the lake has no agents", where=str(lake.path), fix="load the table agents")
    people = lake.sql("select agent, role, hired_on, left_on from agents where hired_on is not null")
    if roles:
        people = people[people["role"].isin(list(roles))]
    if people.empty:
        raise StaffingError("no agent has a day of hiring", where="agents", fix="fill in hired_on")
    hired, left = (pd.to_datetime(people[name]) for name in ("hired_on", "left_on"))
    now = (
        pd.Timestamp(until)
        if until is not None
        else max(hired.max(), left.max() if left.notna().any() else hired.max())
    )
    begin = now - pd.DateOffset(months=months)
    here = (hired <= now) & ~(left <= now)
    spent = (left.fillna(now).clip(upper=now) - hired.clip(lower=begin)).dt.days.clip(lower=0)
    gone = (left > begin) & (left <= now)
    return Workforce(float(here.sum()), float(gone.sum()), float(spent.sum() / 30.4375))
