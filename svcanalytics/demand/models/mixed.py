"""Counts explained by groups of random effects whose variances are learned: a Poisson log-normal mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Effects", "Group", "fit_effects", "fit_values"]

_DOUBT = 1.2  # sd of the prior of a log standard deviation: a factor of three either way is nothing unusual
_TAIL = 5.0  # degrees of freedom of the t distribution that days' noise is taken from
_BEGIN = 4.0  # factor by which abrupt effects are let free at first
_SHIFT = 3.0  # degrees of freedom of the t distribution of abrupt effects
_HEAVIEST = 1.6  # factor on the variance of noise that tails are trusted with
_ROBUST = 28  # days from which on a day far off is told from an effect seen once
_WINDOW = 700  # days that standard deviations are learned from, the most recent ones
_WIDE = 4.0  # sd of the intercept around the mean log count
_TURNS = 3  # of linearising and of judging what is out of the ordinary
_RANGE = (-9.0, 2.0)  # of the log standard deviations
_ENOUGH = 0.01  # gain in log likelihood below which the search ends


@dataclass(frozen=True)
class Group:
    """Effects that share one variance.

    Attributes
    ----------
    name : str
    root : numpy.ndarray, shape ``(N, p)``
        What each of the `p` effects adds to each row; effects are independent with the group's standard deviation.
    sd : float
        Its likely standard deviation in log units: the median of the prior.
    abrupt : bool
        A few of its effects may be far larger than the others, as steps of a level are where it shifts.
    """

    name: str
    root: NDArray[np.float64]
    sd: float
    abrupt: bool = False


@dataclass(frozen=True)
class Effects:
    """What was learned: standard deviations of the groups, and of every row the log rate with its covariance.

    Attributes
    ----------
    sds : dict[str, float]
        By group, and ``noise`` for what is a day's own.
    log_rate : numpy.ndarray, shape ``(N,)``
        Posterior mean of the log rate, without the day's own noise.
    covariance : numpy.ndarray, shape ``(M, M)``
        Of the `M` rows asked for, the day's own noise included.
    """

    sds: dict[str, float]
    log_rate: NDArray[np.float64]
    covariance: NDArray[np.float64]


def fit_effects(
    counts: NDArray[np.float64],
    offset: NDArray[np.float64],
    groups: Sequence[Group],
    *,
    noise: float = 0.07,
    sds: dict[str, float] | None = None,
    steps: int = 12,
    wanted: NDArray[np.intp] | None = None,
) -> Effects:
    """Fit ``counts ~ Poisson(offset * exp(intercept + sum of effects + noise))``.

    The likelihood is linearised around the current rates (penalised quasi-likelihood: Breslow and Clayton 1993,
    J. Amer. Statist. Assoc. 88:9, eq. 8-11), so zeros and small counts need no special case. Standard deviations
    maximise the marginal likelihood of the working response (Rasmussen and Williams 2006, eq. 5.8-5.9) under a
    log-normal prior. Days far off get more noise and steps of the level more room, as under t distributions (Lange,
    Little and Taylor 1989, J. Amer. Statist. Assoc. 84:881, eq. 5).

    Parameters
    ----------
    counts : numpy.ndarray, shape ``(N,)``
        NaN where not observed: such rows are only predicted.
    offset : numpy.ndarray, shape ``(N,)``
        Exposure of each row, above 0.
    groups : sequence of Group
        Over the same `N` rows.
    noise : float
        Likely standard deviation of a day's own noise.
    sds : dict[str, float], optional
        Standard deviations already known, a starting point; with ``steps=0`` they stay.
    steps : int
        Most steps of the search for the standard deviations.
    wanted : numpy.ndarray of int, optional
        Rows whose covariance is wanted; without it, those not observed.
    """
    seen = np.isfinite(counts)
    y, exposure = counts[seen], offset[seen]
    centre = np.log((y.sum() + 0.5) / exposure.sum())
    eta = np.log((y + 0.5) / exposure)
    ridge = _Ridge(groups, seen, noise, sds)
    for turn in range(_TURNS):
        rate = exposure * np.exp(np.clip(eta, -12.0, 30.0))
        working = np.clip(eta + (y - rate) / np.maximum(rate, 1e-3), eta - 3, eta + 3) - centre
        own = 1.0 / np.maximum(rate, 0.02)
        solved = ridge.turn(working, own, steps if turn < _TURNS - 1 else 0)
        eta = centre + working - own * solved.alpha
    return ridge.effects(solved, centre, np.flatnonzero(~seen) if wanted is None else wanted)


def fit_values(
    values: NDArray[np.float64],
    variance: NDArray[np.float64],
    groups: Sequence[Group],
    *,
    noise: float,
    sds: dict[str, float] | None = None,
    steps: int = 12,
    wanted: NDArray[np.intp] | None = None,
) -> Effects:
    """Fit ``values ~ Normal(intercept + sum of effects, noise**2 + variance)``, as `fit_effects` does.

    Parameters
    ----------
    values, variance : numpy.ndarray, shape ``(N,)``
        NaN values are only predicted.
    groups, noise, sds, steps, wanted
        See `fit_effects`.
    """
    seen = np.isfinite(values)
    ridge = _Ridge(groups, seen, noise, sds)
    centre = np.average(values[seen], weights=1 / (variance[seen] + noise**2))
    for _ in range(_TURNS - 1):
        solved = ridge.turn(values[seen] - centre, variance[seen], steps)
    return ridge.effects(solved, centre, np.flatnonzero(~seen) if wanted is None else wanted)


@dataclass(frozen=True)
class _Solved:
    """A ridge regression solved: minus the log likelihood, standardised effects, their covariance, and residuals.

    `alpha` is ``V^-1 r`` and `diagonal` that of ``V^-1``, with `V` the covariance of the response.
    """

    cost: float
    scale: NDArray[np.float64]
    u: NDArray[np.float64]
    inverse: NDArray[np.float64]
    alpha: NDArray[np.float64]
    diagonal: NDArray[np.float64]


class _Ridge:
    # Ridge regression on standardised effects: with C = S Z' D^-1 Z S and M = I + C, effects are u = M^-1 S Z' D^-1 r,
    # and S Z' V^-1 Z S = I - M^-1, from which slope and information of the standard deviations follow.

    def __init__(
        self, groups: Sequence[Group], seen: NDArray[np.bool_], noise: float, sds: dict[str, float] | None
    ) -> None:
        self.names = [*(g.name for g in groups), "noise"]
        self.prior = np.log([*(g.sd for g in groups), noise])
        known = sds or {}
        self.theta = np.log([known.get(n, np.exp(p)) for n, p in zip(self.names, self.prior, strict=True)])
        self.z = np.hstack([np.ones((len(seen), 1)), *(g.root for g in groups)])
        self.seen = self.z[seen]
        widths = [g.root.shape[1] for g in groups]
        self.group = np.repeat(np.arange(-1, len(groups)), [1, *widths])
        self.robust = len(self.seen) >= _ROBUST
        self.abrupt = np.append(False, np.repeat([g.abrupt and self.robust for g in groups], widths))
        # Begun wide, so that a shift shows before it is spread over many small steps.
        self.stretch = np.where(self.abrupt, _BEGIN, 1.0)
        self.tails = np.ones(len(self.seen))

    def turn(self, working: NDArray[np.float64], own: NDArray[np.float64], steps: int) -> _Solved:
        """Learn standard deviations, solve, and judge which days and steps are out of the ordinary."""
        if steps:
            late = slice(max(0, len(working) - _WINDOW), None)
            self.theta = self._search(self.seen[late], working[late], own[late], self.tails[late], steps)
        solved = self._solve(self.theta, self.seen, working, own, self.tails)
        if self.robust:
            surprise = solved.alpha**2 / solved.diagonal
            self.tails = np.maximum(1.0, (surprise + _TAIL) / (_TAIL + 1.0))
            size = (solved.u * self.stretch)[self.abrupt] ** 2
            self.stretch[self.abrupt] = np.sqrt(np.maximum(1.0, (size + _SHIFT) / (_SHIFT + 1.0)))
        return solved

    def effects(self, solved: _Solved, centre: float, rows: NDArray[np.intp]) -> Effects:
        """Spell out what was solved."""
        zs = self.z * solved.scale
        # Days to come are as often out of the ordinary as those past.
        noise = np.exp(2 * self.theta[-1]) * min(self.tails.mean(), _HEAVIEST)
        covariance = zs[rows] @ solved.inverse @ zs[rows].T + noise * np.eye(len(rows))
        sds = dict(zip(self.names, np.exp(self.theta).tolist(), strict=True))
        return Effects(sds, centre + zs @ solved.u, covariance)

    def _solve(self, theta, z, r, own, tails) -> _Solved:
        from scipy.linalg import blas, lapack

        scale = np.where(self.group < 0, _WIDE, np.exp(theta)[self.group] * self.stretch)
        d = own + tails * np.exp(2 * theta[-1])
        zs = z * scale
        weighted = zs / d[:, None]
        m = blas.dsyrk(1.0, (zs / np.sqrt(d)[:, None]).T, lower=1)
        m[np.diag_indices_from(m)] += 1.0
        chol, info = lapack.dpotrf(m, lower=1)
        if info:
            raise np.linalg.LinAlgError("the effects are not determined")
        logdet = 2 * np.log(np.diag(chol)).sum() + np.log(d).sum()
        lower = np.tril(lapack.dpotri(chol, lower=1)[0])
        inverse = lower + np.tril(lower, -1).T
        u = inverse @ (weighted.T @ r)
        alpha = (r - zs @ u) / d
        diagonal = 1 / d - np.einsum("ij,ij->i", weighted @ inverse, weighted)
        return _Solved(0.5 * (logdet + r @ alpha), scale, u, inverse, alpha, diagonal)

    def _search(self, z, r, own, tails, steps) -> NDArray[np.float64]:
        # Fisher scoring on log standard deviations, damped where it overshoots (Levenberg and Marquardt).
        member = (self.group[:, None] == np.arange(len(self.names) - 1)).astype(float)

        def judge(theta):
            solved = self._solve(theta, z, r, own, tails)
            return solved.cost + 0.5 * (((theta - self.prior) / _DOUBT) ** 2).sum(), solved

        theta, damping = self.theta, 0.01
        cost, solved = judge(theta)
        for _ in range(steps):
            noise = np.exp(2 * theta[-1]) * tails
            slope = (
                np.append(
                    (1 - np.diag(solved.inverse) - solved.u**2) @ member,
                    noise @ (solved.diagonal - solved.alpha**2),
                )
                + (theta - self.prior) / _DOUBT**2
            )
            information = np.zeros((len(theta), len(theta)))
            information[:-1, :-1] = 2 * member.T @ (np.eye(len(solved.u)) - solved.inverse) ** 2 @ member
            information[-1, -1] = 2 * ((noise * solved.diagonal) ** 2).sum()
            diagonal = np.diag(information) + _DOUBT**-2
            np.fill_diagonal(information, diagonal * (1 + damping))
            move = np.clip(np.linalg.solve(information, -slope), -1.0, 1.0)
            tried = np.clip(theta + move, *_RANGE)
            worth, found = judge(tried)
            if worth >= cost:
                damping = max(10 * damping, 0.1)
                continue
            done = cost - worth < _ENOUGH
            theta, cost, solved, damping = tried, worth, found, damping / 5
            if done:
                break
        return theta
