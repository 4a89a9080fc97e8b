"""Queues in steady state: Erlang B, C and A, for arrays of any shape, fractional agents and any load.

All three broadcast their arguments. Arrivals are counted per interval; handle time, patience and waiting limits are
seconds. No arrivals give a service level of 1 and no wait; arrivals without agents give a service level of 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.patience import log_kummer, log_poisson

__all__ = ["QueuePerformance", "erlang_a", "erlang_b", "erlang_c", "wait_percentile"]

_NODES = 40
_DEPTH = 80
_NEGLIGIBLE = 37.0  # e^-37 is below the rounding of a float


@dataclass(frozen=True)
class QueuePerformance:
    """What customers and agents of a queue meet; arrays of the shape the arguments broadcast to.

    Attributes
    ----------
    waiting_probability : numpy.ndarray
        Share of arrivals that wait at all.
    service_level : numpy.ndarray
        Answered within the limit as a share of all offered.
    service_level_answered : numpy.ndarray
        The same as a share of the answered.
    service_level_virtual : numpy.ndarray
        Share that would be answered within the limit if they never hung up.
    asa_s : numpy.ndarray
        Mean wait of the answered, in seconds.
    wait_s : numpy.ndarray
        Mean wait of all, those who hang up included, in seconds.
    abandonment : numpy.ndarray
        Share of arrivals that hang up while waiting.
    occupancy : numpy.ndarray
        Share of the agents' time that is spent handling.
    """

    waiting_probability: NDArray[np.float64]
    service_level: NDArray[np.float64]
    service_level_answered: NDArray[np.float64]
    service_level_virtual: NDArray[np.float64]
    asa_s: NDArray[np.float64]
    wait_s: NDArray[np.float64]
    abandonment: NDArray[np.float64]
    occupancy: NDArray[np.float64]


def erlang_b(load: ArrayLike, lines: ArrayLike) -> NDArray[np.float64]:
    """Return the share of calls that find all lines busy when nobody waits (Erlang 1917).

    Lines may be fractional: B = Poisson(n; a) / Q(n + 1, a) with Q the regularised upper incomplete gamma function, the
    usual continuation (Jagerman 1974).

    Parameters
    ----------
    load : array_like
        Offered load in Erlang: arrivals x handle time / interval.
    lines : array_like
        Number of lines, from 0.

    Returns
    -------
    numpy.ndarray
        Blocking probability, 0-1.

    Raises
    ------
    StaffingError
        When a value is negative or not a number; names the argument and the place.
    """
    a, n = _checked(load=load, lines=lines)
    return _blocking(a, n)


def erlang_c(
    arrivals: ArrayLike, handle_s: ArrayLike, agents: ArrayLike, within_s: ArrayLike = 20, interval_s: ArrayLike = 1800
) -> QueuePerformance:
    """Return the performance of a queue whose customers wait however long it takes (Erlang 1917).

    C = B / (1 - rho (1 - B)); P(W > t) = C exp(-(n mu - lambda) t); mean wait C / (n mu - lambda). Where the load
    reaches the agents the queue grows without end: everybody waits for ever, which is reported and is no error.

    Parameters
    ----------
    arrivals : array_like
        Expected contacts per interval.
    handle_s : array_like
        Mean handle time in seconds, after-call work included.
    agents : array_like
        Agents at work, from 0; may be fractional.
    within_s : array_like
        Limit of the service level in seconds.
    interval_s : array_like
        Length of the interval in seconds.

    Raises
    ------
    StaffingError
        When a value is negative or not a number, or a handle time or interval is not above 0.
    """
    count, handle, n, limit, interval = _checked(
        arrivals=arrivals, handle_s=handle_s, agents=agents, within_s=within_s, interval_s=interval_s
    )
    _require_positive(handle_s=handle, interval_s=interval)
    load = count * handle / interval
    stable = load < n
    with np.errstate(divide="ignore", invalid="ignore"):
        blocked = _blocking(load, n)
        waits = np.where(stable, blocked / (1 - load / n * (1 - blocked)), 1.0)
        drain = np.where(stable, (n - load) / handle, 0.0)  # 1 / mean wait of those who wait
        mean = np.where(stable, waits / drain, np.inf)
        level = np.where(stable, 1 - waits * np.exp(-drain * limit), 0.0)
        busy = np.where(stable, load / n, 1.0)
    quiet = count == 0
    waits, mean, busy, level = (
        np.where(quiet, idle, each) for idle, each in ((0.0, waits), (0.0, mean), (0.0, busy), (1.0, level))
    )
    return QueuePerformance(waits, level, level, level, mean, mean, np.zeros_like(level), busy)


def erlang_a(
    arrivals: ArrayLike,
    handle_s: ArrayLike,
    agents: ArrayLike,
    patience_s: ArrayLike,
    within_s: ArrayLike = 20,
    interval_s: ArrayLike = 1800,
    *,
    short_abandon_s: ArrayLike = 0,
) -> QueuePerformance:
    """Return the performance of a queue whose customers hang up when their patience ends (Palm 1957).

    With x = n mu / theta, y = lambda / theta and A of `log_kummer`: P(W > 0) = A B / (1 + (A - 1) B) and
    P(abandon | W > 0) = 1 - (x / y)(1 - 1 / A) (Mandelbaum and Zeltyn 2007, section 2). The virtual wait of those who
    wait has a density proportional to u^x e^{-y u} in u = e^{-theta t}, so the shares answered within a limit are
    ratios of incomplete gamma functions and the mean wait of the answered is an integral of -ln u over a truncated
    gamma density, taken by Gauss-Legendre quadrature.

    Parameters
    ----------
    arrivals, handle_s, agents, within_s, interval_s : array_like
        As in `erlang_c`.
    patience_s : array_like
        Mean patience in seconds (exponential).
    short_abandon_s : array_like
        Who hangs up within so many seconds counts neither for nor against the service level (offered). 0 counts all.

    Raises
    ------
    StaffingError
        When a value is negative or not a number, or a handle time, patience or interval is not above 0.
    """
    count, handle, n, patience, limit, interval, short = _checked(
        arrivals=arrivals, handle_s=handle_s, agents=agents, patience_s=patience_s, within_s=within_s,
        interval_s=interval_s, short_abandon_s=short_abandon_s,
    )  # fmt: skip
    _require_positive(handle_s=handle, patience_s=patience, interval_s=interval)
    shape = count.shape
    works = (count > 0) & (n > 0)
    x, y = (n * patience / handle)[works], (count * patience / interval)[works]
    served = _impatient(
        x, y, _blocking((count * handle / interval)[works], n[works]), (limit / patience)[works],
        (short / patience)[works],
    )  # fmt: skip
    waits, answered, lost, within, virtual, early, wait_of_answered = served
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "waiting_probability": (waits, 1.0),
            "service_level": (np.minimum(within / (1 - early), 1.0), 0.0),
            "service_level_answered": (np.minimum(within / answered, 1.0), 0.0),
            "service_level_virtual": (virtual, 0.0),
            "asa_s": (wait_of_answered / answered * patience[works], np.inf),
            "wait_s": (lost * patience[works], np.nan),
            "abandonment": (lost, 1.0),
            "occupancy": (answered * y / x, 1.0),
        }
    idle = {"service_level": 1.0, "service_level_answered": 1.0, "service_level_virtual": 1.0}
    out = {}
    for name, (found, deserted) in values.items():
        full = np.full(shape, deserted)
        full[works] = found
        out[name] = np.where(count == 0, idle.get(name, 0.0), full)
    # Without agents everybody waits until patience ends.
    out["wait_s"] = np.where((count > 0) & (n == 0), patience, out["wait_s"])
    return QueuePerformance(**out)


def wait_percentile(
    share: ArrayLike,
    arrivals: ArrayLike,
    handle_s: ArrayLike,
    agents: ArrayLike,
    patience_s: ArrayLike | None = None,
    interval_s: ArrayLike = 1800,
) -> NDArray[np.float64]:
    """Return the wait in seconds that the given share of all customers does not exceed.

    Waits of those who hang up count up to the moment they do. Without `patience_s` customers never hang up (Erlang C,
    in closed form); with it the wait is found by bisection on P(W > t) = P(V > t) e^{-theta t}.

    Parameters
    ----------
    share : array_like
        Between 0 and 1, for example 0.9.
    arrivals, handle_s, agents, patience_s, interval_s : array_like
        As in `erlang_a`.

    Raises
    ------
    StaffingError
        As in `erlang_a`; also when a share is not below 1.
    """
    (p,) = _checked(share=share)
    if (p >= 1).any():
        raise StaffingError("a share must be below 1", where="share", fix="ask for 0.9 to get the 90th percentile")
    if patience_s is None:
        queue = erlang_c(arrivals, handle_s, agents, 0, interval_s)
        p, waits, mean = np.broadcast_arrays(p, queue.waiting_probability, queue.wait_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(waits / (1 - p)) * mean / waits
        return np.where(waits <= 1 - p, 0.0, np.where(np.isinf(mean), np.inf, found))
    patience = np.asarray(patience_s, dtype="float64")
    p, low, high = np.broadcast_arrays(p, 0.0, -np.log1p(-p) * patience)
    low, high = low.copy(), high.copy()
    for _ in range(60):
        middle = (low + high) / 2
        queue = erlang_a(arrivals, handle_s, agents, patience, middle, interval_s)
        beyond = (1 - queue.service_level_virtual) * np.exp(-middle / patience) > 1 - p
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    at_once = 1 - erlang_a(arrivals, handle_s, agents, patience, 0, interval_s).service_level_virtual <= 1 - p
    return np.where(at_once, 0.0, high)


def _impatient(
    x: NDArray, y: NDArray, blocked: NDArray, limit: NDArray, short: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray]:
    # Times are in units of patience. Returns P(wait), P(answered), P(hung up), P(answered within the limit), P(virtual
    # wait within the limit), P(hung up within `short`), and E[wait; answered].
    log_a = log_kummer(x, y)
    # P(W > 0) = A B / (1 + (A - 1) B), with A possibly beyond the largest float.
    with np.errstate(divide="ignore"):
        odds = np.exp(np.minimum(log_a + np.log(blocked) - np.log1p(-np.minimum(blocked, 1 - 1e-16)), 700.0))
    waits = odds / (1 + odds)
    _, later_all = _beyond(x, y, log_a, np.zeros_like(x))
    still, later = _beyond(x, y, log_a, limit)
    gone_still, gone_later = _beyond(x, y, log_a, short)
    # Differences near 0 may round below it.
    within = np.maximum(1 - waits + waits * (later_all - later), 0.0)
    virtual = np.maximum(1 - waits * still, 0.0)
    early = waits * (1 - gone_still * np.exp(-short) - (later_all - gone_later))
    # Both, since the smaller of the two would drown in 1 less the other.
    answered, lost = 1 - waits + waits * later_all, waits * (1 - later_all)
    return waits, answered, lost, within, virtual, early, waits * later_all * _mean_wait(x, y)


def _beyond(x: NDArray, y: NDArray, log_a: NDArray, t: NDArray) -> tuple[NDArray, NDArray]:
    # Among those who wait: P(virtual wait > t), and P(virtual wait > t and answered).
    u = np.exp(-t)
    log_at = log_kummer(x, y * u)
    ratio = np.exp(-x * t - y * np.expm1(-t) + log_at - log_a)
    with np.errstate(divide="ignore", invalid="ignore"):
        answered = np.where(u > 0, -np.expm1(-log_at) * x / (y * u) * ratio * u, 0.0)
    return ratio, np.nan_to_num(answered)


def _mean_wait(x: NDArray, y: NDArray) -> NDArray:
    # E[-ln U] for U with density u^x e^{-y u} on (0, 1): the wait, in units of patience, of those answered after one.
    # Taken in w = -ln u, where the integrand is smooth however small x is.
    from scipy.special import lambertw

    k = x + 1
    mode = np.maximum(np.log(y / k), 0.0)
    height = -k * mode - y * np.exp(-mode)
    edge = np.clip(-np.exp((height - _NEGLIGIBLE) / k) * y / k, -np.exp(-1), -np.finfo("float64").tiny)
    high = -(np.log(k / y) + np.log(-lambertw(edge, 0).real))
    low = np.where(mode > 0, np.maximum(-(np.log(k / y) + np.log(-lambertw(edge, -1).real)), 0.0), 0.0)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total, moment = np.zeros_like(x), np.zeros_like(x)
    for node, weight in zip(nodes, weights, strict=True):
        w = low + (high - low) * (node + 1) / 2
        mass = weight * np.exp(-k * w - y * np.exp(-w) - height)
        total += mass
        moment += mass * w
    return moment / total


def _blocking(load: NDArray, lines: NDArray) -> NDArray:
    from scipy.special import gammaincc

    out = np.where(load > 0, 0.0, np.where(lines > 0, 0.0, 1.0))
    light = (load > 0) & (lines > 0) & (load < lines + 1 + 3 * np.sqrt(lines + 1))
    a, n = load[light], lines[light]
    out[light] = np.exp(log_poisson(n, a)) / gammaincc(n + 1, a)
    heavy = (load > 0) & ~light
    a, n = load[heavy], lines[heavy]
    # Legendre's continued fraction of the upper incomplete gamma function (NIST DLMF 8.9.2), from the end.
    tail = np.zeros_like(a)
    for k in range(_DEPTH, 0, -1):
        tail = k * (n + 1 - k) / (a - n + 2 * k + tail)
    out[heavy] = (a - n + tail) / a
    return out


def _checked(**given: ArrayLike) -> tuple[NDArray, ...]:
    arrays = {name: np.asarray(value, dtype="float64") for name, value in given.items()}
    for name, array in arrays.items():
        bad = ~((array >= 0) & (array < np.inf))
        if bad.any():
            place = np.argwhere(bad)[0]
            value = array[tuple(place)]
            what = "not a number" if np.isnan(value) else "infinite" if value > 0 else f"negative ({value:g})"
            raise StaffingError(
                f"{name} is {what}", where=_name_place(name, place), fix="give a finite number from 0 up"
            )
    try:
        return tuple(np.array(each, dtype="float64") for each in np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if array.ndim)
        raise StaffingError(
            f"the shapes don't go together: {shapes}", fix="give arrays that broadcast, or one number for all"
        ) from None


def _require_positive(**given: NDArray) -> None:
    for name, array in given.items():
        if (array <= 0).any():
            where = _name_place(name, np.argwhere(array <= 0)[0])
            raise StaffingError(f"{name} is 0", where=where, fix="give a time above 0")


def _name_place(name: str, place: NDArray[np.intp]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if len(place) else name
