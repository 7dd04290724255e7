"""A backlog sorted by what its tickets still need before an agent could start on them.

The rule: a ticket is "ready now" when its verdict is ready; "one answer away" when its verdict is
nearly and one question is open; "not for agents" otherwise: more is open, the text could not be
judged, or a person has to look first. Kept apart, without a judgement: what is done already, and
what is left alone by default.
Within a group the ticket that is nearest stands first: fewest open questions (where answers are
what it waits for), then the highest score, then the oldest; what could not be judged is last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.core.readiness import Readiness, Verdict

Group = Literal["ready", "one_answer", "not_for_agents"]
GROUPS: Mapping[str, str] = {
    "ready": "Ready now",
    "one_answer": "One answer away",
    "not_for_agents": "Not for agents",
}
APART = "apart"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula, in either width."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of one judged ticket, none of its words. top: what it is asked first."""

    group: str
    verdict: Verdict | None = None
    score: int | None = None
    questions: int = 0
    top: str = ""


NOT_JUDGED = Standing(APART)


def standing(readiness: Readiness) -> Standing:
    asked = [question.criterion for question in readiness.questions]
    return Standing(
        group=_group(readiness.verdict, len(asked)),
        verdict=readiness.verdict,
        score=readiness.score,
        questions=len(asked),
        top=asked[0] if asked else "",
    )


def _group(verdict: Verdict, asked: int) -> Group:
    if verdict == "ready":
        return "ready"
    return "one_answer" if verdict == "nearly" and asked == 1 else "not_for_agents"


def place(found: Standing, issue_id: str) -> tuple[object, ...]:
    """Sorts the tickets of a scan; ids of Jira are numbers that count up."""
    groups = [*GROUPS, APART]
    return (
        groups.index(found.group),
        found.score is None,
        0 if found.group == "ready" else found.questions,
        -(found.score or 0),
        len(issue_id),
        issue_id,
    )


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet calculates."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
