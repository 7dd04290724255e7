"""Comments that are commands: `agent WORD`, `/agent WORD`, or a mention of us and WORD.

Strict on purpose: a command can spend money or stop work, so a comment that only looks like one
is either prose (no answer at all) or a wrong command (answered once, with a hint).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.core.criteria import CRITERIA
from app.core.text import Block, Document, Span, words

Right = Literal["read", "edit", "dispatch", "approve", "stop", "budget", "admin"]
"""What a command needs. `edit` is Jira's own right to edit the ticket; the others are ours."""

LONGEST_WRONG = 4
"""With more words than this after "agent", an unknown one is taken for prose."""


@dataclass(frozen=True, slots=True)
class Row:
    """A command of the table. example: of its argument, where it takes one."""

    name: str
    right: Right
    help: str
    example: str = ""

    @property
    def typed(self) -> str:
        return f"{self.name} {self.example}".strip()


_ROWS = (
    Row("score", "read", "judge the text as it is now"),
    Row("run", "dispatch", "start an agent on this text, as the label would"),
    Row("approve", "approve", "let the agent start on this version of the text"),
    Row("stop", "stop", "stop the run; its work is kept on its branch"),
    Row("retry", "dispatch", "start another run, with money of its own"),
    Row("topup", "budget", "set more money aside for the attempt that is on", example="3"),
    Row(
        "wrong",
        "read",
        'set question 2 aside, as I am mistaken; also by name ("agent wrong vague"), with a reason',
        example="2",
    ),
    Row("apply", "edit", "write the text that I propose into the description"),
    Row("split", "dispatch", "make the sub-tasks that I propose"),
    Row("status", "read", "say where this ticket stands and what it has cost"),
    Row("pause", "admin", "let nothing more start in this project"),
    Row("resume", "admin", "end the pause of this project"),
    Row("help", "read", "show this list"),
)
COMMANDS: dict[str, Row] = {row.name: row for row in _ROWS}


@dataclass(frozen=True, slots=True)
class Command:
    """argument: what it is about, where it takes that. said: the free words behind it."""

    name: str
    right: Right
    argument: str = ""
    said: str = ""

    @property
    def once(self) -> str:
        """By what it is told whether a comment was obeyed for it."""
        return f"{self.name} {self.argument}".strip()


@dataclass(frozen=True, slots=True)
class WrongCommand:
    """Meant as a command, but none. `read` is the line, `hint` what would be right."""

    read: str
    hint: str


_ADDRESS = re.compile(r"(/?agent)(?:[,:]?\s+|$)(.*)", re.IGNORECASE)
_WORD = re.compile(r"([A-Za-z]+)([.!,;:]*)(?:\s+(.*))?")
_THANKS = r"(?:,?\s*(?:please|thanks|thank you)[.!]*)+"
_POLITE = re.compile(_THANKS, re.IGNORECASE)
_CALLED = {criterion.name.replace("_", " "): criterion.name for criterion in CRITERIA} | {
    criterion.title.lower(): criterion.name for criterion in CRITERIA
}
"""What people may call a criterion: as in the list of checks, or as in settings."""
_NAMES = "|".join(re.escape(name).replace(r"\ ", "[_ -]") for name in _CALLED)
_ARGUMENTS = {
    "wrong": re.compile(rf"([1-9]\d?|{_NAMES})(?![\w-])[.!,;:]*(?:\s+(.*))?", re.IGNORECASE),
    # Money: one amount and nothing that could be read in another way.
    "topup": re.compile(rf"\$?(\d{{1,6}}(?:\.\d\d?)?)[.!]*({_THANKS})?", re.IGNORECASE),
}
_MISSING = {"wrong": "does not say about what", "topup": "does not say just how much"}
LONGEST_SAID = 300
_UNSEEN = "comes with characters that nobody can see. Please write it anew, without pasting."
_SKIPPED = frozenset(["code", "quote", "rule", "expand"])
_LONGEST_LINE = 2000


def parse(document: Document, our_account: str | None) -> Command | WrongCommand | None:
    """The command that a comment begins with; None = it is a comment between people."""
    line = next(_first_lines(document.blocks), ())
    rest, slash = _addressed(line, our_account)
    read = None if rest is None else _read(rest, words(line).strip(), sure=slash)
    # What nobody can see may turn a line round on the screen. A stop can do no harm by it.
    if isinstance(read, Command) and document.hidden and read.name != "stop":
        return WrongCommand(words(line).strip(), _UNSEEN)
    return read


def pressed(command: str, argument: str) -> Command | WrongCommand:
    """The command of a button: the same table, the same words."""
    line = f"{command} {argument}".strip()
    return _read(line, line, sure=True) or _no_command(line)


def _first_lines(blocks: tuple[Block, ...]) -> Iterator[tuple[Span, ...]]:
    """Non-empty lines of text, from the first block on that is neither code nor a quote."""
    for block in blocks:
        if block.kind == "paragraph":
            yield from (line for line in _split(block.spans) if words(line).strip())
        elif block.kind not in _SKIPPED:
            yield ()  # a list, a table or a heading first: nothing is addressed to us


def _split(spans: tuple[Span, ...]) -> Iterator[tuple[Span, ...]]:
    """The first lines of a paragraph, with the marks that say what is code or a mention."""
    line: list[Span] = []
    for span in spans:
        first, *rest = span.text.split("\n")
        line.append(Span(first, code=span.code, mention=span.mention))
        for text in rest:
            yield tuple(line)
            line = [Span(text, code=span.code, mention=span.mention)]
    yield tuple(line)


def _addressed(line: tuple[Span, ...], our_account: str | None) -> tuple[str | None, bool]:
    """The words after the address, and whether the address can only have meant us."""
    shown = [span for span in line if span.text.strip()]
    if not shown or any(span.code for span in shown) or len(words(line)) > _LONGEST_LINE:
        return None, False
    first = shown[0]
    if first.mention is not None:
        ours = our_account is not None and first.mention == our_account
        return (words(tuple(shown[1:])).strip(" ,:\t") if ours else None), True
    if any(span.mention for span in shown):
        return None, False
    found = _ADDRESS.fullmatch(words(line).strip())
    if found is None:
        return None, False
    return found[2].strip(), found[1].startswith("/")


def _read(rest: str, line: str, *, sure: bool) -> Command | WrongCommand | None:
    found = _WORD.fullmatch(rest)
    name = found[1].lower() if found else ""
    if found is None or name not in COMMANDS:
        return _unknown(rest, line, sure=sure)
    after = (found[3] or "").strip()
    polite = not after or bool(_POLITE.fullmatch(after))
    if name in _ARGUMENTS:
        if about := _ARGUMENTS[name].fullmatch(after):
            return _with_argument(name, about)
    elif polite:
        return Command(name, COMMANDS[name].right)
    # "agent stop. It edits the wrong file." was meant; "agent stop words are a list" was not.
    if not (sure or found[2] or polite) and len(after.split()) > LONGEST_WRONG:
        return None
    return WrongCommand(line, _mend(name))


def _with_argument(name: str, about: re.Match[str]) -> Command:
    said = (about[2] or "").strip()
    if _POLITE.fullmatch(said):
        said = ""
    called = re.sub("[_-]", " ", about[1].lower())
    argument = _CALLED.get(called, called)
    return Command(name, COMMANDS[name].right, argument, said[:LONGEST_SAID])


def _mend(name: str) -> str:
    if name in _ARGUMENTS:
        row = COMMANDS[name]
        return f'{_MISSING[name]}. For example "agent {row.typed}": {row.help}.'
    return f'has words that I do not know. It is just: "agent {name}".'


def _unknown(rest: str, line: str, *, sure: bool) -> WrongCommand | None:
    """A short line was meant for us; a sentence that begins with "agent" was not."""
    length = len(line.split())
    if not rest or length > (2 * LONGEST_WRONG if sure else LONGEST_WRONG):
        return None
    return _no_command(line)


def _no_command(line: str) -> WrongCommand:
    names = ", ".join(COMMANDS)
    return WrongCommand(line, f'is no command. There are: {names}; "agent help" explains them.')
