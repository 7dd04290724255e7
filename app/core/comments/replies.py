"""Answers to commands: short, once each, and never a second voice beside the other comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.commands import COMMANDS, Right, WrongCommand
from app.core.comments.phrases import amount, footer, listed, person, short
from app.core.eligibility import Reason
from app.core.text import Block, Document, Span, bullets, expand, item, paragraph

_RIGHTS: dict[Right, str] = {
    "read": "everybody may do that",
    "edit": "it needs Jira's right to edit this ticket",
    "dispatch": "it needs the right to dispatch",
    "approve": "it needs the right to approve",
    "stop": "it needs the right to dispatch or to approve",
    "budget": "it needs the right to set more money aside",
    "admin": "it needs the right to administer this project",
}


@dataclass(frozen=True, slots=True)
class StatusView:
    """Where a ticket stands. run: one line on the run that is on, or on the last one. cost: None =
    comments name no money here."""

    verdict: Literal["ready", "nearly", "not_yet"] | None
    score: int | None
    reasons: tuple[Reason, ...]
    run: str
    cost: int | None
    currency: str
    simulated: bool


def help_reply() -> tuple[Block, ...]:
    lines = (
        item(paragraph(Span(f"agent {row.typed}", code=True), f": {row.help}"))
        for row in COMMANDS.values()
    )
    free = [row.name for row in COMMANDS.values() if row.right == "read"]
    return (
        paragraph('Begin a comment with one of these ("/agent …" or a mention of me work too):'),
        bullets(*lines),
        paragraph(f"By role: {listed(free)} are for everybody who can comment."),
        paragraph(
            "I took something wrongly? Say it in the description in other words, set my question "
            "aside (agent wrong), or give the ticket to a person: remove the label. Which answers "
            "are needed here is set by an admin."
        ),
        footer(),
    )


def status_reply(view: StatusView) -> tuple[Block, ...]:
    words = {"ready": "ready", "nearly": "nearly ready", "not_yet": "not ready yet"}
    score = "" if view.score is None else f" ({view.score}/100)"
    text = (
        "The text was not judged yet."
        if view.verdict is None
        else (f"The text is {words[view.verdict]}{score}.")
    )
    lines = [text, *(r.told(costs=view.cost is not None) for r in view.reasons)]
    lines.append(short(view.run, 300) or "No agent has worked on it.")
    if view.cost is not None:
        note = " (simulated)" if view.simulated else ""
        lines.append(f"Cost so far: {amount(view.cost, view.currency)}{note}.")
    return (bullets(*(item(paragraph(line)) for line in lines)), footer())


def wrong_reply(wrong: WrongCommand) -> tuple[Block, ...]:
    """What was read is shown back as it was written, as code, so that it can do nothing."""
    read = Span(short(wrong.read, 80), code=True)
    return (paragraph("I did not do anything: ", read, f" {wrong.hint}"), footer())


def refused_reply(name: str, right: Right, holders: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """Which right is missing, and who has it."""
    who = listed([short(holder, 60) for holder in holders[:5]], "or")
    ask = f" Here {who} may do it." if who else " An admin can grant it: signalbox role grant."
    text = f'I did not do anything: you may not use "agent {name}" here, as {_RIGHTS[right]}.{ask}'
    return (paragraph(text), footer())


LONGEST_KEPT = 10_000


def applied_reply(account_id: str, before: Document) -> tuple[Block, ...]:
    """Who has had the description replaced, and what stood there: as code, so that it does nothing
    and mentions nobody again."""
    old = before.plain()
    rest = "" if len(old) <= LONGEST_KEPT else "\n… the rest is in the ticket's history"
    return (
        paragraph(
            "My proposal replaces the description, as ",
            person(account_id),
            " asked. Please fill in what is open in it. The ticket's history keeps the old text.",
        ),
        expand("The text before", Block("code", spans=(Span(old[:LONGEST_KEPT] + rest),))),
        footer(),
    )


def done_reply(text: str) -> tuple[Block, ...]:
    """One sentence on what a command did, or why there was nothing to do."""
    return (paragraph(short(text, 400)), footer())
