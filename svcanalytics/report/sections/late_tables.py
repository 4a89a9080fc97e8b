"""The tables under the standards: teams behind what was missed, and the cases that were late by most."""

from __future__ import annotations

from svcanalytics.report.blocks import Cell, Column, Table, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.words.formats import format_duration, format_rate, is_missing
from svcanalytics.report.words.labels import moment
from svcanalytics.report.words.vocabulary import group_name, shorten

__all__ = ["late_cases", "late_teams"]

MOST_ROWS = 12


def late_teams(e: Evaluation) -> Table | None:
    """Return the teams with the most late under each missed standard; only noise's opposite is called worst."""
    if e.late_teams.empty:
        return None
    zh = e.language == "zh"
    names = {clock.reading.id: clock.reading.name for clock in e.clocks}
    columns = [
        Column("name", "标准" if zh else "Standard"),
        Column("team", "责任团队" if zh else "Team in charge"),
        Column("late", "超时" if zh else "Late", "integer"),
        Column("due", "应办" if zh else "Due", "integer"),
        Column("share", "超时率" if zh else "Late share", "rate"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("verdict", "与其他团队相比" if zh else "Against the other teams"),
    ]
    words = (
        ("显著最差", "显著较差", "与其他团队无显著差异")
        if zh
        else ("worst for sure", "worse for sure", "no clear difference")
    )
    named = e.late_teams[e.late_teams["worse"]].groupby("standard")["share"].agg(["max", "size"])
    records = []
    # Teams that stand out are never hidden; of the others those with the most late are shown.
    keep = e.late_teams.sort_values(["worse", "late"], ascending=False, kind="stable").head(MOST_ROWS).index
    shown = len(keep)
    for row in e.late_teams.loc[sorted(keep)].to_dict("records"):
        verdict = words[2]
        if row["worse"]:
            verdict = words[0] if named.loc[row["standard"], "size"] == 1 else words[1]
        band = f"{format_rate(row['low'], e.language)} – {format_rate(row['high'], e.language)}"
        records.append(
            row
            | {"name": names[row["standard"]], "team": group_name(row["team"], e.language)}
            | {"band": Cell(band, band), "verdict": verdict}
        )
    note = (
        "对未达目标（或未设目标而有超时）的标准，列出超时最多的团队，以及超时率显著高于其他团队的团队（至多3个）；"
        "责任团队为首先承接的团队（首问负责）；样本不足的团队不列。"
        "是否显著按Fisher精确检验判断，并按所比较的标准和团队总数校正（Bonferroni，95%）；误差范围内的差异不评最差。"
        if zh
        else "For standards that missed their target, or have none and were late: the team with the most late, and "
        "teams late more often than the others for sure (up to 3). The team in charge is the one that took the case "
        "first; teams with too few records are left out. Fisher's exact test, corrected for all standards and teams "
        "compared (Bonferroni, 95%): no team is called worst for what may be noise."
    )
    if shown < len(e.late_teams):
        note += (
            f"另有{len(e.late_teams) - shown}行超时较少，未列出。"
            if zh
            else f" {len(e.late_teams) - shown} rows with fewer late are not listed."
        )
    title = "各项标准超时最多的团队" if zh else "Teams with the most late, by standard"
    return tabulate("late_teams", title, columns, records, e.language, note)


def late_cases(e: Evaluation) -> Table | None:
    """Return the cases late by most: number, standard, team, when opened and due, and by how much; nothing personal."""
    if e.late_cases.empty:
        return None
    zh = e.language == "zh"
    names = {clock.reading.id: clock.reading.name for clock in e.clocks}
    columns = [
        Column("id", "事项编号" if zh else "Case"),
        Column("name", "标准" if zh else "Standard"),
        Column("team", "责任团队" if zh else "Team in charge"),
        Column("start", "起算时间" if zh else "Opened"),
        Column("due", "应完成时间" if zh else "Due"),
        Column("overrun", "超时" if zh else "Late by", "duration"),
        Column("state", "状态" if zh else "State"),
    ]
    states = ("已结束", "仍未完成") if zh else ("over", "still open")
    records = [
        {
            "id": shorten(str(row["id"])),
            "name": names.get(row["standard"], row["standard"]),
            "team": Cell(None, "–") if is_missing(row["team"]) else group_name(row["team"], e.language),
            "start": moment(row["start"], str(row["start"].tz), e.language),
            "due": moment(row["due"], str(row["due"].tz), e.language),
            "overrun": Cell(float(row["overrun_s"]), format_duration(row["overrun_s"], e.language)),
            "state": states[bool(row["is_open"])],
        }
        for row in e.late_cases.to_dict("records")
    ]
    note = (
        "每个事项只列超时最长的一项标准；超时按该标准的日历计算，仍未完成的计至数据截止。名单不含客户信息和诉求内容。"
        if zh
        else "Each case once, with the standard it was late by most; time past the limit counts in the standard's own "
        "calendar, for open ones up to where the data stop. Nothing a customer said or is known by is listed."
    )
    title = f"超时最长的{len(records)}件事项" if zh else f"The {len(records)} cases late by most"
    return tabulate("late_cases", title, columns, records, e.language, note)
