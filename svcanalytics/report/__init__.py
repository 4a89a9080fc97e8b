"""Reports: blocks, narrative, the evaluation with its sections, and publishing. Names are imported when first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public name -> module of this package that holds it.
_HOME: dict[str, str] = {
    "Edition": "publication.edition",
    "editions": "publication.edition",
    "publish": "publication.publishing",
    "Evaluation": "facts.evaluation",
    "evaluate": "facts.evaluation",
    "opening": "sections.overview",
    "summary": "sections.summary_section",
    "quality_index": "sections.standing",
    "why_it_moved": "sections.movement_section",
    "root_causes": "sections.causes_section",
    "indicators": "sections.indicator_table",
    "standards": "sections.clock_table",
    "volumes": "sections.breakdowns",
    "unit_places": "sections.places_section",
    "teams": "sections.breakdowns",
    "backlog": "sections.breakdowns",
    "courses": "sections.context",
    "months": "sections.context",
    "rectification": "sections.ledger_section",
    "access": "sections.service_section",
    "quality_checks": "sections.service_section",
    "complaint_topics": "sections.complaints_section",
    "risk_list": "sections.risk_section",
    "carried_out": "sections.decisions_section",
    "decisions": "sections.decisions_section",
    "rules_to_revise": "sections.rules_section",
    "demand_ahead": "sections.demand_section",
    "StaffingReview": "facts.staffing_review",
    "review_staffing": "facts.staffing_review",
    "staffing_opening": "sections.staffing_section",
    "staffing_verdict": "sections.staffing_section",
    "staffing_coverage": "sections.staffing_section",
    "staffing_risk": "sections.staffing_section",
    "staffing_people": "sections.staffing_section",
    "staffing_costs": "sections.staffing_grounds",
    "staffing_assumptions": "sections.staffing_grounds",
    "Announcement": "facts.announcement",
    "announce": "facts.announcement",
    "announcement_opening": "sections.announcement_section",
    "announced_promises": "sections.announcement_section",
    "announced_improvements": "sections.announcement_section",
    "announced_satisfaction": "sections.announcement_section",
    "announced_volumes": "sections.announcement_section",
    "announced_suggestion": "sections.announcement_section",
    "announced_reach": "sections.announcement_section",
    "AuditReview": "facts.examiners",
    "review_audits": "facts.examiners",
    "examiners_opening": "sections.examiners_section",
    "examiners_verdict": "sections.examiners_section",
    "examiners_places": "sections.examiners_section",
    "examiners_agreement": "sections.examiners_section",
    "examiners_items": "sections.examiners_section",
    "examiners_method": "sections.examiners_section",
    "Compliance": "facts.compliance",
    "check_compliance": "facts.compliance",
    "compliance_opening": "sections.compliance_section",
    "compliance_verdict": "sections.compliance_section",
    "compliance_standards": "sections.compliance_section",
    "compliance_breaches": "sections.compliance_section",
    "compliance_protection": "sections.compliance_section",
    "compliance_duties": "sections.compliance_section",
    "compliance_outside": "sections.compliance_section",
    "compliance_notes": "sections.compliance_section",
    "Appraisal": "facts.appraisal",
    "appraise": "facts.appraisal",
    "appraisal_opening": "sections.appraisal_section",
    "appraisal_verdict": "sections.appraisal_section",
    "appraisal_attainment": "sections.appraisal_section",
    "appraisal_places": "sections.appraisal_section",
    "appraisal_training": "sections.appraisal_section",
    "appraisal_needs": "sections.appraisal_section",
    "appraisal_stars": "sections.appraisal_section",
    "appraisal_method": "sections.appraisal_section",
    "list_improvements": "facts.improvement_list",
    "improvements": "sections.improvement_section",
    "what_if_panel": "sections.sliders",
    "data_quality": "sections.appendix",
    "definitions": "sections.appendix",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
