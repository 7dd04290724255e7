"""Readiness of one text: findings in, score, verdict and questions out; every point explained."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from app.core.criteria import BY_NAME, DEFAULT_MUST_HAVES, Finding, Status
from app.core.doubts import Judged
from app.core.language import reads_english
from app.core.objections import Objection, mark, set_aside
from app.core.prose import WORD
from app.core.questions import MOST_QUESTIONS, Question, ask, praise
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
    "numbered",
    "points",
    "waiting",
]

Verdict = Literal["ready", "nearly", "not_yet"]
NEAR = 20
FEW = 2
"""At most so many points below the threshold and so many answers short, a text is nearly ready."""
SOME_WORDS = 5
"""A description with fewer words is none."""
OVERRIDDEN = re.compile("[\u202d\u202e][^\u202c\n]*\u202c?")
"""What a person sees turned round: nobody writes a headline so."""
LONGEST = 100_000
"""Characters that are judged; an agent is not sent out with a longer text."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result for one version of a text. `text` is what was judged; quotes point into it.

    judged: what an LLM judge added to the checklist (app/core/judge.py); None = it was not asked.
    """

    score: int | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    good: tuple[str, ...]
    rubric: str
    text: str
    note: str
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """One line of the score: what a criterion adds, of how much, and why."""

    criterion: str
    got: float
    of: float
    why: str


def assess(  # noqa: PLR0913 - a text and what it is held against
    summary: str,
    description: Document,
    issue_type: str | None,
    *,
    must_haves: frozenset[str] = DEFAULT_MUST_HAVES,
    threshold: int = 70,
    hidden_cleared: bool = False,
    objections: Collection[Objection] = (),
) -> Readiness:
    """Judge the text by the checklist. The same bytes and objections give the same answer."""
    headline, unseen = visible(OVERRIDDEN.sub("", summary))
    unseen = unseen or len(headline) < len(summary)
    body, cut = _first_part(description.plain(), LONGEST - len(headline[:LONGEST]))
    reading = read(headline[:LONGEST], body)
    hidden = (description.hidden or unseen) and not hidden_cleared
    if unjudged := _unjudgeable(reading):
        return Readiness(None, "not_yet", (), (), (), RUBRIC, reading.text, unjudged)
    found = judge_reading(reading, issue_type)
    bar = _Bar(must_haves, threshold, held=cut)
    findings = set_aside(found, reading.text, objections)
    score, questions, verdict = _weighed(reading, findings, bar)
    if verdict == "ready" and any(finding.aside == "hidden" for finding in findings):
        # What anybody may say opens no gate: without it the text has to be ready as well.
        of_role = [objection for objection in objections if objection.lifts]
        verdict = _weighed(reading, set_aside(found, reading.text, of_role), bar)[2]
        verdict = "ready" if verdict == "ready" else "nearly"
    return Readiness(
        score=score,
        verdict="not_yet" if hidden else verdict,
        findings=findings,
        questions=questions,
        good=praise(findings),
        rubric=RUBRIC,
        text=reading.text,
        note=_note(reading, hidden, cut),
    )


def _first_part(body: str, most: int) -> tuple[str, bool]:
    """The text as far as it is judged, to the end of a line or word; whether that cut it."""
    if len(body) <= most:
        return body, False
    ends = body.rfind("\n", max(0, most - 2000), most), body.rfind(" ", max(0, most - 200), most)
    return body[: next((end for end in ends if end > 0), most)], True


@dataclass(frozen=True, slots=True)
class _Bar:
    """What a project wants; `held`: it cannot be ready, whatever it says."""

    must_haves: frozenset[str]
    threshold: int
    held: bool


def _weighed(
    reading: Reading, findings: tuple[Finding, ...], bar: _Bar
) -> tuple[int, tuple[Question, ...], Verdict]:
    score = round(sum(line.got for line in points(findings)))
    questions = ask(reading.text, reading.summary, findings, bar.must_haves)
    lead = score - bar.threshold
    if lead < 0:
        near = lead >= -NEAR and len(questions) <= FEW
        return score, questions, "nearly" if near else "not_yet"
    held = bar.held or _lacking(findings, bar.must_haves) or _headline_only(reading, findings)
    return score, questions, "nearly" if held else "ready"


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
    if BY_NAME[finding.criterion].flaw and finding.withheld:
        return 0.0, "not shown"
    if BY_NAME[finding.criterion].flaw:
        return (0.0, "found") if finding.status == "unmet" else (1.0, "none found")
    match finding.status:
        case "met":
            return 1.0, "there"
        case "unmet":
            return 0.0, "missing"
        case _:
            return (0.0, "nothing found") if finding.withheld else (0.5, "not judged: half")


def numbered(readiness: Readiness) -> list[list[str]]:
    """The questions as a comment numbers them, each by its criterion and what marks its finding."""
    if readiness.verdict == "ready":
        return []
    named = {finding.criterion: finding for finding in readiness.findings}
    asked = [question.criterion for question in readiness.questions[:MOST_QUESTIONS]]
    return [[name, mark(named[name], readiness.text)] for name in asked if name in named]


def waiting(readiness: Readiness, must_haves: frozenset[str]) -> tuple[str, ...]:
    """What was set aside by people whose word opens no gate, and keeps the text from being ready:
    criteria that somebody with a role can lift."""
    if readiness.verdict == "ready":
        return ()
    hidden = [f.criterion for f in readiness.findings if f.aside == "hidden" and f.status != "met"]
    needed = [name for name in hidden if name in must_haves]
    return tuple(needed or (hidden if not readiness.questions else ()))


def _lacking(findings: tuple[Finding, ...], must_haves: frozenset[str]) -> bool:
    return any(
        f.status != "met" or not f.quotes
        for f in findings
        if f.criterion in must_haves and f.status != "not_applicable" and f.aside != "lifted"
    )


def _headline_only(reading: Reading, findings: tuple[Finding, ...]) -> bool:
    """An agent never starts on a headline alone: some of what was found stands below it."""
    below = (start >= reading.body for f in findings if f.status == "met" for start, _ in f.quotes)
    return reading.body_words < SOME_WORDS or not any(below)


def _unjudgeable(reading: Reading) -> str:
    words = WORD.findall(reading.claims.low)
    if len(words) < 2 and not reading.code:
        return "There is nothing to judge yet: the text is empty or a single word."
    if not reads_english(words):
        return "I read English only, so I did not judge this text."
    return ""


def _note(reading: Reading, hidden: bool, cut: bool) -> str:
    notes = []
    if hidden:
        notes.append("The text holds characters that nobody can see; a person has to look first.")
    if reading.body_words < SOME_WORDS:
        notes.append("There is hardly any description, so little more than the summary was judged.")
    if cut:
        notes.append(
            f"Only the first {LONGEST:,} characters were judged, and a text this long is not let "
            "out; move logs to an attachment."
        )
    if len(reading.text) > 4000 and 30 * reading.body_words < len(reading.text):
        notes.append("Most of the text is code or log; only the rest was judged.")
    return " ".join(notes)
