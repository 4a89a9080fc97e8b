"""One week's duties given to people: an integer programme, begun from a roster made one duty at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.rostering.duties import Duty
from svcanalytics.staffing.rostering.obstacles import Week, obstacle
from svcanalytics.staffing.rostering.people import Person
from svcanalytics.staffing.rostering.programme import Programme
from svcanalytics.staffing.rostering.rules import RosterRules
from svcanalytics.staffing.rostering.solving import Solver, solve

__all__ = ["WEIGHTS", "Assigned", "assign_week"]

#: What an unwelcome thing costs in points: a point is a minute by which hours are uneven.
WEIGHTS = {
    "missing": 50,  # a minute of a duty that nobody takes
    "overtime": 5,  # a minute beyond the contract
    "wish": 120,
    "turn": 60,  # nights, weekends, unpopular shifts: times 1, 3, 5 ... for the first, second, third of a person
    "pattern": 30,  # a shift of another pattern than is due
}
_MOST_STEPS = 12
_KINDS = ("night", "weekend", "unpopular")


@dataclass(frozen=True, eq=False)
class Assigned:
    """A week's answer: who takes which duty, what it costs and what no roster costs less than."""

    taken: list[tuple[Person, Duty]]
    cost: float
    bound: float
    status: str


def assign_week(
    people: list[Person], duties: list[Duty], week: Week, rules: RosterRules, solver: Solver, limit_s: float, seed: int
) -> Assigned:
    """Give a week's duties to people, as many as the rules allow, and among such rosters the fairest.

    What is given is noted with each person as worked.
    """
    case = _Case(people, duties, week, rules)
    first = case.first_roster()
    answer = solve(case.programme, solver, limit_s, seed, case.complete(first))
    taken = [(people[p], duties[d]) for (p, d), column in case.x.items() if answer.values[column]]
    for person, duty in taken:
        person.take(duty)
    return Assigned(taken, answer.cost + case.fixed, answer.bound + case.fixed, answer.status)


class _Case:
    """The programme of one week, and how its columns follow from who takes what."""

    def __init__(self, people: list[Person], duties: list[Duty], week: Week, rules: RosterRules) -> None:
        self.people, self.duties, self.week, self.rules = people, duties, week, rules
        self.programme = Programme()
        self.x: dict[tuple[int, int], int] = {}
        self.follow: list[Callable[[NDArray[np.int64]], None]] = []  # fills columns that follow from x
        self.fixed = 0
        self._offer()
        self._demand()
        cliques = list(_cliques(duties, round(rules.rest_h * 60)))
        share, due = self._shares(), _due_patterns(people, duties, week, rules)
        for p, person in enumerate(people):
            own = {d: self.x[p, d] for d in range(len(duties)) if (p, d) in self.x}
            if own:
                first = len(self.programme.cost)
                self._limit(person, own, cliques)
                self._even_hours(person, own, share)
                self._take_turns(person, own)
                self._keep_pattern(own, due[person.name])
                self.programme.blocks.append([*own.values(), *range(first, len(self.programme.cost))])

    def first_roster(self) -> set[tuple[int, int]]:
        """Give duties one by one to whoever has most hours left, those that fewest can take first."""
        chosen: set[tuple[int, int]] = set()
        able = {d: [p for p in range(len(self.people)) if (p, d) in self.x] for d in range(len(self.duties))}
        order = sorted(able, key=lambda d: (len(able[d]) / self.duties[d].count, self.duties[d].begins))
        before = [len(person.worked) for person in self.people]
        left = [self.week.most(person, self.rules) for person in self.people]
        for d in order:
            duty = self.duties[d]
            for _ in range(duty.count):
                free = [p for p in able[d] if obstacle(self.people[p], duty, self.week, self.rules) is None]
                if not free:
                    break
                p = max(free, key=lambda p: (left[p], -p))
                self.people[p].take(duty)
                left[p] -= duty.minutes
                chosen.add((p, d))
        for person, count in zip(self.people, before, strict=True):
            del person.worked[count:]
        return chosen

    def complete(self, chosen: set[tuple[int, int]]) -> NDArray[np.int64]:
        """Return all columns for who takes what."""
        values = np.zeros(len(self.programme.cost), dtype=np.int64)
        for key in chosen:
            values[self.x[key]] = 1
        for fill in self.follow:
            fill(values)
        return values

    def _offer(self) -> None:
        """A column for everybody and each duty that nothing settled forbids."""
        for p, person in enumerate(self.people):
            for d, duty in enumerate(self.duties):
                if obstacle(person, duty, self.week, self.rules) is None:
                    self.x[p, d] = self.programme.column(-round(WEIGHTS["wish"] * _wished(person, duty)))

    def _demand(self) -> None:
        able: dict[int, list[int]] = {d: [] for d in range(len(self.duties))}
        for (_, d), column in self.x.items():
            able[d].append(column)
        for d, duty in enumerate(self.duties):
            short = self.programme.column(WEIGHTS["missing"] * duty.minutes, duty.count)
            self.programme.row([*able[d], short], least=duty.count, most=duty.count)
            self.follow.append(_remainder(short, able[d], duty.count))

    def _shares(self) -> float:
        """Share of their contracts' minutes that people are needed for."""
        contract = sum(self.week.contract(person, self.rules) for person in self.people)
        asked = sum(duty.minutes * duty.count for duty in self.duties)
        return min(asked / contract, 1.0) if contract else 0.0

    def _limit(self, person: Person, own: dict[int, int], cliques: list[list[int]]) -> None:
        rows, week, rules = self.programme, self.week, self.rules
        for clique in cliques:
            columns = [own[d] for d in clique if d in own]
            if len(columns) > 1:
                rows.row(columns, most=1)
        done = [w for w in person.worked if w.day in week.days]
        minutes = [self.duties[d].minutes for d in own]
        rows.row(list(own.values()), minutes, most=week.most(person, rules) - sum(w.minutes for w in done))
        by_day: dict[int, list[int]] = {}
        for d, column in own.items():
            by_day.setdefault(self.duties[d].day, []).append(column)
        most = week.most_days(person, rules) - len({w.day for w in done})
        rows.row(list(own.values()), most=max(most, 0))
        self._runs(by_day, {w.day for w in person.worked}, rules.max_days_in_a_row)
        nights: dict[int, list[int]] = {}
        for d, column in own.items():
            if self.duties[d].night:
                nights.setdefault(self.duties[d].day, []).append(column)
        self._runs(nights, {w.day for w in person.worked if w.night}, rules.max_nights_in_a_row)
        if rules.days_off_together:
            self._pair(by_day, {w.day for w in done})

    def _runs(self, by_day: dict[int, list[int]], worked: set[int], most: int) -> None:
        for first in range(self.week.monday - most, self.week.monday + 7):
            window = range(first, first + most + 1)
            columns = [column for day in window for column in by_day.get(day, ())]
            left = most - len(worked.intersection(window))
            if columns and len(set(window).intersection(by_day)) > left:
                self.programme.row(columns, most=max(left, 0))

    def _pair(self, by_day: dict[int, list[int]], worked: set[int]) -> None:
        free = [day for day in self.week.days[:-1] if day not in worked and day + 1 not in worked]
        if not free or any(day not in by_day and day + 1 not in by_day for day in free):
            return  # none is left to give, or one is there whatever happens
        off = {}
        for day in free:
            off[day] = self.programme.column(0)
            for each in (day, day + 1):
                if each in by_day:
                    self.programme.row([off[day], *by_day[each]], most=1)
        self.programme.row(list(off.values()), least=1)

        def fill(values: NDArray[np.int64]) -> None:
            for day, column in off.items():
                values[column] = not any(values[c] for each in (day, day + 1) for c in by_day.get(each, ()))

        self.follow.append(fill)

    def _even_hours(self, person: Person, own: dict[int, int], share: float) -> None:
        contract = self.week.contract(person, self.rules)
        target, most = round(contract * share), self.week.most(person, self.rules)
        minutes = [self.duties[d].minutes for d in own]
        columns = list(own.values())
        unit = math.gcd(*minutes)
        if most // unit <= _MOST_STEPS:
            # Hours come in steps: the cost of each step is known, and no fraction of a shift looks even.
            def cost(worked: int) -> int:
                return abs(worked - target) + WEIGHTS["overtime"] * max(worked - contract, 0)

            edges = [cost(unit * k) for k in range(most // unit + 1)]
            self.fixed += edges[0]
            steps = [self.programme.column(high - low) for low, high in pairwise(edges)]
            self.programme.row([*columns, *steps], [*(m // unit for m in minutes), *[-1] * len(steps)], least=0, most=0)
            self.follow.append(_steps(columns, [m // unit for m in minutes], steps))
            return
        below, above = self.programme.column(1, target), self.programme.column(1, most)
        over = self.programme.column(WEIGHTS["overtime"], most)
        self.programme.row([*columns, below, above], [*minutes, 1, -1], least=target, most=target)
        self.programme.row([*columns, over], [*minutes, -1], most=contract)

        def fill(values: NDArray[np.int64]) -> None:
            worked = int(np.dot(values[columns], minutes))
            values[below], values[above] = max(target - worked, 0), max(worked - target, 0)
            values[over] = max(worked - contract, 0)

        self.follow.append(fill)

    def _take_turns(self, person: Person, own: dict[int, int]) -> None:
        mean = np.mean([each.minutes for each in self.people]) or 1
        part = max(person.minutes / mean, 0.1)
        for kind in _KINDS:
            columns = [column for d, column in own.items() if getattr(self.duties[d], kind)]
            if not columns:
                continue
            least = min(sum(getattr(w, kind) for w in each.worked) for each in self.people)
            had = sum(getattr(w, kind) for w in person.worked) - least
            most = min(len({self.duties[d].day for d in own if getattr(self.duties[d], kind)}), 7 - self.rules.days_off)
            # The more turns the dearer the next one: sums of squares are least when all have the same share.
            turns = [self.programme.column(round(WEIGHTS["turn"] * (2 * (had + k) + 1) / part)) for k in range(most)]
            self.programme.row([*columns, *turns], [1] * len(columns) + [-1] * len(turns), least=0, most=0)
            self.follow.append(_steps(columns, [1] * len(columns), turns))

    def _keep_pattern(self, own: dict[int, int], due: str | None) -> None:
        for d, column in own.items():
            if due is not None and self.duties[d].pattern != due:
                self.programme.cost[column] += WEIGHTS["pattern"]


def _cliques(duties: list[Duty], rest: int) -> Iterator[list[int]]:
    """Return the largest sets of duties of which a person can take one: those between which there is no rest, or a day.

    With the rest at its end each duty is an interval, so that these sets are those that share a moment.
    """
    found: list[frozenset[int]] = []
    for moment in sorted({duty.begins for duty in duties}):
        found.append(frozenset(d for d, duty in enumerate(duties) if duty.begins <= moment < duty.ends + rest))
    for day in sorted({duty.day for duty in duties}):
        found.append(frozenset(d for d, duty in enumerate(duties) if duty.day == day))
    for number, each in enumerate(found):
        if not any(each < other or (each == other and place < number) for place, other in enumerate(found)):
            yield sorted(each)


def _wished(person: Person, duty: Duty) -> float:
    total = 0.0
    for wish in person.wishes:
        if wish.day == duty.day:
            total += -wish.strength if wish.pattern == "off" else wish.strength * (wish.pattern in ("", duty.pattern))
    return total


def _due_patterns(people: list[Person], duties: list[Duty], week: Week, rules: RosterRules) -> dict[str, str | None]:
    """Return the pattern that is due for each person: last week's or the one after it in the rotation.

    Who worked nothing last week takes the pattern that lacks most people of those that the person can serve.
    """
    due: dict[str, str | None] = {}
    asked: Counter[tuple[str, str]] = Counter()
    for duty in duties:
        asked[duty.group, duty.pattern] += duty.count * duty.minutes
    for person in people:
        pattern = _usual(person, week.monday - 7)
        own = [key for key in asked if person.serves(key[0]) and pattern in (None, key[1])]
        if pattern in rules.rotation:
            weeks = range(1, rules.rotate_every_weeks + 1)
            if all(_usual(person, week.monday - 7 * number) == pattern for number in weeks):
                pattern = rules.rotation[(rules.rotation.index(pattern) + 1) % len(rules.rotation)]
        if own:
            most = max(own, key=lambda key: asked[key])
            asked[most] -= week.contract(person, rules)
            pattern = pattern or most[1]
        due[person.name] = pattern
    return due


def _usual(person: Person, monday: int) -> str | None:
    """Return the pattern that a person worked most in a week."""
    worked = Counter(w.pattern for w in person.worked if monday <= w.day < monday + 7)
    return worked.most_common(1)[0][0] if worked else None


def _remainder(column: int, others: list[int], total: int) -> Callable[[NDArray[np.int64]], None]:
    def fill(values: NDArray[np.int64]) -> None:
        values[column] = total - values[others].sum()

    return fill


def _steps(columns: list[int], factors: list[int], steps: list[int]) -> Callable[[NDArray[np.int64]], None]:
    def fill(values: NDArray[np.int64]) -> None:
        values[steps] = np.arange(len(steps)) < np.dot(values[columns], factors)

    return fill
