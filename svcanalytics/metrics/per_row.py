"""What metrics are for single contacts, cases or answers: the same sums as of a period, over one row's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.metrics.atoms import Rows, sum_atoms
from svcanalytics.metrics.definitions import Metric, catalogue
from svcanalytics.metrics.knowledge import Knowledge
from svcanalytics.metrics.views import view
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["measure_each"]


def measure_each(lake: Lake, metrics: Sequence[str], key: str, ids: Sequence[str]) -> pd.DataFrame:
    """Measure metrics for each of many contacts, cases or answers.

    A rate is then 0 or 1 (or a share, where one key has several rows), a mean that one row's number.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    metrics : sequence of str
        Ids of the catalogue. Counts, quantiles and metrics whose view has no column `key` are left out: they have no
        meaning for one row.
    key : str
        ``contact_id``, ``case_id``, ``survey_id`` or another text column of the views.
    ids : sequence of str
        Values of `key` wanted.

    Returns
    -------
    DataFrame
        Index: the ids found; one column per metric, in its own unit, missing where its denominator has no row.

    Raises
    ------
    CatalogueError
        When a metric is unknown.
    """
    chosen = [metric for metric in catalogue(lake).choose(list(metrics)) if _fits(lake, metric, key)]
    wanted = pd.Index(pd.unique(pd.Series(list(ids), dtype="object").dropna()), name=key)
    con = lake.connection()
    try:
        known = Knowledge(lake, con)
        known.learn(chosen)
        con.register("_wanted", pd.DataFrame({key: wanted.astype(str)}))
        found: dict[str, pd.Series] = {}
        for name in dict.fromkeys(metric.view for metric in chosen):
            group = [metric for metric in chosen if metric.view == name and known.test(metric) is not None]
            if not group:
                continue
            tests = {metric.id: known.test(metric) or "" for metric in group}
            read = {key}.union(*(metric.columns() for metric in group)) | ({"source"} if any(tests.values()) else set())
            of, column = view(name), identifier(key)
            relation = (
                f"from ({of.select(read, lake.timezone, known.empty, lake.keep)}) v semi join _wanted using ({column})"
            )
            rows = Rows(of, relation, "0", (column,), tests)
            for metric, atoms in zip(group, sum_atoms(con, rows, group).values(), strict=True):
                found[metric.id] = _values(metric, atoms)
        con.unregister("_wanted")
    finally:
        con.close()
    return pd.DataFrame(found, index=wanted, columns=[m.id for m in chosen if m.id in found], dtype="float64")


def _fits(lake: Lake, metric: Metric, key: str) -> bool:
    of = view(metric.view)
    if metric.kind in ("count", "quantile") or key not in of.columns():
        return False
    return all(lake.has(table) for table in of.needs)


def _values(metric: Metric, atoms: pd.DataFrame) -> pd.Series:
    atoms = atoms[atoms["n"] > 0]
    below = atoms["y"] if metric.kind == "ratio" else atoms["n"]
    values = atoms["x"].astype("float64") / below.astype("float64") / metric.scale
    return values.set_axis(atoms["_by0"].astype("object"))
