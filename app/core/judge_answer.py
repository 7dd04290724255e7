"""The judge's answer as data: checked, its quotes looked up in the text, the rest thrown away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from app.core.criteria import BY_NAME, Quote
from app.core.doubts import INJECTION, Doubt, Judgement, Risk, Severity, Size
from app.core.judge_proposal import proposal_fault
from app.core.judge_request import STATUSES
from app.core.questions import MOST_QUESTIONS, Question
from app.core.text import visible

LONGEST_QUOTE = 300
LONGEST_LINE = 200
LONGEST_PROPOSAL = 20_000


class BadAnswer(ValueError):
    """The answer is not what was asked for; nothing of it is used."""


def read_answer(answer: object, text: str) -> Judgement:
    """The judgement of `text` in an answer. What has no quote in the text is dropped, and so is a
    question without a doubt, and a proposal that loses or invents a fact. Raises BadAnswer."""
    whole = _mapping(answer)
    rows = [_mapping(row) for row in _sequence(whole, "criteria")]
    doubts, dropped = _doubts(rows, text)
    told, facts = _string(whole, "instruction"), text
    if told.strip():
        at = _find(told, text)
        facts = text if at is None else text[: at[0]] + text[at[1] :]
        doubts += [] if at is None else [Doubt(INJECTION, 3, at)]
        dropped += at is None
    asked = [_mapping(row) for row in _sequence(whole, "questions")]
    proposal = visible(_string(whole, "proposal"))[0].strip()
    if proposal and (len(proposal) > LONGEST_PROPOSAL or proposal_fault(facts, proposal)):
        proposal, dropped = "", dropped + 1
    return Judgement(
        doubts=tuple(doubts),
        questions=tuple(_questions(asked, doubts)),
        proposal=proposal,
        size=_one_of(whole, "size", get_args(Size)),
        risk=_one_of(whole, "risk", get_args(Risk)),
        dropped=dropped,
    )


def _doubts(rows: Sequence[Mapping[str, Any]], text: str) -> tuple[list[Doubt], int]:
    """The gravest one for each criterion, and how many had no quote."""
    found: dict[str, Doubt] = {}
    dropped = 0
    for row in rows:
        name, status = _one_of(row, "criterion", BY_NAME), _one_of(row, "status", STATUSES)
        severity, why = row.get("severity"), _line(_string(row, "why"))
        if type(severity) is not int or severity not in (0, *get_args(Severity)):
            raise BadAnswer("a severity is not 0, 1, 2 or 3")
        quote = _string(row, "quote")
        if status != "unmet" or severity == 0:
            continue
        at = _find(quote, text)
        if at is None:
            dropped += 1
        elif name not in found or found[name].severity < severity:
            found[name] = Doubt(name, severity, at, why)  # type: ignore[arg-type]
    return list(found.values()), dropped


def _questions(rows: Sequence[Mapping[str, Any]], doubts: Sequence[Doubt]) -> Iterator[Question]:
    """In the judge's order, one for each criterion that it doubts."""
    doubted = {doubt.criterion for doubt in doubts}
    asked = set[str]()
    for row in rows:
        name = _one_of(row, "criterion", BY_NAME)
        question, example = _line(_string(row, "question")), _line(_string(row, "example"))
        if question and name in doubted and name not in asked and len(asked) < MOST_QUESTIONS:
            asked.add(name)
            yield Question(name, question, example, "")


def _find(quote: str, text: str) -> Quote | None:
    """Where the quote stands in the text, word by word; only the blanks between may differ."""
    words = quote.split()
    if not words or len(quote) > LONGEST_QUOTE:
        return None
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    return found.span() if found else None


def _line(text: str) -> str:
    """A model's words as one short line that holds no address and no mark-up."""
    line = " ".join(visible(text[: 4 * LONGEST_LINE])[0].split())
    line = re.sub(r"\b\w+://\S+", "[link]", line)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + "…"


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadAnswer("an object was asked for")
    return value


def _sequence(row: Mapping[str, Any], name: str) -> Sequence[object]:
    value = row.get(name)
    if not isinstance(value, list):
        raise BadAnswer(f"{name} is no list")
    return value


def _string(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise BadAnswer(f"{name} is no text")
    return value


def _one_of(row: Mapping[str, Any], name: str, allowed: Any) -> Any:
    value = row.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise BadAnswer(f"{name} is none of those that were asked for")
    return value
