"""Splits: the search for the conditions that hold what went wrong, and for what lies behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.conditions import condition_table, contrast
from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.decomposition import Regression
from svcanalytics.causes.tracing.design import lay_out, list_circumstances, outcome_of
from svcanalytics.causes.tracing.layers import is_course, layer_of_column
from svcanalytics.causes.tracing.shares import Part, Shares

__all__ = ["WHOLE", "Search", "Split"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Link = dict[str, object]

WHOLE = 0.2
"""What the question whether it got worse at all takes of the level; where it got worse takes the rest."""

_MOST_SPLITS = 3
_FEWEST = 50
_NARROWER = 0.9
"""A condition that nearly all cases meet is no answer."""
_DAYS = 10
"""With fewer days their luck can't be told; every case stands alone."""


@dataclass(frozen=True, eq=False)
class Split:
    """A condition that was found: its column and value, the layer it speaks for, its cases and its p-value."""

    column: str
    value: str
    layer: str
    inside: Mask
    p_value: float

    @property
    def where(self) -> str:
        """The condition as it is written: "category=refund", "tenure_days<=60"."""
        return f"{self.column}{self.value}" if self.value[:1] in "<>" and self.value else f"{self.column}={self.value}"


@dataclass(frozen=True, eq=False)
class Search:
    """The cases, all conditions on them, and the regression on their circumstances.

    Attributes
    ----------
    bad : numpy.ndarray, shape ``(n,)``
        How badly each case went.
    regression : Regression
    day : numpy.ndarray of int64, shape ``(n,)``
        The day of each case.
    table : numpy.ndarray of bool, shape ``(n, conditions)``
        Which case meets which condition.
    names : list of (str, str)
        Column and value of each condition.
    layers : dict of str to str
        Layer by column.
    rng, draws
        Behind the p-values.
    """

    bad: Array
    regression: Regression
    day: NDArray[np.int64]
    table: Mask
    names: list[tuple[str, str]]
    layers: dict[str, str]
    rng: np.random.Generator
    draws: int

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        outcome: str,
        by: Sequence[str] | None,
        layers: Mapping[str, str] | None,
        rng: np.random.Generator,
        draws: int,
    ) -> Search:
        """Make a search ready; the arguments are those of `five_why`."""
        bad = outcome_of(rows, outcome)
        columns = list_circumstances(rows, outcome) if by is None else list(by)
        regression = Regression(lay_out(rows, outcome, by=columns, layers=layers))
        of_column = {name: layer_of_column(name, layers) for name in columns}
        asked = [name for name in columns if not (is_course(name) and of_column[name] == "process")]
        table, names = condition_table(rows, asked)
        day = np.arange(len(rows), dtype=np.int64)
        if "at" in rows and rows["at"].dt.normalize().nunique() >= _DAYS:
            day = pd.factorize(rows["at"].dt.normalize(), sort=True)[0].astype(np.int64)
        return cls(bad, regression, day, table, names, of_column, rng, draws)

    @property
    def now(self) -> Mask:
        """Which cases are of the period."""
        return self.regression.design.now

    def whole(self) -> Part:
        """How much worse all cases became; days are lucky of themselves."""
        now, bad = self.now, self.bad
        if now.all():
            return Part(0.0, 0.0, 1.0)
        size = float(now.sum())
        residual = bad - np.where(now, bad[now].mean(), bad[~now].mean())
        pull = np.where(now, 1.0, -size / (~now).sum())
        days, weights = np.bincount(self.day, pull * residual), np.bincount(self.day, pull**2)
        freedom = max(float(weights.sum() ** 2 / (weights**2).sum()) - 1, 1.0)
        return Part(float(pull @ bad), float(np.sqrt((days**2).sum())), freedom)

    def splits(self, level: float, least_share: float, whole: Part | None) -> list[Split]:
        """Narrow the cases condition by condition while one stands out.

        Parameters
        ----------
        level, least_share
            As `five_why` has them.
        whole : Part, optional
            By how much all cases got worse, if they did for sure.
        """
        out: list[Split] = []
        node = np.ones(len(self.bad), dtype=bool)
        amount = whole.amount if whole else 0.0
        design, now = self.regression.design, self.now
        while len(out) < _MOST_SPLITS and (node & self.now).sum() >= _FEWEST:
            used = {split.column for split in out}
            free = [i for i, (column, _) in enumerate(self.names) if column not in used]
            if not free:
                break
            inside = self.table[np.ix_(node, free)]
            seen = contrast(
                self.bad[node], design.now[node], design.group[node], inside, draws=self.draws, rng=self.rng
            )
            limit = level if out else (1 - WHOLE) * level
            enough = np.nan_to_num(seen.amount) >= least_share * amount
            narrower = inside[now[node]].mean(axis=0) <= _NARROWER
            usable = np.flatnonzero((seen.p_value < limit) & enough & narrower)
            if not len(usable):
                break
            best = int(usable[np.argmax(seen.score[usable])])
            column, value = self.names[free[best]]
            out.append(Split(column, value, self.layers[column], self.table[:, free[best]], float(seen.p_value[best])))
            node &= out[-1].inside
            amount = self.amount(out).amount
        return self._needed(out)

    def _needed(self, splits: list[Split]) -> list[Split]:
        # A later condition may hold all that an earlier one does.
        kept = list(splits)
        for split in splits:
            others = [each for each in kept if each is not split]
            size, without = (
                np.logical_and.reduce([self.now, *(s.inside for s in some)]).sum() for some in (kept, others)
            )
            if others and size > _NARROWER * without:
                kept = others
        return kept

    def amount(self, held: list[Split]) -> Part:
        """What the cases under these conditions went wrong by, beyond all other cases."""
        inside = np.logical_and.reduce([split.inside for split in held])
        design = self.regression.design
        seen = contrast(self.bad, design.now, design.group, inside[:, None], draws=1, rng=np.random.default_rng(0))
        if np.isnan(seen.amount[0]):
            return Part(0.0, 0.0, 1.0)
        return Part(float(seen.amount[0]), float(seen.error[0]), float(seen.freedom[0]))

    def behind(self, held: list[Split], level: float, least_share: float) -> list[Link]:
        """Return the links below the conditions `held`: how these cases went, then the layer that lies behind."""
        inside = np.logical_and.reduce([np.ones(len(self.bad), dtype=bool), *(split.inside for split in held)])
        shares = self.regression.share_out(self.bad, inside, [split.column for split in held])
        least = least_share * max(shares.excess.amount, 0.0)
        out = []
        through = shares.through
        if through.amount > least and through.p_value < level:
            out.append(self._answer("course", held, shares, "process", True, through, through.p_value))
        told = {split.layer for split in held}
        parts = {"data": shares.parts.get("data"), "process": shares.rules, "people": shares.parts.get("people")}
        asked = [(layer, part) for layer, part in parts.items() if part is not None and part.error > 0]
        if asked:
            p_values = hold_family(np.array([part.p_value for _, part in asked]))
            sure = [
                (part.amount, layer, part, float(p))
                for (layer, part), p in zip(asked, p_values, strict=True)
                if p < level and part.amount > least and layer not in told
            ]
            if sure:
                _, layer, part, p = max(sure, key=lambda each: each[0])
                out.append(self._answer("circumstance", held, shares, layer, False, part, p))
        return out

    def _answer(
        self, kind: str, held: list[Split], shares: Shares, layer: str, course: bool, part: Part, p: float
    ) -> Link:
        mine = [c for c in self.regression.design.columns if c.layer == layer and c.course == course]
        carried = {c.name: shares.columns[c.name] for c in mine if c.name in shares.columns}
        column = max(carried, key=lambda name: carried[name])
        return self.link(kind, held, column, shares.values[column], layer, part, p)

    def link(self, kind: str, held: list[Split], column: str, value: str, layer: str, part: Part, p: float) -> Link:
        """Return a row of the chain, without its step and share."""
        inside = np.logical_and.reduce([self.now, *(split.inside for split in held)])
        low, high = part.interval()
        values = (kind, "&".join(split.where for split in held), column, value, layer)
        return dict(zip(("kind", "where", "column", "value", "layer"), values, strict=True)) | {
            "n": int(inside.sum()), "amount": part.amount, "low": low, "high": high, "p_value": p,
        }  # fmt: skip
