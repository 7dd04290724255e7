"""May a proposed text be shown? Only if it keeps the author's facts and marks what it assumes."""

from __future__ import annotations

import re

from app.core.prose import blank, code_spans

ASSUMED = re.compile(r"\[assumed:[^\]\n]*\]", re.IGNORECASE)
FACT = re.compile(
    r"`([^`\n]{1,200})`"  # what the author marked as code
    r'|"([^"\n]{2,200})"|“([^”\n]{2,200})”'  # or quoted
    r"|((?<!\w)\w{1,20}://[^\s<>\"]+)"
    r"|((?<![\w/-])(?:[\w-]+/)+[\w.-]*\w|(?<![\w-])[\w-]+\.[a-z]{1,5}\b)"  # a path or a file
    r"|(\b[A-Z][A-Z0-9]+-\d+\b)"  # a ticket
    r"|(\b[a-z]+(?:[A-Z][a-z0-9]+)+\b|\b\w+_\w+\b)"  # an identifier
    r"|(\d+(?:[.,:]\d+)*)"
)
NUMBERED = re.compile(r"^[ \t]*\d{1,2}[.)](?=\s)", re.MULTILINE)


def facts(text: str) -> frozenset[str]:
    """Numbers, paths, names in code and quoted words of the prose; logs and code stand apart."""
    prose = blank(text, tuple(code_spans(text)))
    prose = NUMBERED.sub("", prose)
    return frozenset(
        next(part for part in found.groups() if part).strip() for found in FACT.finditer(prose)
    )


def proposal_fault(text: str, proposal: str) -> str:
    """Why the proposal may not be shown, in half a line; empty where it may."""
    lost = sorted(fact for fact in facts(text) if fact not in proposal)
    if lost:
        return f"it loses {lost[0]!r}"
    new = sorted(fact for fact in facts(ASSUMED.sub(" ", proposal)) if fact not in text)
    return f"it invents {new[0]!r}" if new else ""
