"""Whether a ticket reports a defect, and the two criteria that only defects have."""

from __future__ import annotations

import re

from app.core.checklist import finding, leading, nothing
from app.core.criteria import Finding
from app.core.naming import code_form
from app.core.prose import first, hits, lexicon, vocabulary
from app.core.reading import Reading, quote, section_head, sentence
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
FAINT_WAYS = vocabulary("while with by until from using on")
"""Words that lead a way to the fault, and just as well anything else."""


def reports_defect(reading: Reading, issue_type: str | None) -> bool | None:
    """Yes, no, or None where neither the type nor the text says."""
    if issue_type and issue_type.strip():
        return any(word in issue_type.lower() for word in DEFECT_TYPES)
    parts = {part.name for part in reading.sections}
    summary = reading.headline or reading.everything.low[: reading.body]
    verb = leading(summary)
    if "steps" in parts or {"observed", "expected"} <= parts:
        return True
    if (verb in CONCRETE | WOOLLY and verb != "fix") or summary.lstrip().startswith("as a"):
        return False
    broken = (first(reading.claims, BROKEN) or (len(summary) + 1, 0))[0] < len(summary)
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
        seen = (
            section_head(reading, wrong.start, wrong.end)
            if wrong
            else sentence(reading, shown[0] if shown else 0)
        )
        return finding(reading, name, "met", seen, section_head(reading, right.start, right.end))
    if said and shown and reading.body_words >= 6:
        quotes = (sentence(reading, shown[0]), sentence(reading, said[0]))
        return finding(reading, name, "met", *dict.fromkeys(quotes))
    if not right and not hits(reading.claims, RIGHT) and not hits(reading.claims, DUTY):
        return finding(reading, name, "unmet")
    return finding(reading, name, "silent")


def reproduction(reading: Reading, defect: bool | None) -> Finding:
    name = "reproduction"
    if not defect:
        return finding(reading, name, "silent" if defect is None else "not_applicable")
    if steps := reading.section("steps"):
        return finding(reading, name, "met", section_head(reading, steps.start, steps.end))
    if reading.code and reading.body_words >= 2:
        start, end = reading.code[0]
        return finding(
            reading, name, "met", quote(reading, start, min(end, _line_end(reading, start)))
        )
    for doing in DOING.finditer(reading.claims.low):
        unit = reading.unit_at(doing.start())
        if doing.group().startswith(CLAUSES) or doing.start() <= unit.at + 2:
            return finding(reading, name, "met", sentence(reading, doing.start()))
    hints = hits(reading.claims, WAYS)
    if set(hints) - FAINT_WAYS or code_form(reading.claims.prose).search(reading.claims.prose):
        return finding(reading, name, "silent")
    return nothing(name) if hints or reading.body_words > 25 else finding(reading, name, "unmet")


def _line_end(reading: Reading, start: int) -> int:
    """The end of the first line of code that has something in it."""
    body = re.compile(r"\w[^\n]{0,120}").search(reading.text, start + 6)
    return body.end() if body else start + 6
