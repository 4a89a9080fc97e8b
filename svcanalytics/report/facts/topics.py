"""What sections of their own are written from: access to people, complaints, quality checks, risks, the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import improve, metrics
from svcanalytics.metrics.views import view
from svcanalytics.periods import Period
from svcanalytics.report.facts.carried import read_carried
from svcanalytics.report.facts.complaints import Complaints, read_complaints
from svcanalytics.report.facts.course import Course, read_course

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["ACCESS", "Topics", "read_topics"]

#: Whether people got through: measures of the section on access, as far as a lake has them.
ACCESS = ("answer_rate", "service_level_20s_offered", "abandonment_rate", "speed_of_answer")
_CHECKS = ("qa_score", "fatal_error_rate")


@dataclass(frozen=True)
class Topics:
    """What was read for the sections of their own; a lake without it leaves a frame empty.

    Attributes
    ----------
    access : DataFrame
        The measures of `ACCESS` by queue, of this period and the last.
    complaints : Complaints or None
    checks : DataFrame
        QA by item, of this period and the last.
    register : DataFrame
        The newest entry of every risk on the register: risk, probability, impact (1-5), answer, at.
    lines : DataFrame
        All lines of the ledger, as `improve.read_actions` gives them.
    carried : DataFrame
        What was decided last period and what became of it, as `read_carried` gives it.
    course : Course or None
        Which step followed which.
    """

    access: pd.DataFrame = field(default_factory=pd.DataFrame)
    complaints: Complaints | None = None
    checks: pd.DataFrame = field(default_factory=pd.DataFrame)
    register: pd.DataFrame = field(default_factory=pd.DataFrame)
    lines: pd.DataFrame = field(default_factory=pd.DataFrame)
    carried: pd.DataFrame = field(default_factory=pd.DataFrame)
    course: Course | None = None


def read_topics(lake: Lake, period: Period) -> Topics:
    """Read what the sections of their own are written from."""
    lines = improve.read_actions(lake) if lake.has("actions") else pd.DataFrame()
    return Topics(
        access=_split(lake, ACCESS, "queue", period) if lake.has("contacts") else pd.DataFrame(),
        complaints=read_complaints(lake, period),
        checks=_split(lake, _CHECKS, "item", period) if lake.has("audits") else pd.DataFrame(),
        register=_read_register(lake, period) if lake.has("risks") else pd.DataFrame(),
        lines=lines,
        carried=read_carried(lake, period, lines) if len(lines) else pd.DataFrame(),
        course=read_course(lake, period),
    )


def _split(lake: Lake, names: tuple[str, ...], by: str, period: Period) -> pd.DataFrame:
    """Measure this period and the last by one dimension, as far as the catalogue has measures with it."""
    known = metrics.catalogue(lake).metrics
    chosen = [name for name in names if name in known and by in view(known[name].view).columns()]
    if not chosen:
        return pd.DataFrame()
    start = period.previous().start
    found = metrics.measure(lake, chosen, by=[by], every=period.kind, start=start, end=period.last)
    return found[found[by].notna()].reset_index(drop=True)


def _read_register(lake: Lake, period: Period) -> pd.DataFrame:
    last = int(period.last.strftime("%Y%m%d"))
    return lake.sql(
        'select risk, probability, impact, answer, "at" from risks '
        f"where day_key <= {last} and probability is not null and impact is not null "
        'qualify row_number() over (partition by risk order by "at" desc, risk_id desc) = 1 '
        "order by probability * impact desc, risk"
    )
