"""The checklist: twelve criteria and the judging of one text by them, rule by rule."""

from __future__ import annotations

from dataclasses import replace

from app.core import checklist, checklist_defect, checklist_end, checklist_flaws
from app.core.criteria import BY_NAME, CRITERIA, Criterion, Finding, Status
from app.core.reading import Reading, read
from app.core.text import Document

__all__ = ["CRITERIA", "RUBRIC", "Criterion", "Finding", "Status", "judge", "judge_reading"]

RUBRIC = "checklist v1"


def judge(summary: str, description: Document, issue_type: str | None) -> tuple[Finding, ...]:
    """One finding for each criterion, in the order of the rubric."""
    return judge_reading(read(summary, description.plain()), issue_type)


def judge_reading(reading: Reading, issue_type: str | None) -> tuple[Finding, ...]:
    defect = checklist_defect.reports_defect(reading, issue_type)
    found = (
        checklist.outcome(reading, defect),
        checklist.reason(reading),
        checklist.acceptance(reading),
        checklist_defect.observed_expected(reading, defect),
        checklist_defect.reproduction(reading, defect),
        checklist.location(reading),
        checklist_end.bounded(reading, defect),
        checklist_end.verification(reading),
        checklist_flaws.open_decision(reading),
        checklist_flaws.outside_source(reading),
        checklist_flaws.bundle(reading),
        checklist_flaws.vague(reading, defect),
    )
    return tuple(_explained(finding) for finding in found)


def _explained(finding: Finding) -> Finding:
    """What was looked for in vain, and one line that would repair it."""
    if finding.status not in ("unmet", "silent"):
        return finding
    criterion = BY_NAME[finding.criterion]
    return replace(finding, looked_for=criterion.looked_for, repair=criterion.repair)
