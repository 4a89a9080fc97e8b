"""Shares: amounts of an excess with their doubt, and what else changed in a set of cases."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Change", "Part", "Shares"]


@dataclass(frozen=True)
class Part:
    """An amount of the excess, with its standard error and the freedom of the t that it is held against."""

    amount: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Of no such part, two-sided."""
        from scipy.special import stdtr

        return float(2 * stdtr(self.freedom, -abs(self.amount) / self.error)) if self.error > 0 else 1.0

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval."""
        from scipy.special import stdtrit

        reach = float(stdtrit(self.freedom, 0.975)) * self.error
        return self.amount - reach, self.amount + reach


@dataclass(frozen=True)
class Shares:
    """What became of the excess of a set of cases.

    Attributes
    ----------
    excess : Part
        Beyond what the other cases of the period, and the set's own past, led to expect.
    parts : dict of str to Part
        What the circumstances of each layer explain; "" is what other places and kinds of cases do, "rest" what nothing
        does. They add up to the excess.
    rules : Part
        What circumstances of the process layer explain that don't say how a case went.
    through : Part
        How much of it shows in the course of the cases, in waits, hand-overs and rework, whatever brought that about.
    layers : dict of str to str
        Layer by circumstance.
    columns : dict of str to float
        Amount by circumstance.
    values : dict of str to str
        The value of each circumstance that carries most of it.
    alike : tuple of str
        Circumstances that can't be told apart from the set.
    same : tuple of str
        Circumstances that can't be told apart from the outcome, which explain nothing.
    """

    excess: Part
    parts: dict[str, Part]
    rules: Part
    through: Part
    layers: dict[str, str]
    columns: dict[str, float]
    values: dict[str, str]
    alike: tuple[str, ...]
    same: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A circumstance that became more or less frequent in a set of cases than in the others.

    Attributes
    ----------
    column, value, layer : str
    shift : float
        By so large a share of the set's cases.
    p_value : float
        Of no such change, for all circumstances together.
    """

    column: str
    value: str
    layer: str
    shift: float
    p_value: float
