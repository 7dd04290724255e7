"""The rules for what a ticket should say: outcome, reason, acceptance, location.

Precise first: a rule that is not sure stays silent.
"""

from __future__ import annotations

import re

from app.core.criteria import Finding, Quote, Status
from app.core.naming import named_place, possible_place
from app.core.prose import Unit, first, hits, lexicon, places, view, vocabulary
from app.core.reading import Reading, quote, section_head, sentence
from app.core.wording import (
    AUDIENCE,
    BETTER,
    BROKEN,
    CHECK,
    CONCRETE,
    DUTY,
    MODAL,
    MOTIVE,
    OBSERVABLE,
    PRETTY,
    REASON,
    WOOLLY,
    WOOLLY_NOUNS,
)

PREFIX = re.compile(r"^(?:\s*\[[^\]\n]{1,60}\]|[^:\n]{1,40}:(?=\s)|[\w+. ]{1,25} - )+\s*")
STEP = re.compile(r"[a-z'-]+")
STORY = re.compile(
    r"\bas (?:an? |the )?[a-z][^,.\n]{1,60}?,? (?:i|we) "
    r"(?:want|would like|will like|need|can|should)\b"
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
MEASURE = re.compile(
    r"\d+(?:[.,]\d+)? ?(?:%|ms|milliseconds?|s|secs?|seconds?|min(?:ute)?s?|hours?|h|kb|mb|gb|kib|"
    r"mib|px|rows?|users?|requests?|clicks?|times|lines?|files?|items?|x)\b|\b(?:below|under|"
    r"less than|at most|at least|more than|within|fewer than|up to|over) (?:\w+ )?\d|[<>≤≥]=? ?\d"
)
DONE = re.compile(
    r"\b(?:when|once|after) (?:this|that|it)(?: \w{1,20})? is "
    r"(?:done|finished|complete|completed|implemented|fixed|merged)\b,? (?=\w+ \w+ \w)"
)
HAVE_TO = re.compile(r"\b(?:today|currently|now)\b[^.\n]{2,80}\b(?:have|has) to\b")
GIVEN_RESULT = re.compile(r"\bgiven [^.\n]{3,160}?\bthe result is\b")
FAINT_MOTIVE = vocabulary("nice would people user users want wants need needs important")
"""Words that stand beside a reason and just as well beside none."""


def finding(reading: Reading, name: str, status: Status, *quotes: Quote) -> Finding:
    kept = tuple(span for span in quotes if span[1] > span[0])[:3]
    found = reading.text[kept[0][0] : kept[0][1]] if kept else ""
    return Finding(name, status, kept, found)


def nothing(name: str) -> Finding:
    """Silent, as no rule is sure in a text like this; but nothing speaks for it either."""
    return Finding(name, "silent", withheld=True)


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
    short = reading.body_words <= 6 and not reading.code and not reading.links
    return short and topic(reading, defect)


def topic(reading: Reading, defect: bool | None) -> bool:
    """The summary names a topic and says nothing about it."""
    words = told(reading.headline)
    if not words and reading.summary:
        return reading.headline != reading.everything.low[: reading.body].rstrip()
    if defect or not words or len(words) > 7:
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
    return not set(words) & speaking


def woolly(reading: Reading) -> Quote | None:
    """Words of the demand that nobody could measure."""
    summary = reading.headline or reading.everything.low[: reading.body]
    core = PREFIX.match(summary)
    at = core.end() if core else 0
    words = told(summary)
    if words and (words[0] in WOOLLY or set(words[:4]) & WOOLLY_NOUNS):
        if set(words[1:3]) & {"why", "whether", "if", "how", "what"}:
            return None
        return quote(reading, at, len(summary))
    if words[:1] == ["make"] and PRETTY & set(words):
        return quote(reading, at, len(summary))
    if hits(view(summary), BETTER) and not STORY.search(summary):
        return quote(reading, at, len(summary))
    return None


def unmeasured(reading: Reading) -> Quote | None:
    """The demand, if nothing in a short text makes it something that can be measured."""
    demand = woolly(reading)
    if not demand or MEASURE.search(reading.claims.low):
        return None
    if told_how(reading) or reading.code or len(reading.items()) > 2 or reading.body_words > 45:
        return None
    return demand


def told_how(reading: Reading) -> bool:
    return reading.section("acceptance", "expected", "steps") is not None


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
        return finding(reading, name, "met", section_head(reading, wanted.start, wanted.end))
    vague = woolly(reading)
    if found := _change(reading, vague):
        return finding(reading, name, "met", found)
    if defect and not vague and (wrong := first(reading.claims, BROKEN)):
        return finding(reading, name, "met", sentence(reading, wrong[0]))
    for unit in reading.units if not vague else ():
        words = reading.claims.low[unit.at : unit.end].split()
        if unit.start >= reading.body and len(words) >= 4 and words[0] in CONCRETE:
            return finding(reading, name, "met", quote(reading, unit.at, unit.end))
    return nothing(name) if topic(reading, defect) else finding(reading, name, "silent")


def _change(reading: Reading, vague: Quote | None) -> Quote | None:
    """A change that is named, as a demand, a story or a duty."""
    said = reading.headline
    if not vague and leading(said) in CONCRETE and len(said.split()) >= 3:
        return quote(reading, 0, len(said))
    if done := DONE.search(reading.claims.low):
        unit = reading.unit_at(done.start())
        if _plain_duty(reading, unit):
            return quote(reading, unit.at, unit.end)
    if story := STORY.search(reading.claims.low):
        return sentence(reading, story.start())
    for unit in duties(reading):
        if _plain_duty(reading, unit) and (not vague or _observable(reading, unit)):
            return quote(reading, unit.at, unit.end)
    return None


def reason(reading: Reading) -> Finding:
    name = "reason"
    if part := reading.section("why"):
        return finding(reading, name, "met", section_head(reading, part.start, part.end))
    if whom := AUDIENCE.search(reading.claims.low):
        at = whom.span(1) if whom.group(1) else whom.span()
        quotes = [at if whom.group(1) else sentence(reading, at[0])]
        if why := first(reading.claims, REASON):
            quotes.append(sentence(reading, why[0]))
        return finding(reading, name, "met", *quotes)
    if why := first(reading.claims, REASON):
        return finding(reading, name, "met", sentence(reading, why[0]))
    if have_to := HAVE_TO.search(reading.claims.low):
        return finding(reading, name, "met", sentence(reading, have_to.start()))
    hints = hits(reading.claims, MOTIVE)
    if set(hints) - FAINT_MOTIVE:
        return finding(reading, name, "silent")
    return nothing(name) if hints or reading.body_words > 60 else finding(reading, name, "unmet")


def acceptance(reading: Reading) -> Finding:
    name = "acceptance"
    part = reading.section("acceptance") or reading.section("expected")
    if part and reading.text[part.start : part.end].count(" ") >= 1:
        items = [u for u in reading.items() if part.start - 4 <= u.start < part.end][:3]
        spans = [quote(reading, u.at, u.end) for u in items]
        return finding(
            reading, name, "met", *(spans or [section_head(reading, part.start, part.end)])
        )
    if (case := _given(reading)) >= 0:
        return finding(reading, name, "met", sentence(reading, case))
    checks = [u for u in duties(reading) if _plain_duty(reading, u) and _observable(reading, u)]
    if checks:
        return finding(reading, name, "met", *(quote(reading, u.at, u.end) for u in checks[:3]))
    if hits(reading.claims, DUTY) or hits(reading.claims, CHECK):
        return finding(reading, name, "silent")
    if LITERAL.search(reading.claims.prose) or leading(reading.headline) in TESTABLE:
        return finding(reading, name, "silent")
    return nothing(name) if reading.body_words > 60 else finding(reading, name, "unmet")


def _given(reading: Reading) -> int:
    """Where given, when and then (or a result) follow each other closely, or -1."""
    if "given" not in reading.claims.tokens:
        return -1
    if told := GIVEN_RESULT.search(reading.claims.low):
        return told.start()
    if not reading.claims.tokens >= {"when", "then"}:
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
    long = reading.body_words > 40
    return nothing("location") if long else finding(reading, "location", "unmet")
