"""What is true of the made-up organisation on purpose: causes of known size, to be found again."""

# Sentences stay on one line each, Chinese beside English, so that they can be read as a list.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

import pandas as pd

__all__ = ["CAUSES", "Cause", "truth"]


@dataclass(frozen=True)
class Cause:
    """One planted cause.

    Attributes
    ----------
    cause : str
        Its name, for ``organisation(planted=...)``.
    layer : str
        ``data`` (system and technology, or an artefact), ``process``, ``people``, or ``demand``.
    table, where : str
        The table it shows in, and the rows it works on, in the contract's columns (those of the row's case and contact
        too).
    since, until : str
        First day, and first day no longer; empty for always.
    measure : str
        What it changes.
    effect : float
        How much: a factor when `unit` is ``times``, an addition otherwise.
    unit : str
        ``times``, ``points`` (percentage points as 0-1), ``score``, ``seconds``.
    en, zh : str
        What happened, as a sentence.
    """

    cause: str
    layer: str
    table: str
    where: str
    since: str
    until: str
    measure: str
    effect: float
    unit: str
    en: str
    zh: str


_WRITTEN = "channel in ('app', 'web', 'mail')"

# fmt: off
_LIST = (
    Cause("response_fix", "process", "cases", _WRITTEN, "2026-03-01", "", "first_response_at - opened_at", 0.5, "times",
          "Written requests go straight to a free agent, not to a shared inbox, so first responses take half the time.",
          "书面诉求改为直接派给空闲坐席,不再进入公共收件箱,首次响应时间减半。"),
    Cause("supplier_check", "process", "events", "category = 'refund' and channel = 'app' and team = '售后组 After-sales'",
          "2026-09-01", "", "working time waiting for the supplier", 4.0, "times",
          "The supplier answers refund checks from the app by fax only: they wait four times as long.",
          "供应商对应用渠道退款的核查改为仅以传真答复,等待时间变为四倍。"),
    Cause("reorganised_team", "people", "cases", "owner_team = '技术组 Technical'", "2026-07-01", "", "reopened_n > 0",
          0.12, "points", "After the reorganisation of the technical team more of its cases are reopened.",
          "技术组重组之后,其办理事项的重开率升高。"),
    Cause("inverted_kiosk", "data", "surveys", "route = 'kiosk' and site = '南城窗口 South'", "2026-08-01", "", "csat",
          -1.0, "score", "The kiosk at the south counter sends its scale upside down: 5 means very dissatisfied.",
          "南城窗口评价器上传的分值颠倒:5分实为非常不满意。"),
    Cause("shifted_clock", "data", "cases", "channel = 'web'", "2026-08-10", "2026-08-25", "first_response_at - opened_at",
          28_800.0, "seconds", "After an update the web form's first responses were recorded eight hours late.",
          "网页表单升级后,首次响应时间被多记8小时。"),
    Cause("weekend_sensitivity", "people", "surveys", "weekend", "", "", "csat lost per minute waited", 2.3, "times",
          "At weekends customers are 2.3 times as sensitive to waiting as on working days.",
          "周末客户对等待的敏感度是工作日的2.3倍。"),
    Cause("high_season", "demand", "contacts", "month in (6, 11)", "", "", "contacts per day", 1.3, "times",
          "June and November are the high season.", "6月和11月为旺季。"),
    Cause("spring_festival", "demand", "contacts", "days off at Spring Festival", "", "", "contacts per day", 0.45, "times",
          "At Spring Festival the town is empty.", "春节假期业务量大幅下降。"),
    Cause("faulty_version", "data", "cases", "channel = 'app' and category = 'technical' and product_version = '5.2'",
          "2026-08-15", "", "cases per day", 2.5, "times",
          "Version 5.2 of the app loses the login: technical requests from the app rise.",
          "应用5.2版本登录失效,应用渠道的技术类诉求增加。"),
    Cause("new_hires", "people", "surveys", "agent in post for less than 60 days", "", "", "attitude", -0.4, "score",
          "New agents get lower attitude scores in their first sixty days.", "新坐席上岗头60天态度评分偏低。"),
    Cause("knowledge_base", "process", "contacts", "team = '热线B组 Hotline B' and handled_by = 'human'", "2026-05-01", "",
          "talk_s", 0.8, "times", "Hotline B got a new knowledge base: its calls take a fifth less time.",
          "热线B组启用新知识库,通话时长缩短两成。"),
    Cause("waiting_costs", "process", "outcomes", "contacted", "", "", "converted per 10 s waited", -0.012, "points",
          "Every ten seconds of waiting cost 1.2 points of conversion.", "等待每多10秒,转化率下降1.2个百分点。"),
)
# fmt: on

CAUSES: Mapping[str, Cause] = MappingProxyType({cause.cause: cause for cause in _LIST})
"""The causes by name. A new one is a row above and one use of ``World.since`` where its data are made."""


def truth() -> pd.DataFrame:
    """List what is planted in the made-up organisation.

    Returns
    -------
    pandas.DataFrame
        One row per cause; columns as the attributes of `Cause`. Rows broken on purpose are counted in `BROKEN`.
    """
    return pd.DataFrame([asdict(cause) for cause in CAUSES.values()])
