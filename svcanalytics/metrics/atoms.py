"""The atoms of metrics: whole-number sums and exact quantiles by period and unit, asked for in one query each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import duckdb
import pandas as pd

from svcanalytics.metrics.definitions import Metric, is_boolean
from svcanalytics.metrics.expressions import Expression
from svcanalytics.metrics.intervals import quantile_ranks
from svcanalytics.metrics.views import View

__all__ = ["Rows", "quantile_atoms", "row_sums", "sum_atoms"]


@dataclass(frozen=True)
class Rows:
    """The rows that a group of metrics reads, and what they are grouped by.

    Attributes
    ----------
    of : View
        The view.
    relation : str
        SQL from ``from`` on: the view joined to its calendar, filtered.
    period : str
        SQL of the index of a row's period.
    units : tuple of str
        SQL of each column of `by`.
    tests : dict
        Metric id to SQL that leaves out the rows of sources which never record what the metric needs.
    """

    of: View
    relation: str
    period: str
    units: tuple[str, ...]
    tests: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The grouping columns, ``_period`` and ``_by0`` …, as SQL."""
        return ", ".join([f"{self.period} as _period", *(f"{unit} as _by{i}" for i, unit in enumerate(self.units))])

    @property
    def keys(self) -> str:
        """The names of the grouping columns."""
        return ", ".join(["_period", *(f"_by{i}" for i in range(len(self.units)))])


def sum_atoms(con: duckdb.DuckDBPyConnection, rows: Rows, metrics: list[Metric]) -> dict[str, pd.DataFrame]:
    """Return the sums of rates, means, ratios and counts, all from one query.

    Returns
    -------
    dict of metric id to DataFrame
        ``_period``, ``_by0`` …, and per kind: n (rows), x (numerator), y (denominator), xx, xy, yy (sums of squares and
        products, as text: they outgrow 64 bits), pending.
    """
    if not metrics:
        return {}
    sums = _Sums(rows.of)
    plans = {metric.id: _plan(sums, metric, rows.tests.get(metric.id, "")) for metric in metrics}
    listed = ", ".join(f"{sql} as {name}" for sql, name in sums.names.items())
    wide = con.sql(f"select {rows.group}, {listed} {rows.relation} group by all").df()
    units = [name for name in wide.columns if name.startswith("_")]
    atoms = {}
    for name, plan in plans.items():
        atoms[name] = wide[[*units, *plan.values()]].set_axis([*units, *plan], axis=1)
    return atoms


def quantile_atoms(con: duckdb.DuckDBPyConnection, rows: Rows, metrics: list[Metric]) -> dict[str, pd.DataFrame]:
    """Return exact discrete quantiles with their order-statistic intervals.

    Values are sorted once per group and distinct expression, whatever the number of quantiles.

    Returns
    -------
    dict of metric id to DataFrame
        ``_period``, ``_by0`` …, n, x (the quantile: least value with at least q n values at or below it), low, high,
        pending.
    """
    lists: dict[tuple[str, str, str], list[Metric]] = {}
    for metric in metrics:
        parsed = metric.expressions()
        key = (parsed["numerator"].sql, parsed["denominator"].sql, rows.tests.get(metric.id, ""))
        lists.setdefault(key, []).append(metric)
    atoms = {}
    for (number, base, test), same in lists.items():
        kept = _all_of(base, test)
        pending = ", ".join(f"{_pending(metric, kept)} as _pending{i}" for i, metric in enumerate(same))
        con.execute(
            f"create or replace temp table _sorted as select *, len(vs) as n from (select {rows.group}, {pending}, "
            f"list_sort(list(cast(({number}) as bigint)) filter (where {kept} and ({number}) is not null)) as vs "
            f"{rows.relation} group by all)"
        )
        sizes = [n for (n,) in con.execute("select distinct n from _sorted where n > 0").fetchall()]
        for i, metric in enumerate(same):
            ranks = [(n, _rank(n, metric.q), *quantile_ranks(n, metric.q)) for n in sizes]
            con.register("_ranks", pd.DataFrame(ranks, columns=["n", "rank", "below", "above"]).astype("int64"))
            atoms[metric.id] = con.sql(
                f"select {rows.keys}, n, vs[rank] as x, case when below > 0 then vs[below] end as low, "
                f"case when above > 0 then vs[above] end as high, _pending{i} as pending "
                "from _sorted join _ranks using (n)"
            ).df()
            con.unregister("_ranks")
        con.execute("drop table _sorted")
    return atoms


@dataclass
class _Sums:
    """The distinct sums of one query, by the name of their column in the result."""

    of: View
    names: dict[str, str] = field(default_factory=dict)

    def add(self, sql: str) -> str:
        return self.names.setdefault(sql, f"s{len(self.names)}")

    def count(self, test: str) -> str:
        return self.add(_count(test))

    def total(self, test: str, number: str) -> str:
        return self.add(f"cast(coalesce(sum(case when {test} then {number} end), 0) as bigint)")

    def product(self, test: str, left: str, right: str) -> str:
        # A decimal would come back as a float: it travels as text.
        inner = f"cast(({left}) * ({right}) as decimal(38,0))"
        return self.add(f"cast(coalesce(sum(case when {test} then {inner} end), 0) as varchar)")

    def number(self, expression: Expression) -> str:
        return _number(expression, self.of)


def _plan(sums: _Sums, metric: Metric, known: str) -> dict[str, str]:
    """Add the sums a metric needs; return the name of each by its role."""
    parsed = metric.expressions()
    hit, base = parsed["numerator"].sql, _all_of(parsed["denominator"].sql, known)
    if metric.kind == "rate":
        plan = {"x": sums.count(_all_of(base, hit)), "n": sums.count(base)}
    elif metric.kind == "count":
        number = sums.number(parsed["numerator"])
        plan = {"x": sums.total(base, number), "n": sums.count(base)}
        if not is_boolean(parsed["numerator"], sums.of):
            plan["xx"] = sums.product(base, number, number)
    elif metric.kind == "mean":
        number, base = sums.number(parsed["numerator"]), _all_of(base, f"({hit}) is not null")
        plan = {"x": sums.total(base, number), "n": sums.count(base), "xx": sums.product(base, number, number)}
    else:
        # Numerator and denominator may come from different rows of the view: what isn't known there adds nothing.
        x, y = (f"coalesce({sums.number(parsed[part])}, 0)" for part in ("numerator", "denominator"))
        every, base = known or "true", _all_of(f"{y} <> 0", known)
        if is_boolean(parsed["numerator"], sums.of) and is_boolean(parsed["denominator"], sums.of):
            # Ones and zeros are their own squares.
            hits, rows = sums.count(_all_of(hit, known)), sums.count(base)
            both = sums.count(_all_of(hit, parsed["denominator"].sql, known))
            plan = {"x": hits, "y": rows, "n": rows, "xx": hits, "xy": both, "yy": rows}
        else:
            plan = {"x": sums.total(every, x), "y": sums.total(every, y), "n": sums.count(base)}
            plan |= {"xx": sums.product(every, x, x), "xy": sums.product(every, x, y), "yy": sums.product(every, y, y)}
    return plan | ({"pending": sums.add(_pending(metric, base))} if metric.pending else {})


def row_sums(of: View, metric: Metric, known: str = "") -> tuple[str, str, str]:
    """Return SQL for what one row adds to a metric's sums: whether it counts, numerator and denominator.

    Parameters
    ----------
    of : View
        The metric's view.
    metric : Metric
        A rate, mean, ratio or count.
    known : str
        SQL that leaves out the rows of sources which never record what the metric needs.
    """
    parsed = metric.expressions()
    hit, base = parsed["numerator"], _all_of(parsed["denominator"].sql, known)
    if metric.kind == "rate":
        return base, f"(case when {hit.sql} then 1 else 0 end)", "1"
    if metric.kind != "ratio":
        number = _number(hit, of)
        return _all_of(base, f"{number} is not null"), number, "1"
    x, y = (f"coalesce({_number(parsed[part], of)}, 0)" for part in ("numerator", "denominator"))
    return _all_of(f"{x} <> 0 or {y} <> 0", known), x, y


def _number(expression: Expression, of: View) -> str:
    # Yes counts 1.
    return f"(case when {expression.sql} then 1 else 0 end)" if is_boolean(expression, of) else f"({expression.sql})"


def _pending(metric: Metric, base: str) -> str:
    return _count(_all_of(base, metric.expressions()["pending"].sql)) if metric.pending else "0"


def _count(test: str) -> str:
    return f"cast(sum(case when {test} then 1 else 0 end) as bigint)"


def _all_of(*tests: str) -> str:
    return " and ".join(f"({test})" for test in tests if test and test.upper() != "TRUE") or "true"


def _rank(n: int, q: float) -> int:
    # q n a hair above a whole number is that number: 0.9 * 10 is 9.000000000000002 on some engines.
    return max(1, math.ceil(q * n - 1e-9))
