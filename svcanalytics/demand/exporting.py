"""Forecasts as files: a workbook for planners, or plain CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from svcanalytics.demand.result import Forecast
from svcanalytics.errors import DemandError

__all__ = ["export", "forecast_days"]

_SHEETS = {
    "days": ("Days", "按日"),
    "slots": ("Slots", "按时段"),
    "findings": ("Data found", "数据检查"),
    "notes": ("Notes", "说明"),
}
_HEADINGS = {
    "queue": ("queue", "队列"),
    "start": ("start", "开始"),
    "day": ("day", "日期"),
    "weekday": ("weekday", "星期"),
    "day_class": ("kind of day", "日期类型"),
    "mean": ("expected", "期望量"),
    "end": ("end", "结束"),
    "what": ("what", "发现"),
    "detail": ("detail", "详情"),
    "done": ("what was done", "处理"),
    "model": ("model", "模型"),
    "loss": ("error in trials", "试验误差"),
    "weight": ("weight", "权重"),
    "note": ("note", "说明"),
}
_WEEKDAYS = (("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), tuple("一二三四五六日"))

_CLASSES_ZH = {
    "ordinary": "普通日",
    "weekend": "周末",
    "holiday": "法定节假日",
    "substituted": "调休放假",
    "make_up": "调休上班",
    "eve": "假前一天",
    "day_after": "假后第一天",
    "bridge": "桥接日",
    "school_break": "学校假期",
}


def export(forecast: Forecast, path: str | Path, *, findings: pd.DataFrame | None = None, language: str = "en") -> Path:
    """Write a forecast to a file.

    Parameters
    ----------
    forecast : Forecast
    path : str or Path
        ``.xlsx``: sheets of days, slots, what was found in the arrivals, and notes with the models, with typed cells;
        ``.csv``: the slots alone, with aware starts, as UTF-8 that spreadsheets recognise.
    findings : pandas.DataFrame, optional
        The arrivals' report.
    language : str
        ``en`` or ``zh``, of sheets and headings.

    Raises
    ------
    DemandError
        The file has another ending.
    """
    path = Path(path)
    if path.suffix not in (".xlsx", ".csv"):
        raise DemandError(f"forecasts are not written as {path.suffix or 'files without an ending'}", fix="use .xlsx")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        forecast.table.to_csv(path, index=False, encoding="utf-8-sig")
        return path
    slots = forecast.table.assign(start=forecast.table["start"].dt.tz_localize(None))
    notes = [*forecast.notes.itertuples(index=False, name=None)]
    notes.append(("", f"times are local: {forecast.table['start'].dt.tz}; model: {forecast.model}"))
    sheets = {
        "days": forecast_days(forecast, language),
        "slots": slots,
        "findings": findings if findings is not None else pd.DataFrame(columns=["queue", "start", "what"]),
        "notes": pd.concat([pd.DataFrame(notes, columns=["queue", "note"]), forecast.selection]),
    }
    _write_book(path, sheets, int(language == "zh"))
    return path


def forecast_days(forecast: Forecast, language: str = "en") -> pd.DataFrame:
    """Return the totals of days with what the calendar says of them: queue, day, weekday, day_class, mean, bounds."""
    days = forecast.totals("day").rename(columns={"start": "day"})
    kinds = pd.concat(
        [o.future.features["day_class"].rename_axis("day") for o in forecast.outlooks], keys=_names(forecast)
    )
    kinds = kinds.rename_axis(["queue", "day"]).reset_index()
    days = days.merge(kinds, on=["queue", "day"], how="left")
    names = _WEEKDAYS[int(language == "zh")]
    days.insert(2, "weekday", [names[day] for day in days["day"].dt.day_of_week])
    kind = days.pop("day_class").astype(str)
    days.insert(3, "day_class", kind.replace(_CLASSES_ZH) if language == "zh" else kind)
    return days


def _names(forecast: Forecast) -> list[str]:
    return [outlook.queue for outlook in forecast.outlooks]


def _write_book(path: Path, sheets: dict[str, pd.DataFrame], language: int) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            "number": book.add_format({"num_format": "#,##0.0"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        for key, frame in sheets.items():
            sheet = book.add_worksheet(_SHEETS[key][language])
            sheet.freeze_panes(1, 0)
            for column, name in enumerate(frame.columns):
                sheet.write_string(0, column, _heading(str(name), language), formats["head"])
                width = _write_column(sheet, column, frame[name], formats)
                sheet.set_column(column, column, width)
            if len(frame):
                sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)


def _heading(name: str, language: int) -> str:
    side, _, level = name.partition("_")
    if side in ("lower", "upper") and level:
        return f"{level} % {side}" if not language else f"{level}%{'下限' if side == 'lower' else '上限'}"
    return _HEADINGS.get(name, (name, name))[language]


def _write_column(sheet: Any, column: int, values: pd.Series, formats: dict[str, Any]) -> int:
    """Write one typed column and return the width that shows it."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        whole = (values.dropna() == values.dropna().dt.normalize()).all() and values.name != "start"
        for row, moment in enumerate(values, 1):
            if pd.notna(moment):
                sheet.write_datetime(row, column, moment.to_pydatetime(), formats["day" if whole else "time"])
        return 12 if whole else 18
    if pd.api.types.is_numeric_dtype(values.dtype):
        shown = formats["share" if values.name in ("loss", "weight") else "number"]
        for row, number in enumerate(values, 1):
            if pd.notna(number):
                sheet.write_number(row, column, float(number), shown)
        return 12
    for row, text in enumerate(values, 1):
        if pd.notna(text):
            sheet.write_string(row, column, str(text))
    longest = max((sum(2 if ord(c) > 0x2E7F else 1 for c in str(text)) for text in values.dropna()), default=8)
    return min(max(longest + 2, 10), 70)
