"""What a plan comes to, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.staffing.rostering.lacking import explain_lacking
from svcanalytics.staffing.shifting.wording import explain_shortfalls

if TYPE_CHECKING:
    from svcanalytics.staffing.weekly.weekplan import StaffingPlan

__all__ = [
    "describe_cost",
    "describe_goal",
    "describe_verdict",
    "describe_window",
    "describe_windows",
    "missing_sentences",
    "spans_weeks",
    "worst_windows",
]

_DAYS = (
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    tuple("周" + day for day in "一二三四五六日"),
)


def describe_verdict(plan: StaffingPlan, language: str = "en") -> list[str]:
    """Return the answer to "will we keep it?": how sure, where the risk sits, what it costs, what is missing.

    Parameters
    ----------
    plan : StaffingPlan
    language : str
        "en" or "zh".
    """
    zh = language == "zh"
    told = [_certainty(plan, zh)]
    windows = describe_windows(plan, language)
    if windows:
        told.append(windows)
    told.append(_costs(plan, zh))
    lacking = 0 if plan.roster is None else int(plan.roster.lacking["missing"].sum())
    short = float(plan.coverage["shortfall"].sum() * plan.shifts.interval_s / 3600)
    if lacking:
        told.append(
            f"有{lacking}个班次在规则之内找不到人，原因逐条列出。"
            if zh
            else f"{lacking} shift{'s' if lacking > 1 else ''} can't be filled within the rules; each is explained."
        )
    if short >= 0.5:
        told.append(
            f"与需求相比共缺{short:,.0f}个坐席小时。"
            if zh
            else f"{short:,.0f} agent-hours of the requirement stay uncovered."
        )
    return told


def describe_windows(plan: StaffingPlan, language: str = "en", most: int = 3) -> str:
    """Return where the risk sits: "The risk sits on Monday 10:00-11:30 (hotline)."; "" when nothing is ever short."""
    zh = language == "zh"
    rows = worst_windows(plan).head(most)
    if rows.empty:
        return ""
    many = len(plan.requirement["queue"].unique()) > 1
    each = []
    for row in rows.to_dict("records"):
        words = describe_window(row["start"], row["end"], language, dated=spans_weeks(plan))
        if many:
            words += f"（{row['queue']}）" if zh else f" ({row['queue']})"
        each.append(words)
    return f"风险集中在{'、'.join(each)}。" if zh else f"The risk sits on {', '.join(each)}."


def worst_windows(plan: StaffingPlan) -> pd.DataFrame:
    """Return the windows of all queues, those first that weeks fall short in by most customers."""
    intervals = plan.lived.intervals
    total = intervals["short_week"].clip(lower=0).groupby(intervals["queue"]).sum()
    found = plan.windows.assign(short=plan.windows["share"] * plan.windows["queue"].map(total))
    return found.sort_values("short", ascending=False, kind="stable", ignore_index=True)


def describe_goal(plan: StaffingPlan, language: str = "en", queue: str | None = None) -> str:
    """Return what is promised: "80 % within 20 s"; where limits differ, "80 % within each queue's limit"."""
    zh = language == "zh"
    limits = plan.goal.limits(plan.requirement["queue"].unique())
    own = {limits[queue]} if queue else set(limits.values())
    share = f"{plan.goal.service_level:.0%}"
    if len(own) > 1:
        return f"{share}在各自时限内" if zh else f"{share} within each queue's limit"
    seconds = own.pop()
    if seconds < 120:
        limit = f"{seconds:g}秒" if zh else f"{seconds:g} s"
    elif seconds < 7200:
        limit = f"{seconds / 60:g}分钟" if zh else f"{seconds / 60:g} min"
    else:
        limit = f"{seconds / 3600:g}小时" if zh else f"{seconds / 3600:g} h"
    return f"{share}在{limit}内" if zh else f"{share} within {limit}"


def describe_window(start: pd.Timestamp, end: pd.Timestamp, language: str, *, dated: bool = False) -> str:
    """Return a window as people say it: "Monday 10:00-11:30", or with its date where the weekday does not tell."""
    zh = language == "zh"
    day, date = _DAYS[zh][start.day_of_week], ""
    if dated:
        date = f"（{start.month}月{start.day}日）" if zh else f" {start.day} {start:%b}"
    return f"{day}{date}{'' if zh else ' '}{start:%H:%M}–{end:%H:%M}"


def spans_weeks(plan: StaffingPlan) -> bool:
    """Tell whether a plan holds a weekday twice, so that windows need their date."""
    days = plan.requirement["start"].dt.tz_localize(None).dt.normalize()
    return (days.max() - days.min()).days >= 7


def missing_sentences(plan: StaffingPlan, language: str = "en") -> list[str]:
    """Return what shifts can't cover and what nobody could be found for, one sentence each."""
    found = explain_shortfalls(plan.shifts.shortfalls, language=language)
    if plan.roster is None:
        return found
    names = {name: pattern.name.get(language) or name for name, pattern in plan.rules.patterns.items()}
    lacking = plan.roster.lacking
    return [*found, *explain_lacking(lacking.assign(pattern=lacking["pattern"].replace(names)), language)]


def _certainty(plan: StaffingPlan, zh: bool) -> str:
    first = plan.promises.iloc[0]
    goal = describe_goal(plan, "zh" if zh else "en")
    weeks = _in_hundred(first["week_kept"])
    between = f"{_in_hundred(first['week_low'])}–{_in_hundred(first['week_high'])}"
    if len(plan.promises) == 1:
        return (
            f"{goal}应答：100个这样的周中有{weeks}个做到（95%区间{between}）。"
            if zh
            else f"We will answer {goal} in {weeks} of 100 such weeks (95 % interval {between})."
        )
    each = plan.promises.iloc[1:].sort_values("week_kept", kind="stable")
    sure = 1 - plan.goal.risk
    kept, of = int((each["week_kept"] >= sure).sum()), len(each)
    names = [f"{row.queue} {_in_hundred(row.week_kept)}" for row in each.head(3).itertuples()]
    if zh:
        return (
            f"{of}个队列中有{kept}个在100个这样的周里至少{_in_hundred(sure)}周兑现承诺；最少的是{'、'.join(names)}。"
            f"合计{goal}应答：100周中{weeks}周（95%区间{between}）。"
        )
    return (
        f"{kept} of {of} queues keep their promise in {_in_hundred(sure)} of 100 such weeks or more; least often: "
        f"{', '.join(names)}. All together answer {goal} in {weeks} of 100 (95 % interval {between})."
    )


def _costs(plan: StaffingPlan, zh: bool) -> str:
    money = describe_cost(plan, "zh" if zh else "en")
    people = "" if plan.roster is None else len(plan.roster.fairness[plan.roster.fairness["days"] > 0])
    if zh:
        who = f"，{people}人" if people != "" else ""
        return f"计薪{plan.hours:,.0f}小时{who}，{money}。"
    who = f" by {people} people" if people != "" else ""
    return f"It takes {plan.hours:,.0f} paid hours{who} and costs {money}."


def describe_cost(plan: StaffingPlan, language: str = "en") -> str:
    """Return what a plan costs: "8,200 EUR"; where the rules name no currency, in hours of ordinary pay."""
    zh, rules = language == "zh", plan.rules
    if rules.currency:
        return f"{'费用' if zh else ''}{plan.cost:,.0f} {rules.currency}"
    hours = plan.cost / rules.costs.hour
    return f"费用相当于{hours:,.0f}个普通工时" if zh else f"as much as {hours:,.0f} hours of ordinary pay"


def _in_hundred(share: float) -> int:
    # What was not seen to fail every time, or never, is not said to be certain.
    return round(100 * share) if share in (0.0, 1.0) else min(max(round(100 * share), 1), 99)
