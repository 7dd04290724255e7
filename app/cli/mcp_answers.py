"""The shapes of what the tools of `signalbox mcp` answer: their schemas are published from here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Verdict = Literal["ready", "nearly", "not_yet"]
Amount = Annotated[str | None, Field(description="An exact decimal such as 3.000000; null = none.")]


class Question(BaseModel):
    """One answer that the text lacks."""

    criterion: str
    text: str
    example: str = Field(description="What an answer could look like.")
    found: str = Field(description="The words of the text that leave it open; may be empty.")


class Criterion(BaseModel):
    """One judged criterion of the rubric."""

    criterion: str
    title: str
    status: Literal["met", "unmet", "not_applicable", "silent"] = Field(
        description="silent: no rule was sure, which is no praise."
    )
    quotes: list[str] = Field(description="The words of the text that it rests on, verbatim.")
    looked_for: str = Field(description="What was looked for in vain.")
    repair: str = Field(description="One line that would repair it.")


class Score(BaseModel):
    """How ready a text is for an agent that cannot ask."""

    verdict: Verdict
    score: int | None = Field(description="0 to 100; null where the text could not be judged.")
    questions: list[Question] = Field(description="At most five; answering them comes first.")
    good: list[str]
    findings: list[Criterion]
    note: str
    rubric: str = Field(description="Name and version of the checklist; no model was asked.")


class Improvement(BaseModel):
    """What to add to a text, without a word that its author did not write."""

    verdict: Verdict
    score: int | None
    questions: list[Question]
    skeleton: str = Field(
        description="The author's own sentences under headings, in Markdown, […] where an answer "
        "goes. Ask a person for the answers: do not invent them."
    )
    rubric: str


class Reason(BaseModel):
    """Why no agent has started, and what would change it."""

    code: str
    text: str
    next: str


class Run(BaseModel):
    """One time an agent was let out on the ticket."""

    number: int
    state: str = Field(description="running, or how it ended.")
    pull_request: str = Field(description="Its address; empty if there is none.")


class TicketStatus(BaseModel):
    """What Signalbox last found and decided about a ticket; nothing is asked of Jira for it."""

    site: str
    key: str
    verdict: Verdict | None
    score: int | None
    assessed_at: str | None
    decision: str | None = Field(description="admit, defer, or null before there is one.")
    reasons: list[Reason]
    runs: list[Run]
    spent: Amount
    set_aside: Amount
    currency: str


class Budget(BaseModel):
    """One limit and what stands against it in its present period."""

    level: str
    subject: str
    period: str
    limit: Amount
    spent: Amount
    set_aside: Amount
    free: Amount
    next_reset: str | None


class BudgetLeft(BaseModel):
    """Money that an agent of the project could still use: every limit has to hold at once."""

    site: str
    project: str
    currency: str
    free: Amount = Field(description="The least of all; 0.000000 where no budget is set.")
    budgets: list[Budget]
