"""Five times why: from a measure that got worse, by tested splits, to a circumstance one can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.conditions import condition_table, contrast
from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.decomposition import Part, Regression, Shares
from svcanalytics.causes.tracing.design import lay_out, list_circumstances, outcome_of
from svcanalytics.causes.tracing.layers import is_course, layer_of_column
from svcanalytics.causes.tracing.phrases import say_circumstance, say_link, say_stop
from svcanalytics.causes.tracing.verdicts import cases_of
from svcanalytics.errors import CauseError

__all__ = ["WHY_COLUMNS", "WhyChain", "five_why"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Reason = Literal["nothing", "alike", "told", "unexplained"]

WHY_COLUMNS = ("step", "kind", "where", "column", "value", "layer", "n", "amount", "low", "high", "share", "p_value")

_MOST_SPLITS = 3
_FEWEST = 50
_NARROWER = 0.9
"""A condition that nearly all cases meet is no answer."""
_WHOLE = 0.2
"""What the question whether it got worse at all takes of the level; where it got worse takes the rest."""
_DAYS = 10
"""With fewer days their luck can't be told; every case stands alone."""
_Z = 1.959963984540054
_ORDER = {"": 0, "demand": 0, "process": 1, "data": 2, "people": 2}


@dataclass(frozen=True, eq=False)
class WhyChain:
    """A chain of answers, each the reason of the one before.

    Attributes
    ----------
    measure : str
    links : DataFrame
        One row per answer: step (from 1), kind ("measure": it got worse at all; "split": where; "course": how those
        cases went; "circumstance": what lies behind), where (the cases it is about), column, value, layer, n (cases of
        the period), amount (what went wrong beyond the expected that it holds or explains), low, high (95 % interval),
        share (of the amount of the step before, 0-1; missing in the first), p_value (for all that could have stood
        there). Empty when nothing is significant.
    stopped : {"nothing", "alike", "told", "unexplained"}
        Why it ends: nothing is significant; it got worse everywhere alike; a circumstance one can act on is told; or
        the cases are told, but nothing says what lies behind.
    """

    measure: str
    links: pd.DataFrame
    stopped: Reason

    def sentences(self, language: str = "en") -> list[str]:
        """Say each answer, and why the chain ends, in a sentence.

        Parameters
        ----------
        language : str
            "en" or "zh".
        """
        said = [say_link(row, self.measure, language) for row in self.links.to_dict("records")]
        return [*said, say_stop(self.stopped, language)]

    def picture(self, language: str = "en") -> pd.DataFrame:
        """Return the links with a column label, as `draw_why` takes them.

        Parameters
        ----------
        language : str
            "en" or "zh".
        """
        pairs = zip(self.links["column"], self.links["value"], strict=True)
        return self.links.assign(label=[say_circumstance(str(c), str(v), language) for c, v in pairs])


def five_why(
    rows: pd.DataFrame,
    outcome: str = "bad",
    *,
    measure: str = "",
    where: str = "",
    by: Sequence[str] | None = None,
    layers: Mapping[str, str] | None = None,
    level: float = 0.05,
    least_share: float = 0.2,
    draws: int = 999,
    seed: int = 0,
) -> WhyChain:
    """Ask why a measure got worse, and why that, until nothing significant or actionable is left.

    First it is asked whether cases got worse at all, then which condition ("category=refund", "tenure_days<=60") holds
    those that got worse beyond the others, then which of these, and so on (`contrast`). Of the cases that are left it
    is asked how much their waits, hand-overs and rework carry, and how much the circumstances of each layer explain
    (`Regression.share_out`). Places come before steps, steps before systems and people. The first two questions share
    the level between them and later ones are only asked when an earlier one was answered, so that with nothing wrong
    the chain is empty in at least ``1 - level`` of all cases.

    Parameters
    ----------
    rows : DataFrame
        One row per case: the outcome, ``period`` ("now", "before"; without it places are held against one another),
        perhaps ``agent``, ``at`` and circumstances (see `with_circumstances`).
    outcome : str
        A number, more is worse.
    measure : str
        What the outcome is called; default its name.
    where : str
        Cases to begin with, as "team=B"; default all.
    by : sequence of str, optional
        Circumstances to look at; default all columns that can be.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own.
    level : float
        Chance of a chain when nothing is wrong, 0-1.
    least_share : float
        Least share of the step before that an answer must carry, 0-1.
    draws : int
        Behind the p-values.
    seed : int

    Returns
    -------
    WhyChain

    Raises
    ------
    CauseError
        When a column is missing, the outcome is not a number, or `level` or `least_share` is no share.
    """
    for name, value in (("level", level), ("least_share", least_share)):
        if not 0 < value < 1:
            raise CauseError(f"{name} can't be {value:g}", where=name, fix="give a share between 0 and 1")
    start = cases_of(rows, where)
    if not start.any():
        raise CauseError("there are no cases to ask about", where=where, fix="name cases that are there")
    rows = rows[start].reset_index(drop=True)
    search = _Search.of(rows, outcome, by, layers, np.random.default_rng(seed), draws)
    links: list[dict[str, object]] = []
    whole = search.whole()
    if whole.amount > 0 and whole.p_value / 2 < _WHOLE * level:  # one-sided
        links.append(search.link("measure", [], "", "", "", whole, whole.p_value / 2))
    splits = search.splits(level, least_share, whole if links else None)
    if not links and not splits:
        return WhyChain(measure or outcome, pd.DataFrame(columns=list(WHY_COLUMNS)), "nothing")
    splits.sort(key=lambda split: _ORDER[split.layer])
    held: list[_Split] = []
    for split in splits:
        held.append(split)
        links.append(
            search.link("split", held, split.column, split.value, split.layer, search.amount(held), split.p_value)
        )
    links += search.behind(held, level, least_share)
    told = any(link["layer"] in ("data", "process", "people") for link in links)
    stopped: Reason = "told" if told else "unexplained" if held else "alike"
    return WhyChain(measure or outcome, _table(links), stopped)


@dataclass(frozen=True, eq=False)
class _Split:
    column: str
    value: str
    layer: str
    inside: Mask
    p_value: float

    @property
    def where(self) -> str:
        return f"{self.column}{self.value}" if self.value[:1] in "<>" and self.value else f"{self.column}={self.value}"


@dataclass(frozen=True, eq=False)
class _Search:
    """The cases, all conditions on them, and the regression on their circumstances."""

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
    ) -> _Search:
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

    def splits(self, level: float, least_share: float, whole: Part | None) -> list[_Split]:
        """Narrow the cases condition by condition while one stands out."""
        out: list[_Split] = []
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
            limit = level if out else (1 - _WHOLE) * level
            enough = np.nan_to_num(seen.amount) >= least_share * amount
            narrower = inside[now[node]].mean(axis=0) <= _NARROWER
            usable = np.flatnonzero((seen.p_value < limit) & enough & narrower)
            if not len(usable):
                break
            best = int(usable[np.argmax(seen.score[usable])])
            column, value = self.names[free[best]]
            out.append(_Split(column, value, self.layers[column], self.table[:, free[best]], float(seen.p_value[best])))
            node &= out[-1].inside
            amount = self.amount(out).amount
        return self._needed(out)

    def _needed(self, splits: list[_Split]) -> list[_Split]:
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

    def amount(self, held: list[_Split]) -> Part:
        """What the cases under these conditions went wrong by, beyond all other cases."""
        inside = np.logical_and.reduce([split.inside for split in held])
        design = self.regression.design
        seen = contrast(self.bad, design.now, design.group, inside[:, None], draws=1, rng=np.random.default_rng(0))
        if np.isnan(seen.amount[0]):
            return Part(0.0, 0.0, 1.0)
        return Part(float(seen.amount[0]), float(seen.error[0]), float(seen.freedom[0]))

    def behind(self, held: list[_Split], level: float, least_share: float) -> list[dict[str, object]]:
        """What carries the excess of the cases found: how they went, then the layer that lies behind."""
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
        self, kind: str, held: list[_Split], shares: Shares, layer: str, course: bool, part: Part, p: float
    ) -> dict[str, object]:
        mine = [c for c in self.regression.design.columns if c.layer == layer and c.course == course]
        carried = {c.name: shares.columns[c.name] for c in mine if c.name in shares.columns}
        column = max(carried, key=lambda name: carried[name])
        return self.link(kind, held, column, shares.values[column], layer, part, p)

    def link(
        self, kind: str, held: list[_Split], column: str, value: str, layer: str, part: Part, p: float
    ) -> dict[str, object]:
        """Return a row of the chain, without its step and share."""
        inside = np.logical_and.reduce([self.now, *(split.inside for split in held)])
        low, high = part.interval()
        values = (kind, "&".join(split.where for split in held), column, value, layer)
        return dict(zip(WHY_COLUMNS[1:6], values, strict=True)) | {
            "n": int(inside.sum()), "amount": part.amount, "low": low, "high": high, "p_value": p,
        }  # fmt: skip


def _table(links: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(links)
    table["step"] = np.arange(1, len(table) + 1)
    # What a circumstance explains is a share of the cases it is asked of, whatever the course carries of them.
    base = table["amount"].where(~table["kind"].isin(["course", "circumstance"])).ffill().shift()
    table["share"] = (table["amount"] / base.where(base > 0)).clip(0, 1)
    return table[list(WHY_COLUMNS)]
