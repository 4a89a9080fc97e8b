"""A staffing plan as a workbook: cover, requirement, shifts, coverage as a heat map, roster, and its risk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.weekly.wording import describe_goal, describe_verdict, missing_sentences, worst_windows

if TYPE_CHECKING:
    from svcanalytics.staffing.weekly.weekplan import StaffingPlan

__all__ = ["write_workbook"]

_LONGEST = 32_000  # Excel's limit for a cell is 32,767
_WORDS = {
    "cover": ("Cover", "封面"),
    "requirement": ("Requirement", "人力需求"),
    "shifts": ("Shifts", "班次"),
    "coverage": ("Coverage", "覆盖热力图"),
    "roster": ("Roster", "排班表"),
    "people": ("People", "公平性"),
    "missing": ("Missing", "缺口"),
    "risk": ("Risk and promise", "风险与承诺"),
    "assumptions": ("Assumptions", "假设"),
    "title": ("Staffing plan", "人力排班计划"),
    "days": ("Days planned", "计划日期"),
    "promise": ("Promise", "承诺"),
    "rules": ("Shift rules", "班次规则"),
    "solved": ("Shifts: {}, gap {:.1%}", "班次：{}，差距{:.1%}"),
    "rostered": ("Roster: {}, gap {:.1%}", "排班：{}，差距{:.1%}"),
    "optimal": ("optimal", "最优"),
    "time limit": ("best found in the time", "时限内最优"),
    "heat": (
        "Agents planned less agents required: red is too few, blue is more than needed.",
        "计划坐席减去所需坐席：红色为不足，蓝色为富余。",
    ),
    "none": ("Nowhere is a whole agent missing.", "没有任何时段缺少整整一人。"),
    "all": ("all together", "合计"),
}
_HEADINGS = {
    "queue": ("queue", "队列"),
    "group": ("queue", "队列"),
    "agent": ("agent", "坐席"),
    "pattern": ("shift", "班次"),
    "start": ("start", "开始"),
    "end": ("end", "结束"),
    "breaks": ("breaks", "休息"),
    "count": ("people", "人数"),
    "arrivals": ("arrivals", "到达量"),
    "load": ("load (Erlang)", "话务量（Erlang）"),
    "agents": ("agents at work", "在岗坐席"),
    "scheduled": ("agents scheduled", "排班坐席"),
    "required": ("required", "所需"),
    "planned": ("planned", "计划"),
    "service_level": ("service level", "服务水平"),
    "abandonment": ("abandonment", "放弃率"),
    "occupancy": ("occupancy", "占用率"),
    "kept": ("promise kept", "达成概率"),
    "paid_h": ("paid hours", "计薪小时"),
    "cost": ("cost of one", "单人费用"),
    "days": ("days", "天数"),
    "hours": ("hours", "小时"),
    "contract_h": ("contract hours", "合同小时"),
    "overtime_h": ("overtime hours", "加班小时"),
    "nights": ("nights", "夜班"),
    "weekends": ("weekend days", "周末天数"),
    "unpopular": ("unpopular shifts", "不受欢迎班次"),
    "wishes": ("wishes", "意愿"),
    "wishes_met": ("wishes met", "满足意愿"),
    "low": ("low", "下限"),
    "high": ("high", "上限"),
    "day_kept": ("days that keep it", "达成天占比"),
    "week_kept": ("weeks that keep it", "达成周占比"),
    "week_low": ("from", "下限"),
    "week_high": ("to", "上限"),
    "share": ("share of what is missed", "占未达成的比重"),
    "what": ("what", "项目"),
    "value": ("value", "取值"),
    "n": ("n", "样本数"),
    "source": ("source", "来源"),
    "sentence": ("what is missing", "缺什么"),
}
_SHARES = (
    "service_level",
    "abandonment",
    "occupancy",
    "kept",
    "day_kept",
    "week_kept",
    "week_low",
    "week_high",
    "share",
)


def write_workbook(plan: StaffingPlan, path: str | Path, *, language: str = "en", organisation: str = "") -> Path:
    """Write a plan to an ``.xlsx`` file; text is always text, never a formula.

    Parameters
    ----------
    plan : StaffingPlan
    path : str or Path
        Its folder is made when it is not there.
    language : str
        "en" or "zh".
    organisation : str
        For the cover.

    Raises
    ------
    StaffingError
        The file has another ending or can't be written.
    """
    import xlsxwriter

    path = Path(path)
    if path.suffix != ".xlsx":
        raise StaffingError(f"plans are not written as {path.suffix or 'files without an ending'}", fix="use .xlsx")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with xlsxwriter.Workbook(str(path), options) as book:
            _Book(book, plan, int(language == "zh")).write_all(organisation)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise StaffingError(
            f"the workbook can't be written: {error}", where=str(path), fix="close it, or choose another name"
        ) from error
    return path


class _Book:
    """The sheets of one workbook."""

    def __init__(self, book: Any, plan: StaffingPlan, language: int) -> None:
        self.book, self.plan, self.language = book, plan, language
        self.code = "zh" if language else "en"
        self.formats = {
            "title": book.add_format({"bold": True, "font_size": 16, "font_color": "#12436d"}),
            "lead": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "soft": book.add_format({"font_color": "#51606f"}),
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "number": book.add_format({"num_format": "#,##0.0"}),
            "whole": book.add_format({"num_format": "#,##0"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd ddd", "bold": True}),
            "clock": book.add_format({"num_format": "hh:mm", "bold": True}),
        }

    def say(self, key: str) -> str:
        return _WORDS[key][self.language]

    def write_all(self, organisation: str) -> None:
        plan = self.plan
        self.book.set_properties({"title": self.say("title"), "company": organisation})
        self._cover(organisation)
        self._table("requirement", plan.requirement)
        shifts = plan.shifts.shifts
        shifts = shifts.assign(paid_h=shifts["paid_s"] / 3600, breaks=[_breaks(b) for b in shifts["breaks"]])
        self._table("shifts", shifts[["group", "pattern", "start", "end", "breaks", "count", "paid_h", "cost"]])
        self._heat()
        if plan.roster is not None:
            self._roster()
            self._table("people", plan.roster.fairness)
        missing = pd.DataFrame({"sentence": missing_sentences(plan, self.code) or [self.say("none")]})
        self._table("missing", missing)
        self._risk()
        self._table("assumptions", plan.assumptions.table.assign(queue=self._named(plan.assumptions.table["queue"])))

    def _cover(self, organisation: str) -> None:
        sheet, plan = self.book.add_worksheet(self.say("cover")), self.plan
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, self.say("title"), self.formats["title"])
        days = plan.requirement["start"].dt.tz_localize(None).dt.normalize()
        status = [self.say("solved").format(self.say(plan.shifts.status), plan.shifts.gap)]
        if plan.roster is not None:
            status.append(self.say("rostered").format(self.say(plan.roster.status), plan.roster.gap))
        facts = [
            ("", organisation),
            (self.say("days"), f"{days.min():%Y-%m-%d} – {days.max():%Y-%m-%d}"),
            (self.say("promise"), describe_goal(plan, self.code)),
            (self.say("rules"), plan.rules.name.get(self.code) or plan.rules.id),
            ("", "; ".join(status)),
        ]
        row = 2
        for number, sentence in enumerate(describe_verdict(plan, self.code)):
            sheet.write_string(row, 1, sentence, self.formats["lead" if number == 0 else "text"])
            row += 1
        for label, text in facts:
            if text:
                row += 1
                sheet.write_string(row, 0, label, self.formats["soft"])
                sheet.write_string(row, 1, text[:_LONGEST], self.formats["text"])

    def _heat(self) -> None:
        """One block per queue: a row per time of day, a column per day."""
        sheet = self.book.add_worksheet(self.say("coverage"))
        sheet.set_column(0, 0, 16)
        sheet.write_string(0, 0, self.say("heat"), self.formats["soft"])
        row = 2
        for queue, own in self.plan.coverage.groupby("queue", sort=False):
            local = own["start"].dt.tz_localize(None)
            cells = own.assign(clock=local - local.dt.normalize(), day=local.dt.normalize())
            cells["spare"] = cells["planned"] - cells["required"]
            grid = cells.pivot_table("spare", "clock", "day", aggfunc="sum")
            sheet.write_string(row, 0, str(queue)[:_LONGEST], self.formats["head"])
            for column, day in enumerate(grid.columns, 1):
                sheet.write_datetime(row, column, day.to_pydatetime(), self.formats["day"])
            for line, (clock, values) in enumerate(grid.iterrows(), row + 1):
                sheet.write_number(line, 0, clock.total_seconds() / 86400, self.formats["clock"])
                for column, value in enumerate(values, 1):
                    if pd.notna(value):
                        sheet.write_number(line, column, round(float(value), 2), self.formats["number"])
            last = row + len(grid)
            reach = max(float(grid.abs().max().max()), 1.0)
            colours = {"min_color": "#D4351C", "mid_color": "#FFFFFF", "max_color": "#5694CA"}
            places = {"min_value": -reach, "mid_value": 0, "max_value": reach}
            kinds = dict.fromkeys(("min_type", "mid_type", "max_type"), "num")
            sheet.conditional_format(
                row + 1, 1, last, len(grid.columns), {"type": "3_color_scale", **colours, **places, **kinds}
            )
            sheet.set_column(1, len(grid.columns), 15)
            row = last + 2

    def _roster(self) -> None:
        """A row per person, a column per day."""
        assert self.plan.roster is not None
        rows = self.plan.roster.assignments
        text = [
            f"{start:%H:%M}–{end:%H:%M} {group}\n{_breaks(breaks)}".strip()
            for start, end, group, breaks in zip(rows["start"], rows["end"], rows["group"], rows["breaks"], strict=True)
        ]
        days = pd.date_range(rows["day"].min(), rows["day"].max()) if len(rows) else pd.DatetimeIndex([])
        sheet = self.book.add_worksheet(self.say("roster"))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, max(len(days), 1), 24)
        sheet.write_string(0, 0, _HEADINGS["agent"][self.language], self.formats["head"])
        for column, day in enumerate(days, 1):
            sheet.write_datetime(0, column, day.to_pydatetime(), self.formats["day"])
        place = {agent: line for line, agent in enumerate(self.plan.roster.fairness["agent"], 1)}
        for agent, line in place.items():
            sheet.write_string(line, 0, str(agent)[:_LONGEST])
        for agent, day, words in zip(rows["agent"], rows["day"], text, strict=True):
            sheet.write_string(place[agent], days.get_loc(day) + 1, words[:_LONGEST], self.formats["text"])

    def _risk(self) -> None:
        plan = self.plan
        promises = plan.promises.assign(queue=self._named(plan.promises["queue"]))
        windows = worst_windows(plan)[["queue", "start", "end", "share", "kept"]]
        columns = ["queue", "start", "agents", "arrivals", "service_level", "low", "high", "abandonment", "kept"]
        self._table("risk", promises, windows, plan.lived.intervals[columns])

    def _named(self, queues: pd.Series) -> pd.Series:
        return queues.where(queues != "", self.say("all"))

    def _table(self, key: str, *frames: pd.DataFrame) -> None:
        """Write frames below one another; the last can be filtered."""
        sheet = self.book.add_worksheet(self.say(key))
        widths: dict[int, int] = {}
        row = 0
        for number, frame in enumerate(frames):
            for column, name in enumerate(frame.columns):
                heading = _HEADINGS.get(str(name), (str(name),) * 2)[self.language]
                sheet.write_string(row, column, heading, self.formats["head"])
                width = self._column(sheet, row + 1, column, frame[name], key)
                widths[column] = max(widths.get(column, 0), width)
            if number == len(frames) - 1:
                sheet.autofilter(row, 0, row + max(len(frame), 1), len(frame.columns) - 1)
            if len(frames) == 1:
                sheet.freeze_panes(1, 0)
            row += len(frame) + 2
        for column, width in widths.items():
            sheet.set_column(column, column, width)

    def _column(self, sheet: Any, row: int, column: int, values: pd.Series, key: str) -> int:
        if isinstance(values.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
            for line, moment in enumerate(values.dt.tz_localize(None), row):
                sheet.write_datetime(line, column, moment.to_pydatetime(), self.formats["time"])
            return 17
        if pd.api.types.is_numeric_dtype(values.dtype):
            low_high = key == "risk" and values.name in ("low", "high")
            share = values.name in _SHARES or low_high
            whole = pd.api.types.is_integer_dtype(values.dtype)
            form = self.formats["share" if share else "whole" if whole else "number"]
            if values.name in ("value", "low", "high") and not low_high:
                form = None
            for line, number in enumerate(values, row):
                if pd.notna(number) and abs(number) != float("inf"):
                    sheet.write_number(line, column, float(number), form)
            return 12
        words = [str(value)[:_LONGEST] for value in values]
        for line, text in enumerate(words, row):
            sheet.write_string(line, column, text)
        return min(max([10, *(sum(2 if ord(c) > 0x2E7F else 1 for c in text) + 2 for text in words)]), 90)


def _breaks(breaks: Sequence[tuple]) -> str:
    return ", ".join(f"{low:%H:%M}–{high:%H:%M}" for low, high, _ in breaks)
