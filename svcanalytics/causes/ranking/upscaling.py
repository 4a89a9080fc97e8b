"""What was counted in a share of the cases, scaled up to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from svcanalytics.causes.finding import Finding

__all__ = ["scale_up"]

_COUNTED = ("n", "n_before", "excess")


def scale_up(finding: Finding, shares: Mapping[str, float]) -> Finding:
    """Return a finding with its numbers of cases and what went wrong, as of all cases.

    Points and their interval stay: they are about a share of the rows whatever its size, and the interval is as wide
    as so many rows make it.

    Parameters
    ----------
    finding : Finding
        As found in a share of the rows.
    shares : mapping of str to float
        `Material.shares`; a metric that isn't named was looked at as a whole.

    Returns
    -------
    Finding
        With the share under "sampled" in its details, where it isn't the whole.
    """
    if not shares:
        return finding
    share = shares.get(finding.measure, 1.0)
    details = _scaled(finding.details, finding.measure, shares)
    if share < 1:
        details["sampled"] = share
    return replace(finding, n=round(finding.n / share), excess=finding.excess / share, details=details)


def _scaled(told: Mapping[str, object], measure: str, shares: Mapping[str, float]) -> dict[str, object]:
    # What is said of another measure is scaled by that one's share.
    measure = str(told.get("measure", measure))
    return {name: _each(name, value, measure, shares) for name, value in told.items()}


def _each(name: str, value: object, measure: str, shares: Mapping[str, float]) -> object:
    if isinstance(value, Mapping):
        return _scaled(value, measure, shares)
    if isinstance(value, list | tuple):
        return type(value)(_each("", each, measure, shares) for each in value)
    if name not in _COUNTED or not isinstance(value, int | float):
        return value
    whole = value / shares.get(measure, 1.0)
    return round(whole) if isinstance(value, int) else whole
