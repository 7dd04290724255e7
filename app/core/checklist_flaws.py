"""The rules for what a ticket should not have: open decisions, answers elsewhere, several changes,
demands nobody can measure. Each flaw is quoted; its absence is silence."""

from __future__ import annotations

import re
from itertools import islice

from app.core.checklist import (
    ENOUGH,
    EXAMPLE,
    MEASURE,
    STEP,
    duties,
    finding,
    nothing,
    outcome,
    told_how,
    topic,
    topic_only,
    unmeasured,
    woolly,
)
from app.core.criteria import Finding, Quote
from app.core.prose import Unit, lexicon, places, vocabulary
from app.core.reading import Reading, quote
from app.core.wording import CONCRETE, WOOLLY

DOUBT = lexicon(
    "tbd, tbc, to be discussed, to be decided, to be determined, to be defined, to be "
    "clarified, to be agreed, to be considered, must be defined, needs to be decided, need to "
    "be decided, needs to be defined, needs to be discussed, needs to be clarified, not "
    "decided, not yet decided, not sure what, not sure which, not sure how, not sure if, not "
    "sure whether, unclear whether, unclear if, unclear which, unclear how, unclear what, "
    "undecided, need to decide, have to decide, must decide, should decide, decide if, decide "
    "whether, decide which, decide how, decide on, or maybe, and maybe, maybe we, we should "
    "probably, we should maybe, we should consider, todo:, open question:, open questions:, "
    "open issue:, open issues:, open point:, open points:, reconsider, or should we, or should "
    "it, or should this, need to consider, need to also consider, choose the best, select the "
    "best, pick the best, pick the right, choose the right, pick a suitable, choose a suitable, "
    "find a suitable, select a suitable, choose an appropriate"
)
CHOICE = re.compile(
    r"\b(?:should|could|can|may|to) (?:be )?either\b[^\n]{3,120}?\bor\b"
    r"|\bcould be [^.\n]{2,40} or "
    r"|\bshould (?:be|use) [^\n]{2,60}? or (?:use|be|have|to use|we)\b"
    r"|\bcheck with [^.\n]{2,40} (?:whether|if|which|how)\b"
)
CHOOSING = vocabulary("either could should whether if which how")
QUESTION = re.compile(
    r"\b(?:maybe|perhaps)\b[^.\n]{0,60}\?"
    r"|\b(?:should|could|can|shall|do|does|would|must|will|shouldn't|couldn't|wouldn't|isn't|aren't)"
    r" (?:we|it|this|they|these|there|i|the)\b[^?\n]{3,200}\?"
    r"|\b(?:what|which|how|where|who) (?:is|are|should|would|do|does|about|if|to|will|can)\b"
    r"[^?\n]{3,200}\?|\([^()\n?]{2,80}\?\)"
)
NOT_OURS = re.compile(
    r"\b(?:asks?|asked|says?|said|prompt|message|dialog|title[ds]?|label)\b|q:"
    r"|can (?:we make sure|you please)|could you please"
)
ELSEWHERE = re.compile(
    r"\b(?:see|check|read|consult|follow|refer to|look at|ask)\b[^.\n]{0,25}"
    r"\b(?:slack|thread|chat|e-?mail|mail|teams channel|meeting|minutes|call|recording|wiki page|"
    r"parent|sub-?tasks?|mock-?ups?|document|spreadsheet|google doc|figma)\b(?: ticket| issue)?"
    r"|\bas (?:discussed|agreed|described|explained|mentioned|specified|outlined|decided) "
    r"(?:in|with|at|on|by|during)\b[^.\n]{0,60}|\bas [a-z]{2,10}-\d+ (?:described|says)\b"
    r"|\bsame (?:request|as|issue|problem) (?:as )?in [a-z]{2,10}-\d+\b"
    r"|\b(?:according to|per) (?:the )?(?:attached|e-?mail|meeting|discussion|mock-?up|design)\b"
    r"|\battached (?:the |is the |are the )?(?:list|spec|specification|document|mock-?up|design)s?"
    r"\b|\bsee (?:the )?(?:attach(?:ed|ment)|screen ?shot|image|picture|file)s?\b(?: \w+)?"
    r"|\bimplement rfc-?\d+|\bdetails (?:are )?(?:in|on)\b[^.\n]{0,40}|\bmust be defined with\b"
    r"|\bask \w+ (?:for|about)\b|\bmeet with\b|\b(?:port|backport) of the following\b"
)
POINTING = vocabulary(
    "see check read consult follow refer look ask as same according per attached implement "
    "details must meet port backport"
)
ALWAYS_OUTSIDE = re.compile(
    r"slack|thread|chat|mail|parent|sub-?task|meeting|minutes|\bcall\b|recording|teams channel"
    r"|discussed"
)
SEVERAL = re.compile(
    r"\b(?:a couple of|several|various|multiple|many|a few|a number of) "
    r"(?:(?:small|minor|other|different|separate|unrelated) )?"
    r"(?:issues|problems|bugs|fixes|improvements|changes)(?= ?(?:[:.\n]|$| with | in ))"
    r"|\bwhile (?:working on|we are at|we're at|at) (?:this|it)\b[^.\n]{0,40}\balso\b"
    r"|\bmisc(?:ellaneous)? (?:fixes|changes|improvements|bugs)"
)


def open_decision(reading: Reading) -> Finding:
    name = "open_decision"
    quotes = []
    for start, end in _doubts(reading):
        unit = reading.unit_at(start)
        if end <= unit.end and not _answered(reading, unit, start):
            quotes.append(_around(reading, unit, start))
    if quotes:
        return finding(reading, name, "unmet", *dict.fromkeys(quotes))
    if part := reading.section("open"):
        return finding(reading, name, "unmet", quote(reading, part.start, part.end))
    return finding(reading, name, "silent")


def _doubts(reading: Reading) -> list[Quote]:
    """Where the author doubts, chooses or asks, in the order of the text."""
    low = reading.everything.low
    spans = places(reading.everything, DOUBT, ENOUGH)
    if reading.everything.tokens & CHOOSING:
        spans.extend(found.span() for found in islice(CHOICE.finditer(low), ENOUGH))
    mark = low.find("?")
    while mark >= 0 and len(spans) < 3 * ENOUGH:
        unit = reading.unit_at(mark)
        near = max(unit.at, mark - 240)
        spans.extend(found.span() for found in islice(QUESTION.finditer(low, near, unit.end), 2))
        mark = low.find("?", max(unit.end, mark + 1))
    return sorted(spans)


def _around(reading: Reading, unit: Unit, start: int) -> Quote:
    """The sentence, or its part from a "maybe" to the question mark."""
    low = reading.everything.low
    end = low.find("?", start, unit.end) + 1
    if not (end and low.startswith(("maybe", "perhaps"), start)):
        start = unit.at
    return quote(reading, start, end or unit.end)


def _answered(reading: Reading, unit: Unit, at: int) -> bool:
    """A question from a user, in quotation marks, or one with its answer behind it."""
    low = reading.everything.low
    before, behind = low[unit.start : at], low[unit.end : unit.end + 12].lstrip()
    if (
        EXAMPLE.search(before.rstrip("("))
        or before.count('"') % 2
        or "“" in before
        or NOT_OURS.search(before + low[at : at + 24])
    ):
        return True
    return behind.startswith(("a:", "answer", "yes", "no,", "no.", "- the", "-> ", "=>"))


def outside_source(reading: Reading) -> Finding:
    name = "outside_source"
    low = reading.everything.low
    pointing = reading.everything.tokens & POINTING
    elsewhere = False
    for found in islice(ELSEWHERE.finditer(low), ENOUGH if pointing else 0):
        unit = reading.unit_at(found.start())
        own = reading.body_words - len(STEP.findall(low[unit.start : unit.end]))
        if own < (60 if ALWAYS_OUTSIDE.search(found.group()) else 30):
            return finding(reading, name, "unmet", quote(reading, found.start(), found.end()))
        elsewhere = True
    if reading.links and len(reading.summary.split()) < 6 and not duties(reading):
        if reading.body_words < 12 and not reading.code:
            return finding(reading, name, "unmet", quote(reading, *reading.links[0]))
        elsewhere = True
    return nothing(name) if elsewhere else finding(reading, name, "silent")


def bundle(reading: Reading) -> Finding:
    name = "bundle"
    low = reading.everything.low
    found = SEVERAL.search(low)
    listed = [unit for unit in reading.items() if not reading.section("steps")]
    if found and (len(listed) >= 3 or "also" in found.group()):
        unit = reading.unit_at(found.start())
        return finding(reading, name, "unmet", quote(reading, unit.at, unit.end))
    verbs = [_verb(reading, unit) for unit in listed]
    demands = [unit for unit, verb in zip(listed, verbs, strict=True) if verb]
    if len(demands) >= 5 and woolly(reading) and not reading.section("acceptance"):
        spans = [quote(reading, unit.at, unit.end) for unit in demands[:3]]
        return finding(reading, name, "unmet", *spans)
    return finding(reading, name, "silent")


def _verb(reading: Reading, unit: Unit) -> str:
    told = STEP.match(reading.everything.low, unit.at)
    return told.group() if told and told.group() in CONCRETE | WOOLLY else ""


def vague(reading: Reading, defect: bool | None) -> Finding:
    name = "vague"
    demand = woolly(reading)
    measure = MEASURE.search(reading.claims.low)
    if measure and demand:
        return finding(reading, name, "met", quote(reading, measure.start(), measure.end()))
    if topic_only(reading, defect):
        return finding(reading, name, "unmet", quote(reading, 0, reading.body))
    if unmeasured(reading):
        return finding(reading, name, "unmet", *([demand] if demand else []))
    shapeless = topic(reading, defect) and outcome(reading, defect).status != "met"
    if (demand and not told_how(reading)) or shapeless:
        return nothing(name)
    return finding(reading, name, "silent")
