"""Reports: blocks, narrative, the evaluation with its sections, and publishing. Names are imported when first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public name -> module of this package that holds it.
_HOME: dict[str, str] = {
    "Edition": "edition",
    "editions": "edition",
    "publish": "publishing",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "opening": "overview",
    "summary": "summary_section",
    "quality_index": "standing",
    "why_it_moved": "movement_section",
    "root_causes": "causes_section",
    "indicators": "indicator_table",
    "standards": "clock_table",
    "volumes": "breakdowns",
    "unit_places": "places_section",
    "teams": "breakdowns",
    "backlog": "breakdowns",
    "courses": "context",
    "months": "context",
    "rectification": "ledger_section",
    "access": "service_section",
    "quality_checks": "service_section",
    "complaint_topics": "complaints_section",
    "risk_list": "risk_section",
    "carried_out": "decisions_section",
    "decisions": "decisions_section",
    "rules_to_revise": "rules_section",
    "demand_ahead": "demand_section",
    "StaffingReview": "staffing_review",
    "review_staffing": "staffing_review",
    "staffing_opening": "staffing_section",
    "staffing_verdict": "staffing_section",
    "staffing_coverage": "staffing_section",
    "staffing_risk": "staffing_section",
    "staffing_people": "staffing_section",
    "staffing_costs": "staffing_grounds",
    "staffing_assumptions": "staffing_grounds",
    "Announcement": "announcement",
    "announce": "announcement",
    "announcement_opening": "announcement_section",
    "announced_promises": "announcement_section",
    "announced_improvements": "announcement_section",
    "announced_satisfaction": "announcement_section",
    "announced_volumes": "announcement_section",
    "announced_suggestion": "announcement_section",
    "announced_reach": "announcement_section",
    "AuditReview": "examiners",
    "review_audits": "examiners",
    "examiners_opening": "examiners_section",
    "examiners_verdict": "examiners_section",
    "examiners_places": "examiners_section",
    "examiners_agreement": "examiners_section",
    "examiners_items": "examiners_section",
    "examiners_method": "examiners_section",
    "Compliance": "compliance",
    "check_compliance": "compliance",
    "compliance_opening": "compliance_section",
    "compliance_verdict": "compliance_section",
    "compliance_standards": "compliance_section",
    "compliance_breaches": "compliance_section",
    "compliance_protection": "compliance_section",
    "compliance_duties": "compliance_section",
    "compliance_outside": "compliance_section",
    "compliance_notes": "compliance_section",
    "Appraisal": "appraisal",
    "appraise": "appraisal",
    "appraisal_opening": "appraisal_section",
    "appraisal_verdict": "appraisal_section",
    "appraisal_attainment": "appraisal_section",
    "appraisal_places": "appraisal_section",
    "appraisal_training": "appraisal_section",
    "appraisal_needs": "appraisal_section",
    "appraisal_stars": "appraisal_section",
    "appraisal_method": "appraisal_section",
    "list_improvements": "improvement_list",
    "improvements": "improvement_section",
    "what_if_panel": "sliders",
    "data_quality": "appendix",
    "definitions": "appendix",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
