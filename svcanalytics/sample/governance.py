"""What management keeps: the rectification ledger, recurring duties, risks, pilots."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.structure import TEAMS
from svcanalytics.sample.world import DAY, World

__all__ = ["actions_table", "duties_table", "pilots_table", "risks_table"]

_DEPARTMENTS = tuple(dict.fromkeys(team.department for team in TEAMS))
_ORIGINS = np.array(["evaluation", "audit", "complaint", "qa", "incident", "suggestion"], dtype=object)
_PROBLEMS = (
    ("首次响应超时偏多", "增加高峰时段坐席", "响应及时率达到98%"),
    ("退款核查等待供应商时间长", "与供应商约定48小时答复", "等待时间减半"),
    ("Knowledge base out of date", "Revise articles every month", "No wrong answer in 50 samples"),
    ("窗口排队时间长", "周一上午增开一个窗口", "平均等候不超过5分钟"),
    ("转派过多", "调整派单规则", "转派率低于20%"),
    ("Kiosk often out of order", "Replace the devices", "Available 99 % of the time"),
    ("客户张女士13800000000反映的回访未落实", "补做回访并纳入考核", "回访完成率95%"),
    ("录音告知用语缺失", "更新开场白", "抽查合格率100%"),
)
_EFFECTS = np.array(["better", "same", "worse", "unknown"], dtype=object)


def actions_table(world: World, cases: pd.DataFrame, ids_of_cases: np.ndarray, audits: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger: about fourteen findings a month, urgent ones due in 48 hours, closed after acceptance."""
    rng = world.rng("actions")
    n = max(60, int(world.n_days * 14 / 30.4))
    found = np.sort(rng.integers(0, world.n_days, n)) * DAY + 9 * 3600 + rng.integers(0, 8 * 3600, n)
    origin = rng.choice(6, n, p=[0.12, 0.22, 0.30, 0.16, 0.08, 0.12])
    urgent = rng.random(n) < np.where(origin == 4, 0.8, 0.22)
    due = found + np.where(urgent, 2, rng.choice([14, 30, 60, 90], n)) * DAY
    done = found + ((due - found) * rng.lognormal(-0.35, 0.45, n)).astype(np.int64)
    accepted = done + rng.lognormal(np.log(4 * DAY), 0.6, n).astype(np.int64)
    verified = accepted + rng.lognormal(np.log(10 * DAY), 0.5, n).astype(np.int64)
    published = verified + rng.lognormal(np.log(8 * DAY), 0.5, n).astype(np.int64)
    dropped = rng.random(n) < 0.02
    passes, checks, shown = rng.random(n) < 0.93, rng.random(n) < 0.85, rng.random(n) < 0.25
    is_done = (done < world.cutoff) & ~dropped
    is_accepted = is_done & passes & (accepted < world.cutoff)
    is_verified = is_accepted & checks & (verified < world.cutoff)
    began = (rng.random(n) < 0.6) & (found < world.cutoff - 3 * DAY)
    status = np.select(
        [dropped, is_verified, is_accepted, is_done, began], ["dropped", "closed", "accepted", "done", "doing"], "open"
    )
    what = rng.integers(0, len(_PROBLEMS), n)
    effect = np.where(is_verified, rng.choice(4, n, p=[0.62, 0.24, 0.04, 0.10]), 3)
    words = [np.array([row[i] for row in _PROBLEMS], dtype=object)[what] for i in range(3)]
    return pd.DataFrame(
        {
            "action_id": [f"ZG{i:05d}" for i in range(1, n + 1)],
            "origin": _ORIGINS[origin],
            "origin_id": _origin_ids(rng, found, origin, cases, ids_of_cases, audits),
            "problem": words[0],
            "class": np.where(urgent, "urgent", "phased").astype(object),
            "department": np.asarray(_DEPARTMENTS, dtype=object)[rng.integers(0, len(_DEPARTMENTS), n)],
            "owner": np.array([f"M{i}" for i in range(1, 8)], dtype=object)[rng.integers(0, 7, n)],
            "measure": words[1],
            "found_at": world.stamps(found),
            "due_at": world.later(due),
            "done_at": world.stamps(done, is_done),
            "acceptance": words[2],
            "accepted_at": world.stamps(accepted, is_accepted),
            "verified_at": world.stamps(verified, is_verified),
            "effect": np.where(is_verified, _EFFECTS[effect], None),
            "became_standard": is_verified & (effect == 0) & (rng.random(n) < 0.35),
            "published_at": world.stamps(published, is_verified & shown),
            "scope": np.array([team.name for team in TEAMS], dtype=object)[rng.integers(0, len(TEAMS), n)],
            "status": status.astype(object),
        }
    )


def _origin_ids(
    rng: np.random.Generator,
    found: np.ndarray,
    origin: np.ndarray,
    cases: pd.DataFrame,
    ids_of_cases: np.ndarray,
    audits: pd.DataFrame,
) -> np.ndarray:
    # The latest complaint, incident or suggestion opened before the finding; any audit; an evaluation has no number.
    out = np.full(len(found), None, dtype=object)
    opened, kind = cases["opened"].to_numpy(), cases["kind"].to_numpy()
    for code, business_type in ((2, 1), (4, 9), (5, 5)):
        rows = np.flatnonzero(kind == business_type)
        mine = origin == code
        before = np.searchsorted(opened[rows], found[mine]) - 1
        out[mine] = np.where(before >= 0, ids_of_cases[rows[before]], None)
    mine = (origin == 1) | (origin == 3)
    ids = audits["audit_id"].to_numpy(dtype=object)
    out[mine] = ids[rng.integers(0, len(ids), int(mine.sum()))]
    return out


def duties_table(world: World) -> pd.DataFrame:
    """Return the duties that recur, most of them in time."""
    rng = world.rng("duties")
    plans = (
        (
            "procedure_revised",
            88,
            6,
            (
                "受理流程 Intake",
                "退款流程 Refunds",
                "投诉流程 Complaints",
                "回访流程 Follow-up",
                "升级流程 Escalation",
                "维修流程 Repairs",
            ),
        ),
        (
            "drill_held",
            178,
            10,
            ("系统故障演练 System fault drill", "信息安全演练 Security drill", "消防演练 Fire drill"),
        ),
        ("emergency_plan_revised", 355, 15, ("系统应急预案 System plan", "公共事件预案 Public events plan")),
        ("behaviour_data_refreshed", 6.3, 0.5, ("浏览行为 Browsing", "评价行为 Ratings")),
        ("managers_trained", 88, 6, ("客户服务部 Service", "网点管理部 Branches", "专家支持部 Experts")),
    )
    rows = []
    for kind, every, spread, names in plans:
        for place, name in enumerate(names):
            day = rng.uniform(0, min(every, 60))
            while day < world.n_days:
                at = int(day) * DAY + 10 * 3600 + int(rng.integers(0, 6 * 3600))
                rows.append((kind, name, at, _DEPARTMENTS[place % len(_DEPARTMENTS)]))
                day += max(1.0, rng.normal(every, spread))
    frame = pd.DataFrame(rows, columns=["kind", "name", "at", "department"]).sort_values(
        ["at", "kind", "name"], ignore_index=True
    )
    frame["at"] = world.stamps(frame["at"].to_numpy())
    frame.insert(0, "duty_id", [f"D{i:05d}" for i in range(1, len(frame) + 1)])
    return frame


def risks_table(world: World) -> pd.DataFrame:
    """Return the risk register, every risk anew at each review: about one entry a week."""
    rng = world.rng("risks")
    n = max(12, world.n_days // 7)
    what = (
        "旺季坐席不足",
        "供应商答复延迟",
        "Payment system outage",
        "客户信息泄露",
        "Key people leave",
        "自助设备老化",
        "舆情风险",
        "Carrier strike",
    )
    return pd.DataFrame(
        {
            "risk_id": [f"K{i:03d}" for i in range(1, n + 1)],
            "at": world.stamps(np.sort(rng.integers(0, world.n_days, n)) * DAY + 10 * 3600),
            "risk": np.asarray(what, dtype=object)[rng.integers(0, len(what), n)],
            "probability": rng.integers(1, 6, n),
            "impact": rng.integers(1, 6, n),
            "answer": np.array(["avoid", "reduce", "transfer", "accept"], dtype=object)[
                rng.choice(4, n, p=[0.1, 0.6, 0.1, 0.2])
            ],
            "owner": np.array([f"M{i}" for i in range(1, 8)], dtype=object)[rng.integers(0, 7, n)],
        }
    )


def pilots_table(world: World) -> pd.DataFrame:
    """Return two pilots, with the teams in either arm; the later one still runs."""
    arms = (
        ("知识库 Knowledge base", "热线B组 Hotline B", "pilot", 240, 180),
        ("知识库 Knowledge base", "热线A组 Hotline A", "control", 240, 180),
        ("主动回访 Proactive follow-up", "东城窗口 East", "pilot", 20, None),
        ("主动回访 Proactive follow-up", "西城窗口 West", "control", 20, None),
    )
    start = np.array([world.n_days - before for _, _, _, before, _ in arms]) * DAY
    end = np.array([-1 if before is None else (world.n_days - before) * DAY for _, _, _, _, before in arms])
    return pd.DataFrame(
        {
            "pilot": [arm[0] for arm in arms],
            "unit": [arm[1] for arm in arms],
            "arm": [arm[2] for arm in arms],
            "start_at": world.stamps(np.maximum(start, 0)),
            "end_at": world.later(end),
        }
    )
