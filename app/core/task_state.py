"""What a task of Jira's agent connector has come to, from the delivery, the ticket and its run.

Nothing is kept for a task but its delivery: whoever asks gets what is true now.
https://a2a-protocol.org/latest/specification/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.core.run import Ending


class State(StrEnum):
    SUBMITTED = "submitted"
    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELED = "canceled"


FINAL = frozenset({State.COMPLETED, State.FAILED, State.REJECTED, State.CANCELED})
TURNED_DOWN = frozenset({"no_right", "not_a_person", "label_older", "restricted", "done"})
"""Reasons that nothing but another start takes away."""
ASKS = frozenset({"not_ready", "approval"})
"""Reasons that a person answers."""

ANSWERED = "I have done what the comment asks, or answered it on the ticket."
OBEYED = "obeyed before"
"""The reason of a comment's delivery that came when the comment had been obeyed."""


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run of the ticket. `ending` None = it is on."""

    number: int
    ended_at: datetime | None
    ending: Ending | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A task's delivery and what was decided on its ticket since. kind: ticket | comment …"""

    kind: str
    received_at: datetime
    relayed: bool
    outcome: str | None
    reason: str
    decision: Mapping[str, Any]
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """text: one or two sentences for the person who reads it in Jira."""

    state: State
    text: str


def run_of(asked: Asked, runs: Sequence[RunSeen]) -> RunSeen | None:
    """The ticket's run that the task stands for: the first that was on after it came in, and after
    a question the one that went on with the answer; else the run that its intent has had."""
    if asked.kind not in ("ticket", "both"):
        return None
    later = [run for run in runs if run.ended_at is None or run.ended_at >= asked.received_at]
    answered = [run for run in later if run.ending is not Ending.NEEDS_ANSWER]
    if later:
        return (answered or later)[0]
    had = asked.decision.get("run") if asked.decision.get("why") == "label_used" else None
    return next((run for run in runs if run.number == had), None)


def task_status(asked: Asked, run: RunSeen | None) -> Status:
    match asked.outcome:
        case None if asked.relayed or asked.reason:
            return Status(State.WORKING, _sentence(asked.reason) or "I am reading the ticket.")
        case None:
            return Status(State.SUBMITTED, "I have it and will read the ticket within seconds.")
        case "parked":
            text = "Something is in the way that an admin of Signalbox has to look at."
            return Status(State.WORKING, text)
        case "handled" if asked.kind in ("ticket", "both"):
            return _of_run(run) if run else _of_decision(asked.decision, asked.verdict)
        case "ignored" if asked.reason == OBEYED:  # it had come in by another door as well
            return Status(State.COMPLETED, ANSWERED)
        case "handled":
            return Status(State.COMPLETED, ANSWERED)
    return Status(State.REJECTED, f"I did nothing: {asked.reason}.")


def _of_run(run: RunSeen) -> Status:
    name = f"Run {run.number}"
    match run.ending:
        case None:
            return Status(State.WORKING, f"{name} is on; its comment on the ticket tells more.")
        case Ending.SUCCEEDED:
            return Status(State.COMPLETED, f"{name} has finished. A person is next.")
        case Ending.NEEDS_ANSWER:
            return Status(State.INPUT_REQUIRED, f"{name} has a question, in a comment.")
        case Ending.CANCELLED:
            return Status(State.CANCELED, f"{name} was stopped.")
        case Ending.DRIFTED:
            return Status(State.CANCELED, f"{name} was stopped, as the text was changed.")
    return Status(State.FAILED, f"{name} did not get it done ({run.ending}); its comment says why.")


def _of_decision(decision: Mapping[str, Any], verdict: str | None) -> Status:
    match decision.get("decision"), decision.get("why"):
        case "defer", _:
            return _of_reasons(decision.get("reasons") or ())
        case "none", "no_label":
            return Status(State.CANCELED, "Nobody asks for an agent any more.")
        case "none", "mode":
            return _of_advice(verdict)
        case "none", "label_used":
            text = 'It has had its run. The comment "agent retry" starts another one.'
            return Status(State.REJECTED, text)
        case "none", "gone":
            return Status(State.REJECTED, "The ticket is gone, or hidden from Signalbox.")
    return Status(State.WORKING, "I am reading the ticket.")


def _of_advice(verdict: str | None) -> Status:
    """In a project where nothing is started, judging the text is all there is to do."""
    if verdict == "ready":
        return Status(State.COMPLETED, "The text is ready. In this project I give advice only.")
    text = "The text does not answer everything yet. My questions stand in a comment."
    return Status(State.INPUT_REQUIRED, text)


def _of_reasons(reasons: Sequence[Mapping[str, Any]]) -> Status:
    codes = {str(reason["code"]) for reason in reasons}
    text = " ".join(f"{reason['text']} {reason['next']}".strip() for reason in reasons[:5])
    if codes & TURNED_DOWN:
        return Status(State.REJECTED, text)
    return Status(State.INPUT_REQUIRED if codes & ASKS else State.SUBMITTED, text)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""
