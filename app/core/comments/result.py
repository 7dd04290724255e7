"""The result: a new comment, for an end or a stop, as its reader has to do something now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.core.comments.phrases import (
    amount,
    clause,
    clock,
    footer,
    headline,
    lozenge,
    person,
    sentence,
    short,
    spent,
    steps,
)
from app.core.comments.run import ENDINGS
from app.core.run import Check, Ending
from app.core.text import Block, Span, paragraph, safe_link

_STOPPED = frozenset([Ending.CANCELLED, Ending.DRIFTED])


@dataclass(frozen=True, slots=True)
class Costs:
    """Micro-units. run: of this run. ticket: of all its runs. returned: given back to the budget.

    None = not known.
    """

    run: int | None
    ticket: int | None
    returned: int
    currency: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class ResultView:
    """A run that has ended. `change`: one line by us on what was changed, from the commit itself.

    costs: None = comments name no money here. commit: None = nothing is on the branch. said: the
    agent's own words. stopped_by: an account, empty when no person did it.
    """

    agent_title: str
    number: int
    ending: Ending
    branch: str
    base_branch: str
    costs: Costs | None
    change: str = ""
    commit: str | None = None
    pull_request: str | None = None
    checks: tuple[Check, ...] = ()
    cause: str = ""
    stopped_by: str = ""
    stopped_why: str = ""
    ended: datetime | None = None
    zone: tzinfo | None = None
    said: str = ""
    cage: str = ""


def result_comment(view: ResultView) -> tuple[Block, ...]:
    """How it ended, what there is to see, what was observed, what it cost, what is next."""
    if view.ending is Ending.SUCCEEDED:
        body = _success(view)
    elif view.ending in _STOPPED:
        body = _stopped(view)
    else:
        body = _failure(view)
    return (*body, footer(f"run {view.number}", view.cage))


def _success(view: ResultView) -> list[Block]:
    told = ENDINGS[view.ending]
    what = "the pull request" if _pull_request(view) else f"the branch {view.branch}"
    first = headline(
        lozenge(told.mark, told.tone),
        f"{view.agent_title} has finished. A person is next: please review {what}.",
    )
    change = [paragraph(sentence(view.change))] if view.change.strip() else []
    return [
        first,
        *change,
        paragraph(*_place(view)),
        *_acceptance(view),
        *_said(view),
        *_cost(view),
        paragraph(
            "Next: review it, then merge or close it; nothing is merged by itself. "
            'Another try on the same text: "agent retry".'
        ),
    ]


def _failure(view: ResultView) -> list[Block]:
    told = ENDINGS[view.ending]
    return [
        headline(
            lozenge(told.mark, told.tone),
            f"Not finished: {view.agent_title} {told.text}. {view.base_branch} is untouched.",
        ),
        *([paragraph(f"Cause: {sentence(view.cause)}")] if view.cause.strip() else []),
        *_cost(view),
        *_acceptance(view),
        *_said(view),
        *([paragraph(*_place(view))] if view.commit else []),
        paragraph("What you can do next:"),
        steps(_next(view)),
    ]


def _stopped(view: ResultView) -> list[Block]:
    told = ENDINGS[view.ending]
    at = ""
    if view.ended is not None and view.zone is not None:
        at = f" at {clock(view.ended, view.zone, view.ended)}"
    if view.ending is Ending.DRIFTED:
        who: tuple[str | Span, ...] = (f"Stopped{at}, as the text was changed while it ran.",)
    elif view.stopped_by:
        why = f": {clause(view.stopped_why)}" if view.stopped_why.strip() else "."
        who = (f"Stopped{at} by ", person(view.stopped_by), why)
    else:
        who = (f"Stopped{at}: {clause(view.stopped_why or 'no reason was given')}",)
    kept = (
        ("The work so far is kept on ", *_branch(view), ".")
        if view.commit
        else ("Nothing had been changed yet.",)
    )
    return [
        headline(lozenge(told.mark, told.tone), *who, f" {view.base_branch} is untouched."),
        paragraph(*kept),
        *_cost(view),
        paragraph('Next: "agent retry" or a new label starts another run on the text of then.'),
    ]


def _branch(view: ResultView) -> tuple[str | Span, ...]:
    commit = f" ({view.commit[:10]})" if view.commit else ""
    return (Span(view.branch, code=True), commit)


def _pull_request(view: ResultView) -> str | None:
    return safe_link(view.pull_request)


def _place(view: ResultView) -> tuple[str | Span, ...]:
    """Where the work is, with a link only where the code host gave a safe one."""
    commit = f", commit {view.commit[:10]}" if view.commit else ", without a commit"
    place: tuple[str | Span, ...] = ("Branch ", Span(view.branch, code=True), commit)
    url = _pull_request(view)
    return (*place, " · ", Span("pull request", link=url)) if url else place


def _acceptance(view: ResultView) -> list[Block]:
    if not view.checks:
        return []
    head = _row("Acceptance criterion", "Result", "Evidence", header=True)
    rows = [
        _row(short(c.criterion, 300), c.result, short(c.evidence, 300) or "–") for c in view.checks
    ]
    return [
        paragraph("Observed by Signalbox, outside the agent:"),
        Block("table", children=(head, *rows)),
    ]


def _row(*cells: str, header: bool = False) -> Block:
    content = (Block("cell", children=(paragraph(cell),), header=header) for cell in cells)
    return Block("row", children=tuple(content))


def _said(view: ResultView) -> list[Block]:
    """An agent's report of itself is no evidence; it stands apart and says whose words it is."""
    words = short(view.said, 240)
    return (
        [paragraph(Span(f'The agent\'s own words, not checked: "{words}"', em=True))]
        if words
        else []
    )


def _cost(view: ResultView) -> list[Block]:
    costs = view.costs
    if costs is None:
        return []
    text = f"Cost: {spent(costs.run, costs.currency, simulated=costs.simulated)}"
    if costs.returned > 0:
        note = " (simulated)" if costs.simulated else ""
        text += f", {amount(costs.returned, costs.currency)} returned to the budget{note}"
    if costs.ticket is not None:
        note = " (simulated)" if costs.simulated else ""
        text += f". This ticket so far: {amount(costs.ticket, costs.currency)}{note}"
    return [paragraph(f"{text}.")]


def _next(view: ResultView) -> tuple[str, str, str]:
    """Three steps, the one most likely to help first."""
    again = '"agent retry" starts another run, with money of its own.'
    person_ = "Or give it to a person: remove the label."
    match view.ending:
        case Ending.OVER_BUDGET:
            return (
                "Split the ticket, or have an admin raise the cap of an attempt.",
                again,
                person_,
            )
        case Ending.TIMED_OUT:
            return ("Split the ticket, or have an admin give an attempt more time.", again, person_)
        case Ending.STALLED | Ending.INTERRUPTED:
            return (again, "If it comes again, an admin can look: signalbox doctor.", person_)
        case Ending.NEEDS_ANSWER:
            return ("Answer in the description; I look again within seconds.", again, person_)
    return (
        "Add to the description what the cause above shows to be missing; I look again at once.",
        again,
        person_,
    )
