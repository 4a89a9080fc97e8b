"""Least-cost answers to an integer programme: by MILP, by CP-SAT, and by making a few people's weeks anew at a time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.rostering.programme import Programme

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Answer", "Solver", "check_solver", "solve"]

Solver = Literal["auto", "cp-sat", "milp"]
_GAP = 1e-4
_ENDLESS = 1e9
_WHOLE = 0.7  # of the time goes to the whole programme, whose bound tells how good any answer can be
_FEW, _SECONDS, _NEAR, _TRIES = 6, 1.5, 0.002, 60  # people made anew at first, for how long, to what gap; idle rounds


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver found.

    Attributes
    ----------
    values : numpy.ndarray of int, shape ``(columns,)``
    cost, bound : float
        Of what was found, and what no answer is below.
    """

    values: NDArray[np.int64]
    cost: float
    bound: float

    @property
    def status(self) -> str:
        """``optimal``, within a gap of 0.01 %, or ``time limit``."""
        return "optimal" if self.cost - self.bound <= _GAP * max(abs(self.cost), 1.0) + 1e-6 else "time limit"


@dataclass(frozen=True, eq=False)
class _Case:
    """A programme as arrays."""

    cost: NDArray[np.int64]
    upper: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    matrix: csr_array

    def around(self, values: NDArray[np.int64], free: NDArray[np.intp]) -> _Case:
        """Return the programme of some columns, all others being as they are."""
        kept = values.copy()
        kept[free] = 0
        settled = self.matrix @ kept
        part = self.matrix[:, free]
        rows = np.flatnonzero(np.diff(part.indptr))
        part = part[rows]
        low, high = self.low[rows] - settled[rows], self.high[rows] - settled[rows]
        return _Case(self.cost[free], self.upper[free], low, high, part)


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

    Most of the time goes to the whole programme. What it leaves open goes on from the best answer by large
    neighbourhoods (Shaw 1998): a few people's weeks are made anew, best with all others as they are, then others'.

    Parameters
    ----------
    programme : Programme
    solver : str
        ``auto``: MILP, which is measured to be the better one here; where ``ortools`` is installed, every third
        neighbourhood by CP-SAT.
    limit_s : float
    seed : int
    start : numpy.ndarray of int, shape ``(columns,)``
        Values that keep every row.
    """
    from scipy.sparse import csr_array

    ends = monotonic() + limit_s
    row, column, weight = np.array(programme.entries).T
    shape = (len(programme.low), len(programme.cost))
    case = _Case(
        np.array(programme.cost), np.array(programme.upper), np.array(programme.low), np.array(programme.high),
        csr_array((weight.astype(float), (row, column)), shape=shape),
    )  # fmt: skip
    ways = [_cp_sat] if solver == "cp-sat" else [_milp]
    if solver == "auto" and find_spec("ortools") is not None:
        ways = [_milp, _milp, _cp_sat]
    best = Answer(start, float(case.cost @ start), -np.inf)
    if not programme.blocks:  # nobody can take anything
        return Answer(start, best.cost, best.cost)
    best = _better(best, ways[0](case, limit_s * _WHOLE, _GAP, seed, best.values))
    rng, idle, rounds, few = np.random.default_rng(seed), 0, 0, _FEW
    shared = np.setdiff1d(np.arange(shape[1]), np.concatenate([np.array(b, dtype=int) for b in programme.blocks]))
    while best.status != "optimal" and idle < _TRIES and monotonic() < ends:
        few = min(few, len(programme.blocks))
        chosen = rng.choice(len(programme.blocks), size=few, replace=False)
        free = np.sort(np.concatenate([shared, *(np.array(programme.blocks[each], dtype=int) for each in chosen)]))
        began = monotonic()
        limit = min(_SECONDS, max(ends - began, 0.05))
        way = ways[rounds % len(ways)]
        found = way(case.around(best.values, free), limit, _NEAR, seed, best.values[free])
        idle, rounds = idle + 1, rounds + 1
        if found is not None and found.cost < case.cost[free] @ best.values[free] - 1e-6:
            values = best.values.copy()
            values[free] = found.values
            best, idle = Answer(values, float(case.cost @ values), best.bound), 0
        quick = monotonic() - began < _SECONDS / 4
        few = min(few + 1, len(programme.blocks)) if quick else max(few - 1, 2)
    return best


def _better(known: Answer, found: Answer | None) -> Answer:
    if found is None:
        return known
    bound = max(known.bound, found.bound)
    return (
        Answer(found.values, found.cost, bound) if found.cost <= known.cost else Answer(known.values, known.cost, bound)
    )


def _cp_sat(case: _Case, limit_s: float, gap: float, seed: int, start: NDArray[np.int64]) -> Answer | None:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    columns = [model.new_int_var(0, int(upper), "") for upper in case.upper]
    matrix = case.matrix
    for row in range(matrix.shape[0]):
        own = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = [columns[column] for column in matrix.indices[own]]
        total = cp_model.LinearExpr.weighted_sum(terms, matrix.data[own].astype(int).tolist())
        low, high = max(case.low[row], -_ENDLESS), min(case.high[row], _ENDLESS)
        model.add_linear_constraint(total, int(low), int(high))
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, case.cost.tolist()))
    for column, value in zip(columns, start, strict=True):
        model.add_hint(column, int(value))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.random_seed = seed
    solver.parameters.relative_gap_limit = gap
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    values = np.array([solver.value(column) for column in columns], dtype=np.int64)
    return Answer(values, solver.objective_value, solver.best_objective_bound)


def _milp(case: _Case, limit_s: float, gap: float, seed: int, start: NDArray[np.int64]) -> Answer | None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    found = milp(
        case.cost.astype(float),
        integrality=np.ones(len(case.cost)),
        bounds=Bounds(0, case.upper.astype(float)),
        constraints=LinearConstraint(case.matrix, case.low, case.high),
        options={"time_limit": limit_s, "mip_rel_gap": gap},
    )
    bound = found.get("mip_dual_bound")
    bound = -np.inf if bound is None or not np.isfinite(bound) else float(bound)
    if found.x is None:
        return Answer(start, float(case.cost @ start), bound)
    values = np.round(found.x).astype(np.int64)
    return Answer(values, float(case.cost @ values), bound)
