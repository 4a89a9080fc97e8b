"""What starts runs: the clock, once a day for each kind of period, and files that appear in the drop folder."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

import svcanalytics as sv
from pipelines.installation import Installation
from pipelines.partitions import partition_key
from svcanalytics.report.scheduling.agenda import list_due
from svcanalytics.report.scheduling.news import tell_missed_news
from svcanalytics.report.words.labels import REPORTS

__all__ = ["UNDER_WAY", "build_drop_sensor", "build_forecast_schedule", "build_period_schedule"]

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""The states of a run that somebody works on."""
_SETTLED = timedelta(seconds=10)
"""A file is taken when nobody has written to it for so long."""


def build_period_schedule(installation: Installation, kind: str, job: str, lake: sv.Lake) -> dg.ScheduleDefinition:
    """Return the schedule of one kind of period: every morning, whatever is due and has no run under way.

    It asks the published editions, not its own memory, so that a missed quarter is caught up with, periods published
    by hand or by cron are not published again, and a period that waits for data is asked for again the next day.
    """
    timetable = installation.timetable.model_copy(
        update={"reports": tuple(name for name in installation.timetable.reports if REPORTS[name][0] == kind)}
    )

    @dg.schedule(
        name=f"{kind}_reports",
        job_name=job,
        cron_schedule="15 6 * * *",
        execution_timezone=lake.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule(context: dg.ScheduleEvaluationContext):
        today = context.scheduled_execution_time.astimezone(ZoneInfo(lake.timezone)).date()
        for trouble in tell_missed_news(installation.reports, installation.notify):
            context.log.warning(f"not told: {trouble}")
        found = list_due(installation.open_lake(), installation.reports, timetable, today)
        ready = dict.fromkeys(partition_key(due.period) for due in found if due.state == "due")
        running = _under_way(context.instance, job)
        for key in ready:
            if key not in running:
                yield dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d} {key}", partition_key=key)
        if not ready:
            late = dict.fromkeys(f"{due.period.key} is late: {'; '.join(due.missing)}" for due in found)
            yield dg.SkipReason("\n".join(late) or "nothing is due")

    return schedule


def build_forecast_schedule(job: str, lake: sv.Lake) -> dg.ScheduleDefinition:
    """Return the schedule of the forecast: every morning, before people plan."""
    return dg.ScheduleDefinition(
        name="daily_forecast", job_name=job, cron_schedule="0 5 * * *", execution_timezone=lake.timezone
    )


def build_drop_sensor(installation: Installation, job: str) -> dg.SensorDefinition:
    """Return the sensor of the drop folder: one run for each new file.

    A file in a folder of the inbox is read with the source mapping of that name; one in the inbox itself must be known
    by its columns. A file is new when its name, size or time of writing is.
    """

    @dg.sensor(
        name="drop_folder", job_name=job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING
    )
    def sensor(context: dg.SensorEvaluationContext):
        files = _settled(installation.inbox, datetime.now(UTC))
        for file in files:
            stat = file.stat()
            name = file.relative_to(installation.inbox).as_posix()
            source = file.parent.name if file.parent != installation.inbox else ""
            config = {"ops": {"loads": {"config": {"file": str(file), "source": source}}}}
            yield dg.RunRequest(run_key=f"{name}:{stat.st_mtime_ns}:{stat.st_size}", run_config=config)
        if not files:
            yield dg.SkipReason(f"no file in {installation.inbox}")

    return sensor


def _settled(inbox: Path, now: datetime) -> list[Path]:
    if not inbox.is_dir():
        return []
    found = [f for pattern in ("*", "*/*") for f in inbox.glob(pattern) if f.is_file() and f.name[0] not in ".~"]
    # When this machine last saw it change: a copy may keep another machine's time, and a clock may have been set back.
    return sorted(f for f in found if abs(now.timestamp() - f.stat().st_ctime) >= _SETTLED.total_seconds())


def _under_way(instance: dg.DagsterInstance, job: str) -> Sequence[str | None]:
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNDER_WAY))
    return [run.tags.get("dagster/partition") for run in runs]
