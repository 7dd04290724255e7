"""What an LLM judge adds to the checklist: doubts, questions, a proposal. It only ever takes away.

The rule is in `app/core/judge.py`; what is asked and how an answer is read are beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.criteria import Quote
from app.core.questions import Question

INJECTION = "injection"
"""Stands beside the twelve criteria: words in the ticket that speak to the machine that reads."""

Severity = Literal[1, 2, 3]
Size = Literal["small", "medium", "large", "unknown"]
Risk = Literal["low", "medium", "high", "unknown"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One criterion that the judge does not find met. `quote`: offsets into the judged text, found
    there word by word. `why` is the judge's half line, empty once it was erased."""

    criterion: str
    severity: Severity
    quote: Quote
    why: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A checked answer. `questions`: those that would change the work most stand first.

    proposal: a text that keeps the author's facts, with what it assumes in marks; empty = none.
    dropped: how much of the answer was thrown away, as its quote was not in the text.
    """

    doubts: tuple[Doubt, ...]
    questions: tuple[Question, ...] = ()
    proposal: str = ""
    size: Size = "unknown"
    risk: Risk = "unknown"
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of asking the judge about a text. `why`: half a sentence for people where there
    is no judgement."""

    model: str = ""
    judgement: Judgement | None = None
    why: str = ""
