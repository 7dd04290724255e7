"""The checklist beside the labels of real tickets: which findings were right.

Tickets and labels stay in SHARED_DIR; only their ids, counts and places in the text come from here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.criteria import BY_NAME, CRITERIA
from app.core.readiness import assess
from app.core.wiki import from_wiki

ROOT = Path(__file__).resolve().parent.parent
SHARED = (ROOT / os.environ.get("SHARED_DIR", "../shared")).resolve()
SAMPLES = ("natural", "enriched")
TYPES = {"bug": "Bug", "change": "Story", "question": "Task"}
"""What the type would be in Jira, by the kind that the labels name."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One criterion of one ticket: what the label says, what the checklist said and where."""

    ticket: str
    criterion: str
    label: str
    said: str
    at: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one criterion: labels that count, flaws among them, flaws flagged, flagged rightly."""

    labels: int
    flaws: int
    flagged: int
    right: int


def compared(sample: str, *, typed: bool) -> tuple[Compared, ...]:
    """Every label that is no doubt, beside its finding; `typed` gives the ticket's kind as type."""
    folder = SHARED / "score_bench/gold" / sample
    texts = {ticket["id"]: ticket for ticket in tickets(sample)}
    return tuple(
        pair
        for labelled in _lines(folder / "gold.jsonl")
        for pair in _pairs(labelled, texts[labelled["id"]], typed=typed)
    )


def tickets(sample: str) -> list[dict[str, Any]]:
    return list(_lines(SHARED / "score_bench/gold" / sample / "tickets.jsonl"))


def _pairs(labelled: dict[str, Any], ticket: dict[str, Any], *, typed: bool) -> Iterator[Compared]:
    kind = ticket.get("issue_type") or (TYPES.get(labelled["kind"] or "") if typed else None)
    result = assess(ticket["summary"], from_wiki(ticket.get("description") or ""), kind)
    found = {finding.criterion: finding for finding in result.findings}
    for name, mark in labelled["criteria"].items():
        if label := _label(name, mark):
            finding = found.get(name)
            said = finding.status if finding else "silent"
            yield Compared(labelled["id"], name, label, said, finding.quotes if finding else ())


def _label(name: str, mark: str) -> str:
    """y = the criterion's statement is true; for a flaw the statement is that it is there."""
    if mark == "na":
        return "not_applicable"
    if mark not in ("y", "n"):
        return ""
    return "unmet" if (mark == "y") == BY_NAME[name].flaw else "met"


def counts(pairs: tuple[Compared, ...]) -> dict[str, Counts]:
    return {
        criterion.name: _counts([pair for pair in pairs if pair.criterion == criterion.name])
        for criterion in CRITERIA
    }


def _counts(pairs: list[Compared]) -> Counts:
    flagged = [pair for pair in pairs if pair.said == "unmet"]
    return Counts(
        labels=len(pairs),
        flaws=sum(pair.label == "unmet" for pair in pairs),
        flagged=len(flagged),
        right=sum(pair.label == "unmet" for pair in flagged),
    )


def wrong(pairs: tuple[Compared, ...], said: str) -> list[Compared]:
    """The findings of one status that the label contradicts."""
    found = (pair for pair in pairs if pair.said == said != pair.label)
    order = {criterion.name: position for position, criterion in enumerate(CRITERIA)}
    return sorted(found, key=lambda pair: (order[pair.criterion], pair.ticket))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())
