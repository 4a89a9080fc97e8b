"""The gate before all causes: where it is the data that changed, not the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material, dimensions_of
from svcanalytics.causes.gathering.pricing import points_of
from svcanalytics.causes.tracing.alterations import (
    Alteration,
    are_doubled,
    clock_shifts,
    doubled_rows,
    lost_rows,
    missing_values,
    new_definitions,
    renamed_values,
    silences,
    turned_scales,
)
from svcanalytics.causes.tracing.conditions import condition_table, contrast
from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.causes.tracing.daily import Daily
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.offsets import clock_offsets
from svcanalytics.causes.tracing.verdicts import cases_of

__all__ = ["GATE_COLUMNS", "artefact_findings", "gate", "mark_artefacts"]

GATE_COLUMNS = ("what", "name", "measure", "where", "since", "before", "after", "p_value", "n", "amount", "low", "high",
                "p_effect", "share_of_move")  # fmt: skip

_LEVEL = 0.01
_FEWEST = 20
_SHOWN = 20
_Z = 1.959963984540054


def gate(material: Material, *, seed: int = 0) -> pd.DataFrame:
    """Find what changed in the data between baseline and period, and what that does to each metric.

    Looked for are new definitions and mappings, columns no longer filled, answers that no longer arrive, renamed
    values, doubled rows, sources fallen silent, clocks gone wrong and scales read from the wrong end (see
    `alterations`, `offsets`). What a change does to a metric is how much worse the rows it touches became on its day,
    beyond the other rows; where only the metric is named, the value of a dimension with the surest jump is taken, or
    all rows.

    Parameters
    ----------
    material : Material
    seed : int
        Of the draws behind the p-values.

    Returns
    -------
    pandas.DataFrame
        One row per change and metric it may touch, the surest effects first: what, name, measure, where, since,
        before, after, p_value (of the change itself), n (rows of the period touched), amount, low, high (of ``bad``,
        with a 95 % interval), p_effect (by Holm 1979 over all rows), share_of_move (of the metric's change since the
        baseline).
    """
    rng = np.random.default_rng(seed)
    rows, seen = [], _Seen.of(material)
    for metric, frame in material.outcomes.items():
        if frame["period"].eq("now").any() and frame["at"].min() < frame["at"].max():
            # What was seen in another metric's rows may lie in a dimension that this one hasn't got.
            known = {*frame.columns, "step", "activity"}
            found = [e for e in _alterations(material, metric, seen) if {c for c, _ in conditions_of(e.where)} <= known]
            rows += [_effect(material, metric, each, rng) for each in found]
    table = pd.DataFrame(rows, columns=list(GATE_COLUMNS)).astype({"since": "datetime64[us]"})
    table["p_effect"] = hold_family(table["p_effect"].to_numpy("float64"))
    return table.sort_values(["p_effect", "measure", "where", "what"], ignore_index=True)


def artefact_findings(material: Material, *, level: float = _LEVEL, seed: int = 0) -> list[Finding]:
    """Return the changes of the data that made a metric look worse, as findings of kind "artefact" on the data layer.

    Parameters
    ----------
    material : Material
    level : float
        Largest p-value of the effect.
    seed : int
    """
    table = gate(material, seed=seed)
    # One finding per place: of several changes there the surest effect tells it.
    told = table[(table["p_effect"] <= level) & (table["amount"] > 0)].drop_duplicates(["measure", "where"])
    out = []
    for row in told.itertuples():
        metric, where = str(row.measure), str(row.where)
        rows = material.outcomes[metric]
        touched = cases_of(rows, where, material.events) & rows["at"].ge(row.since).to_numpy()
        shown = rows.loc[
            touched & rows["period"].eq("now").to_numpy() & (rows["bad"] > 0).to_numpy(), ["id", "bad", "at"]
        ]
        shown = shown.sort_values(["bad", "at"], ascending=[False, True], kind="stable")["id"].head(_SHOWN)
        points, low, high = (float(each) for each in points_of(material, metric, [row.amount, row.low, row.high]))
        details = {
            "what": row.what,
            "name": row.name,
            "before": None if np.isnan(row.before) else float(row.before),
            "after": None if np.isnan(row.after) else float(row.after),
            "share_of_move": None if np.isnan(row.share_of_move) else float(row.share_of_move),
        }
        out.append(
            Finding("artefact", metric, where, int(row.n), float(row.amount), points, low, high, float(row.p_effect),
                    "data", row.since, "new", tuple(map(str, shown)), details)
        )  # fmt: skip
    return out


def mark_artefacts(material: Material, findings: Sequence[Finding], artefacts: Sequence[Finding]) -> list[Finding]:
    """Mark the findings that are there only because the data changed.

    Without the rows that an artefact of the same metric touches the finding's cases are held against the others again;
    one that keeps less than half of its excess is an artefact too, its details name the one it comes from.

    Parameters
    ----------
    material : Material
    findings : sequence of Finding
        Of dimensions (``where`` must be told by the rows); others are returned as they are.
    artefacts : sequence of Finding
        As `artefact_findings` gives them.

    Returns
    -------
    list of Finding
        In the given order, those marked with kind "artefact", layer "data".
    """
    out = []
    for finding in findings:
        mine = [a for a in artefacts if a.measure == finding.measure]
        culprit = _culprit(material, finding, mine) if mine and finding.kind != "artefact" else None
        if culprit is not None:
            details = {**finding.details, "artefact": culprit.finding_id, "what": culprit.details.get("what")}
            finding = replace(finding, kind="artefact", layer="data", details=details)
        out.append(finding)
    return out


def _culprit(material: Material, finding: Finding, artefacts: Sequence[Finding]) -> Finding | None:
    rows = material.outcomes[finding.measure]
    if any(part.partition("=")[0] not in rows.columns for part in finding.where.split("&")):
        return None
    inside = cases_of(rows, finding.where)
    now, bad = rows["period"].eq("now").to_numpy(), rows["bad"].to_numpy("float64")
    whole = _became(bad, now, inside, np.ones(len(rows), dtype=bool))
    for artefact in artefacts:
        touched = cases_of(rows, artefact.where, material.events) & rows["at"].ge(artefact.since).to_numpy()
        if (touched & inside).any() and _became(bad, now, inside, ~touched) < 0.5 * whole:
            return artefact
    return None


def _became(
    bad: NDArray[np.float64], now: NDArray[np.bool_], inside: NDArray[np.bool_], kept: NDArray[np.bool_]
) -> float:
    # Excess of the set over its own past and the others, of the rows kept.
    def mean(mask: NDArray[np.bool_]) -> float:
        return float(bad[mask].mean()) if mask.any() else np.nan

    change = mean(inside & now & kept) - mean(inside & ~now & kept)
    others = mean(~inside & now & kept) - mean(~inside & ~now & kept)
    if np.isnan(change):
        change, others = mean(inside & now & kept), mean(~inside & now & kept)
    excess = (change - (0.0 if np.isnan(others) else others)) * float((inside & now & kept).sum())
    return 0.0 if np.isnan(excess) else excess


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is the same for all metrics: looked at once."""

    written: list[Alteration]
    missing: list[Alteration]
    cases: dict[str, set[object]]
    marked: list[tuple[pd.Series, Daily, list[Alteration]]]
    offsets: dict[str, list[Alteration]]

    @classmethod
    def of(cls, material: Material) -> _Seen:
        cases = {name: set(_cases(frame).to_numpy("object")) for name, frame in material.outcomes.items()}
        offsets = {name: clock_offsets(frame) for name, frame in material.outcomes.items()}
        return cls(new_definitions(material.definitions), missing_values(material.definitions), cases, [], offsets)

    def by_day(self, rows: pd.DataFrame) -> tuple[Daily, list[Alteration]]:
        """Return rows by day, and what changed in their data whatever they measure; once for metrics of the same."""
        for ids, daily, own in self.marked:
            if ids.equals(rows["id"]):
                return daily, own
        daily = Daily(rows)
        renamed = renamed_values(rows, daily)
        gone = {f"{each.where.partition('=')[0]}={each.name}" for each in renamed}
        silent = [each for each in silences(rows, daily) if each.where not in gone]
        own = [*renamed, *doubled_rows(rows), *silent, *clock_shifts(rows, daily)]
        self.marked.append((rows["id"], daily, own))
        return daily, own


def _cases(rows: pd.DataFrame) -> pd.Series:
    return rows["case_id"] if "case_id" in rows else rows["id"]


def _alterations(material: Material, metric: str, seen: _Seen) -> list[Alteration]:
    rows = material.outcomes[metric]
    daily, own = seen.by_day(rows)
    found = [*turned_scales(rows, daily), *own]
    for other, offsets in seen.offsets.items():  # a share of cases in time is made of the same times
        if offsets and len(seen.cases[metric] & seen.cases[other]) > 0.98 * len(seen.cases[metric]):
            found += [each for each in offsets if not each.where or each.where.partition("=")[0] in rows.columns]
    reference = _reference(metric, seen.cases)
    cases = material.outcomes[reference] if reference else rows
    lost = lost_rows(rows, cases, seen.by_day(cases)[0]) if reference else []
    found += lost
    for each in seen.written:
        where = _named(rows, each.name)
        if each.name == metric or where:
            found.append(replace(each, where=where))
    for each in seen.missing:
        column = each.name.rpartition(".")[2]
        # Answers that are lost are missing too; the rows say better where and since when.
        if not lost and (column == metric or column in metric.split("_")):
            found.append(each)
    return found


def _reference(metric: str, cases: Mapping[str, set[object]]) -> str:
    # The metric whose rows hold nearly all cases of this one, and few besides.
    own = cases[metric]
    more = [
        (len(others), name)
        for name, others in cases.items()
        if len(others) > 1.01 * len(own) and len(own & others) > 0.98 * len(own)
    ]
    return min(more)[1] if more else ""


def _named(rows: pd.DataFrame, value: str) -> str:
    for column in sorted(dimensions_of(rows), key=lambda name: name != "source"):
        if not pd.api.types.is_numeric_dtype(rows[column]) and rows[column].eq(value).any():
            return f"{column}={value}"
    return ""


def _effect(material: Material, metric: str, found: Alteration, rng: np.random.Generator) -> tuple[object, ...]:
    rows = material.outcomes[metric]
    if not pd.isna(found.until):
        rows = rows[rows["at"] < found.until]
    bad = rows["bad"].to_numpy("float64")
    after = rows["at"].ge(found.since).to_numpy()
    now = rows["period"].eq("now").to_numpy()
    day = pd.factorize(rows["at"].dt.normalize(), sort=True)[0].astype(np.int64)
    where = found.where
    told = found.what not in ("definition", "missing") or bool(where)
    if not told:  # the metric is named, the rows aren't
        columns = [c for c in dimensions_of(rows) if not pd.api.types.is_float_dtype(rows[c])]
        inside, names = condition_table(rows, columns)
        seen = contrast(bad, after, day, inside, rng=rng)
        best = int(np.argmax(seen.score)) if len(names) else -1
        if best >= 0 and seen.p_value[best] < _LEVEL:
            where = "=".join(names[best])
    inside = cases_of(rows, where) if where else np.ones(len(rows), dtype=bool)
    if found.what == "doubled":
        inside = are_doubled(rows)
    n = int((inside & after & now).sum())
    if inside.all():
        amount, error, p = _step(bad, after, day, n)
    elif found.what == "renamed":  # the new value goes on where the old one ended
        column = found.where.partition("=")[0]
        both = inside | rows[column].eq(found.name).to_numpy()
        held = contrast(bad, after, day, both[:, None], rng=rng)
        amount, error, p = float(held.amount[0]), float(held.error[0]), float(held.p_value[0])
    else:
        held = contrast(bad, after, day, inside[:, None], rng=rng)
        amount, error, p = float(held.amount[0]), float(held.error[0]), float(held.p_value[0])
    if np.isnan(amount) and found.what in ("clock", "turned"):  # too few went right or wrong to hold against others
        amount, error, p = _step(bad[inside], after[inside], day[inside], int((inside & after).sum()))
    scale = n / max(float((inside & after).sum()), 1.0)  # of the period alone
    amount, error = amount * scale, error * scale
    if np.isnan(amount):
        amount, error, p = 0.0, 0.0, 1.0
    whole, of_period = material.outcomes[metric]["bad"], material.outcomes[metric]["period"].eq("now")
    moved = (whole[of_period].mean() - whole[~of_period].mean()) * of_period.sum() if (~of_period).any() else np.nan
    share = amount / moved if moved and abs(moved) > 1e-12 else np.nan
    return (found.what, found.name, metric, where, found.since, found.before, found.after, found.p_value, n, amount,
            amount - _Z * error, amount + _Z * error, p, share)  # fmt: skip


def _step(
    bad: NDArray[np.float64], after: NDArray[np.bool_], day: NDArray[np.int64], n: int
) -> tuple[float, float, float]:
    # All rows are touched: days after against days before, each day a whole.
    from scipy.special import stdtr

    counts = np.bincount(day)
    sums = np.bincount(day, bad)
    later = np.bincount(day, after) > 0
    if later.sum() < 3 or (~later).sum() < 3:
        return 0.0, 0.0, 1.0
    means = [sums[side].sum() / counts[side].sum() for side in (later, ~later)]
    spread = [
        ((sums[side] - mean * counts[side]) ** 2).sum() / counts[side].sum() ** 2 * side.sum() / (side.sum() - 1)
        for side, mean in zip((later, ~later), means, strict=True)
    ]
    difference, error = means[0] - means[1], float(np.sqrt(sum(spread)))
    # Days that are all alike are no proof that the next one will be.
    error = max(error, 0.5 * float(np.ptp(bad)) / min(counts[later].sum(), counts[~later].sum()))
    if error <= 0:
        return 0.0, 0.0, 1.0
    p = float(stdtr(min(later.sum(), (~later).sum()) - 1, -difference / error))
    size = float(after.sum())
    return difference * size, error * size, p
