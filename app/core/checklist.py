"""The rules for what a ticket should say: outcome, reason, acceptance, location, end, check.

Precise first: a rule that is not sure stays silent.
"""

from __future__ import annotations

import re
from itertools import islice

from app.core.criteria import Finding, Quote, Status
from app.core.naming import named_place, possible_place
from app.core.prose import Unit, first, hits, lexicon, places, view, vocabulary
from app.core.reading import Reading, quote, sentence
from app.core.wording import (
    AUDIENCE,
    BETTER,
    BROKEN,
    CHECK,
    CHECKING,
    CONCRETE,
    DUTY,
    MODAL,
    MOTIVE,
    OBSERVABLE,
    PRETTY,
    REASON,
    VERIFYING,
    WOOLLY,
    WOOLLY_NOUNS,
)

PREFIX = re.compile(r"^(?:\s*\[[^\]\n]{1,60}\]|[^:\n]{1,40}:(?=\s)|[\w+. ]{1,25} - )+\s*")
STEP = re.compile(r"[a-z'-]+")
STORY = re.compile(
    r"\bas (?:an? |the )?[a-z][^,.\n]{1,60}?,? (?:i|we) "
    r"(?:want|would like|will like|need|can|should)\b"
)
OPEN_END = re.compile(
    r"\b(?:etc\b\.?|and so on|and so forth|and the like|and others|and all the others?|"
    r"wherever (?:needed|necessary|possible|appropriate)|where (?:needed|appropriate)|"
    r"as many as possible|whatever else|and anything else|and everything else|and more(?= ?[.!\n]))"
)
EXAMPLE = re.compile(
    r"\b(?:e\.g|eg|for example|for instance|such as|like|example|instance|including)\b|\("
)
GIVEN = lexicon("given")
ENOUGH = 20
"""So many places are looked at where one word occurs again and again."""
FILLER = vocabulary("further also please just finally additionally to should must we need")
LITERAL = re.compile(r"[\"“'][^\"”'\n]{2,80}[\"”']")
TESTABLE = vocabulary("return confirm verify ensure reject throw warn as display show")
NOT_A_THING = vocabulary("we you i one it's that's there users people someone")
COMMAND = re.compile(r"(?:python|pytest|npm|mvn|gradle|make|go|cargo|tox|curl|bundle|yarn|dotnet)")
MEASURE = re.compile(
    r"\d+(?:[.,]\d+)? ?(?:%|ms|milliseconds?|s|secs?|seconds?|min(?:ute)?s?|hours?|h|kb|mb|gb|kib|"
    r"mib|px|rows?|users?|requests?|clicks?|times|lines?|files?|items?|x)\b|\b(?:below|under|"
    r"less than|at most|at least|more than|within|fewer than|up to|over) (?:\w+ )?\d|[<>≤≥]=? ?\d"
)
LIMIT = re.compile(
    r"\bout of scope\b|\bnot part of\b|\bnothing else\b|\bno other\b"
    r"|\bleave [^.\n]{2,40} as (?:it|they)"
    r"|\bonly (?:in|for|the|this|on|when|if)\b|\bdo(?:es)? not (?:change|touch|include|cover)\b"
    r"|\bunchanged\b|\bstays? as\b|\bremains?\b|\bwithout changing\b"
)


def finding(reading: Reading, name: str, status: Status, *quotes: Quote) -> Finding:
    kept = tuple(span for span in quotes if span[1] > span[0])[:3]
    found = reading.text[kept[0][0] : kept[0][1]] if kept else ""
    return Finding(name, status, kept, found)


def told(summary: str) -> list[str]:
    """The words of a summary, behind "iOS: ", "[Editor] ", "FY17" or "please"."""
    core = PREFIX.sub("", summary.lower())
    said = [word for word in core.split() if not any(char.isdigit() for char in word)]
    words = STEP.findall(" ".join(said))
    while words and words[0] in FILLER:
        words.pop(0)
    return words


def leading(summary: str) -> str:
    words = told(summary)
    return words[0] if words else ""


def topic_only(reading: Reading, defect: bool | None) -> bool:
    """Nothing but a topic: no description, and a summary that says nothing about it."""
    summary = reading.everything.low[: reading.body]
    words = told(summary)
    if reading.body_words > 6 or defect or not words or len(words) > 7:
        return False
    if words[0] in CONCRETE or words[0] in WOOLLY or set(words) & OBSERVABLE:
        return False
    speaking = {
        "is",
        "are",
        "not",
        "no",
        "should",
        "must",
        "can",
        "as",
        "to",
        "when",
        "does",
        "has",
    }
    return not set(words) & speaking and not reading.code and not reading.links


def woolly(reading: Reading) -> Quote | None:
    """Words of the demand that nobody could measure, in the summary or a short description."""
    summary = reading.claims.low[: reading.body]
    core = PREFIX.match(summary)
    at = core.end() if core else 0
    words = told(summary)
    if words and (words[0] in WOOLLY or set(words[:4]) & WOOLLY_NOUNS):
        if set(words[1:3]) & {"why", "whether", "if", "how", "what"}:
            return None
        return quote(reading, at, reading.body)
    if words[:1] == ["make"] and PRETTY & set(words):
        return quote(reading, at, reading.body)
    if hits(view(summary), BETTER) and not STORY.search(summary):
        return quote(reading, at, reading.body)
    return None


def unmeasured(reading: Reading) -> Quote | None:
    """The demand, if nothing in a short text makes it something that can be measured."""
    demand = woolly(reading)
    if not demand or MEASURE.search(reading.claims.low):
        return None
    told_how = reading.section("acceptance", "expected", "steps")
    if told_how or reading.code or len(reading.items()) > 2 or reading.body_words > 45:
        return None
    return demand


def duties(reading: Reading) -> list[Unit]:
    """Sentences that say what has to be so, each once."""
    found = (reading.unit_at(start) for start, _ in places(reading.claims, MODAL))
    return sorted(set(found), key=lambda unit: unit.start)


def _plain_duty(reading: Reading, unit: Unit) -> bool:
    low = reading.claims.low[unit.at : unit.end]
    words = low.split()
    if len(words) < 4 or "?" in low[-3:]:
        return False
    return not hits(view(low), BETTER) and not (
        set(words) & (WOOLLY | {"maybe", "perhaps", "probably", "tbd", "consider"})
    )


def outcome(reading: Reading, defect: bool | None) -> Finding:
    name = "outcome"
    if topic_only(reading, defect):
        return finding(reading, name, "unmet", quote(reading, 0, reading.body))
    wanted = reading.section("expected", "acceptance")
    if wanted:
        return finding(reading, name, "met", _head(reading, wanted.start, wanted.end))
    summary = reading.claims.low[: reading.body]
    vague = woolly(reading)
    if not vague and leading(summary) in CONCRETE and len(summary.split()) >= 3:
        return finding(reading, name, "met", quote(reading, 0, reading.body))
    if story := STORY.search(reading.claims.low):
        return finding(reading, name, "met", sentence(reading, story.start()))
    for unit in duties(reading):
        if _plain_duty(reading, unit) and (not vague or _observable(reading, unit)):
            return finding(reading, name, "met", quote(reading, unit.at, unit.end))
    if defect and not vague and (wrong := first(reading.claims, BROKEN)):
        return finding(reading, name, "met", sentence(reading, wrong[0]))
    for unit in reading.units if not vague else ():
        words = reading.claims.low[unit.at : unit.end].split()
        if unit.start >= reading.body and len(words) >= 4 and words[0] in CONCRETE:
            return finding(reading, name, "met", quote(reading, unit.at, unit.end))
    return finding(reading, name, "silent")


def _head(reading: Reading, start: int, end: int) -> Quote:
    unit = reading.unit_at(start)
    return quote(reading, max(start, unit.at), min(end, unit.end))


def reason(reading: Reading) -> Finding:
    name = "reason"
    if part := reading.section("why"):
        return finding(reading, name, "met", _head(reading, part.start, part.end))
    if whom := AUDIENCE.search(reading.claims.low):
        at = whom.span(1) if whom.group(1) else whom.span()
        quotes = [at if whom.group(1) else sentence(reading, at[0])]
        if why := first(reading.claims, REASON):
            quotes.append(sentence(reading, why[0]))
        return finding(reading, name, "met", *quotes)
    if why := first(reading.claims, REASON):
        return finding(reading, name, "met", sentence(reading, why[0]))
    if hits(reading.claims, MOTIVE) or reading.body_words > 60:
        return finding(reading, name, "silent")
    return finding(reading, name, "unmet")


def acceptance(reading: Reading) -> Finding:
    name = "acceptance"
    part = reading.section("acceptance") or reading.section("expected")
    if part and reading.text[part.start : part.end].count(" ") >= 1:
        items = [u for u in reading.items() if part.start - 4 <= u.start < part.end][:3]
        spans = [quote(reading, u.at, u.end) for u in items]
        return finding(reading, name, "met", *(spans or [_head(reading, part.start, part.end)]))
    if (case := _given(reading)) >= 0:
        return finding(reading, name, "met", sentence(reading, case))
    checks = [u for u in duties(reading) if _plain_duty(reading, u) and _observable(reading, u)]
    if checks:
        return finding(reading, name, "met", *(quote(reading, u.at, u.end) for u in checks[:3]))
    if hits(reading.claims, DUTY) or hits(reading.claims, CHECK) or reading.body_words > 60:
        return finding(reading, name, "silent")
    if LITERAL.search(reading.text) or leading(reading.summary) in TESTABLE:
        return finding(reading, name, "silent")
    return finding(reading, name, "unmet")


def _given(reading: Reading) -> int:
    """Where given, when and then follow each other closely, or -1."""
    if not reading.claims.tokens >= {"given", "when", "then"}:
        return -1
    low = reading.claims.low
    for given, end in places(reading.claims, GIVEN, ENOUGH):
        when = low.find("when ", end, end + 300)
        if when >= 0 and low.find("then ", when, when + 300) >= 0:
            return given
    return -1


def _observable(reading: Reading, unit: Unit) -> bool:
    """Something other than "we" should do or be what a person can see."""
    words = STEP.findall(reading.claims.low[unit.at : unit.end])
    strong = {"should", "must", "shall", "shouldn't", "mustn't", "ought", "expected"}
    for position, word in enumerate(words):
        if word in strong and not set(words[max(0, position - 2) : position]) & NOT_A_THING:
            return bool(set(words[position + 1 : position + 5]) & OBSERVABLE)
    return False


def location(reading: Reading) -> Finding:
    if spans := named_place(reading):
        return finding(reading, "location", "met", *spans)
    if possible_place(reading):
        return finding(reading, "location", "silent")
    return finding(reading, "location", "unmet")


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
        return finding(reading, name, "met", _head(reading, part.start, part.end))
    if limit := LIMIT.search(reading.claims.low):
        return finding(reading, name, "met", sentence(reading, limit.start()))
    summary = reading.claims.low[: reading.body]
    if woolly(reading) or len(told(summary)) < 4 or reading.body_words < 4:
        return finding(reading, name, "silent")
    if leading(summary) in CONCRETE or reading.section("acceptance", "expected") or defect:
        return finding(reading, name, "met", quote(reading, 0, reading.body))
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
        return finding(reading, name, "met", _head(reading, part.start, part.end))
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
