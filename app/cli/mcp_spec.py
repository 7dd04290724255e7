"""What `signalbox mcp` says of a text: pure, the checklist alone."""

from __future__ import annotations

from app.cli.mcp_answers import Criterion, Improvement, Question, Score
from app.core.criteria import BY_NAME
from app.core.markdown import titled
from app.core.readiness import Readiness, assess
from app.core.text import Document

LONGEST = 100_000
"""Characters of a text. No spec is longer; logs and data are."""


class Unusable(Exception):
    """What was handed in cannot be judged as a spec. The message says what to hand in."""


def score(text: str, issue_type: str | None) -> Score:
    """Raises Unusable."""
    readiness, _ = _judged(text, issue_type)
    judged = readiness.text
    return Score(
        verdict=readiness.verdict,
        score=readiness.score,
        questions=_questions(readiness),
        good=list(readiness.good),
        findings=[
            Criterion(
                criterion=each.criterion,
                title=BY_NAME[each.criterion].title,
                status=each.status,
                quotes=[judged[start:end] for start, end in each.quotes],
                looked_for=each.looked_for,
                repair=each.repair,
            )
            for each in readiness.findings
        ],
        note=readiness.note,
        rubric=readiness.rubric,
    )


def improve(text: str, issue_type: str | None) -> Improvement:
    """Raises Unusable."""
    readiness, document = _judged(text, issue_type)
    return Improvement(
        verdict=readiness.verdict,
        score=readiness.score,
        questions=_questions(readiness),
        skeleton=_skeleton(readiness, document),
        rubric=readiness.rubric,
    )


def _judged(text: str, issue_type: str | None) -> tuple[Readiness, Document]:
    if not text.strip():
        raise Unusable("The text is empty: hand in its title as the first line and the rest below.")
    if len(text) > LONGEST:
        raise Unusable(
            f"The text has {len(text):,} characters and at most {LONGEST:,} are taken: "
            "leave out logs and data."
        )
    summary, document = titled(text)
    return assess(summary, document, issue_type or None), document


def _questions(readiness: Readiness) -> list[Question]:
    return [
        Question(criterion=q.criterion, text=q.text, example=q.example, found=q.found)
        for q in readiness.questions
    ]


def _skeleton(readiness: Readiness, document: Document) -> str:
    """The text as it is, and a heading with a gap for each answer that it lacks."""
    asked = [f"## {BY_NAME[q.criterion].title}\n\n[…] {q.text}" for q in readiness.questions]
    return "\n\n".join([readiness.text.strip(), *asked])
