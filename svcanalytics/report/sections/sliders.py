"""Sliders over a plan: what if there are more contacts, longer ones, less patience, fewer people, another target."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from svcanalytics import charts, staffing
from svcanalytics.errors import SvcError

if TYPE_CHECKING:
    import ipywidgets

    from svcanalytics.staffing import Simulation

__all__ = ["what_if_panel"]

_WORDS = {
    "zh": {
        "volume": "来量 (%)",
        "handle_time": "处理时长 (%)",
        "patience": "耐心 (%)",
        "agents": "坐席增减（人）",
        "service_level": "目标接通率 (%)",
        "within_s": "目标时限（秒）",
        "heads": ("指标", "原计划", "改变后", "变化", "95%区间"),
        "measures": {
            "service_level": "时限内应答率",
            "abandonment": "放弃率",
            "asa_s": "平均应答时长（秒）",
            "occupancy": "占用率",
            "kept": "全天达标的概率",
        },
        "verdict": "全天达标的概率：原计划{before:.0%}，改变后{after:.0%}。",
        "same": "尚未改变任何条件。",
        "where": "何处易不达标（改变后）",
    },
    "en": {
        "volume": "Volume (%)",
        "handle_time": "Handle time (%)",
        "patience": "Patience (%)",
        "agents": "Agents more or less",
        "service_level": "Target (%)",
        "within_s": "within (s)",
        "heads": ("Measure", "Plan", "Then", "Change", "95 % interval"),
        "measures": {
            "service_level": "Answered in time",
            "abandonment": "Abandoned",
            "asa_s": "Mean wait of those answered (s)",
            "occupancy": "Occupancy",
            "kept": "Days that keep the promise",
        },
        "verdict": "Days that keep the promise: {before:.0%} as planned, {after:.0%} then.",
        "same": "Nothing has been changed yet.",
        "where": "Where it is likely to miss, then",
    },
}
_SECONDS = "asa_s"
_STYLE = "border-collapse:collapse;font:14px sans-serif"
_CELL = "padding:.2rem .8rem;border-bottom:1px solid #d9dee3;text-align:right"


def what_if_panel(lived: Simulation, *, language: str = "en") -> ipywidgets.VBox:
    """Return sliders that live through the same random days again and show what changes, and how sure that is.

    Parameters
    ----------
    lived : Simulation
        Of one queue, as `staffing.simulate` gives it from a plan of agents per interval.
    language : str
        "zh" or "en".

    Returns
    -------
    ipywidgets.VBox
        To be shown as the last expression of a cell; a slider that is let go computes anew, in well under a second.

    Raises
    ------
    ValueError
        When the simulation is of several queues.
    """
    import ipywidgets

    queues = [volume.queue for volume in lived.scene.volumes]
    if len(queues) != 1:
        raise ValueError(f"the panel shows one queue, there are {', '.join(queues)}")
    promise = lived.scene.promises[queues[0]]
    words = _WORDS[language]
    ranges = {
        "volume": (50, 170, 5, 100),
        "handle_time": (60, 150, 5, 100),
        "patience": (20, 200, 10, 100),
        "agents": (-5, 5, 1, 0),
        "service_level": (50, 95, 5, round(100 * (promise.service_level or 0.8))),
        "within_s": (5, 120, 5, round(promise.within_s)),
    }
    if promise.patience_s is None:
        del ranges["patience"]
    sliders = {name: _slider(words[name], *of) for name, of in ranges.items()}
    answer = ipywidgets.HTML()

    def answer_anew(_: Any = None) -> None:
        chosen = {name: slider.value for name, slider in sliders.items()}
        try:
            answer.value = _answer(lived, chosen, language)
        except SvcError as error:
            answer.value = f"<p><strong>{escape(error.what)}</strong> {escape(error.fix)}</p>"

    for slider in sliders.values():
        slider.observe(answer_anew, names="value")
    answer_anew()
    box = ipywidgets.VBox([ipywidgets.VBox(list(sliders.values())), answer])
    box.add_class("svc-what-if")
    return box


def _slider(text: str, low: int, high: int, step: int, value: int) -> Any:
    import ipywidgets

    # Told once, when it is let go: every move in between would be lived through too.
    return ipywidgets.IntSlider(
        value=min(max(value, low), high),
        min=low,
        max=high,
        step=step,
        description=text,
        continuous_update=False,
        style={"description_width": "12em"},
        layout={"width": "32em", "max_width": "100%"},
    )


def _answer(lived: Simulation, chosen: dict[str, int], language: str) -> str:
    words = _WORDS[language]
    factors = {name: chosen[name] / 100 for name in ("volume", "handle_time", "patience") if name in chosen}
    more = chosen["agents"]
    plan = lived.intervals[["queue", "start", "agents"]]
    plan = plan.assign(agents=(plan["agents"] + more).where(plan["agents"] > 0, 0.0)) if more > 0 else None
    after = staffing.relive(
        lived,
        **factors,
        absent=max(0, -more),
        plan=plan,
        service_level=chosen["service_level"] / 100,
        within_s=float(chosen["within_s"]),
    )
    table = staffing.compare(lived, after, by=("queue",)).set_index("measure")
    kept = table.loc["kept"]
    verdict = words["verdict"].format(before=kept["before"], after=kept["after"])
    if not (table["change"].abs() > 0).any():
        verdict = words["same"]
    risk = charts.draw_risk(after.intervals[["start", "kept"]], language=language)
    picture = charts.svg(risk, language)
    return f"<p><strong>{escape(verdict)}</strong></p>{_table(table, words)}<p>{escape(words['where'])}</p>{picture}"


def _table(table: pd.DataFrame, words: dict[str, Any]) -> str:
    rows = []
    for name, text in words["measures"].items():
        if name not in table.index or pd.isna(table.loc[name, "before"]):
            continue
        row = table.loc[name]
        if name == _SECONDS:
            cells = [f"{row['before']:.1f}", f"{row['after']:.1f}", f"{row['change']:+.1f}"]
            cells.append(f"{row['low']:+.1f} – {row['high']:+.1f}")
        else:
            cells = [f"{row['before']:.1%}", f"{row['after']:.1%}", f"{100 * row['change']:+.1f}"]
            cells.append(f"{100 * row['low']:+.1f} – {100 * row['high']:+.1f}")
        body = "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in cells)
        rows.append(f'<tr><th scope="row" style="{_CELL};text-align:left">{escape(text)}</th>{body}</tr>')
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(text)}</th>' for text in words["heads"])
    return f'<table style="{_STYLE}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
