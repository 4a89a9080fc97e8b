"""Counts explained by groups of random effects whose variances are learned: a Poisson log-normal mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Effects", "Group", "fit_effects"]

_DOUBT = 1.2  # sd of the prior of a log standard deviation: a factor of three either way is nothing unusual
_TAIL = 5.0  # degrees of freedom of the t distribution that days' noise is taken from
_BEGIN = 4.0
_SHIFT = 3.0  # degrees of freedom of the t distribution of abrupt effects
_ROBUST = 28  # days from which on a day far off is told from an effect seen once
_WINDOW = 700  # days that standard deviations are learned from, the most recent ones
_WIDE = 4.0  # sd of the intercept around the mean log count


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
    surprise: NDArray[np.float64] = field(repr=False)


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

    The likelihood is linearised around the current rates (penalised quasi-likelihood: Breslow and Clayton 1993, J. Amer.
    Statist. Assoc. 88:9, eq. 8-11), so zeros and small counts need no special case. Standard deviations maximise the
    marginal likelihood of the working response (Rasmussen and Williams 2006, eq. 5.8-5.9) under a log-normal prior; days
    far off get more noise, as under a t distribution.

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
    for turn in range(3):
        rate = exposure * np.exp(np.clip(eta, -12.0, 30.0))
        working = np.clip(eta + (y - rate) / np.maximum(rate, 1e-3), eta - 3, eta + 3) - centre
        own = 1.0 / np.maximum(rate, 0.02)
        ridge.turn(working, own, steps if turn < 2 else 0)
        eta = centre + working - own * ridge.alpha
    return ridge.effects(centre, np.flatnonzero(~seen) if wanted is None else wanted)


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
    """Fit ``values ~ Normal(intercept + sum of effects, noise**2 + variance)`` in the same way."""
    seen = np.isfinite(values)
    ridge = _Ridge(groups, seen, noise, sds)
    centre = np.average(values[seen], weights=1 / (variance[seen] + noise**2))
    for _ in range(2):
        ridge.turn(values[seen] - centre, variance[seen], steps)
    return ridge.effects(centre, np.flatnonzero(~seen) if wanted is None else wanted)


class _Ridge:
    # Ridge regression on standardised effects: with C = S Z' D^-1 Z S and M = I + C, effects are u = M^-1 S Z' D^-1 r,
    # and S Z' V^-1 Z S = I - M^-1, from which slope and information of the standard deviations follow.

    def __init__(self, groups, seen, noise, sds):
        self.groups, self.seen = groups, np.flatnonzero(seen)
        self.names = [*(g.name for g in groups), "noise"]
        self.prior = np.log([*(g.sd for g in groups), noise])
        known = sds or {}
        self.theta = np.array([np.log(known.get(n, np.exp(p))) for n, p in zip(self.names, self.prior, strict=True)])
        self.z = np.hstack([np.ones((len(seen), 1)), *(g.root for g in groups)])
        self.group = np.repeat(np.arange(-1, len(groups)), [1, *(g.root.shape[1] for g in groups)])
        self.abrupt = np.append(False, np.repeat([g.abrupt for g in groups], [g.root.shape[1] for g in groups]))
        # Begun wide, so that a shift shows before it is spread over many small steps.
        self.stretch = np.where(self.abrupt, _BEGIN, 1.0)
        self.tails = np.ones(len(self.seen))

    def turn(self, working, own, steps):
        if steps:
            part = slice(max(0, len(working) - _WINDOW), None)
            z = self.z[self.seen][part]
            self.theta = self._search(z, working[part], own[part], self.tails[part], steps)
        z = self.z[self.seen]
        solved = self._solve(self.theta, z, working, own, self.tails)
        self.u, self.inverse, self.alpha, diagonal = solved[1], solved[2], solved[3], solved[4]
        self.surprise = self.alpha / np.sqrt(diagonal)
        if len(working) >= _ROBUST:
            self.tails = np.maximum(1.0, (self.surprise**2 + _TAIL) / (_TAIL + 1.0))
            size = (self.u * self.stretch)[self.abrupt] ** 2
            self.stretch[self.abrupt] = np.sqrt(np.maximum(1.0, (size + _SHIFT) / (_SHIFT + 1.0)))

    def scale(self, theta):
        return np.where(self.group < 0, _WIDE, np.exp(theta)[self.group] * self.stretch)

    def _solve(self, theta, z, r, own, tails):
        from scipy.linalg import blas, lapack

        d = own + tails * np.exp(2 * theta[-1])
        zs = z * self.scale(theta)
        weighted = zs / d[:, None]
        m = blas.dsyrk(1.0, (zs / np.sqrt(d)[:, None]).T, lower=1)
        m[np.diag_indices_from(m)] += 1.0
        chol, info = lapack.dpotrf(m, lower=1, overwrite_a=0)
        if info:
            raise np.linalg.LinAlgError("effects are not determined")
        logdet = 2 * np.log(np.diag(chol)).sum() + np.log(d).sum()
        inverse, _ = lapack.dpotri(chol, lower=1, overwrite_c=1)
        inverse = np.tril(inverse)
        inverse = inverse + np.tril(inverse, -1).T
        u = inverse @ (weighted.T @ r)
        alpha = (r - zs @ u) / d
        diagonal = 1 / d - np.einsum("ij,ij->i", weighted @ inverse, weighted)
        return 0.5 * (logdet + r @ alpha), u, inverse, alpha, diagonal

    def _search(self, z, r, own, tails, steps):
        # Fisher scoring with damping (Levenberg-Marquardt) on log standard deviations.
        groups = len(self.groups)
        member = (self.group[:, None] == np.arange(groups)).astype(float)

        def judge(theta):
            cost, u, inverse, alpha, diagonal = self._solve(theta, z, r, own, tails)
            pull = (theta - self.prior) / _DOUBT
            return cost + 0.5 * pull @ pull, u, inverse, alpha, diagonal

        theta, damp = self.theta, 1e-2
        state = judge(theta)
        for _ in range(steps):
            cost, u, inverse, alpha, diagonal = state
            noise = np.exp(2 * theta[-1])
            slope = np.append((1 - np.diag(inverse) - u**2) @ member, noise * (tails @ (diagonal - alpha**2)))
            slope += (theta - self.prior) / _DOUBT**2
            share = np.eye(len(u)) - inverse
            info = np.zeros((groups + 1, groups + 1))
            info[:-1, :-1] = 2 * member.T @ (share**2) @ member
            info[-1, -1] = 2 * noise**2 * ((tails * diagonal) ** 2).sum()
            info[np.diag_indices_from(info)] += 1 / _DOUBT**2
            move = np.linalg.solve(info + damp * np.diag(np.diag(info)), -slope)
            move = np.clip(move, -1.0, 1.0)
            tried = np.clip(theta + move, -9.0, 2.0)
            after = judge(tried)
            if after[0] < cost:
                gain = cost - after[0]
                theta, state, damp = tried, after, damp / 5
                if gain < 0.01:
                    break
            else:
                damp = max(damp * 10, 0.1)
        return theta

    def effects(self, centre, rows):
        zs = self.z * self.scale(self.theta)
        part = zs[rows]
        noise = np.exp(2 * self.theta[-1])
        covariance = part @ self.inverse @ part.T + noise * np.eye(len(rows))
        surprise = np.full(len(zs), np.nan)
        surprise[self.seen] = self.surprise
        sds = dict(zip(self.names, np.exp(self.theta).tolist(), strict=True))
        return Effects(sds, centre + zs @ self.u, covariance, surprise)
