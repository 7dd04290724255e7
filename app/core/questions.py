"""What the author is told: a few questions in the ticket's own words, and what is good already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.core.criteria import BY_NAME, Finding
from app.core.prose import vocabulary

MOST_QUESTIONS = 5
MOST_PRAISE = 3
ORDER = (
    "outcome",
    "acceptance",
    "location",
    "vague",
    "open_decision",
    "outside_source",
    "bundle",
    "bounded",
    "observed_expected",
    "reproduction",
    "verification",
    "reason",
)
MINOR = ("verification", "reason")
"""Asked only while there are few questions: without the others answered they help nobody."""
SPEED = re.compile(
    r"\b(?:slow|slowly|fast|faster|quick|quicker|speed|performance|latency|too long)\b"
)
LOOKS = re.compile(
    r"\b(?:easier|usable|usability|user-? ?friendly|intuitive|nicer|ux|ui|friendlier)\b"
)
TIDY = re.compile(r"\b(?:refactor\w*|clean\w*|tidy|simplify|rework|modern\w*|streamline|code)\b")
MAYBE = re.compile(r"^(?:maybe|perhaps) ([^?\n]{2,60})\?$", re.IGNORECASE)
MEDIUM = re.compile(
    r"\b((?:[\w-]+ )?(?:slack thread|thread|chat|meeting|call|e-?mail|mail|minutes|document|"
    r"mock-?up|screen ?shot|attachment|attached \w+|parent \w+|sub-?tasks?|spreadsheet|"
    r"list|image|picture))\b"
)
JUNK = vocabulary("the a an see check read please our in to of refer consult follow")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask the author, with an answer that would do and what is there instead."""

    criterion: str
    text: str
    example: str
    found: str


def ask(
    text: str, summary: str, findings: Iterable[Finding], must_haves: frozenset[str]
) -> tuple[Question, ...]:
    """Must-haves first; one question where one answer settles several criteria."""
    named = {finding.criterion: finding for finding in findings}
    wanted = list(_wanted(named, must_haves))
    major = [name for name in wanted if name not in MINOR or name in must_haves]
    minor = [name for name in wanted if name not in major]
    chosen = [*major, *minor[: max(0, 3 - len(major))]][:MOST_QUESTIONS]
    place = named["location"].found
    return tuple(_question(named[name], text, summary, place) for name in chosen)


def _wanted(named: Mapping[str, Finding], must_haves: frozenset[str]) -> Iterator[str]:
    unmeasured = named["vague"].status == "unmet"
    settled = {"outcome", "acceptance", "bounded"} if unmeasured else set()
    ranked = sorted(ORDER, key=lambda name: _rank(name, must_haves, unmeasured))
    for name in ranked:
        finding = named[name]
        if finding.aside:
            continue
        lacking = name in must_haves and finding.status in ("unmet", "silent")
        if name not in settled and (lacking or finding.status == "unmet"):
            yield name


def _rank(name: str, must_haves: frozenset[str], unmeasured: bool) -> tuple[bool, int]:
    first = name in must_haves or (unmeasured and name == "vague")
    return (not first, -1 if name == "vague" and first else ORDER.index(name))


def _question(finding: Finding, text: str, summary: str, place: str) -> Question:
    criterion = BY_NAME[finding.criterion]
    asked, example, found = criterion.question, criterion.example, short(finding.found)
    match finding.criterion:
        case "vague":
            asked, example = _measure(text, place)
            found = short(_vague_words(text) or finding.found)
        case "open_decision":
            asked, example = _decision(finding.found)
        case "outside_source":
            asked = f"What matters in {_medium(finding.found)}?"
        case "outcome" if place:
            asked = f'What will be different in "{short(place)}" when this is done?'
            found = short(summary)
        case "outcome" | "acceptance":
            found = found or short(summary)
        case "bounded" if found:
            asked = f'Where does it end? "{found}" leaves it open.'
        case _:
            pass
    return Question(finding.criterion, asked, example, found)


def _vague_words(text: str) -> str:
    found = re.search(r"\b(?:make|get) (?:it|this|that|them) \w+", text, re.IGNORECASE)
    return found.group() if found else ""


def _measure(text: str, place: str) -> tuple[str, str]:
    low = text.lower()
    if SPEED.search(low):
        return "How fast is fast enough?", "100,000 rows in under 10 s"
    if TIDY.search(low):
        return (
            "What will the code look like when it is done?",
            "all callers use the new class, the old one is deleted, the tests pass unchanged",
        )
    if LOOKS.search(low):
        return "What will a person see or do that is different?", "three clicks instead of seven"
    where = f' "{short(place)}"' if place else " it"
    return f"How would someone see that{where} is better?", "no duplicate rows for the sample file"


def _decision(found: str) -> tuple[str, str]:
    if maybe := MAYBE.match(found.strip()):
        choice = maybe.group(1).strip()
        return f"{choice[0].upper()}{choice[1:]}, or not?", f"yes, {choice}"
    if found.rstrip().endswith("?"):
        return f'What is the answer to "{short(found)}"?', "the answer in one sentence"
    if re.search(r"\bor\b", found):
        return f'Which one is it? "{short(found)}" leaves it open.', "the first one, because ..."
    return f'What is decided? "{short(found)}" leaves it open.', "the decision in one sentence"


def _medium(found: str) -> str:
    named = MEDIUM.search(found)
    if not named:
        return f'"{short(found)}"' if found else "the source"
    words = [word for word in named.group(1).split() if word.lower() not in JUNK]
    return f"the {' '.join(words)}" if words else f'"{short(found)}"'


def short(words: str, limit: int = 80) -> str:
    """One line, cut at a word; an ellipsis says that there is more."""
    line = " ".join(words.split())
    if len(line) <= limit:
        return line
    cut = line.rfind(" ", 0, limit)
    return line[: cut if cut > limit // 2 else limit - 1].rstrip(" ,;:.") + "…"


def praise(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Up to three half lines on what is there, with the ticket's words."""
    named = {finding.criterion: finding for finding in findings if finding.status == "met"}
    whom = named["reason"].found if "reason" in named else ""
    phrases = {
        "location": "the place",
        "reason": "for whom" if whom and len(whom.split()) <= 3 else "why",
        "acceptance": "a check",
        "outcome": "what should be different",
        "reproduction": "how to bring it about",
        "verification": "how to verify it",
    }
    present = [name for name in phrases if name in named and named[name].found]
    return tuple(
        f'{phrases[name]} ("{short(named[name].found, 48)}")' for name in present[:MOST_PRAISE]
    )
