"""Five times why: from a measure that got worse, by tested splits, to a circumstance one can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics import metrics
from svcanalytics.causes.tracing.phrases import say_link, say_stop
from svcanalytics.causes.tracing.splitting import WHOLE, Search, Split
from svcanalytics.causes.tracing.verdicts import cases_of
from svcanalytics.errors import CauseError

__all__ = ["WHY_COLUMNS", "WhyChain", "five_why"]

Reason = Literal["nothing", "alike", "told", "unexplained"]

WHY_COLUMNS = ("step", "kind", "where", "column", "value", "layer", "n", "amount", "low", "high", "share", "p_value")

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
    unit : str
        "" when amounts are counts of cases that went wrong; else "s" for seconds, or other.
    """

    measure: str
    links: pd.DataFrame
    stopped: Reason
    unit: str = ""

    def sentences(self, language: str = "en") -> list[str]:
        """Say each answer, and why the chain ends, in a sentence.

        Parameters
        ----------
        language : str
            "en" or "zh".
        """
        from svcanalytics.causes.ranking.naming import measure_name

        measure = measure_name(self.measure, language)
        said = [
            say_link(row, measure, _called(str(row["column"]), str(row["value"]), language), language, unit=self.unit)
            for row in self.links.to_dict("records")
        ]
        return [*said, say_stop(self.stopped, language)]

    def picture(self, language: str = "en") -> pd.DataFrame:
        """Return the links with a column label, as `draw_why` takes them; what is in seconds in hours.

        Parameters
        ----------
        language : str
            "en" or "zh".
        """
        pairs = zip(self.links["column"], self.links["value"], strict=True)
        out = self.links.assign(label=[_called(str(column), str(value), language) for column, value in pairs])
        amounts = ["amount", "low", "high"]
        return out.assign(**{name: out[name] / 3600 for name in amounts}) if self.unit == "s" else out


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
    search = Search.of(rows, outcome, by, layers, np.random.default_rng(seed), draws)
    links: list[dict[str, object]] = []
    whole = search.whole()
    if whole.amount > 0 and whole.p_value / 2 < WHOLE * level:  # one-sided
        links.append(search.link("measure", [], "", "", "", whole, whole.p_value / 2))
    splits = search.splits(level, least_share, whole if links else None)
    unit = _unit(measure, search.bad)
    if not links and not splits:
        return WhyChain(measure or outcome, pd.DataFrame(columns=list(WHY_COLUMNS)), "nothing", unit)
    splits.sort(key=lambda split: _ORDER[split.layer])
    held: list[Split] = []
    for split in splits:
        held.append(split)
        links.append(
            search.link("split", held, split.column, split.value, split.layer, search.amount(held), split.p_value)
        )
    links += search.behind(held, level, least_share)
    told = any(link["layer"] in ("data", "process", "people") for link in links)
    stopped: Reason = "told" if told else "unexplained" if held else "alike"
    return WhyChain(measure or outcome, _table(links), stopped, unit)


def _called(column: str, value: str, language: str) -> str:
    from svcanalytics.causes.ranking.naming import place_name  # which is named after what is traced here

    return place_name(f"{column}={value}", language) if column else ""


def _unit(measure: str, bad: NDArray[np.float64]) -> str:
    if np.isin(bad, (0.0, 1.0)).all():
        return ""
    shipped = metrics.catalogue()
    return (shipped[measure].unit if measure in shipped.metrics else "") or "units"


def _table(links: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(links)
    table["step"] = np.arange(1, len(table) + 1)
    # What a circumstance explains is a share of the cases it is asked of, whatever the course carries of them.
    base = table["amount"].where(~table["kind"].isin(["course", "circumstance"])).ffill().shift()
    table["share"] = (table["amount"] / base.where(base > 0)).clip(0, 1)
    return table[list(WHY_COLUMNS)]
