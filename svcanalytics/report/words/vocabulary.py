"""Words of the tables' closed lists and of common channels as readers say them; a source's own words stay."""

from __future__ import annotations

from typing import Any

from svcanalytics.report.words.formats import is_missing, word

__all__ = ["dimension_name", "group_name", "holiday_name", "origin_name", "shorten"]

#: A name longer than this was text in the wrong column; whole, it would fill a page.
LONGEST = 60

_DIMENSIONS = {
    "channel": ("渠道", "Channel"),
    "business_type": ("业务类型", "Type of request"),
    "category": ("类别", "Subject"),
    "team": ("团队", "Team"),
    "owner_team": ("责任团队", "Team in charge"),
    "first_team": ("首问团队", "First team"),
    "queue": ("队列", "Queue"),
    "site": ("网点", "Site"),
    "urgency": ("紧急程度", "Urgency"),
    "customer_type": ("客户类型", "Customer type"),
}

_ORIGINS = {
    "evaluation": ("评价", "evaluation"),
    "audit": ("检查", "audit"),
    "complaint": ("投诉", "complaint"),
    "qa": ("质检", "QA"),
    "incident": ("事件", "incident"),
    "suggestion": ("建议", "suggestion"),
}

_GROUPS = {
    "consultation": ("咨询", "Consultation"),
    "complaint": ("投诉", "Complaint"),
    "help": ("求助", "Help"),
    "report": ("举报", "Report"),
    "praise": ("表扬", "Praise"),
    "suggestion": ("建议", "Suggestion"),
    "after_sales": ("售后", "After-sales"),
    "booking": ("预约", "Booking"),
    "repair": ("报修", "Repair"),
    "incident": ("事件", "Incident"),
    "low": ("低", "Low"),
    "normal": ("一般", "Normal"),
    "urgent": ("紧急", "Urgent"),
    "critical": ("重大", "Critical"),
    "individual": ("个人", "Individual"),
    "enterprise": ("企业", "Enterprise"),
    "internal": ("内部", "Internal"),
    "other": ("其他", "Other"),
    "phone": ("电话", "Phone"),
    "email": ("邮件", "E-mail"),
    "mail": ("信件", "Mail"),
    "chat": ("在线", "Chat"),
    "app": ("应用", "App"),
    "web": ("网站", "Web"),
    "counter": ("窗口", "Counter"),
    "wechat": ("微信", "WeChat"),
    "self-service": ("自助", "Self-service"),
    "self_service": ("自助", "Self-service"),
    "direct opening": ("直接登记", "Direct opening"),
    "monitoring": ("监控发现", "Monitoring"),
    "bot": ("机器人", "Bot"),
    "sms": ("短信", "SMS"),
    "visit": ("来访", "Visit"),
    "hotline": ("热线", "Hotline"),
    "night": ("夜间", "Night"),
    "english": ("英文", "English"),
    "delivery": ("配送", "Delivery"),
    "refund": ("退款", "Refund"),
    "billing": ("计费", "Billing"),
    "account": ("账户", "Account"),
    "technical": ("技术", "Technical"),
    "quality": ("质量", "Quality"),
    "product": ("产品", "Product"),
    "attitude": ("态度", "Attitude"),
    "environment": ("环境", "Environment"),
    "counter_east": ("东城窗口", "East counter"),
    "counter_west": ("西城窗口", "West counter"),
    "counter_south": ("南城窗口", "South counter"),
}


#: Public holidays as the calendar of working days names them.
_HOLIDAYS = {
    "New Year's Day": "元旦",
    "Chinese New Year's Eve": "除夕",
    "Chinese New Year (Spring Festival)": "春节",
    "Chinese New Year": "春节",
    "Spring Festival": "春节",
    "Tomb-Sweeping Day": "清明节",
    "Labor Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-Autumn Festival": "中秋节",
    "National Day": "国庆节",
}


def holiday_name(name: str, language: str) -> str:
    """Return what readers call a public holiday; one that is not known here stays itself."""
    return _HOLIDAYS.get(name, name) if language == "zh" else name


def dimension_name(name: str, language: str) -> str:
    """Return what readers call a column that splits a measure; a source's own column stays itself."""
    chinese, english = _DIMENSIONS.get(name, (name, name))
    return chinese if language == "zh" else english


def group_name(value: Any, language: str) -> str:
    """Return what readers call a group: closed lists and common channels translated, other words kept, the long cut."""
    if is_missing(value) or value == "":
        return word("unknown", language)
    known = _GROUPS.get(str(value).lower())
    if known:
        return known[0] if language == "zh" else known[1]
    return shorten(str(value))


def origin_name(origin: str, language: str) -> str:
    """Return where a line of the ledger comes from, for readers; a word of an organisation's own stays."""
    return _ORIGINS.get(origin, (origin, origin))[language != "zh"]


def shorten(text: str) -> str:
    """Return a name or number of a source on one line, the long cut."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
