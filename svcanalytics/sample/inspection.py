"""Checks: quality assurance, third party, mystery shopper, patrol, compliance, with what was put right afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.people import People
from svcanalytics.sample.structure import COUNTERS, TEAMS
from svcanalytics.sample.tables import agents_named, whole
from svcanalytics.sample.world import DAY, World

__all__ = ["audits_table"]

_QA = ("礼貌 courtesy", "规范用语 script", "业务准确 accuracy", "记录完整 record")
_ON_SITE = ("环境整洁 tidiness", "礼貌 courtesy", "叫号等候 queueing", "设备完好 equipment", "公示信息 notices")
_ONLINE = ("接通 reachability", "礼貌 courtesy", "答复准确 accuracy", "首问负责 ownership")
_COMPLIANCE = ("隐私保护 privacy", "信息安全 security", "录音告知 recording notice", "合同条款 contract terms")
_NOTES = (
    "抽查未发现问题。",
    "用语不规范，已当面提醒。",
    "Record incomplete, coached.",
    "客户来电13800000000未按时回复。",
    None,
    None,
)


def audits_table(
    world: World, people: People, contacts: pd.DataFrame, ids_of_cases: np.ndarray, ids_of_contacts: np.ndarray
) -> pd.DataFrame:
    """Return the audits: one row per item scored."""
    rng = world.rng("audits")
    rows = pd.concat([_quality(rng, world, contacts), *_rounds(rng, world, people)], ignore_index=True)
    rows = rows[rows["at"] < world.cutoff].sort_values(["at", "kind", "team"], kind="stable", ignore_index=True)
    n = len(rows)
    top, at = rows["max"].to_numpy(), rows["at"].to_numpy()
    score = np.rint(top * rng.beta(rows["good"], 1.0)).astype(np.int64)
    score = np.where(top == 1, rng.random(n) < 0.975, score).astype(np.int64)
    failed = score < 0.6 * top
    fatal = failed & (rng.random(n) < 0.35) & (rows["kind"] == "qa")
    plan_due, due, recheck = at + 3 * DAY, at + rng.choice([7, 14, 30], n) * DAY, at + 45 * DAY
    planned = at + rng.lognormal(np.log(1.3 * DAY), 0.6, n).astype(np.int64)
    rectified = np.maximum(planned, at + ((due - at) * rng.lognormal(-0.45, 0.4, n)).astype(np.int64))
    rechecked = rectified + rng.lognormal(np.log(9 * DAY), 0.5, n).astype(np.int64)
    person, contact = rows["person"].to_numpy(), rows["contact"].to_numpy()
    return pd.DataFrame(
        {
            "audit_id": [f"Q{i:06d}" for i in range(1, n + 1)],
            "kind": rows["kind"].to_numpy(dtype=object),
            "at": world.stamps(at),
            "case_id": ids_of_cases[rows["case"]],
            "contact_id": ids_of_contacts[contact],
            "site": np.array([team.site for team in TEAMS], dtype=object)[rows["team"]],
            "team": np.array([team.name for team in TEAMS], dtype=object)[rows["team"]],
            "agent": agents_named(people, person),
            "scene": np.where(rows["on_site"], "on_site", "online").astype(object),
            "item": rows["item"].to_numpy(dtype=object),
            "score": whole(score),
            "max_score": whole(top),
            "fatal": fatal,
            "plan_due": world.later(np.where(failed, plan_due, -1)),
            "plan_at": world.stamps(planned, failed),
            "rectify_due": world.later(np.where(failed, due, -1)),
            "rectified_at": world.stamps(rectified, failed),
            "recheck_due": world.later(np.where(failed, recheck, -1)),
            "rechecked_at": world.stamps(rechecked, failed),
            "note": np.where(
                failed | (rng.random(n) < 0.05), np.asarray(_NOTES, dtype=object)[rng.integers(0, 6, n)], None
            ),
        }
    )


def _quality(rng: np.random.Generator, world: World, contacts: pd.DataFrame) -> pd.DataFrame:
    # About a hundred contacts a month, each scored on four items some days later.
    served = np.flatnonzero(contacts["human"] >= 0)
    picked = np.sort(rng.choice(served, min(len(served), int(3.4 * world.n_days)), replace=False))
    rows, item = np.repeat(picked, len(_QA)), np.tile(np.arange(len(_QA)), len(picked))
    lag = np.repeat(rng.integers(1, 6, len(picked)) * DAY + rng.integers(0, 3600, len(picked)), len(_QA))
    team_of_queue = contacts["team"].to_numpy()[rows]
    return pd.DataFrame(
        {
            "kind": "qa",
            "at": contacts["ended"].to_numpy()[rows] // DAY * DAY + 10 * 3600 + lag,
            "case": contacts["case"].to_numpy()[rows],
            "contact": rows,
            "team": team_of_queue,
            "person": contacts["person"].to_numpy()[rows],
            "on_site": np.isin(team_of_queue, _branches()),
            "item": np.asarray(_QA, dtype=object)[item],
            "max": 10,
            "good": 7.5,
        }
    )


def _branches() -> list[int]:
    return [i for i, team in enumerate(TEAMS) if team.queue in COUNTERS]


def _rounds(rng: np.random.Generator, world: World, people: People) -> list[pd.DataFrame]:
    # (kind, every how many days, teams, items, points, how good): the third party is stricter than one's own QA.
    branches, lines = _branches(), [i for i, team in enumerate(TEAMS) if team.queue and team.queue not in COUNTERS]
    plans = (
        ("third_party", 91, branches, _ON_SITE, 100, 6.5, True),
        ("third_party", 91, lines, _ONLINE, 100, 6.5, False),
        ("mystery_shopper", 30, branches, _ON_SITE, 20, 6.0, True),
        ("mystery_shopper", 30, lines, _ONLINE, 20, 6.0, False),
        ("patrol", 7, branches, _ON_SITE, 5, 8.0, True),
        ("compliance", 15, list(range(len(TEAMS))), _COMPLIANCE, 1, 1.0, False),
    )
    frames = []
    for kind, every, teams, items, points, good, on_site in plans:
        days = np.arange(every // 2, world.n_days, every)
        day, team, item = (grid.ravel() for grid in np.meshgrid(days, teams, np.arange(len(items)), indexing="ij"))
        frames.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "at": day * DAY + 9 * 3600 + rng.integers(0, 7 * 3600, len(day)),
                    "case": -1,
                    "contact": -1,
                    "team": team,
                    "person": people.pick(rng, team, day),
                    "on_site": on_site,
                    "item": np.asarray(items, dtype=object)[item],
                    "max": points,
                    "good": good,
                }
            )
        )
    return frames
