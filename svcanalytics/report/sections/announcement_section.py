"""The public notice in words and short tables: for customers, in their words, without a name in it."""

from __future__ import annotations

from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Heading, Table, Text, tabulate
from svcanalytics.report.facts.announcement import SMALLEST, Announcement
from svcanalytics.report.facts.readings import Clock, Reading, target_number
from svcanalytics.report.sections.head_section import write_head
from svcanalytics.report.words.formats import format_date, format_integer, format_points, format_rate, is_missing
from svcanalytics.report.words.vocabulary import group_name

__all__ = [
    "announced_improvements",
    "announced_promises",
    "announced_reach",
    "announced_satisfaction",
    "announced_suggestion",
    "announced_volumes",
    "announcement_opening",
]

#: Promises listed one by one.
MOST_PROMISES = 10
_KEPT = {
    "green": ("兑现", "Kept"),
    "yellow": ("接近，尚难断定", "Too close to call"),
    "red": ("未兑现", "Not kept"),
    "grey": ("件数太少", "Too few"),
}


def announcement_opening(announcement: Announcement) -> Document:
    """Return the head of the notice."""
    return write_head(announcement.occasion)


def announced_promises(announcement: Announcement) -> Blocks:
    """Return the promises: of each how often it was late, how sure that is, and whether it was kept."""
    a, zh = announcement, announcement.occasion.language == "zh"
    head = Heading("服务承诺兑现情况" if zh else "What we promised, and how often we were late", 2, "promises")
    if not a.promises:
        text = (
            f"本月没有可公布的承诺时限（各项不足{SMALLEST}件，或数据中没有办理时间）。"
            if zh
            else f"There is no time limit to report on this month: fewer than {SMALLEST} requests fell due under each, "
            "or the records hold no times."
        )
        return Blocks((head, Text(text, "note")))
    return Blocks((head, Text(_verdict(a), "lead"), _promises(a)))


def announced_improvements(announcement: Announcement) -> Blocks:
    """Return the three improvements customers hear about, and how far each has come."""
    a, zh = announcement, announcement.occasion.language == "zh"
    count = len(a.improvements)
    title = (f"TOP {count}改进项及进展" if zh else f"Top {count} to improve, and how far we are") if count else (
        "改进项及进展" if zh else "What we are improving"
    )  # fmt: skip
    head = Heading(title, 2, "improvements")
    if not count:
        text = "本月没有可公示的改进事项。" if zh else "There is no improvement to report on this month."
        return Blocks((head, Text(text, "note")))
    columns = [
        Column("problem", "问题" if zh else "What was wrong"),
        Column("measure", "我们的做法" if zh else "What we do"),
        Column("progress", "进展" if zh else "Where it stands"),
    ]
    records = [
        {"problem": row["problem"], "measure": Cell(None, "–") if is_missing(row["measure"]) else row["measure"]}
        | {"progress": _progress(row, a.occasion.language)}
        for row in a.improvements.to_dict("records")
    ]
    title = "改进事项" if zh else "What we are improving"
    note = (
        "选自整改台账：优先选择客户反映的、涉及事项最多的问题。"
        if zh
        else "From our list of open problems: those that customers raised and that the most entries are about."
    )
    return Blocks((head, tabulate("improvements", title, columns, records, a.occasion.language, note)))


def announced_satisfaction(announcement: Announcement) -> Blocks:
    """Return how satisfied those were who said so, of how many, and how sure that is."""
    a, zh = announcement, announcement.occasion.language == "zh"
    head = Heading("客户满意度" if zh else "How satisfied you were", 2, "satisfaction")
    told = [_satisfied(a.reading("csat"), zh), _solved(a.reading("complaint_resolution"), zh)]
    texts = [text for text in told if text]
    if not texts:
        if any(reading.id == "csat" for reading in a.readings):
            text = (
                "本月评价不足，不公布满意度。" if zh else "Too few customers rated us this month to publish a figure."
            )
        else:
            text = "本月没有满意度评价记录。" if zh else "No ratings by customers are on record for this month."
        return Blocks((head, Text(text, "note")))
    return Blocks((head, *(Text(text) for text in texts)))


def announced_volumes(announcement: Announcement) -> Blocks:
    """Return how much came in and of what kind."""
    a, zh = announcement, announcement.occasion.language == "zh"
    language = a.occasion.language
    head = Heading("受理情况" if zh else "What you asked of us", 2, "volumes")
    cases, contacts, answered = (a.reading(name) for name in ("cases_opened", "contacts_offered", "answer_rate"))
    parts = []
    if cases:
        n, versus = cases.value_text(language), _moved(cases, zh)
        parts.append(f"本月共受理{n}件诉求{versus}。" if zh else f"You made {n} requests this month{versus}.")
    if contacts and answered:
        n, share = contacts.value_text(language), answered.value_text(language)
        parts.append(
            f"人工服务请求{n}次，接通{share}。" if zh else f"You asked for a person {n} times; {share} were answered."
        )
    if len(a.types):
        total = a.types["count"].sum()
        kinds = [
            f"{group_name(row['group'], language)}{'' if zh else ' '}{row['count']:,}{'件' if zh else ''}"
            f"{'（' if zh else ' ('}{format_rate(row['count'] / total, language)}{'）' if zh else ')'}"
            for row in a.types.to_dict("records")
        ]
        parts.append(f"按类型：{'、'.join(kinds)}。" if zh else f"By kind: {', '.join(kinds)}.")
    if not parts:
        parts = ["本月没有受理记录。" if zh else "No request is on record this month."]
    return Blocks((head, Text(("" if zh else " ").join(parts))))


def announced_suggestion(announcement: Announcement) -> Blocks:
    """Return the best proposal that was adopted, or why there is none."""
    a, zh = announcement, announcement.occasion.language == "zh"
    head = Heading("采纳的建议" if zh else "A suggestion we took up", 2, "suggestion")
    received, adopted = a.reading("suggestions_received"), a.reading("suggestion_adopted")
    counted = ""
    if received and received.value >= SMALLEST:
        n = received.value_text(a.occasion.language)
        counted = f"本月收到建议{n}条" if zh else f"We received {n} suggestions this month"
        if adopted:
            share = adopted.value_text(a.occasion.language)
            counted += f"，采纳{share}" if zh else f" and took up {share} of those that could be decided"
        counted += "。" if zh else "."
    if a.suggestion is None:
        why = {
            "no_ledger": ("没有提供建议办理记录", "no list of suggestions was supplied"),
            "none_adopted": ("本月没有验收完成的建议", "none was put into practice and accepted this month"),
            "withheld": ("已采纳建议的内容涉及个人或内部信息", "what was taken up holds personal or internal details"),
        }[a.no_suggestion][0 if zh else 1]
        text = f"最佳建议从缺：{why}。" if zh else f"No suggestion is singled out: {why}."
        return Blocks((head, *([Text(counted)] if counted else []), Text(text, "note")))
    s = a.suggestion
    text = (
        f"最佳建议：针对“{s['problem']}”，我们采纳了“{s['measure']}”的建议"
        if zh
        else f"Suggestion of the month: about “{s['problem']}”, we took up “{s['measure']}”"
    )
    text += ("，并已形成长期标准" if zh else ", which is now a standing rule") if s["standard"] else ""
    return Blocks((head, Text(text + ("。" if zh else "."), "lead"), *([Text(counted)] if counted else [])))


def announced_reach(announcement: Announcement) -> Blocks:
    """Return how to reach the organisation and how to complain, and what the figures mean."""
    a, zh = announcement, announcement.occasion.language == "zh"
    language = a.occasion.language
    head = Heading("联系我们与监督" if zh else "How to reach us", 2, "reach")
    items: list = [head, *(Text(line) for line in a.contact.sentences(language))]
    if len(items) == 1:
        text = (
            "对本公示内容有疑问，或对服务不满意，请通过受理您诉求的渠道提出，我们会答复。"
            if zh
            else "If you doubt anything in this notice or are not satisfied, tell us the way you made your request; "
            "you will get an answer."
        )
        items.append(Text(text))
    span = a.occasion.period.span(language)
    until = format_date(a.occasion.data_until, language)
    text = (
        f"统计时间：{span}；数据截止{until}。“95%区间”表示：在同样的条件下，真实水平有95%的把握落在这个范围内；"
        "范围越窄，数字越可靠。本公示不含个人信息。"
        if zh
        else f"Period: {span}; records up to {until}. The 95% range says where the true figure lies with 95% "
        "confidence: the narrower, the surer. This notice holds no personal data."
    )
    return Blocks((*items, Text(text, "note")))


def _verdict(a: Announcement) -> str:
    zh = a.occasion.language == "zh"
    judged = [clock for clock in a.promises if clock.reading.judged]
    kept = sum(clock.reading.light == "green" for clock in judged)
    due, late = sum(clock.due for clock in a.promises), sum(clock.late or 0 for clock in a.promises)
    rate = _in_hundred(late / due, zh)
    if len(a.promises) == 1:
        name = a.promises[0].reading.name
        if zh:
            return f"“{name}”到期{due:,}件次，超时{late:,}件次，{rate}。"
        return f"{name}: of {due:,} that fell due we were late with {late:,}, {rate}."
    worst = max(a.promises, key=lambda clock: (clock.late or 0) / clock.due)
    if zh:
        text = f"{len(a.promises)}项时限共到期{due:,}件次，超时{late:,}件次，{rate}。"
        text += f"其中{len(judged)}项承诺了按时比例，{kept}项兑现。" if judged else ""
        if worst.late:
            text += f"超时比例最高的是“{worst.reading.name}”，{_in_hundred(worst.late / worst.due, zh)}。"
        return text
    text = f"Our {len(a.promises)} time limits fell due {due:,} times; we were late {late:,} times, {rate}."
    text += f" For {len(judged)} of them we promised a share on time and kept {kept}." if judged else ""
    if worst.late:
        text += f" Late most often: {worst.reading.name}, {_in_hundred(worst.late / worst.due, zh)}."
    return text


def _in_hundred(share: float, zh: bool) -> str:
    """Return a share as people say it: "about 3 in 100"."""
    if 0 < share < 0.005:
        times = max(round(share * 1000), 1)
        return f"约每1000件中有{times}件" if zh else f"about {times} in 1,000"
    return f"约每100件中有{round(share * 100)}件" if zh else f"about {round(share * 100)} in 100"


def _promises(a: Announcement) -> Table:
    zh = a.occasion.language == "zh"
    columns = [
        Column("name", "承诺" if zh else "Promise"),
        Column("due", "到期件数" if zh else "Fell due", "integer"),
        Column("late", "超时" if zh else "Late", "integer"),
        Column("share", "超时率" if zh else "Share late", "rate"),
        Column("range", "95%区间" if zh else "95% range"),
        Column("allowed", "承诺" if zh else "Promised"),
        Column("verdict", "结果" if zh else "Result"),
    ]
    title = "各项时限的超时情况" if zh else "How often each limit was missed"
    note = (
        f"超时率=超时件数÷到期件数；不足{SMALLEST}件的不公布；“–”表示该时限未承诺比例，仅公布结果。"
        if zh
        else f"Share late: late of those that fell due; limits with fewer than {SMALLEST} are left out. A dash: no "
        "share was promised, only the result is published."
    )
    rest = len(a.promises) - MOST_PROMISES
    if rest > 0:
        note += (
            f"另有{rest}项到期件数较少，未逐项列出，已计入上面的合计。"
            if zh
            else f" {rest} limits under which less fell due are counted above but not listed."
        )
    records = [_promise(clock, a.occasion.language) for clock in a.promises[:MOST_PROMISES]]
    return tabulate("promises", title, columns, records, a.occasion.language, note)


def _promise(clock: Clock, language: str) -> dict:
    zh, reading = language == "zh", clock.reading
    late = (clock.late or 0) / clock.due
    low, high = (format_rate(1 - value, language) for value in (reading.high, reading.low))
    allowed, verdict = Cell(None, "–"), Cell(None, "–")
    if not is_missing(reading.target):
        share = target_number(1 - reading.target, "rate", language)
        allowed = Cell(1 - reading.target, f"不超过{share}" if zh else f"at most {share}", kind="rate")
        light = reading.light or "grey"
        verdict = Cell(light, _KEPT[light][0 if zh else 1], light)
    return {
        "name": reading.name,
        "due": clock.due,
        "late": clock.late,
        "share": late,
        "range": Cell(f"{low}–{high}", f"{low}–{high}"),
        "allowed": allowed,
        "verdict": verdict,
    }


def _progress(row: dict, language: str) -> str:
    n, done, verified = int(row["lines"]), int(row["done"]), int(row["verified"])
    open_ = n - done
    if language == "zh":
        parts = [f"涉及{n}项"] + ([f"已完成{done}项"] if done else []) + ([f"整改中{open_}项"] if open_ else [])
        parts += [f"回访确认改善{verified}项"] if verified else []
        if open_ and not is_missing(row["due"]):
            parts.append(f"最晚{row['due'].year}年{row['due'].month}月完成")
        return "，".join(parts) + "。"
    parts = [f"{n} entries" if n > 1 else "1 entry"] + ([f"{done} done"] if done else [])
    parts += [f"{open_} in hand"] if open_ else []
    parts += [f"{verified} confirmed better by customers"] if verified else []
    if open_ and not is_missing(row["due"]):
        parts.append(f"the last due in {format_date(row['due'].date(), 'en').split(' ', 1)[1]}")
    return "; ".join(parts) + "."


def _moved(reading: Reading, zh: bool) -> str:
    """Return how an amount moved since last month, "" without a base."""
    if is_missing(reading.change) or not reading.previous:
        return ""
    if not reading.significant:
        return "，与上月基本持平" if zh else ", about as many as last month"
    share = format_rate(abs(reading.change) / reading.previous, "zh" if zh else "en")
    if zh:
        return f"，比上月{'增加' if reading.change > 0 else '减少'}{share}"
    return f", {share} {'more' if reading.change > 0 else 'fewer'} than last month"


def _satisfied(reading: Reading | None, zh: bool) -> str:
    if reading is None:
        return ""
    language = "zh" if zh else "en"
    value, n = reading.value_text(language), format_integer(reading.n, language)
    low, high = (format_rate(bound, language) for bound in (reading.low, reading.high))
    text = (
        f"{n}位客户作出评价，其中{value}表示满意或非常满意（95%区间{low}–{high}）"
        if zh
        else f"{n} customers rated us; {value} were satisfied or very satisfied (95% range {low} to {high})"
    )
    if not is_missing(reading.previous):
        if reading.significant and reading.change:
            points = format_points(abs(reading.change), language).lstrip("+")
            up = reading.change > 0
            text += f"，比上月{'提高' if up else '下降'}{points}" if zh else (
                f", {points} {'more' if up else 'less'} than last month"
            )  # fmt: skip
        else:
            text += "，与上月相比无显著变化" if zh else ", no real change on last month"
    if not is_missing(reading.target):
        share = target_number(reading.target, reading.kind, language)
        chinese, english = {"green": ("已达到", "we reached"), "red": ("未达到", "we missed")}.get(
            reading.light or "", ("尚难断定是否达到", "too close to call against")
        )
        text += f"；{chinese}{share}的目标" if zh else f"; {english} our target of {share}"
    return text + ("。" if zh else ".")


def _solved(reading: Reading | None, zh: bool) -> str:
    if reading is None or reading.n < SMALLEST:
        return ""
    language = "zh" if zh else "en"
    value, n = reading.value_text(language), format_integer(reading.n, language)
    low, high = (format_rate(bound, language) for bound in (reading.low, reading.high))
    if zh:
        return f"本月{n}件投诉中，{value}已解决（95%区间{low}–{high}）。"
    return f"Of {n} complaints this month {value} are resolved (95% range {low} to {high})."
