"""From findings to lines of the ledger: new ones are proposed, those that persist are linked to the line they have."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

__all__ = ["propose_actions"]


def propose_actions(
    findings: pd.DataFrame, lines: pd.DataFrame, describe: Callable[[pd.Series], str], *, most: int = 10
) -> pd.DataFrame:
    """Say of each finding which line of the ledger deals with it, or propose one.

    A finding keeps its id from period to period, and a line names it as its origin_id: so one that persists is linked
    to its line, also when that line was closed too early, which is what a manager wants to see.

    Parameters
    ----------
    findings : pandas.DataFrame
        As `causes.findings` gives it.
    lines : pandas.DataFrame
        As `read_actions` gives them.
    describe : callable
        Gives a finding's sentence.
    most : int
        At most so many findings, from the top.

    Returns
    -------
    pandas.DataFrame
        One row per finding: finding_id, action_id (missing: none has it yet), state ("proposed", "in hand", or "back"
        when its line was closed and the finding is there again), origin, origin_id, problem, class ("urgent" for losses
        that are new or grow, else "phased"), points.
    """
    known = lines.dropna(subset=["origin_id"]).drop_duplicates("origin_id", keep="last").set_index("origin_id")
    rows = []
    for _, finding in findings.head(most).iterrows():
        number = finding["finding_id"]
        line = known.loc[number] if number in known.index else None
        over = line is not None and (line["status"] in ("closed", "dropped") or not pd.isna(line["closed_at"]))
        rows.append(
            {
                "finding_id": number,
                "action_id": None if line is None else line["action_id"],
                "state": "proposed" if line is None else "back" if over else "in hand",
                "origin": "evaluation",
                "origin_id": number,
                "problem": describe(finding),
                "class": "urgent" if finding["trend"] in ("new", "larger") else "phased",
                "points": finding["points"],
            }
        )
    columns = ["finding_id", "action_id", "state", "origin", "origin_id", "problem", "class", "points"]
    return pd.DataFrame(rows, columns=columns)
