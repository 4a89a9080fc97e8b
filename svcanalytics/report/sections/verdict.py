"""The verdict: whether service got better, how sure that is, and what can be said of why and of what comes next."""

from __future__ import annotations

from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.facts.risks import list_risks
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.reasons import certain_causes, inside_sentence, measure_name
from svcanalytics.report.sections.risk_section import risk_name
from svcanalytics.report.sections.standing import index_change, index_incomplete, index_score
from svcanalytics.report.words.formats import format_number, format_rate, is_missing

__all__ = ["describe_movers", "describe_outlook", "describe_verdict", "pass_verdict"]

MOST_IN_DANGER = 2
#: Told by shape as well as by word.
_HEADS = {
    "better": ("▲ 比{}提升", "▲ Better than {}"),
    "worse": ("▼ 比{}下降", "▼ Worse than {}"),
    "same": ("＝ 与{}相比无显著变化", "= No significant change from {}"),
    "mixed": ("◆ 与{}相比有升有降", "◆ Better in some, worse in others than {}"),
    "open": ("◇ 数据不完整，与{}相比不能断定", "◇ No verdict against {}: data are incomplete"),
    "first": ("○ 无上期可比", "○ No earlier period to compare with"),
}


def pass_verdict(e: Evaluation) -> tuple[str, str]:
    """Return what opens a report: in a few words better, worse or no significant change; then by how much, how sure."""
    row, change = index_score(e, ""), index_change(e, "")
    if row is None:
        return _without_index(e)
    return describe_verdict(
        (row["score"], row["low"], row["high"]),
        row["grade"],
        None if change is None else (change.value, change.low, change.high),
        e.language,
        e.every,
        incomplete=index_incomplete(e),
    )


def describe_verdict(
    score: tuple[float, float, float],
    grade: str,
    change: tuple[float, float, float] | None,
    language: str,
    every: str = "month",
    *,
    incomplete: bool = False,
) -> tuple[str, str]:
    """Return the verdict on an index in a few words, and the sentence with its numbers.

    Parameters
    ----------
    score : tuple of float
        The index (0-100) and its band.
    grade : str
        A, B, C or D.
    change : tuple of float or None
        Change on last period and its 95 % interval; None without a base. It is certain when the interval leaves out 0.
    language, every : str
        "zh" or "en"; kind of period.
    incomplete : bool
        The data of one of the two periods are: then nothing is called certain.
    """
    zh, last = language == "zh", narrative.period_word(every, language, last=True)
    number = f"{score[0]:.1f}±{(score[2] - score[1]) / 2:.1f}"
    stands = f"服务质量指数{number}分，等级{grade}" if zh else f"The index is {number}, grade {grade}"
    if change is None:
        told = _HEADS["first"][not zh]
        return told, f"{stands}。" if zh else f"{stands}."
    moved, low, high = (format_number(value, language, digits=1, signed=True) for value in change)
    band = f"95%区间{low}至{high}" if zh else f"95% interval {low} to {high}"
    if incomplete:
        told = _HEADS["open"][not zh].format(last)
        return (
            told,
            f"{stands}；较{last}{moved}分，仅供参考。" if zh else f"{stands}; {moved} on {last} is provisional.",
        )
    if change[1] > 0 or change[2] < 0:
        told = _HEADS["better" if change[0] > 0 else "worse"][not zh].format(last)
        up = (("上升", "up") if change[0] > 0 else ("下降", "down"))[not zh]
        if zh:
            return told, f"{stands}；较{last}{up}{moved[1:]}分，变化显著（{band}）。"
        return told, f"{stands}; {up} {moved[1:]} on {last} for certain ({band})."
    told = _HEADS["same"][not zh].format(last)
    if zh:
        return told, f"{stands}；较{last}{moved}分，在误差范围内（{band}）。"
    return told, f"{stands}; {moved} on {last} is within sampling error ({band})."


def describe_movers(e: Evaluation) -> str:
    """Return what moved the index for certain; without an index which measures got better or worse."""
    zh = e.language == "zh"
    if index_score(e, "") is None or index_change(e, "") is None or index_incomplete(e):
        told = narrative.describe_changes(by_weight(e), e.language, e.every, 2)
        if not (e.incomplete or index_incomplete(e)):
            return told
        return f"仅供参考：{told}" if zh else f"Provisional. {told}"
    causes = certain_causes(e)
    if not causes:
        return "没有单项指标的影响可以确定。" if zh else "No single measure moved it for certain."
    whole = e.movement is not None and not e.movement.metric and e.movement.certain
    doubted = [] if e.causes is None or e.causes.artefacts.empty else list(dict.fromkeys(e.causes.artefacts["measure"]))
    moved = e.movement.lines[e.movement.lines["certain"]]["metric"].tolist() if e.movement is not None else []
    named = [inside_sentence(measure_name(e, each)) for each in doubted if each in moved]
    names = narrative.enumerate_names(named, e.language)
    if zh:
        beware = f"其中{names}含数据口径的变化，未必是服务变化。" if names else ""
        return f"{'变动来自' if whole else '能确定的只有'}：{'、'.join(causes)}。{beware}"
    beware = f" In {names} the data changed too: that part is no change of service." if names else ""
    return f"{'It comes from' if whole else 'Certain within it'}: {', '.join(causes)}.{beware}"


def describe_outlook(e: Evaluation) -> str:
    """Return what is to be expected next: demand, and what is met now but in danger; "" without either."""
    zh, parts = e.language == "zh", []
    if e.ahead is not None and not e.ahead.totals.empty:
        whole = e.ahead.totals.iloc[0]
        mean, low, high = (format_number(whole[name], e.language, digits=0) for name in ("mean", "lower", "upper"))
        what = ("件接触" if e.ahead.table == "contacts" else "件事项") if zh else e.ahead.table
        parts.append(
            f"预计到达{mean}{what}（95%区间{low}–{high}）"
            if zh
            else f"{mean} {what} expected (95% interval {low}–{high})"
        )
    light = {reading.id: reading.light for reading in (*e.readings, *(clock.reading for clock in e.clocks))}
    risks = [risk for risk in list_risks(e) if light.get(risk.subject) in ("green", "yellow")]
    if risks:
        chance = "可能性" if zh else "chance "
        names = [
            f"{risk_name(e, risk)}（{chance}{format_rate(risk.probability, 'zh', digits=0)}）" if zh
            else f"{risk_name(e, risk)} ({chance}{format_rate(risk.probability, 'en', digits=0)})"
            for risk in risks[:MOST_IN_DANGER]
        ]  # fmt: skip
        listed = narrative.enumerate_names(names, e.language)
        parts.append(f"有失守风险的：{listed}" if zh else f"in danger: {listed}")
    if not parts:
        return ""
    following = e.period.next().label(e.language)
    return f"{following}{'；'.join(parts)}。" if zh else f"{following}: {'; '.join(parts)}."


def by_weight(e: Evaluation) -> list[Reading]:
    """Return the readings, what weighs most in the index first."""
    shares = {} if e.profile is None else e.profile.shares
    return sorted(e.readings, key=lambda reading: -shares.get(reading.id, 0.0))


def _without_index(e: Evaluation) -> tuple[str, str]:
    """Return what can be said without an index: how many measures moved for sure, and how much came in."""
    zh = e.language == "zh"
    better = sum(reading.better is True for reading in e.readings)
    worse = sum(reading.better is False for reading in e.readings)
    known = any(not is_missing(reading.change) for reading in e.readings)
    last = narrative.period_word(e.every, e.language, last=True)
    kind = (
        "first" if not known else "mixed" if better and worse else "better" if better else "worse" if worse else "same"
    )
    told = _HEADS["open" if e.incomplete and known else kind][not zh].format(last)
    volume = next((reading for reading in e.readings if reading.kind == "integer" and reading.value is not None), None)
    parts = []
    if better + worse:
        parts.append(
            f"{better}项指标显著改善、{worse}项显著变差" if zh
            else f"{better} {'measure' if better == 1 else 'measures'} significantly better, {worse} worse"
        )  # fmt: skip
    if volume is not None:
        parts.append(
            f"{volume.name}{volume.value_text('zh')}" if zh else f"{volume.name.lower()} {volume.value_text('en')}"
        )
    parts.append("可用指标不足，不计算服务质量指数" if zh else "too few measures for an index")
    text = ("；" if zh else "; ").join(parts)
    return told, f"{text}。" if zh else f"{text[0].upper()}{text[1:]}."
