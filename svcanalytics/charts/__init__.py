"""Pictures: one function per chart, a DataFrame in, an altair chart out; one theme. altair comes with the first."""

from svcanalytics.charts.agreement import draw_agreement
from svcanalytics.charts.columns import draw_ageing, draw_volume
from svcanalytics.charts.contributions import draw_contributions
from svcanalytics.charts.coverage import draw_coverage, draw_coverage_heat
from svcanalytics.charts.demand import draw_calendar_effects, draw_demand_heat
from svcanalytics.charts.demand_ahead import draw_forecast, draw_forecast_errors
from svcanalytics.charts.findings import draw_findings
from svcanalytics.charts.frontier import draw_frontier
from svcanalytics.charts.headcount import draw_headcount
from svcanalytics.charts.matrix import draw_risk_matrix
from svcanalytics.charts.process_map import draw_process_map
from svcanalytics.charts.process_rows import draw_bottlenecks, draw_waiting
from svcanalytics.charts.ranking import draw_funnel, draw_rank_intervals
from svcanalytics.charts.rendering import svg
from svcanalytics.charts.risk import draw_risk
from svcanalytics.charts.rows import draw_attainment, draw_family_profile, draw_units
from svcanalytics.charts.sensitivity import draw_sensitivity
from svcanalytics.charts.themes import draw_themes
from svcanalytics.charts.trends import draw_index_trend, draw_trend
from svcanalytics.charts.weights import draw_weights
from svcanalytics.charts.why import draw_why

__all__ = [
    "draw_ageing",
    "draw_agreement",
    "draw_attainment",
    "draw_bottlenecks",
    "draw_calendar_effects",
    "draw_contributions",
    "draw_coverage",
    "draw_coverage_heat",
    "draw_demand_heat",
    "draw_family_profile",
    "draw_findings",
    "draw_forecast",
    "draw_forecast_errors",
    "draw_frontier",
    "draw_funnel",
    "draw_headcount",
    "draw_index_trend",
    "draw_process_map",
    "draw_rank_intervals",
    "draw_risk",
    "draw_risk_matrix",
    "draw_sensitivity",
    "draw_themes",
    "draw_trend",
    "draw_units",
    "draw_volume",
    "draw_waiting",
    "draw_weights",
    "draw_why",
    "svg",
]
