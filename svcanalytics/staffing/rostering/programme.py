"""Integer programmes that either solver takes: whole numbers within bounds, and rows that hold them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError

__all__ = ["Answer", "Programme", "Solver", "check_solver", "solve"]

Solver = Literal["auto", "cp-sat", "milp"]
_GAP = 1e-4
_FIRST = 0.7  # of the time goes to the MILP, whose bound is the better one
_ENDLESS = 1e9


@dataclass
class Programme:
    """Columns of whole numbers from 0 to `upper`, to be chosen at least cost; all coefficients are whole numbers."""

    cost: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, int]] = field(default_factory=list)

    def column(self, cost: int, upper: int = 1) -> int:
        """Add a column and return its number."""
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.cost) - 1

    def row(
        self,
        columns: Sequence[int],
        factors: Sequence[int] | int = 1,
        *,
        least: float = -np.inf,
        most: float = np.inf,
    ) -> None:
        """Hold the weighted sum of columns between two bounds."""
        number = len(self.low)
        weights = [factors] * len(columns) if isinstance(factors, int) else factors
        self.entries += [(number, column, weight) for column, weight in zip(columns, weights, strict=True)]
        self.low.append(least)
        self.high.append(most)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver found.

    Attributes
    ----------
    values : numpy.ndarray of int, shape ``(columns,)``
    cost, bound : float
        Of what was found, and what no answer is below.
    status : str
        ``optimal`` (within a gap of 0.01 %) or ``time limit``.
    """

    values: NDArray[np.int64]
    cost: float
    bound: float
    status: str


def check_solver(solver: Solver) -> None:
    """Refuse a solver that is unknown or not installed.

    Raises
    ------
    StaffingError
    """
    if solver not in ("auto", "cp-sat", "milp"):
        raise StaffingError(f"there is no solver {solver!r}", where="solver", fix="use auto, cp-sat or milp")
    if solver == "cp-sat" and find_spec("ortools") is None:
        raise StaffingError("CP-SAT is not installed", where="solver", fix="install ortools, or use milp")


def solve(programme: Programme, solver: Solver, limit_s: float, seed: int, start: NDArray[np.int64]) -> Answer:
    """Find values of least cost; at the time limit the best so far.

    Parameters
    ----------
    programme : Programme
    solver : str
        ``auto``: the MILP first; what it leaves open CP-SAT goes on with, where ``ortools`` is installed.
    limit_s : float
    seed : int
    start : numpy.ndarray of int, shape ``(columns,)``
        Values that keep every row: where the search begins, and what is returned when it finds nothing in time.
    """
    best = Answer(start, float(np.dot(programme.cost, start)), -np.inf, "time limit")
    polish = solver == "auto" and find_spec("ortools") is not None
    if solver != "cp-sat":
        best = _better(best, _milp(programme, limit_s * (_FIRST if polish else 1)))
    if best.status != "optimal" and (polish or solver == "cp-sat"):
        left = limit_s * (1 - _FIRST if polish else 1)
        best = _better(best, _cp_sat(programme, left, seed, best.values))
    return best


def _better(known: Answer, found: Answer | None) -> Answer:
    if found is None:
        return known
    values = found.values if found.cost <= known.cost else known.values
    bound = max(known.bound, found.bound)
    return Answer(values, min(known.cost, found.cost), bound, found.status)


def _cp_sat(programme: Programme, limit_s: float, seed: int, start: NDArray[np.int64]) -> Answer | None:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    columns = [model.new_int_var(0, upper, "") for upper in programme.upper]
    rows: list[tuple[list, list]] = [([], []) for _ in programme.low]
    for row, column, weight in programme.entries:
        rows[row][0].append(columns[column])
        rows[row][1].append(weight)
    for (terms, weights), low, high in zip(rows, programme.low, programme.high, strict=True):
        total = cp_model.LinearExpr.weighted_sum(terms, weights)
        model.add_linear_constraint(total, int(max(low, -_ENDLESS)), int(min(high, _ENDLESS)))
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, programme.cost))
    for column, value in zip(columns, start, strict=True):
        model.add_hint(column, int(value))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.random_seed = seed
    solver.parameters.relative_gap_limit = _GAP
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    values = np.array([solver.value(column) for column in columns], dtype=np.int64)
    told = "optimal" if status == cp_model.OPTIMAL else "time limit"
    return Answer(values, solver.objective_value, solver.best_objective_bound, told)


def _milp(programme: Programme, limit_s: float) -> Answer | None:
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    row, column, weight = np.array(programme.entries).T
    matrix = csr_array((weight.astype(float), (row, column)), shape=(len(programme.low), len(programme.cost)))
    found = milp(
        np.array(programme.cost, dtype=float),
        integrality=np.ones(len(programme.cost)),
        bounds=Bounds(0, np.array(programme.upper, dtype=float)),
        constraints=LinearConstraint(matrix, programme.low, programme.high),
        options={"time_limit": limit_s, "mip_rel_gap": _GAP},
    )
    if found.x is None:
        return None
    values = np.round(found.x).astype(np.int64)
    bound = found.mip_dual_bound if found.mip_dual_bound is not None else -np.inf
    return Answer(
        values, float(np.dot(programme.cost, values)), bound, "optimal" if found.status == 0 else "time limit"
    )
