"""Run and attempt: their states, their distinct endings, their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How an attempt or a run ended. Distinct, because what a person does next differs."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    STALLED = "Stalled"
    OVER_BUDGET = "OverBudget"
    CANCELLED = "Cancelled"
    INTERRUPTED = "Interrupted"
    NEEDS_ANSWER = "NeedsAnswer"
    DRIFTED = "Drifted"


RETRYABLE = frozenset({Ending.FAILED, Ending.INTERRUPTED})
"""Endings after which the same run may make another attempt by itself."""


@dataclass(frozen=True, slots=True)
class CallUsage:
    """What one request to a model used. Tokens are counts, cost is micro-units; None = unknown."""

    message_id: str
    model: str
    input_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    output_tokens: int
    cost: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the acceptance table: observed outside the agent, or openly not checked."""

    criterion: str
    result: str  # "passed" | "failed" | "not checked"
    evidence: str


@dataclass(frozen=True, slots=True)
class RunRef:
    """Names a run in every place that needs a name."""

    site_id: str
    issue_id: str
    key: str
    number: int

    @property
    def branch(self) -> str:
        return f"agent/{self.key}-{self.number}"

    @property
    def workflow_id(self) -> str:
        return f"run:{self.site_id}:{self.issue_id}:{self.number}"

    def hold_id(self, attempt: int) -> str:
        """The ledger's idempotency key of one attempt's money."""
        return f"{self.workflow_id}:attempt:{attempt}"


DRIFTED = "drifted"
"""A run's `stop_why` when the ticket's text was edited; anything else is told as it is."""


def final_ending(last: Ending, stop_why: str | None, text_is_the_same: bool) -> Ending:
    """A run's ending from its last attempt's, the wish to stop, and the ticket's text now.

    A stop outranks what was reached: nobody gets handed what they asked to end. Work on a text
    that has changed since is not success either.
    """
    if stop_why == DRIFTED:
        return Ending.DRIFTED
    if stop_why:
        return Ending.CANCELLED
    if last is Ending.SUCCEEDED and not text_is_the_same:
        return Ending.DRIFTED
    return last
