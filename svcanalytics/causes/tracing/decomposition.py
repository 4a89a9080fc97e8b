"""How much of what went wrong in a set of cases the circumstances of each layer explain.

Gelbach, J. B. (2016), "When do covariates matter? And which ones, and how much?", Journal of Labor Economics 34:2: what
the coefficient of a set loses when circumstances are added to the regression is the sum of one part per circumstance,
whatever their order.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.design import Array, Column, Design
from svcanalytics.causes.tracing.shares import Change, Part, Shares

__all__ = ["Regression"]

_ALIKE = 0.8
"""A circumstance that tells so much of the set can't be told apart from it."""
_SAME = 0.95
"""A course that tells so much of the outcome is the outcome."""
_NEAR = 1e-9


class Regression:
    """The regression on circumstances, made ready once for any number of outcomes and sets of cases.

    Every circumstance has an effect of its own in the baseline and in the period: what was harmless may have broken.

    Parameters
    ----------
    design : Design
    """

    def __init__(self, design: Design) -> None:
        from scipy.sparse import csr_matrix

        self._design = design
        self._compared = bool((~design.now).any())
        now = design.now.astype("float64")[:, None]
        z = design.matrix
        self._wide = np.hstack([z, z * now]) if self._compared else z
        self._gram = self._wide.T @ self._wide
        self._size = z.shape[1]
        n, groups = len(design.now), int(design.group.max(initial=-1)) + 1
        self._gather = csr_matrix((np.ones(n), (design.group, np.arange(n))), shape=(groups, n))

    @property
    def design(self) -> Design:
        """The cases and circumstances it is of."""
        return self._design

    def share_out(self, bad: Array, inside: NDArray[np.bool_], own: Collection[str] = (), layer: str = "") -> Shares:
        """Share out the excess of a set of cases among circumstances.

        With a baseline the excess is what the set's cases became worse by beyond the others; without one, how much
        worse they are than the others; a set that holds every case of the period is held against the baseline. How
        cases went comes after all else, since it is through waits and hand-overs that versions and people work.

        Parameters
        ----------
        bad : numpy.ndarray, shape ``(n,)``
            How badly each case went.
        inside : numpy.ndarray of bool, shape ``(n,)``
            The set, in both periods.
        own : collection of str
            Circumstances that define the set, which can't explain it.
        layer : str
            The layer that these speak for, if one: what the other layers leave is its part.

        Returns
        -------
        Shares
            Standard errors are robust to groups erring together (Liang and Zeger 1986), t distributions have the
            freedom of Satterthwaite's rule over groups (Bell and McCaffrey 2002).
        """
        frame, asked = self._frame(inside)
        columns, alike = self._usable(frame, asked, own)
        same = self._outcomes(bad)
        columns = [c for c in columns if c.name not in same]
        first, last = ([c for c in columns if c.course == course] for course in (False, True))
        size = float((inside & self._design.now).sum())
        base, one, two = (self._fit(bad, frame, chosen) for chosen in ([], first, columns))
        mix = self._slopes(base, asked, first, first)
        through = self._slopes(one, asked, columns, last)
        terms: dict[str, list[tuple[_Fit, Array]]] = {c.layer: [] for c in first}
        for name in terms:
            mine = np.isin(one.owner, [c.name for c in first if c.layer == name])
            terms[name] = [(one, np.where(mine, mix, 0.0))]
        rules = list(terms.get("process", []))
        if layer:
            terms.setdefault(layer, []).append((one, _unit(one, asked)))
        else:
            terms["rest"] = [(two, _unit(two, asked))]
            if last:
                terms.setdefault("process", []).append((two, through))
        return Shares(
            self._part([(base, _unit(base, asked))], size),
            {name: self._part(each, size) for name, each in terms.items()},
            self._part(rules, size),
            self._part([(two, through)], size),
            {c.name: c.layer for c in columns},
            self._by_column(one, mix, first, size) | self._by_column(two, through, last, size),
            self._by_value(one, mix, first) | self._by_value(two, through, last),
            alike,
        )

    def changes(self, inside: NDArray[np.bool_], own: Collection[str] = ()) -> list[Change]:
        """Return what else changed in a set of cases, beyond what changed in the others.

        Parameters
        ----------
        inside, own
            As for `share_out`.

        Returns
        -------
        list of Change
            One per circumstance that has a layer: of its values the one that changed most surely; p-values by Holm
            (1979).
        """
        from scipy.special import stdtr

        frame, asked = self._frame(inside)
        base = self._fit(np.zeros(len(inside)), frame, [])
        pull = frame @ base.inverse[asked]
        z = self._design.matrix
        shift = pull @ z
        residual = z - frame @ (base.inverse @ (frame.T @ z))
        scores = self._gather @ (residual * pull[:, None])
        held = self._gather @ pull**2
        freedom = max(float(held.sum() ** 2 / np.maximum((held**2).sum(), 1e-300)) - 1, 1.0)
        error = np.sqrt((scores**2).sum(axis=0))
        out = []
        for column in self._design.columns:
            if column.layer and column.name not in own:
                at = np.arange(column.first, column.last)
                sure = np.abs(shift[at]) / np.maximum(error[at], 1e-12)
                best = int(at[np.argmax(sure)])
                p = float(min(2 * stdtr(freedom, -sure.max()) * len(at), 1.0)) if error[best] > 0 else 1.0
                value = column.values[best - column.first]
                out.append(Change(column.name, value, column.layer, float(shift[best]), p))
        held_p = hold_family(np.array([each.p_value for each in out]))
        return [replace(each, p_value=float(p)) for each, p in zip(out, held_p, strict=True)]

    def _frame(self, inside: NDArray[np.bool_]) -> tuple[Array, int]:
        # The regressors every set has, and the place of the one whose coefficient is asked for.
        now, one = self._design.now, np.ones(len(inside))
        s = inside.astype("float64")
        if not (~inside & now).any():
            return (np.column_stack([one, now.astype("float64")]), 1) if self._compared else (one[:, None], 0)
        if self._compared and (inside & ~now).any() and (~inside & ~now).any():
            return np.column_stack([one, now.astype("float64"), s, s * now]), 3
        if self._compared:
            return np.column_stack([one, now.astype("float64"), s]), 2
        return np.column_stack([one, s]), 1

    def _usable(self, frame: Array, asked: int, own: Collection[str]) -> tuple[list[Column], tuple[str, ...]]:
        # Leave out what defines the set, and what says nearly the same as the set.
        others = np.delete(frame, asked, axis=1)
        target = frame[:, asked]
        cross = others.T @ self._wide
        inner = _inverse(others.T @ others)
        target_z = self._wide.T @ target - cross.T @ (inner @ (others.T @ target))
        whole = float(target @ target - (others.T @ target) @ inner @ (others.T @ target))
        columns, alike = [], []
        for column in self._design.columns:
            if column.name in own:
                continue
            at = self._places(column)
            gram = self._gram[np.ix_(at, at)] - cross[:, at].T @ inner @ cross[:, at]
            told = float(target_z[at] @ _inverse(gram) @ target_z[at])
            if whole > _NEAR and told > _ALIKE * whole:
                alike.append(column.name)
            else:
                columns.append(column)
        return columns, tuple(alike)

    def _outcomes(self, bad: Array) -> set[str]:
        # How a case went may be what the measure is made of: a transfer rate isn't explained by transfers.
        off = bad - bad.mean()
        moment, whole = off @ self._design.matrix, float(off @ off)
        out = set()
        for column in self._design.columns:
            at = np.arange(column.first, column.last)
            if column.course and moment[at] @ _inverse(self._gram[np.ix_(at, at)]) @ moment[at] > _SAME * whole:
                out.add(column.name)
        return out

    def _places(self, column: Column) -> NDArray[np.int64]:
        at = np.arange(column.first, column.last)
        return np.concatenate([at, at + self._size]) if self._compared else at

    def _fit(self, bad: Array, frame: Array, columns: list[Column]) -> _Fit:
        at = self._all_places(columns)
        cross = (frame.T @ self._wide)[:, at]
        gram = np.block([[frame.T @ frame, cross], [cross.T, self._gram[np.ix_(at, at)]]])
        moment = np.concatenate([frame.T @ bad, (bad @ self._wide)[at]])
        # Missing values of several columns often are those of one channel: columns say the same, none is left out.
        scale = np.sqrt(np.maximum(np.diag(gram), _NEAR))
        outer = np.outer(scale, scale)
        inverse = np.linalg.pinv(gram / outer, rcond=1e-10, hermitian=True) / outer
        times = 2 if self._compared else 1
        owner = [""] * frame.shape[1] + [c.name for c in columns for _ in c.values * times]
        value = [""] * frame.shape[1] + [v for c in columns for v in c.values * times]
        solution = inverse @ moment
        wide = frame.shape[1]
        residual = bad - frame @ solution[:wide] - self._of_cases(at, solution[wide:])
        return _Fit(frame, at, inverse, solution, residual, np.array(owner), np.array(value))

    def _of_cases(self, at: NDArray[np.int64], coefficients: Array) -> Array:
        spread = np.zeros(self._wide.shape[1])  # cheaper than to copy the columns that are used
        spread[at] = coefficients
        return self._wide @ spread

    def _all_places(self, columns: list[Column]) -> NDArray[np.int64]:
        return np.concatenate([np.zeros(0, dtype=np.int64), *(self._places(c) for c in columns)])

    def _slopes(self, given: _Fit, asked: int, columns: list[Column], only: list[Column]) -> Array:
        # How much more of each circumstance the set has, beyond what is `given`; in the order of a fit of `columns`.
        at = self._all_places(columns)
        held = np.vstack([(given.frame.T @ self._wide)[:, at], self._gram[np.ix_(given.at, at)]])
        chosen = np.isin(at, self._all_places(only))
        return np.concatenate([np.zeros(given.frame.shape[1]), np.where(chosen, given.inverse[asked] @ held, 0.0)])

    def _part(self, terms: list[tuple[_Fit, Array]], size: float) -> Part:
        # Every amount is linear in the outcome, with weight `pull` on each case.
        amount, groups = 0.0, int(self._design.group.max()) + 1
        scores, weights = np.zeros(groups), np.zeros(len(self._design.now))
        for fit, slopes in terms:
            amount += size * float(slopes @ fit.solution)
            contrast, wide = fit.inverse @ slopes, fit.frame.shape[1]
            pull = size * (fit.frame @ contrast[:wide] + self._of_cases(fit.at, contrast[wide:]))
            scores += np.bincount(self._design.group, pull * fit.residual, groups)
            weights += pull
        held = np.bincount(self._design.group, weights**2, groups)
        if groups < 2 or not held.any():
            return Part(amount, 0.0, 1.0)
        freedom = max(float(held.sum() ** 2 / (held**2).sum()) - 1, 1.0)
        return Part(amount, float(np.sqrt((scores**2).sum() * groups / (groups - 1))), freedom)

    def _by_column(self, fit: _Fit, slopes: Array, columns: list[Column], size: float) -> dict[str, float]:
        carried = size * slopes * fit.solution
        return {c.name: float(carried[fit.owner == c.name].sum()) for c in columns}

    def _by_value(self, fit: _Fit, slopes: Array, columns: list[Column]) -> dict[str, str]:
        carried = slopes * fit.solution
        mine = {c.name: fit.owner == c.name for c in columns}
        return {
            c.name: max(c.values, key=lambda v: float(carried[mine[c.name] & (fit.value == v)].sum())) for c in columns
        }


def _inverse(gram: Array) -> Array:
    # Quick, and near enough to tell how much one thing says of another: a breath of ridge keeps it there.
    scale = np.sqrt(np.maximum(np.diag(gram), _NEAR))
    outer = np.outer(scale, scale)
    return np.linalg.inv(gram / outer + _NEAR * np.eye(len(gram))) / outer


def _unit(fit: _Fit, place: int) -> Array:
    return np.eye(1, len(fit.solution), place)[0]


@dataclass(frozen=True, eq=False)
class _Fit:
    frame: Array
    at: NDArray[np.int64]
    inverse: Array
    solution: Array
    residual: Array
    owner: NDArray[np.str_]
    value: NDArray[np.str_]
