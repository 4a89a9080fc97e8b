"""The integer programme of shifts: its columns, its rows, and what its solution says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.shifting.clock import Slots, overlap
from svcanalytics.staffing.shifting.limits import Limit, limit_rows
from svcanalytics.staffing.shifting.losses import Losses, weigh_losses
from svcanalytics.staffing.shifting.offers import Offers
from svcanalytics.staffing.shifting.programme import Programme, Sheet
from svcanalytics.staffing.shifting.rules import ShiftRules

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Covering"]

_NEVER = 100.0  # a floor missed costs so many times the dearest shortfall: it is never given up for money


@dataclass(frozen=True, eq=False)
class Covering:
    """What is to be covered, and by what.

    How many work a shift, and how many of them take which break when, are whole numbers of their own (Aykin 1996,
    Management Science 42:591): windows of one shift's breaks are apart, so any of the one go with any of the other.
    The first columns of a group are shifts, together with their break of most places; the others are further breaks.

    Attributes
    ----------
    rows : pandas.DataFrame
        queue, slot (number), required, floor.
    slots : Slots
    offers : Offers
    rules : ShiftRules
    groups : mapping
        To the queues each serves.
    promises : mapping
        By queue: what its service level is about.
    shortfall, surplus : float
        Cost of an agent missing, at least, and of one too many for a slot.
    limits : tuple[Limit, ...]
    given : mapping
        By group: agents there already in each slot, shape ``(T,)``.
    """

    rows: pd.DataFrame
    slots: Slots
    offers: Offers
    rules: ShiftRules
    groups: Mapping[str, tuple[str, ...]]
    promises: Mapping[str, Promise]
    shortfall: float
    surplus: float
    limits: tuple[Limit, ...]
    given: Mapping[str, NDArray[np.float64]]

    @cached_property
    def main(self) -> pd.DataFrame:
        """Shift and place of its main break (-1 for none) of each column, with its cost."""
        shifts, breaks = self.offers.shifts, self.offers.breaks
        chosen = breaks[breaks["number"] == breaks["shift"].map(self._main_number)]
        plain = np.setdiff1d(np.arange(len(shifts)), breaks["shift"].unique())
        main = pd.DataFrame(
            {"shift": [*plain, *chosen["shift"]], "place": [*np.full(len(plain), -1), *chosen.index]}, dtype="int64"
        ).sort_values(["shift", "place"], ignore_index=True)
        saved = np.append(breaks["saves"].to_numpy(), 0.0)[main["place"]]
        return main.assign(cost=shifts["cost"].to_numpy()[main["shift"]] - saved)

    @cached_property
    def further(self) -> pd.DataFrame:
        """Shift, number and place of each further break that could be taken, with its cost."""
        breaks = self.offers.breaks
        left = breaks[breaks["number"] != breaks["shift"].map(self._main_number)]
        return pd.DataFrame(
            {"shift": left["shift"], "number": left["number"], "place": left.index, "cost": -left["saves"]}
        ).reset_index(drop=True)

    @cached_property
    def cover(self) -> sparse.csr_matrix:
        """Agents in each slot by one of each column, shape ``(T, columns of a group)``."""
        from scipy import sparse

        shifts, breaks = self.offers.shifts, self.offers.breaks
        there = overlap(self.slots, shifts["begin"].to_numpy(), shifts["end"].to_numpy())
        away = overlap(self.slots, breaks["begin"].to_numpy(), breaks["end"].to_numpy())
        nowhere = sparse.csc_matrix((there.shape[0], 1))
        away = sparse.hstack([away, nowhere], format="csc")
        main = there[:, self.main["shift"].to_numpy()] - away[:, self.main["place"].to_numpy()]
        columns = sparse.hstack([main, -away[:, self.further["place"].to_numpy()]], format="csc")
        worth = shifts["counts"].to_numpy()
        scale = np.concatenate([worth[self.main["shift"]], worth[self.further["shift"]]])
        columns = (columns @ sparse.diags(scale)).tocsr()
        columns.eliminate_zeros()
        return columns

    @cached_property
    def cost(self) -> NDArray[np.float64]:
        """Of one of each column of a group."""
        return np.concatenate([self.main["cost"], self.further["cost"]])

    @cached_property
    def reached(self) -> NDArray[np.bool_]:
        """Rows that some shift serves; what the others lack is nobody's choice, and no part of the price."""
        at_all = np.asarray((self.cover > 0).sum(axis=1)).ravel() > 0
        return at_all[self.rows["slot"].to_numpy()]

    @cached_property
    def losses(self) -> Losses:
        """What agents missing cost in each row."""
        alone = [queues[0] for queues in self.groups.values() if len(queues) == 1]
        shared = {queue for queues in self.groups.values() if len(queues) > 1 for queue in queues}
        parts = np.unique(self.cover.data)
        grain = next((1 / n for n in range(1, 61) if np.allclose(parts * n, np.round(parts * n), atol=1e-7)), 0.0)
        own = self.rows["queue"].isin(alone) & ~self.rows["queue"].isin(shared)
        rows = self.rows.assign(given=self._given_to_rows(), grain=np.where(own, grain, 0.0))
        rows["required"] = np.where(self.reached, rows["required"], 0.0)
        return weigh_losses(rows, 60.0 * self.slots.length, self.shortfall, self.promises)

    def programme(self) -> Programme:
        """Return the integer programme; without any shift it has a solution, so it always has one."""
        return self._sheet.programme()

    @cached_property
    def _sheet(self) -> Sheet:
        from scipy import sparse

        sheet = Sheet()
        first = {group: sheet.columns(self.cost, whole=True) for group in self.groups}
        top, floor, there = self.losses.top, self._floor, self._given_to_rows()
        # Where a surplus has its price, what is above the top is a column of its own.
        demand = sheet.rows(top - there, top - there if self.surplus > 0 else np.full(len(top), np.inf))
        firm = np.flatnonzero(floor > 0)
        hard = sheet.rows((floor - there)[firm], np.full(len(firm), np.inf))
        of_firm = np.full(len(floor), -1)
        of_firm[firm] = np.arange(len(firm))
        for group, queues in self.groups.items():
            for queue in queues:
                rows = np.flatnonzero(self.rows["queue"].to_numpy() == queue)
                if len(queues) == 1:
                    block, column = self.cover[self.rows["slot"].to_numpy()[rows]], first[group]
                else:
                    block = sparse.identity(len(rows), format="csr")
                    column = sheet.columns(np.zeros(len(rows)), label=(group, queue))
                sheet.block(block, demand + rows, column)
                kept = np.flatnonzero(of_firm[rows] >= 0)
                sheet.block(block[kept], hard + of_firm[rows[kept]], column)
            if len(queues) > 1:
                self._share(sheet, group, first[group])
        self._pieces(sheet, demand, hard, firm)
        for group in self.groups:
            links = sheet.rows(*np.zeros((2, self._links.shape[0])))
            sheet.block(self._links, links + np.arange(self._links.shape[0]), first[group])
        for limit in self.limits:
            limit_rows(sheet, limit, self.rules.people, self.offers.shifts, self.main["shift"].to_numpy(), first)
        return sheet

    def shares(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return how many of each of its columns a group has in a solution."""
        size = len(self.cost)
        return {group: x[place * size : (place + 1) * size] for place, group in enumerate(self.groups)}

    def divided(self, group: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a group of several queues gives each row in a solution."""
        given = np.zeros(len(self.rows))
        for queue in self.groups[group]:
            own = np.flatnonzero(self.rows["queue"].to_numpy() == queue)
            first = self._sheet.labelled(group, queue)
            given[own] = x[first : first + len(own)]
        return given

    def weighed(self, planned: NDArray[np.float64]) -> float:
        """Return what shortfall and surplus of each row's agents, and falling below the floor, are weighed at."""
        below = np.maximum(self._floor - planned, 0.0)
        above = np.maximum(planned - self.losses.top, 0.0)
        unkept = self._unkept * below[below > 1e-9].sum()
        return float(self.losses.cost(planned).sum() + self.surplus * above.sum() + unkept)

    @property
    def _floor(self) -> NDArray[np.float64]:
        return np.where(self.reached, self.rows["floor"], 0.0)

    @property
    def _unkept(self) -> float:
        return _NEVER * float(self.losses.slope.max(initial=1e-9))

    @property
    def _main_number(self) -> pd.Series:
        # Fewest columns and rows are left when the break with most places goes with its shift.
        places = self.offers.breaks.groupby(["shift", "number"]).size().rename("places").reset_index()
        return places.sort_values(["shift", "places"], kind="stable").groupby("shift")["number"].last()

    @cached_property
    def _links(self) -> sparse.csr_matrix:
        """As many take a further break as work its shift: zero, in rows of shift and number."""
        from scipy import sparse

        key, row = np.unique(self.further[["shift", "number"]].to_numpy(), axis=0, return_inverse=True)
        columns = len(self.main) + np.arange(len(self.further))
        taken = sparse.csr_matrix((np.ones(len(row)), (row.ravel(), columns)), shape=(len(key), len(self.cost)))
        works = sparse.csr_matrix(
            (np.ones(len(self.main)), (self.main["shift"], np.arange(len(self.main)))),
            shape=(len(self.offers.shifts), len(self.cost)),
        )
        return (taken - works[key[:, 0].astype(np.intp)]).tocsr()

    def _share(self, sheet: Sheet, group: str, column: int) -> None:
        """A group's queues together get no more than the group."""
        from scipy import sparse

        used = np.unique(self.rows["slot"].to_numpy()[self.rows["queue"].isin(self.groups[group])])
        balance = sheet.rows(-self.given[group][used], np.full(len(used), np.inf))
        sheet.block(self.cover[used], balance + np.arange(len(used)), column)
        for queue in self.groups[group]:
            own = self.rows["slot"].to_numpy()[self.rows["queue"].to_numpy() == queue]
            block = -sparse.identity(len(own), format="csr")
            sheet.block(block, balance + np.searchsorted(used, own), sheet.labelled(group, queue))

    def _pieces(self, sheet: Sheet, demand: int, hard: int, firm: NDArray[np.intp]) -> None:
        width, slope = self.losses.width, self.losses.slope
        row, piece = np.nonzero(width > 0)
        column = sheet.columns(slope[row, piece], most=width[row, piece])
        sheet.entries(demand + row, column + np.arange(len(row)), 1.0)
        column = sheet.columns(np.full(len(firm), self._unkept), most=self._floor[firm])
        sheet.entries(hard + np.arange(len(firm)), column + np.arange(len(firm)), 1.0)
        if self.surplus > 0:
            every = np.arange(len(self.rows))
            sheet.entries(demand + every, sheet.columns(np.full(len(every), self.surplus)) + every, -1.0)

    def _given_to_rows(self) -> NDArray[np.float64]:
        """Agents of groups with one queue that are there already."""
        there = np.zeros(len(self.rows))
        for group, queues in self.groups.items():
            if len(queues) == 1:
                own = self.rows["queue"].to_numpy() == queues[0]
                there[own] += self.given[group][self.rows["slot"].to_numpy()[own]]
        return there
