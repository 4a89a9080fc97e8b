"""How much of what went wrong in a set of cases the circumstances of each layer explain.

Gelbach, J. B. (2016), "When do covariates matter? And which ones, and how much?", Journal of Labor Economics 34:2: what
the coefficient of a set loses when circumstances are added to the regression is the sum of one part per circumstance,
whatever their order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
"""A course, or a value's missing, that tells so much of the outcome is the outcome."""
_WENT = 0.8
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
        frame = self._frame(inside, bad)
        columns, alike = self._usable(frame, own)
        same = self._outcomes(bad)
        columns = [c for c in columns if c.name not in same]
        first, last = ([c for c in columns if c.course == course] for course in (False, True))
        size = float((inside & self._design.now).sum())
        base, one, two = self._fits(frame, ([], first, columns))
        mix = self._slopes(base, frame, first, first)
        through = self._slopes(one, frame, columns, last)
        terms: dict[str, list[tuple[_Fit, Array]]] = {c.layer: [] for c in first}
        for name in terms:
            mine = np.isin(one.owner, [c.name for c in first if c.layer == name])
            terms[name] = [(one, np.where(mine, mix, 0.0))]
        rules = list(terms.get("process", []))
        if layer:
            terms.setdefault(layer, []).append((one, _unit(one, frame.asked)))
        else:
            terms["rest"] = [(two, _unit(two, frame.asked))]
            if last:
                terms.setdefault("process", []).append((two, through))
        excess = [(base, _unit(base, frame.asked))]
        parts = self._parts(frame, [excess, rules, [(two, through)], *terms.values()], size)
        return Shares(
            parts[0],
            dict(zip(terms, parts[3:], strict=True)),
            parts[1],
            parts[2],
            {c.name: c.layer for c in columns},
            self._by_column(one, mix, first, size) | self._by_column(two, through, last, size),
            self._by_value(one, mix, first) | self._by_value(two, through, last),
            alike,
            tuple(sorted(same)),
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

        frame = self._frame(inside, np.zeros(len(inside)))
        inverse = _inverse(frame.given.T @ frame.given)
        pull = frame.given @ inverse[frame.asked]
        z = self._design.matrix
        shift = pull @ z
        by_group = self._gather.multiply(pull).tocsr()
        scores = by_group @ z - (by_group @ frame.given) @ (inverse @ frame.cross[:, : self._size])
        held = self._gather @ pull**2
        freedom = max(float(held.sum() ** 2 / np.maximum((held**2).sum(), 1e-300)) - 1, 1.0)
        error = np.sqrt((scores**2).sum(axis=0))
        out = []
        for column in self._design.columns:
            if column.layer and column.name not in own:
                at = np.arange(column.first, column.last)
                sure = np.abs(shift[at]) / np.maximum(error[at], 1e-12)
                # What came tells more than what it took the place of.
                best = int(at[np.argmax(np.where(shift[at] > 0, sure, _WENT * sure))])
                p = float(min(2 * stdtr(freedom, -sure.max()) * len(at), 1.0)) if error[best] > 0 else 1.0
                value = column.values[best - column.first]
                out.append(Change(column.name, value, column.layer, float(shift[best]), p))
        held_p = hold_family(np.array([each.p_value for each in out]))
        return [replace(each, p_value=float(p)) for each, p in zip(out, held_p, strict=True)]

    def _frame(self, inside: NDArray[np.bool_], bad: Array) -> _Frame:
        # The regressors every set has, and the place of the one whose coefficient is asked for.
        now, one = self._design.now, np.ones(len(inside))
        s = inside.astype("float64")
        if not (~inside & now).any():
            given = [one, now.astype("float64")] if self._compared else [one]
        elif self._compared and (inside & ~now).any() and (~inside & ~now).any():
            given = [one, now.astype("float64"), s, s * now]
        else:
            given = [one, now.astype("float64"), s] if self._compared else [one, s]
        matrix = np.column_stack(given)
        sums = np.column_stack([matrix, bad]).T @ self._wide
        return _Frame(matrix, len(given) - 1, bad, sums[:-1], sums[-1])

    def _usable(self, frame: _Frame, own: Collection[str]) -> tuple[list[Column], tuple[str, ...]]:
        # Leave out what defines the set, and what says nearly the same as the set.
        others, target = np.delete(frame.given, frame.asked, axis=1), frame.given[:, frame.asked]
        cross = np.delete(frame.cross, frame.asked, axis=0)
        inner = _inverse(others.T @ others)
        target_z = frame.cross[frame.asked] - cross.T @ (inner @ (others.T @ target))
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
        # How a case went may be what the measure is made of: a transfer rate isn't explained by transfers. And what is
        # missing just where it went wrong is: nobody's tenure is known for a call that nobody answered.
        off = bad - bad.mean()
        moment, whole = off @ self._design.matrix, float(off @ off)
        out = set()
        for column in self._design.columns:
            at = np.arange(column.first, column.last)
            if not column.course:
                missing = np.array([value == "" for value in column.values])
                if not missing.any() and column.usual:
                    continue
                at = at[missing] if missing.any() else at
                told = moment[at].sum() ** 2 / max(float(self._gram[np.ix_(at, at)].sum()), _NEAR)
            else:
                told = float(moment[at] @ _inverse(self._gram[np.ix_(at, at)]) @ moment[at])
            if told > _SAME * whole:
                out.add(column.name)
        return out

    def _places(self, column: Column) -> NDArray[np.int64]:
        at = np.arange(column.first, column.last)
        return np.concatenate([at, at + self._size]) if self._compared else at

    def _fits(self, frame: _Frame, chosen: Sequence[list[Column]]) -> list[_Fit]:
        out, given = [], frame.given.shape[1]
        coefficients = np.zeros((self._wide.shape[1], len(chosen)))
        heads = np.zeros((given, len(chosen)))
        for number, columns in enumerate(chosen):
            at = self._all_places(columns)
            cross = frame.cross[:, at]
            gram = np.block([[frame.given.T @ frame.given, cross], [cross.T, self._gram[np.ix_(at, at)]]])
            # Missing values of several columns often are those of one channel: they say the same, none is left out.
            scale = np.sqrt(np.maximum(np.diag(gram), _NEAR))
            outer = np.outer(scale, scale)
            inverse = np.linalg.pinv(gram / outer, rcond=1e-10, hermitian=True) / outer
            solution = inverse @ np.concatenate([frame.given.T @ frame.bad, frame.moment[at]])
            times = 2 if self._compared else 1
            owner = [""] * given + [c.name for c in columns for _ in c.values * times]
            value = [""] * given + [v for c in columns for v in c.values * times]
            heads[:, number], coefficients[at, number] = solution[:given], solution[given:]
            out.append(_Fit(at, inverse, solution, frame.bad, np.array(owner), np.array(value)))
        fitted = frame.given @ heads + self._wide @ coefficients
        return [replace(fit, residual=frame.bad - fitted[:, number]) for number, fit in enumerate(out)]

    def _all_places(self, columns: list[Column]) -> NDArray[np.int64]:
        return np.concatenate([np.zeros(0, dtype=np.int64), *(self._places(c) for c in columns)])

    def _slopes(self, fit: _Fit, frame: _Frame, columns: list[Column], only: list[Column]) -> Array:
        # How much more of each circumstance the set has, beyond what `fit` holds; in the order of a fit of `columns`.
        at = self._all_places(columns)
        held = np.vstack([frame.cross[:, at], self._gram[np.ix_(fit.at, at)]])
        chosen = np.isin(at, self._all_places(only))
        return np.concatenate([np.zeros(len(frame.cross)), np.where(chosen, fit.inverse[frame.asked] @ held, 0.0)])

    def _parts(self, frame: _Frame, jobs: Sequence[list[tuple[_Fit, Array]]], size: float) -> list[Part]:
        # Every amount is linear in the outcome, with weight `pull` on each case.
        terms = [(number, fit, slopes) for number, job in enumerate(jobs) for fit, slopes in job]
        heads = np.zeros((len(frame.cross), len(terms)))
        coefficients = np.zeros((self._wide.shape[1], len(terms)))
        for place, (_, fit, slopes) in enumerate(terms):
            contrast = fit.inverse @ slopes
            heads[:, place], coefficients[fit.at, place] = contrast[: len(heads)], contrast[len(heads) :]
        pulls = size * (frame.given @ heads + self._wide @ coefficients)
        out, groups = [], self._gather.shape[0]
        for number, job in enumerate(jobs):
            mine = [place for place, term in enumerate(terms) if term[0] == number]
            amount = size * sum(float(slopes @ fit.solution) for fit, slopes in job)
            scores = sum(
                (self._gather @ (pulls[:, place] * terms[place][1].residual) for place in mine), np.zeros(groups)
            )
            held = self._gather @ pulls[:, mine].sum(axis=1) ** 2
            if groups < 2 or not held.any():
                out.append(Part(amount, 0.0, 1.0))
                continue
            freedom = max(float(held.sum() ** 2 / (held**2).sum()) - 1, 1.0)
            out.append(Part(amount, float(np.sqrt((scores**2).sum() * groups / (groups - 1))), freedom))
        return out

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
class _Frame:
    given: Array  # regressors of every fit, shape (n, k)
    asked: int
    bad: Array
    cross: Array  # given with all circumstances, shape (k, wide)
    moment: Array  # the outcome with all circumstances, shape (wide,)


@dataclass(frozen=True, eq=False)
class _Fit:
    at: NDArray[np.int64]
    inverse: Array
    solution: Array
    residual: Array
    owner: NDArray[np.str_]
    value: NDArray[np.str_]
