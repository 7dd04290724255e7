"""The rules for where a demand ends and how the result is checked."""

from __future__ import annotations

import re
from itertools import islice

from app.core.checklist import (
    ENOUGH,
    EXAMPLE,
    STEP,
    finding,
    leading,
    nothing,
    told,
    told_how,
    topic,
    topic_only,
    unmeasured,
    woolly,
)
from app.core.criteria import Finding
from app.core.prose import Unit, hits
from app.core.reading import Reading, quote, section_head, sentence
from app.core.wording import CHECKING, CONCRETE, VERIFYING, WOOLLY

OPEN_END = re.compile(
    r"\b(?:etc\b\.?|and so on|and so forth|and the like|and others|and all the others?|"
    r"wherever (?:needed|necessary|possible|appropriate)|where (?:needed|appropriate)|"
    r"as many as possible|whatever else|and anything else|and everything else|and more(?= ?[.!\n]))"
)
COMMAND = re.compile(r"(?:python|pytest|npm|mvn|gradle|make|go|cargo|tox|curl|bundle|yarn|dotnet)")
LIMIT = re.compile(
    r"\bout of scope\b|\bnot part of\b|\bnothing else\b|\bno other\b"
    r"|\bleave [^.\n]{2,40} as (?:it|they)"
    r"|\bonly (?:in|for|the|this|on|when|if)\b|\bdo(?:es)? not (?:change|touch|include|cover)\b"
    r"|\bunchanged\b|\bstays? as\b|\bremains?\b|\bwithout changing\b"
)


def bounded(reading: Reading, defect: bool | None) -> Finding:
    name = "bounded"
    if topic_only(reading, defect):
        return finding(reading, name, "unmet", quote(reading, 0, reading.body))
    if demand := unmeasured(reading):
        return finding(reading, name, "unmet", demand)
    for found in islice(OPEN_END.finditer(reading.everything.low), ENOUGH):
        unit = reading.unit_at(found.start())
        before = reading.everything.low[unit.start : found.start()]
        if not EXAMPLE.search(before) and _demands(reading, unit):
            return finding(reading, name, "unmet", quote(reading, unit.at, unit.end))
    if part := reading.section("scope"):
        return finding(reading, name, "met", section_head(reading, part.start, part.end))
    if limit := LIMIT.search(reading.claims.low):
        return finding(reading, name, "met", sentence(reading, limit.start()))
    said = reading.headline
    if (woolly(reading) and not told_how(reading)) or topic(reading, defect):
        return nothing(name)
    if woolly(reading) or len(told(said)) < 4:
        return finding(reading, name, "silent")
    if leading(said) in CONCRETE or reading.section("acceptance", "expected") or defect:
        return finding(reading, name, "met", quote(reading, 0, len(said)))
    return finding(reading, name, "silent")


def _demands(reading: Reading, unit: Unit) -> bool:
    low = reading.everything.low[unit.at : min(unit.end, unit.at + 2000)]
    words = STEP.findall(low)
    return bool(words) and (
        words[0] in CONCRETE
        or words[0] in WOOLLY
        or bool(set(words) & {"should", "must", "need", "needs", "want", "please", "shall"})
    )


def verification(reading: Reading) -> Finding:
    name = "verification"
    if part := reading.section("verification"):
        return finding(reading, name, "met", section_head(reading, part.start, part.end))
    for found in islice(VERIFYING.finditer(reading.claims.low, reading.body), ENOUGH):
        unit = reading.unit_at(found.start())
        if _demands(reading, unit) or COMMAND.match(reading.claims.low, found.start()):
            return finding(reading, name, "met", quote(reading, unit.at, unit.end))
    for start, end in reading.code:
        if command := VERIFYING.search(reading.text, start, end):
            return finding(reading, name, "met", quote(reading, *command.span()))
    if hits(reading.claims, CHECKING):
        return finding(reading, name, "silent")
    return finding(reading, name, "unmet")
