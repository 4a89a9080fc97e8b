"""One cause, one finding: what different searches say of the same cases is put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from svcanalytics.causes.ranking.candidates import Candidate

__all__ = ["merge", "merge_measures", "overlap", "same"]

_SAME = 0.5
_SAME_CASES = 0.7
_FACTOR = 3.0
_ALL_OF_IT = 0.7
# What names a mechanism says more than what names a place, where both explain the same cases.
_CLEARER = {"artefact": 0, "theme": 1, "step": 1, "rule": 2, "segment": 2, "relation": 3}
_MUCH_SURER = 1e-4


def overlap(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the share of two sets that they have in common (Jaccard); 0 when one is empty."""
    return len(first & second) / len(first | second) if first and second else 0.0


def merge(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Put together what explains the same cases of a metric by the same cause.

    Two findings of a metric are one when they share at least half of the cases that went wrong and cost about the same.
    An artefact is always kept: the place where the data changed goes wrong on the same cases, and no less surely. Else
    the clearest description is: one that names a mechanism (a theme, a step) before one that names a place, unless the
    place is far surer, or all cases of the place have the step; else the surer. The others are named in its details.

    Parameters
    ----------
    candidates : sequence of Candidate

    Returns
    -------
    list of Candidate
        Each with ``details["also"]``: kind, where and p_value of what was put with it.
    """
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda c: (c.finding.p_value, c.finding.where)):
        place = next((i for i, other in enumerate(kept) if same(each, other)), None)
        if place is None:
            kept.append(each)
        else:
            kept[place] = _joined(kept[place], each)
    return kept


def merge_measures(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Put together findings of several measures about the same cases: the cause is one, its costs add up.

    The one that costs most is kept (without a price, the surest).

    Returns
    -------
    list of Candidate
        With ``details["also_costs"]`` and ``details["points_in_all"]`` where others were put with it.
    """
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda c: (-_price(c), c.finding.p_value, c.finding.measure, c.finding.where)):
        place = next((i for i, other in enumerate(kept) if _alike(each, other)), None)
        if place is None:
            kept.append(each)
            continue
        first, other = kept[place].finding, each.finding
        said = {name: getattr(other, name) for name in ("measure", "where", "excess", "points")}
        costs = [*_list(kept[place], "also_costs"), said]
        whole = first.points + sum(float(cost["points"]) for cost in costs)  # type: ignore[index]
        details = {**first.details, "also_costs": costs, "points_in_all": whole}
        kept[place] = replace(kept[place], finding=replace(first, details=details))
    return kept


def _alike(first: Candidate, second: Candidate) -> bool:
    a, b = first.finding, second.finding
    return (
        a.measure != b.measure
        and "relation" not in (a.kind, b.kind)
        and (a.kind, b.kind).count("artefact") != 1
        and (overlap(first.cases, second.cases) >= _SAME_CASES)
    )


def _price(candidate: Candidate) -> float:
    points = candidate.finding.points
    return points if points == points else -1.0


def same(first: Candidate, second: Candidate) -> bool:
    """Tell whether two findings of a metric are about the same cases that went wrong, and as many."""
    a, b = first.finding, second.finding
    if a.measure != b.measure:
        return False
    if a.where == b.where:
        return True
    if "relation" in (a.kind, b.kind):  # about all cases: it says what went before, not where
        return False
    alike = 1 / _FACTOR <= abs(a.excess) / max(abs(b.excess), 1e-12) <= _FACTOR
    return alike and overlap(first.wrong, second.wrong) >= _SAME


def _joined(surer: Candidate, other: Candidate) -> Candidate:
    if _told_first(other, surer):
        surer, other = other, surer
    said = {"kind": other.finding.kind, "where": other.finding.where, "p_value": other.finding.p_value}
    also = [*_list(surer, "also"), said, *_list(other, "also")]
    return replace(surer, finding=replace(surer.finding, details={**surer.finding.details, "also": also}))


def _told_first(other: Candidate, surer: Candidate) -> bool:
    artefacts = other.finding.kind == "artefact", surer.finding.kind == "artefact"
    if artefacts[0] != artefacts[1]:
        return artefacts[0]
    return _clearer(other, surer) and other.finding.p_value * _MUCH_SURER <= surer.finding.p_value


def _clearer(first: Candidate, second: Candidate) -> bool:
    kinds = first.finding.kind, second.finding.kind
    if set(kinds) == {"step", "segment"} and overlap(first.cases, second.cases) >= _ALL_OF_IT:
        return kinds[0] == "segment"
    return _CLEARER[kinds[0]] < _CLEARER[kinds[1]]


def _list(candidate: Candidate, name: str) -> list[object]:
    found = candidate.finding.details.get(name, [])
    return list(found) if isinstance(found, list) else []
