"""The circumstances of a case beside its dimensions: who worked on it, how loaded, and the way it went.

Skill, load and training are facts of an agent at a time, waits and hand-overs facts of a case's events; as columns of
the cases they can be held against one another.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.tracing.endings import cut_endings, list_done

__all__ = ["describe_course", "describe_people", "with_circumstances"]

_MOST_STEPS = 8
_USUAL = 0.8
"""A step that this share of the earlier cases had is missed where it isn't."""
_RECENT = pd.Timedelta(days=90)


def with_circumstances(rows: pd.DataFrame, material: Material, course: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows of a metric with their circumstances beside them.

    Parameters
    ----------
    rows : DataFrame
        Of one of ``material.outcomes``.
    material : Material
        Its people, roster, training and events are used as far as they are there.
    course : DataFrame, optional
        What `describe_course` gave for the material's events, to spare doing it again.

    Returns
    -------
    pandas.DataFrame
        The rows in their order, columns of `describe_people` and `describe_course` added where they aren't there yet.
        Steps that are the outcome itself (see `Done.endings`), and what follows them, are no circumstance.
    """
    rows = rows.reset_index(drop=True)
    added = [describe_people(rows, material.people, material.roster, material.training)]
    case = rows["case_id"] if "case_id" in rows else rows["id"]
    if course is None and not material.events.empty:
        bad = rows["bad"].to_numpy("float64", na_value=np.nan) if "bad" in rows else np.zeros(len(rows))
        endings = list_done(material.events).endings(case, bad)
        course = describe_course(material.events, case[rows["period"].eq("before")], endings)
    if course is not None and len(course):
        added.append(course.reindex(case).reset_index(drop=True))
    for frame in added:
        new = [name for name in frame.columns if name not in rows.columns]
        rows = pd.concat([rows, frame[new].set_index(rows.index)], axis=1) if new else rows
    return rows


def describe_people(
    rows: pd.DataFrame, people: pd.DataFrame, roster: pd.DataFrame | None = None, training: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what is known of the agent of each row at its time.

    Parameters
    ----------
    rows : DataFrame
        ``agent``, ``at``; perhaps ``team``, ``period``. Without ``agent`` nothing is known.
    people, roster, training : DataFrame
        As `Material` has them.

    Returns
    -------
    pandas.DataFrame
        One row per row, its columns as far as they can be had: tenure_days (since hired), certificates_n, skill_level,
        role, from_other_team (the agent's cases of the baseline were mostly another team's), load_day (rows of the
        agent that day), training_hours (courses of the last 90 days), shift_kind ("on" or "off" the worked roster,
        "overtime", "on call").
    """
    out = pd.DataFrame(index=rows.index)
    if "agent" not in rows.columns or not rows["agent"].notna().any():
        return out
    agent, at = rows["agent"], rows["at"]
    day = at.dt.normalize()
    out["load_day"] = day.groupby([agent, day], dropna=False).transform("size").where(agent.notna()).astype("float64")
    if "team" in rows.columns and "period" in rows.columns:
        out["from_other_team"] = _from_other_team(rows)
    if not people.empty:
        known = people.drop_duplicates("agent").set_index("agent")
        if "hired_on" in known:
            out["tenure_days"] = (at - agent.map(pd.to_datetime(known["hired_on"]))).dt.days.astype("float64")
        if "certificates" in known:
            out["certificates_n"] = agent.map(known["certificates"].map(_count)).astype("float64")
        for name in ("skill_level", "role"):
            if name in known:
                out[name] = agent.map(known[name])
    if training is not None and not training.empty:
        out["training_hours"] = _recent_training(agent, at, training)
    if roster is not None and not roster.empty:
        out["shift_kind"] = _shift_kind(agent, at, roster)
    return out


def describe_course(
    events: pd.DataFrame, earlier: pd.Series | None = None, endings: Collection[str] = ()
) -> pd.DataFrame:
    """Return how each case went, from its events.

    Parameters
    ----------
    events : DataFrame
        ``case_id``, ``at``, ``activity``; perhaps ``seq``, ``started_at``, ``team``, ``agent``.
    earlier : Series, optional
        Ids of the cases that say which steps are usual; default all.
    endings : collection of str
        Steps with which the course of a case ends: they and what follows them are left out (see `cut_endings`).

    Returns
    -------
    pandas.DataFrame
        Index case_id: steps_n, rework_n (steps done again), handovers_n (the team changed, or the agent where no team
        is known), ``wait_<step>`` (hours before the steps that are waited for longest, 0 where a case hadn't the step)
        and ``skips_<step>`` (True where a step that four in five cases had is missing; not of steps that end a case).
    """
    if events.empty:
        return pd.DataFrame()
    case, cases = pd.factorize(events["case_id"].astype("object"), sort=True)
    activity, names = pd.factorize(events["activity"].astype("object").map(str), sort=True)
    at = events["at"].to_numpy("datetime64[us]").astype("int64")
    seq = events["seq"].to_numpy("float64") if "seq" in events.columns else np.zeros(len(events))
    order = np.lexsort((seq, at, case))
    if len(endings):
        order = order[cut_endings(case[order], activity[order], np.flatnonzero(names.isin(endings)))]
    if not len(order):
        return pd.DataFrame()
    case, activity, at = case[order], activity[order], at[order]
    follows = np.concatenate([[False], case[1:] == case[:-1]])
    out = pd.DataFrame({"steps_n": np.bincount(case, minlength=len(cases)).astype("float64")}, index=cases)
    had, times_had = np.unique(case * len(names) + activity, return_counts=True)
    of_case, of_step = np.divmod(had, len(names))
    out["rework_n"] = np.bincount(of_case, times_had - 1.0, len(cases))
    handler = next((name for name in ("team", "agent") if name in events.columns and events[name].notna().any()), None)
    if handler is not None:
        out["handovers_n"] = _changes(case, pd.factorize(events[handler].astype("object"))[0][order], len(cases))
    begun = events["started_at"].fillna(events["at"]) if "started_at" in events.columns else events["at"]
    begun = begun.to_numpy("datetime64[us]").astype("int64")[order]
    wait = np.where(follows, np.maximum(begun - np.concatenate([at[:1], at[:-1]]), 0) / 3.6e9, 0.0)
    longest = np.bincount(activity, wait, len(names))
    for step in np.argsort(-longest, kind="stable")[:_MOST_STEPS]:
        if longest[step] > 0:
            mine = activity == step
            out[f"wait_{names[step]}"] = np.bincount(case[mine], wait[mine], len(cases))
    usual = np.ones(len(cases), dtype=bool)
    if earlier is not None and len(earlier):
        usual = pd.Index(cases).isin(set(earlier))
    share = np.bincount(of_step[usual[of_case]], minlength=len(names)) / max(usual.sum(), 1)
    ends = np.bincount(activity[np.append(~follows[1:], True)], minlength=len(names))
    closing = ends > 0.5 * np.bincount(of_step, minlength=len(names))  # a case without it isn't finished yet
    for step in np.flatnonzero((share >= _USUAL) & (share < 1) & ~closing):
        missed = np.ones(len(cases), dtype=bool)
        missed[of_case[of_step == step]] = False
        out[f"skips_{names[step]}"] = missed
    return out.rename_axis("case_id")


def _changes(case: np.ndarray, handler: np.ndarray, cases: int) -> np.ndarray:
    # Steps whose handler isn't known (-1) are nobody's: the one before goes on.
    known = handler >= 0
    case, handler = case[known], handler[known]
    changed = (case[1:] == case[:-1]) & (handler[1:] != handler[:-1])
    return np.bincount(case[1:][changed], minlength=cases).astype("float64")


def _count(certificates: object) -> float:
    # A list, or a text of names with commas; what isn't noted is not known.
    if isinstance(certificates, (list, tuple, np.ndarray)):
        return float(len(certificates))
    if isinstance(certificates, str):
        return float(sum(bool(part.strip()) for part in certificates.replace(";", ",").split(",")))
    return float(certificates) if isinstance(certificates, (int, float)) else np.nan


def _from_other_team(rows: pd.DataFrame) -> pd.Series:
    # Who worked elsewhere most of the time before: a reorganisation, or help from another team.
    earlier = rows.loc[rows["period"].eq("before") & rows["agent"].notna(), ["agent", "team"]]
    counts = earlier.value_counts().reset_index().sort_values(["agent", "count", "team"], ascending=[True, False, True])
    home = rows["agent"].map(counts.drop_duplicates("agent").set_index("agent")["team"])
    return (home.notna() & rows["team"].ne(home)).rename("from_other_team")


def _recent_training(agent: pd.Series, at: pd.Series, training: pd.DataFrame) -> pd.Series:
    hours = training["duration_s"] / 3600 if "duration_s" in training else pd.Series(1.0, index=training.index)
    courses = training.assign(_h=hours.fillna(0.0).astype("float64")).sort_values("at", kind="stable")
    courses = courses.assign(_sum=courses.groupby("agent")["_h"].cumsum())
    asked = pd.DataFrame({"agent": agent, "at": at}).reset_index(drop=True)

    def until(times: pd.Series) -> np.ndarray:
        left = asked.assign(at=times.to_numpy(), _row=asked.index).dropna(subset=["agent"]).sort_values("at")
        right = courses[["agent", "at", "_sum"]].assign(at=courses["at"].astype(left["at"].dtype))
        found = pd.merge_asof(left, right, on="at", by="agent").set_index("_row")["_sum"].reindex(asked.index)
        return found.fillna(0.0).to_numpy()

    recent = until(asked["at"]) - until(asked["at"] - _RECENT)
    return pd.Series(np.where(agent.isna(), np.nan, recent), index=agent.index)


def _shift_kind(agent: pd.Series, at: pd.Series, roster: pd.DataFrame) -> pd.Series:
    worked = (
        roster[roster["status"].ne("planned")] if "status" in roster and roster["status"].eq("worked").any() else roster
    )
    if "kind" in worked:
        worked = worked[worked["kind"].isin(["work", "overtime", "on call"])]
    names = worked["kind"] if "kind" in worked else pd.Series("work", index=worked.index)
    shifts = worked.assign(_kind=names.replace("work", "on")).sort_values("start_at", kind="stable")
    asked = pd.DataFrame({"agent": agent, "at": at, "_row": np.arange(len(agent))}).dropna(subset=["agent"])
    right = shifts[["agent", "start_at", "end_at", "_kind"]].astype({"start_at": asked["at"].dtype})
    found = pd.merge_asof(asked.sort_values("at"), right, left_on="at", right_on="start_at", by="agent")
    kind = found["_kind"].where(found["end_at"].ge(found["at"]), "off")
    out = pd.Series(kind.to_numpy(), index=found["_row"]).reindex(np.arange(len(agent)))
    return pd.Series(out.to_numpy(), index=agent.index)
