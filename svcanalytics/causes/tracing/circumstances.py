"""The circumstances of a case beside its dimensions: who worked on it, how loaded, and the way it went.

Skill, load and training are facts of an agent at a time, waits and hand-overs facts of a case's events; as columns of
the cases they can be held against one another.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.causes.gathering.material import Material

__all__ = ["describe_course", "describe_people", "with_circumstances"]

_MOST_STEPS = 8
_USUAL = 0.8
"""A step that this share of the earlier cases had is missed where it isn't."""
_RECENT = pd.Timedelta(days=90)


def with_circumstances(material: Material, metric: str) -> pd.DataFrame:
    """Return the rows of a metric with their circumstances beside them.

    Parameters
    ----------
    material : Material
        Its events, people, roster and training are used as far as they are there.
    metric : str
        A key of ``material.outcomes``.

    Returns
    -------
    pandas.DataFrame
        The rows in their order, columns of `describe_people` and `describe_course` added where they aren't there yet.
    """
    rows = material.outcomes[metric].reset_index(drop=True)
    added = [describe_people(rows, material.people, material.roster, material.training)]
    if not material.events.empty:
        case = rows["case_id"] if "case_id" in rows else rows["id"]
        course = describe_course(material.events, case[rows["period"].eq("before")])
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
        ``agent``, ``at``; without ``agent`` nothing is known.
    people, roster, training : DataFrame
        As `Material` has them.

    Returns
    -------
    pandas.DataFrame
        One row per row, its columns as far as they can be had: tenure_days (since hired), certificates_n, skill_level,
        role, load_day (rows of the agent that day), training_hours (courses of the last 90 days), shift_kind ("on" or
        "off" the worked roster, "overtime", "on call").
    """
    out = pd.DataFrame(index=rows.index)
    if "agent" not in rows.columns or not rows["agent"].notna().any():
        return out
    agent, at = rows["agent"], rows["at"]
    day = at.dt.normalize()
    out["load_day"] = day.groupby([agent, day], dropna=False).transform("size").where(agent.notna()).astype("float64")
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


def describe_course(events: pd.DataFrame, earlier: pd.Series | None = None) -> pd.DataFrame:
    """Return how each case went, from its events.

    Parameters
    ----------
    events : DataFrame
        ``case_id``, ``at``, ``activity``; perhaps ``seq``, ``started_at``, ``team``, ``agent``.
    earlier : Series, optional
        Ids of the cases that say which steps are usual; default all.

    Returns
    -------
    pandas.DataFrame
        Index case_id: steps_n, rework_n (steps done again), handovers_n (the team changed, or the agent where no team
        is known), ``wait_<step>`` (hours before the steps that are waited for longest, 0 where a case hadn't the step)
        and ``skips_<step>`` (True where a step that four in five cases had is missing).
    """
    order = ["case_id", "at", *(["seq"] if "seq" in events.columns else [])]
    e = events.sort_values(order, kind="stable")
    case, activity = e["case_id"], e["activity"].astype("object")
    groups = e.groupby("case_id", sort=True)
    out = pd.DataFrame({"steps_n": groups.size().astype("float64")})
    again = e.duplicated(["case_id", "activity"])
    out["rework_n"] = again.groupby(case).sum().astype("float64")
    handler = next((name for name in ("team", "agent") if name in e.columns and e[name].notna().any()), None)
    if handler is not None:
        filled = e.groupby("case_id")[handler].ffill()
        before = filled.groupby(case).shift()
        changed = filled.notna() & before.notna() & filled.ne(before)
        out["handovers_n"] = changed.groupby(case).sum().astype("float64")
    begun = e["started_at"].fillna(e["at"]) if "started_at" in e.columns else e["at"]
    wait = ((begun - groups["at"].shift()).dt.total_seconds() / 3600).clip(lower=0)
    longest = wait.groupby(activity).sum().sort_values(ascending=False, kind="stable")
    chosen = list(longest[longest > 0].index[:_MOST_STEPS])
    for step in chosen:
        at_step = activity.eq(step)
        out[f"wait_{step}"] = wait[at_step].groupby(case[at_step]).sum().reindex(out.index, fill_value=0.0)
    if earlier is not None and len(earlier):
        usual = e[case.isin(set(earlier))]
    else:
        usual = e
    share = usual.drop_duplicates(["case_id", "activity"])["activity"].value_counts() / max(
        usual["case_id"].nunique(), 1
    )
    for step in sorted(map(str, share[(share >= _USUAL) & (share < 1)].index)):
        had = set(case[activity.astype(str).eq(step)])
        out[f"skips_{step}"] = ~out.index.isin(had)
    return out


def _count(certificates: object) -> float:
    # A list, or a text of names with commas; what isn't noted is not known.
    if isinstance(certificates, (list, tuple, np.ndarray)):
        return float(len(certificates))
    if isinstance(certificates, str):
        return float(sum(bool(part.strip()) for part in certificates.replace(";", ",").split(",")))
    return float(certificates) if isinstance(certificates, (int, float)) else np.nan


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
