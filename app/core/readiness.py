"""Readiness of one text: findings in, score, verdict and questions out; every point explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.criteria import BY_NAME, DEFAULT_MUST_HAVES, Finding, Status
from app.core.language import reads_english
from app.core.prose import WORD
from app.core.questions import Question, ask, praise
from app.core.reading import Reading, read
from app.core.rubric import RUBRIC, judge_reading
from app.core.text import Document, visible

__all__ = [
    "DEFAULT_MUST_HAVES",
    "Finding",
    "Points",
    "Question",
    "Readiness",
    "Status",
    "Verdict",
    "assess",
    "points",
]

Verdict = Literal["ready", "nearly", "not_yet"]
NEAR = 20
FEW = 2
"""At most so many points below the threshold and so many answers short, a text is nearly ready."""
SOME_WORDS = 5
"""A description with fewer words is none: an agent never starts on a headline alone."""
LONGEST = 120_000


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result for one version of a text. `text` is what was judged; quotes point into it."""

    score: int | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    good: tuple[str, ...]
    rubric: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Points:
    """One line of the score: what a criterion adds, of how much, and why."""

    criterion: str
    got: float
    of: float
    why: str


def assess(
    summary: str,
    description: Document,
    issue_type: str | None,
    *,
    must_haves: frozenset[str] = DEFAULT_MUST_HAVES,
    threshold: int = 70,
    hidden_cleared: bool = False,
) -> Readiness:
    """Judge the text by the checklist. The same bytes always give the same answer."""
    reading = read(summary, description.plain())
    hidden = (description.hidden or visible(summary)[1]) and not hidden_cleared
    if unjudged := _unjudgeable(reading):
        return Readiness(None, "not_yet", (), (), (), RUBRIC, reading.text, unjudged)
    findings = judge_reading(reading, issue_type)
    score = round(sum(line.got for line in points(findings)))
    questions = ask(reading.text, reading.summary, findings, must_haves)
    verdict = _verdict(reading, findings, score - threshold, must_haves, len(questions))
    return Readiness(
        score=score,
        verdict="not_yet" if hidden else verdict,
        findings=findings,
        questions=questions,
        good=praise(findings),
        rubric=RUBRIC,
        text=reading.text,
        note=_note(reading, hidden),
    )


def points(findings: tuple[Finding, ...]) -> tuple[Points, ...]:
    """What each criterion that applies adds to the score; the lines add up to it."""
    applying = [f for f in findings if f.status != "not_applicable"]
    whole = sum(BY_NAME[f.criterion].weight for f in applying) or 1
    lines = []
    for found in applying:
        of = 100 * BY_NAME[found.criterion].weight / whole
        share, why = _share(found)
        lines.append(Points(found.criterion, of * share, of, why))
    return tuple(lines)


def _share(finding: Finding) -> tuple[float, str]:
    if BY_NAME[finding.criterion].flaw:
        return (0.0, "found") if finding.status == "unmet" else (1.0, "none found")
    match finding.status:
        case "met":
            return 1.0, "there"
        case "unmet":
            return 0.0, "missing"
        case _:
            return 0.5, "not judged: half"


def _verdict(
    reading: Reading,
    findings: tuple[Finding, ...],
    lead: int,
    must_haves: frozenset[str],
    asked: int,
) -> Verdict:
    """`lead` is the score's distance from the threshold, `asked` how many answers are missing."""
    lacking = any(
        f.status != "met" or not f.quotes
        for f in findings
        if f.criterion in must_haves and f.status != "not_applicable"
    )
    held = lacking or reading.body_words < SOME_WORDS or len(reading.text) > LONGEST
    if lead >= 0:
        return "nearly" if held else "ready"
    return "nearly" if lead >= -NEAR and asked <= FEW else "not_yet"


def _unjudgeable(reading: Reading) -> str:
    words = WORD.findall(reading.claims.low)
    if len(words) < 2 and not reading.code:
        return "There is nothing to judge yet: the text is empty or a single word."
    if not reads_english(words):
        return "I read English only, so I did not judge this text."
    return ""


def _note(reading: Reading, hidden: bool) -> str:
    notes = []
    if hidden:
        notes.append("The text holds characters that nobody can see; a person has to look first.")
    if reading.body_words < SOME_WORDS:
        notes.append("There is hardly any description, so little more than the summary was judged.")
    if len(reading.text) > LONGEST:
        notes.append("The text is too long to be let out; move logs to an attachment.")
    elif len(reading.text) > 4000 and 30 * reading.body_words < len(reading.text):
        notes.append("Most of the text is code or log; only the rest was judged.")
    return " ".join(notes)
