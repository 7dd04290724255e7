"""Findings that a person has called wrong: they count like silence, and hold while the finding is
the same.

A finding is the same while it is made of the same words; one of words that are missing, while they
are. Only somebody with a role takes the weight off a must-have by it, and for that text alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.core.criteria import Finding, Status

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Objection:
    """mark: of the finding, see `mark`. lifts: made by somebody with a role, of this very text."""

    criterion: str
    mark: str
    lifts: bool


@dataclass(frozen=True, slots=True)
class Precision:
    """How often one rule was right, as far as people have said: of `shown` findings, `wrong` were
    called so, `by_role` of them by somebody with a role."""

    rubric: str
    criterion: str
    shown: int
    wrong: int
    by_role: int

    @property
    def share(self) -> float | None:
        return None if not self.shown else 1 - self.wrong / self.shown


def mark(finding: Finding, text: str) -> str:
    """Names a finding by its criterion and the words it quotes, whatever stands around them."""
    quoted = [" ".join(text[start:end].split()).casefold() for start, end in finding.quotes]
    told = json.dumps([finding.criterion, sorted(quoted)], ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()


def set_aside(
    findings: Iterable[Finding], text: str, objections: Iterable[Objection]
) -> tuple[Finding, ...]:
    """The findings, with those that somebody objects to turned into silence. What is met
    stays so: objected to is what somebody else than the checklist asks about it."""
    lifts: dict[tuple[str, str], bool] = {}
    for objection in objections:
        key = (objection.criterion, objection.mark)
        lifts[key] = lifts.get(key, False) or objection.lifts
    if not lifts:
        return tuple(findings)
    return tuple(
        _silenced(finding, lifts.get((finding.criterion, mark(finding, text))))
        for finding in findings
    )


def _silenced(finding: Finding, lifts: bool | None) -> Finding:
    if lifts is None or finding.status == "not_applicable":
        return finding
    status: Status = "met" if finding.status == "met" else "silent"
    return replace(finding, status=status, aside="lifted" if lifts else "hidden", withheld=False)


def precision(
    shown: Mapping[tuple[str, str], int],
    wrong: Mapping[tuple[str, str], int],
    by_role: Mapping[tuple[str, str], int],
) -> tuple[Precision, ...]:
    """By rubric and criterion, the least right first; what nobody objected to last."""
    found = [
        Precision(
            *key,
            shown=max(count, wrong.get(key, 0)),
            wrong=wrong.get(key, 0),
            by_role=by_role.get(key, 0),
        )
        for key, count in shown.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.share or 0.0, one.rubric, one.criterion)))
