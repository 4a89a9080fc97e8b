"""The words around a report: masthead, marks, contents, workbook sheets and index, in Chinese and in English."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from svcanalytics.periods import Period

__all__ = ["MARKS", "REPORTS", "issue_number", "label", "moment", "report_name"]

_LABELS: dict[str, tuple[str, str]] = {
    "internal": ("内部资料", "Internal"),
    "internal_note": ("仅供内部使用，请勿外传", "For internal use only"),
    "public": ("公开", "Public"),
    "public_note": ("可对外公布", "May be shown to anybody"),
    "personnel": ("人事机密", "HR confidential"),
    "personnel_note": ("仅限主管和人力资源部门查阅", "For managers and human resources alone"),
    "made_up": (
        "演示数据：本报告中的机构、人员和数字均为虚构。",
        "Made-up data: organisation, people and figures are invented.",
    ),
    "issue": ("期号", "Issue"),
    "period": ("统计期间", "Period"),
    "scope": ("范围", "Scope"),
    "scope_all": ("全机构", "Whole organisation"),
    "scope_each": ("按{}：{}份", "By {}: {} reports"),
    "new": ("最新发布", "What is new"),
    "reports": ("报告", "Reports"),
    "edition": ("版次", "Edition"),
    "edition_n": ("第{}版", "Edition {}"),
    "supersedes": ("取代第{}版", "supersedes edition {}"),
    "published": ("发布时间", "Published"),
    "cut_off": ("取数截止", "Data taken until"),
    "snapshot": ("数据快照", "Data snapshot"),
    "prepared": ("编制", "Prepared by"),
    "reviewed": ("审核", "Reviewed by"),
    "approved": ("签发", "Approved by"),
    "contents": ("目录", "Contents"),
    "skip": ("跳到正文", "Skip to the report"),
    "figure": ("图", "Figure"),
    "table": ("表", "Table"),
    "data_of": ("数据表", "Data"),
    "workbook": ("下载数据表（Excel）", "Download the tables (Excel)"),
    "made_by": ("由 svcanalytics {} 生成", "Made with svcanalytics {}"),
    "scroll": ("可左右滚动", "scrolls sideways"),
    "top": ("回到目录", "Back to contents"),
    "cover": ("封面", "Cover"),
    "contents_sheet": ("目录", "Contents"),
    "notes": ("说明", "Notes"),
    "sheet": ("工作表", "Sheet"),
    "title": ("标题", "Title"),
    "rows": ("行数", "Rows"),
    "no_rows": ("（无数据）", "(no data)"),
    "number_notes": (
        "每张工作表是一张可筛选、可引用的 Excel 表格，数值未经四舍五入，与网页版完全一致。比率为 0–1 的数值；"
        "百分点以百分点为单位；时长以秒为单位；没有数值的单元格写明原因。本工作簿不含公式。",
        "Every sheet holds one Excel table that can be filtered and referred to; numbers are not rounded and equal "
        "the page's. Shares are numbers of 0-1, differences of shares are in percentage points, durations are in "
        "seconds; a cell without a number says why. There are no formulas in this workbook.",
    ),
    "truncated": ("…（过长，已截断；全文见网页版）", "… (too long for a cell; the page has all of it)"),
    "index_title": ("服务质量评价报告", "Service quality reports"),
    "index_none": ("还没有发布过报告。", "No report has been published yet."),
    "index_count": ("共 {} 期报告、{} 个版本", "{} reports, {} editions"),
    "current": ("现行版", "current"),
    "superseded": ("已被第{}版取代", "superseded by edition {}"),
    "status": ("状态", "Status"),
    "files": ("文件", "Files"),
    "page": ("网页", "Page"),
    "xlsx": ("Excel", "Excel"),
    "pdf": ("PDF", "PDF"),
    "docx": ("Word", "Word"),
    "notebook": ("笔记本", "Notebook"),
    "changed": ("变动", "What changed"),
    "input_data": ("数据", "data"),
    "input_catalogue": ("指标目录", "catalogue"),
    "input_notebook": ("报告笔记本", "notebook"),
    "input_package": ("程序版本", "software"),
    "input_settings": ("机构设置", "settings"),
    "input_parameters": ("参数", "parameters"),
    "input_masthead": ("刊头信息", "masthead"),
    "input_formats": ("文件格式", "formats"),
    "warned": ("有数据提示", "see data warning"),
    "made_up_short": ("演示数据", "made-up data"),
    "zh": ("中文", "中文"),
    "en": ("English", "English"),
    "earlier": ("历史版本（{}）", "Earlier editions ({})"),
}

#: Reports that ship: the kind of period each is about, and its name.
REPORTS: dict[str, tuple[str, str, str]] = {
    "weekly": ("week", "服务质量周报", "Weekly service quality report"),
    "monthly": ("month", "服务质量月度评价报告", "Monthly service quality evaluation"),
    "quarterly": ("quarter", "服务质量季度评价报告", "Quarterly service quality evaluation"),
    "half_yearly": ("half_year", "服务质量半年度评价报告", "Half-yearly service quality evaluation"),
    "yearly": ("year", "服务质量年度评价报告", "Yearly service quality evaluation"),
    "staffing": ("week", "人力需求与排班报告", "Staffing report"),
    "public_notice": ("month", "服务质量公示", "Public notice of service quality"),
    "half_yearly_public": ("half_year", "服务标准执行情况公开报告", "Service standards: public half-yearly report"),
    "third_party": ("quarter", "第三方评价对比报告", "Third-party audits against our own scores"),
    "staff_appraisal": ("quarter", "坐席绩效评价参考", "Staff appraisal"),
}

#: Who may see a report that isn't internal: anybody ("public"), or managers and human resources alone ("personnel").
MARKS: dict[str, str] = {"public_notice": "public", "half_yearly_public": "public", "staff_appraisal": "personnel"}

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def label(key: str, language: str, *values: object) -> str:
    """Return a fixed word or sentence; `values` fill its gaps."""
    return _LABELS[key][0 if language == "zh" else 1].format(*values)


def report_name(report: str, language: str) -> str:
    """Return a report's name for readers; the id itself when the report is an organisation's own."""
    known = REPORTS.get(report)
    return known[1 if language == "zh" else 2] if known else report


def issue_number(period: Period, language: str) -> str:
    """Return the issue's number within its year (期号): "2026年第10期", "No. 10, 2026"."""
    year, _, number = period.key.replace("Q", "-").replace("H", "-").replace("W", "").partition("-")
    if not number:
        return f"{year}年" if language == "zh" else year
    if period.kind == "day":
        number = str(period.start.timetuple().tm_yday)
    return f"{year}年第{int(number)}期" if language == "zh" else f"No. {int(number)}, {year}"


def moment(instant: datetime, timezone: str, language: str) -> str:
    """Return a moment in the organisation's time zone: "2026年11月5日 09:30", "5 Nov 2026, 09:30"."""
    local = instant.astimezone(ZoneInfo(timezone))
    if language == "zh":
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"
