"""Whether a ticket reports a defect, and the two criteria that only defects have."""

from __future__ import annotations

import re

from app.core.checklist import finding, leading
from app.core.criteria import Finding
from app.core.naming import CODE
from app.core.prose import first, hits, lexicon
from app.core.reading import Reading, Section, quote, sentence
from app.core.wording import BROKEN, CONCRETE, DUTY, WOOLLY

DEFECT_TYPES = ("bug", "defect", "incident", "fault", "regression", "problem")
RIGHT = lexicon(
    "should, shouldn't, must, mustn't, shall, ought, expected, expect, expecting, expects, "
    "instead, supposed, correct, correctly, right, proper, properly, want, needs, need, says "
    "that, docs say, valid, support, supported, will be, added, previously, used to, before, "
    "worked, works, desired, intended, would, could, better, no longer, only, have to, has to"
)
SAID_RIGHT = lexicon(
    "should, shouldn't, must, mustn't, ought to, expected, i expect, we expect, supposed to, "
    "instead of"
)
DOING = re.compile(
    r"\b(?:when|if|after|while|once|upon|whenever) (?:\w+ ){0,3}?(?:i |you |we |the user |a user |"
    r"users? |using |\w+ing\b)|\b(?:click|select|run|open|create|start|install|type|enter|press|"
    r"go to|navigate|launch|import|export|choose|try|set|add|deploy|paste)\b"
)
CLAUSES = ("when ", "if ", "after ", "while ", "once ", "upon ", "whenever ")
WAYS = lexicon(
    "when, if, after, while, once, upon, whenever, during, click, clicking, select, run, "
    "running, open, opening, create, creating, start, starting, install, steps, reproduce, "
    "replicate, example, following, attached, try, trying, test, go to, using, with, by, until, "
    "from, every time, on"
)


def reports_defect(reading: Reading, issue_type: str | None) -> bool | None:
    """Yes, no, or None where neither the type nor the text says."""
    if issue_type and issue_type.strip():
        return any(word in issue_type.lower() for word in DEFECT_TYPES)
    parts = {part.name for part in reading.sections}
    summary = reading.everything.low[: reading.body]
    verb = leading(summary)
    if "steps" in parts or {"observed", "expected"} <= parts:
        return True
    if (verb in CONCRETE | WOOLLY and verb != "fix") or summary.lstrip().startswith("as a"):
        return False
    broken = (first(reading.everything, BROKEN) or (len(summary) + 1, 0))[0] < len(summary)
    return True if broken else None


def observed_expected(reading: Reading, defect: bool | None) -> Finding:
    name = "observed_expected"
    if not defect:
        return finding(reading, name, "silent" if defect is None else "not_applicable")
    right = reading.section("expected")
    wrong = reading.section("observed")
    shown = first(reading.claims, BROKEN)
    said = first(reading.claims, SAID_RIGHT)
    if right and (wrong or shown):
        seen = _head(reading, wrong) if wrong else sentence(reading, shown[0] if shown else 0)
        return finding(reading, name, "met", seen, _head(reading, right))
    if said and shown and reading.body_words >= 6:
        quotes = (sentence(reading, shown[0]), sentence(reading, said[0]))
        return finding(reading, name, "met", *dict.fromkeys(quotes))
    if not right and not hits(reading.everything, RIGHT) and not hits(reading.everything, DUTY):
        return finding(reading, name, "unmet")
    return finding(reading, name, "silent")


def reproduction(reading: Reading, defect: bool | None) -> Finding:
    name = "reproduction"
    if not defect:
        return finding(reading, name, "silent" if defect is None else "not_applicable")
    if steps := reading.section("steps"):
        return finding(reading, name, "met", _head(reading, steps))
    if reading.code and reading.body_words >= 2:
        start, end = reading.code[0]
        return finding(
            reading, name, "met", quote(reading, start, min(end, _line_end(reading, start)))
        )
    for doing in DOING.finditer(reading.claims.low):
        unit = reading.unit_at(doing.start())
        if doing.group().startswith(CLAUSES) or doing.start() <= unit.at + 2:
            return finding(reading, name, "met", sentence(reading, doing.start()))
    if hits(reading.everything, WAYS) or reading.body_words > 25 or CODE.search(reading.text):
        return finding(reading, name, "silent")
    return finding(reading, name, "unmet")


def _head(reading: Reading, part: Section) -> tuple[int, int]:
    unit = reading.unit_at(part.start)
    return quote(reading, max(part.start, unit.at), min(part.end, unit.end))


def _line_end(reading: Reading, start: int) -> int:
    """The end of the first line of code that has something in it."""
    body = re.compile(r"\w[^\n]{0,120}").search(reading.text, start + 6)
    return body.end() if body else start + 6
