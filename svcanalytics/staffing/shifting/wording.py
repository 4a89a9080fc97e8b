"""What a plan can't cover, in sentences."""

from __future__ import annotations

import pandas as pd

__all__ = ["explain_shortfalls"]

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": (
        "\u5468\u4e00",
        "\u5468\u4e8c",
        "\u5468\u4e09",
        "\u5468\u56db",
        "\u5468\u4e94",
        "\u5468\u516d",
        "\u5468\u65e5",
    ),
}
_WHOLE = {"en": ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS = {
    "en": {
        "start": "no shift starts before {detail}",
        "end": "no shift ends after {detail}",
        "weekday": "no shift works on {weekday}",
        "hole": "no shift is there at that time",
        "people": "all {detail} agents are planned that day",
        "people_1": "the only agent is planned that day",
        "people_0": "there are no agents",
        "week": "the days and hours of all {detail} agents are used up",
        "week_1": "the days and hours of the only agent are used up",
        "most": "no more than {most} a day may work the shift {pattern}",
        "beyond": "only shifts that end after the last day planned cover it, so plan the next day too",
        "price": "another shift would cost more than it is worth",
        "time": "time ran out before a better plan was found",
        "days": "{} to {}",
        "up_to": "up to ",
        "slot": "{queue}: {day} {start}\u2013{end} needs {up_to}{missing} more; {why}",
        "day": "{queue}: needs {missing} more {agents} on {day} ({start}\u2013{end}); {why}",
        "span": "{queue}: needs {missing} more {agents} from {day} to {last}; {why}",
    },
    "zh": {
        "start": "\u6ca1\u6709{detail}\u4e4b\u524d\u4e0a\u73ed\u7684\u73ed\u6b21",
        "end": "\u6ca1\u6709{detail}\u4e4b\u540e\u4e0b\u73ed\u7684\u73ed\u6b21",
        "weekday": "{weekday}\u6ca1\u6709\u73ed\u6b21",
        "hole": "\u8fd9\u4e2a\u65f6\u6bb5\u6ca1\u6709\u73ed\u6b21",
        "people": "\u5f53\u5929{detail}\u4eba\u5df2\u5168\u90e8\u6392\u73ed",
        "people_0": "\u6ca1\u6709\u5750\u5e2d",
        "week": "{detail}\u4eba\u672c\u5468\u7684\u5929\u6570\u548c\u5de5\u65f6\u5df2\u7528\u5b8c",
        "most": "\u73ed\u6b21{pattern}\u6bcf\u5929\u6700\u591a{most}\u4eba",
        "beyond": "只有跨到次日的班次能覆盖，请连同次日一起排班",
        "price": "\u518d\u52a0\u4e00\u4e2a\u73ed\u7684\u6210\u672c\u9ad8\u4e8e\u5176\u4f5c\u7528",
        "time": "\u6c42\u89e3\u65f6\u95f4\u5df2\u5230\uff0c\u672a\u627e\u5230\u66f4\u597d\u7684\u65b9\u6848",
        "days": "{}\u81f3{}",
        "up_to": "\u6700\u591a",
        "slot": "{queue}\uff1a{day} {start}\u2013{end} {up_to}\u8fd8\u7f3a{missing}\u4eba\uff1b{why}",
        "span": "{queue}\uff1a{day}\u81f3{last}\u8fd8\u7f3a{missing}\u4eba\uff1b{why}",
        "day": "{queue}\uff1a{day}\u8fd8\u7f3a{missing}\u4eba\uff08{start}\u2013{end}\uff09\uff1b{why}",
    },
}


def explain_shortfalls(shortfalls: pd.DataFrame, language: str = "en") -> list[str]:
    """Say what can't be covered and why; what is the same on days that follow each other is one sentence.

    Parameters
    ----------
    shortfalls : DataFrame
        Of a `ShiftPlan`: queue, start, end, missing, reason, detail, groups.
    language : str
        "en" or "zh".
    """
    words = _WORDS[language]
    sentences = []
    for run in _alike(shortfalls):
        row = run.iloc[0]
        known = {"detail": row["detail"]}
        if row["reason"] == "weekday":
            known["weekday"] = _WHOLE.get(language, _WEEKDAYS[language])[int(row["detail"])]
        if row["reason"] == "most":
            known["pattern"], known["most"] = row["detail"].rsplit(" ", 1)
        kind = {"people": "day", "week": "span"}.get(row["reason"], "slot")
        first, last = (_day(each, language) for each in (row["start"], run["end"].iloc[-1] - pd.Timedelta(minutes=1)))
        kind = "day" if kind == "span" and first == last else kind
        most = int(run["missing"].max())
        sentences.append(
            words[kind].format(
                queue=row["queue"],
                day=words["days"].format(first, last) if len(run) > 1 else first,
                last=last,
                start=f"{row['start']:%H:%M}",
                end=_end(row),
                up_to=words["up_to"] if (run["missing"] != most).any() else "",
                missing=most,
                agents="agent" if most == 1 else "agents",
                why=words.get(f"{row['reason']}_{row['detail']}", words[row["reason"]]).format(**known),
            )
        )
    return sentences


def _alike(shortfalls: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of the same times, reason and detail on days one after the other, in the order of their first."""
    if shortfalls.empty:
        return []
    shortfalls = _of_all_queues(shortfalls)
    clock = shortfalls["start"].dt.strftime("%H:%M") + [_end(row) for _, row in shortfalls.iterrows()]
    day = shortfalls["start"].dt.tz_localize(None).dt.normalize()
    single = shortfalls["reason"].isin(["people", "week"])
    keys = [shortfalls["queue"], shortfalls["reason"], shortfalls["detail"], clock]
    follows = day.groupby(keys).diff() == pd.Timedelta(days=1)
    run = (~follows | single).groupby(keys).cumsum().rename("run")
    return [rows for _, rows in shortfalls.groupby([*keys, run], sort=False)]


def _of_all_queues(shortfalls: pd.DataFrame) -> pd.DataFrame:
    """People who serve several queues are lacking once, not in each of these."""
    people = shortfalls["reason"].isin(["people", "week"])
    keys = ["reason", "detail", "missing", "groups", shortfalls["start"].dt.date]
    once = (
        shortfalls[people]
        .groupby(keys, sort=False)
        .agg(queue=("queue", ", ".join), start=("start", "min"), end=("end", "max"))
    )
    once = once.reset_index(["reason", "detail", "missing", "groups"])
    return pd.concat([shortfalls[~people], once]).sort_values("start", kind="stable", ignore_index=True)


def _end(row: pd.Series) -> str:
    return "24:00" if row["end"].normalize() > row["start"].normalize() else f"{row['end']:%H:%M}"


def _day(start: pd.Timestamp, language: str) -> str:
    weekday = _WEEKDAYS[language][start.day_of_week]
    if language == "zh":
        return f"{start.month}\u6708{start.day}\u65e5\uff08{weekday}\uff09"
    return f"{weekday} {start.day} {_MONTHS[start.month - 1]}"
