"""All of an installation's definitions."""

from __future__ import annotations

import dagster as dg

from pipelines.assets import build_forecast, build_loads, build_period_assets
from pipelines.installation import Installation
from pipelines.partitions import KINDS
from pipelines.triggers import build_drop_sensor, build_forecast_schedule, build_period_schedule

__all__ = ["build_definitions"]


def build_definitions(installation: Installation) -> dg.Definitions:
    """Return assets, jobs, schedules and sensors of one installation."""
    lake = installation.open_lake()
    loads, forecast = build_loads(installation), build_forecast(installation)
    load_job = dg.define_asset_job("load_file", selection=[loads])
    forecast_job = dg.define_asset_job("make_forecast", selection=[forecast])
    assets: list[dg.AssetsDefinition] = [loads, forecast]
    jobs, schedules = [load_job, forecast_job], [build_forecast_schedule(forecast_job.name, lake)]
    for kind in KINDS:
        made = build_period_assets(installation, kind, lake)
        job = dg.define_asset_job(f"{kind}_report", selection=made)
        assets += made
        jobs.append(job)
        schedules.append(build_period_schedule(installation, kind, job.name, lake))
    return dg.Definitions(
        assets=assets,
        jobs=jobs,
        schedules=schedules,
        sensors=[build_drop_sensor(installation, load_job.name)],
        # One run at a time in its own process: a report's kernels and a load's memory should not meet.
        executor=dg.in_process_executor,
    )
