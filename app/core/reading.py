"""A ticket's text as the checklist reads it: prose, sentences, and the parts that have a name,
found with line breaks and without."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from app.core.criteria import Quote
from app.core.prose import (
    FRAME,
    LOG,
    RUN,
    URL,
    WORD,
    Unit,
    View,
    blank,
    code_spans,
    shows_code,
    split,
    view,
    vocabulary,
)

LONGEST_QUOTE = 160

NAMES = {
    "acceptance": "acceptance criteria, acceptance criterion, acceptance tests, acceptance, "
    "definition of done, conditions of satisfaction, success criteria, done when, cos, ac, dod",
    "expected": "expected results, expected result, expected behaviour, expected behavior, "
    "expected outcome, expected output, expected, what is expected, what should happen, "
    "desired behaviour, desired behavior, desired result",
    "observed": "actual results, actual result, actual behaviour, actual behavior, actual outcome, "
    "actual output, actual, observed behaviour, observed behavior, observed result, observed, "
    "current behaviour, current behavior, current result, what happens, what happens now, results, "
    "result",
    "steps": "steps to reproduce, steps to replicate, step to reproduce, steps for reproduction, "
    "how to reproduce, to reproduce, reproduction steps, reproducible steps, reproduction, "
    "replication steps, repro steps, repro, test steps, steps, test case, str",
    "why": "why, motivation, rationale, benefit, benefits, business value, reason, impact, "
    "purpose, user story, user value, why it matters",
    "verification": "testing instructions, testing notes, testing, how to test, test plan, "
    "verification, how to verify, how to check, qa notes, qa, test scenarios, validation, tests",
    "location": "affected files, affected components, affected component, where, files, file, "
    "component, components, code pointers, place, where to look",
    "open": "open questions, open question, open issues, open issue, open points, open decisions, "
    "to be decided, to be considered, to decide, undecided",
    "scope": "out of scope, not in scope, non-goals, non goals, in scope, scope, limits",
    "other": "notes, note, environment, description, background, context, details, solution, "
    "workaround, additional information, links, references, logs, attachments, proposal, problem",
}
ROLE = {name.strip(): role for role, names in NAMES.items() for name in names.split(",")}
FIRST = frozenset(name.split()[0].split("-")[0] for name in ROLE)
LABEL = re.compile(
    r"(?<![\w/.-])(" + "|".join(sorted(map(re.escape, ROLE), key=len, reverse=True)) + r")(?![\w-])"
)
MARKS = "*_#+ \t"
TALK = re.compile(
    r"\b(?:score|rate|grade|mark|judge|assess|rank|treat|approve)\b[^.\n]{0,40}"
    r"\b(?:this|100|10/10|full marks|highest|maximum|as (?:met|ready|perfect|complete))\b"
    r"|\bthis (?:ticket|issue|story|spec|specification|description|text|task|request) "
    r"(?:is|are|has|meets|fulfils|satisfies|deserves|contains|covers|must|should|will)\b"
    r"[^.\n]{0,60}\b(?:ready|clear|complete|perfect|excellent|great|good|best|well|fully|every|"
    r"everything|all|score|met|passe?s?|approved?|admitted)\b"
    r"|\bignore (?:all |any |the )?(?:previous|prior|above|other|earlier|former)\b"
    r"|\b(?:dear |hello |hey |hi )(?:ai|reviewer|scorer|judge|bot|assistant|signalbox)\b"
    r"|\b(?:reviewer|scorer|judge|checklist|rubric|signalbox|language model|llm|grader|evaluator)"
    r"\b[^.\n]{0,40}\b(?:must|should|please|will|shall|can|score|mark|return|ready)\b"
    r"|\b(?:must|should|please|shall) (?:score|rate|grade|judge|return ready|be ready|say ready)\b"
    r"|\b(?:all|every|each|the) (?:acceptance )?(?:criteria|criterion|checks?|must-haves?|"
    r"questions?|requirements?) "
    r"(?:is|are|have been|has been) (?:met|clear|answered|fulfilled|satisfied|done)"
    r"|\b(?:well|fully|perfectly|clearly|completely)[ -]"
    r"(?:specified|written|defined|described|clear)"
    r"|\bready for (?:an? |the )?(?:agent|dispatch)|\bsystem prompt\b|\byou are an? "
    r'|\b(?:verdict|score)\b"?\s{0,3}[:=]\s{0,3}"?(?:ready|nearly|met|pass|full|\d)'
    r"|\b(?:outcome|reason|acceptance|observed_expected|reproduction|location|bounded|verification"
    r'|open_decision|outside_source|bundle|vague)"?\s{0,3}[:=]\s{0,3}"?(?:met|ready|true|passed)\b'
)
TALKATIVE = vocabulary(
    "score rate grade mark judge assess rank treat approve this ignore dear hello hey hi "
    "reviewer scorer checklist rubric signalbox llm grader evaluator language criteria "
    "criterion must-haves checks requirements questions well fully perfectly clearly completely "
    "verdict outcome reason acceptance observed_expected reproduction location bounded "
    "verification open_decision outside_source bundle vague "
    "ready prompt you well-specified well-written well-defined fully-specified clearly-defined"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the text; the quote is what stands under the name."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, read. `everything` is all prose; `claims` leaves out words about the text itself
    or to whoever judges it, which are no evidence of anything."""

    text: str
    body: int
    everything: View
    claims: View
    units: tuple[Unit, ...]
    starts: tuple[int, ...]
    sections: tuple[Section, ...]
    code: tuple[Quote, ...]
    links: tuple[Quote, ...]
    body_words: int

    @property
    def summary(self) -> str:
        return self.text[: self.body].strip()

    @property
    def headline(self) -> str:
        """What the summary claims, in lower case; words to whoever judges are blank."""
        return self.claims.low[: self.body].rstrip()

    def unit_at(self, offset: int) -> Unit:
        position = bisect_right(self.starts, offset) - 1
        return self.units[max(0, position)]

    def section(self, *names: str) -> Section | None:
        return next((part for part in self.sections if part.name in names), None)

    def items(self) -> list[Unit]:
        return [unit for unit in self.units if unit.item and unit.start >= self.body]


def read(summary: str, body: str) -> Reading:
    """The judged text is the summary, a blank line, the description as plain text."""
    text = f"{summary}\n\n{body}"
    at = len(summary) + 2
    fenced = tuple(code_spans(text))
    prose = blank(text, fenced)
    links = tuple(found.span() for found in URL.finditer(prose)) if "://" in prose else ()
    noise = [*links, *(found.span() for found in RUN.finditer(prose))]
    noise.extend(found.span() for found in LOG.finditer(prose, at))
    if "at" in prose:
        noise.extend(found.span() for found in FRAME.finditer(prose, at))
    prose = blank(prose, sorted(noise))
    units = split(prose, at)
    everything = view(prose)
    claims = _claims(prose, everything, units)
    return Reading(
        text=text,
        body=at,
        everything=everything,
        claims=claims,
        units=units,
        starts=tuple(unit.start for unit in units),
        sections=find_sections(claims, units, at),
        code=tuple(span for span in fenced if shows_code(text, span)),
        links=links,
        body_words=len(WORD.findall(claims.low, at)),
    )


def _claims(prose: str, everything: View, units: tuple[Unit, ...]) -> View:
    if not everything.tokens & TALKATIVE:
        return everything
    low = everything.low
    talk = []
    for unit in units:
        if found := TALK.search(low, unit.start, unit.end):
            said = (low.rfind(mark, unit.start, found.start()) + 1 for mark in ".!?;")
            talk.append((max(unit.start, *said), unit.end))
    return view(blank(prose, talk)) if talk else everything


def quote(reading: Reading, start: int, end: int) -> Quote:
    """The span without blanks at its ends and no longer than a person reads."""
    text = reading.text
    while start < end and text[start].isspace():
        start += 1
    end = min(end, start + 4 * LONGEST_QUOTE)
    if end - start > LONGEST_QUOTE:
        cut = text.rfind(" ", start + LONGEST_QUOTE // 2, start + LONGEST_QUOTE)
        end = cut if cut > 0 else start + LONGEST_QUOTE
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;:*"):
        end -= 1
    return start, end


def sentence(reading: Reading, offset: int) -> Quote:
    unit = reading.unit_at(offset)
    return quote(reading, unit.at, unit.end)


def section_head(reading: Reading, start: int, end: int) -> Quote:
    """The first sentence of a part."""
    unit = reading.unit_at(start)
    return quote(reading, max(start, unit.at), min(end, unit.end))


def find_sections(everything: View, units: Iterable[Unit], body: int) -> tuple[Section, ...]:
    if not everything.tokens & FIRST:
        return ()
    low = everything.low
    starts = {unit.at for unit in units}
    headings = sorted(unit.start for unit in units if unit.heading)
    labels = []
    for found in LABEL.finditer(low, body):
        after = _behind(low, found.end())
        if after >= 0 and _named(low, found.start(), found.end(), starts):
            labels.append((found.start(), after, ROLE[found.group(1)]))
    stops = sorted({*(start for start, _, _ in labels), *headings, len(low)})
    return tuple(_content(low, labels, stops))


def _behind(low: str, end: int) -> int:
    """Where the content starts if this is a label: behind a colon, a line end, a heading's gap."""
    cursor = end
    while cursor < len(low) and low[cursor] in "*_ \t" and cursor - end < 6:
        cursor += 1
    if cursor >= len(low):
        return -1
    if low[cursor] in ":\n":
        return cursor + 1
    gap = low[end:cursor]
    return cursor if "  " in gap or (low[cursor] in "-–—" and " " in gap) else -1


def _named(low: str, start: int, end: int, starts: set[int]) -> bool:
    """A name stands at the start of a line or sentence; a long one with a colon anywhere."""
    cursor = start
    while cursor > 0 and low[cursor - 1] in MARKS and start - cursor < 8:
        if cursor in starts:
            return True
        cursor -= 1
    if cursor in starts or low[cursor - 1] == "\n":
        return True
    return low[end : end + 1] == ":" and (" " in low[start:end] or low[cursor - 1] in ".)]}!;")


def _content(low: str, labels: list[tuple[int, int, str]], stops: list[int]) -> Iterable[Section]:
    position = 0
    for _, after, role in labels:
        while stops[position] < after:
            position += 1
        end = stops[position]
        begin = after
        while begin < end and not low[begin].isalnum():
            begin += 1
        if end - begin >= 2:
            yield Section(role, begin, end)
