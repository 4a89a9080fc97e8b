"""The words of the source that the steps come from: activities, reasons, and short codes."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

__all__ = ["ACTIVITIES", "MILESTONES", "REASON", "REASONS"]

ACTIVITIES = MappingProxyType(
    {
        "acknowledged": "自动回执 Auto reply",
        "confirmed": "确认预约 Confirm booking",
        "first_response": "首次答复 First reply",
        "preliminary_solution": "初步方案 First advice",
        "handed_to_experts": "转专家 Hand to experts",
        "transferred": "转派 Transfer",
        "progress": "进度反馈 Progress note",
        "cross_team_opened": "跨部门协同 Cross-team task",
        "plan": "出具方案 Plan",
        "joint_meeting": "联席会 Joint meeting",
        "escalated": "升级 Escalate",
        "escalation_handled": "升级处理 Handle escalation",
        "customer_contacted": "联系客户 Contact customer",
        "investigated": "核实 Investigate",
        "resolved": "解决 Resolve",
        "result_told": "告知结果 Tell result",
        "followed_up": "回访 Follow up",
        "reopened": "重开 Reopen",
        "listed": "列入改进清单 List",
        "adopted": "采纳 Adopt",
        "adoption_told": "反馈采纳 Tell adoption",
        "published": "公示 Publish",
        "response_started": "启动响应 Start response",
        "assessed": "评估 Assess",
        "parties_told": "通报相关方 Tell parties",
        "switched_over": "切换备用 Switch over",
        "restored": "恢复 Restore",
        "closed": "办结 Close",
    }
)
"""The source's own word for each milestone."""

MILESTONES = tuple(ACTIVITIES)
"""In the order of their codes."""

_REASON_WORDS = MappingProxyType(
    {
        "": None,
        "experts": "需专家处理 needs experts",
        "wrong team": "派单错误 wrong team",
        "departments": "跨部门 several departments",
        "asked": "客户要求 customer asked",
        "late": "超时 late",
        "attitude": "态度 attitude",
        "supplier": "供应商核查 supplier check",
        "customer": "待客户补充 customer to reply",
        "not solved": "未真正解决 not really solved",
    }
)
REASONS = np.array(list(_REASON_WORDS.values()), dtype=object)
"""The source's words for why, in the order of their codes."""

REASON = MappingProxyType({name: code for code, name in enumerate(_REASON_WORDS)})
"""A reason's code by a short name; 0: none."""
