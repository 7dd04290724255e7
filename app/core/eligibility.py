"""The gate's decision: pure facts in, Admit or Defer(reasons) out.

A label alone is no authority, silence never opens the gate, and what could not be found out
counts against a start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Mode = Literal["off", "watch", "advise", "approve", "auto"]
OUTSIDE = frozenset(
    {"budget", "blocked", "slots", "review_queue", "code_host", "no_cage", "no_agent"}
    | {"unknown_person"}
)
"""Codes of reasons that can end without an event that reaches us: they are looked at again."""
PEOPLE = ("atlassian", "unknown")
"""Kinds of accounts that are taken for a person; Data Center tells no kind."""
MODES: tuple[Mode, ...] = ("off", "watch", "advise", "approve", "auto")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not now. `code` is for machines, `text` says it, `next` who can do what about it.

    `plain`: the text without amounts of money, where it has some."""

    code: str
    text: str
    next: str
    plain: str = ""

    def told(self, *, costs: bool) -> str:
        """As a comment says it."""
        text = self.text if costs or not self.plain else self.plain
        return f"{text} {self.next}".strip()


@dataclass(frozen=True, slots=True)
class Admit:
    pass


@dataclass(frozen=True, slots=True)
class Defer:
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """The one intent that may start one run: the changelog entry of a label or an assignment, or
    the comment (or button) that asked for it in words."""

    id: str  # "label:<changelog id>" | "assign:<changelog id>" | "run:" or "retry:<its id>"
    actor: str
    at: datetime

    @property
    def is_label(self) -> bool:
        return self.id.startswith("label:")

    @property
    def is_assignment(self) -> bool:
        return self.id.startswith("assign:")


@dataclass(frozen=True, slots=True)
class Dear:
    """It may cost more than may start here without approval. Both as people read them."""

    forecast: str
    above: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the gate looks at. `None` means "could not be found out". unlifted: titles of what
    was set aside without a role; lifters: the roles that it takes. dear: and not approved."""

    label: str
    mode: Mode
    paused: Literal["", "site", "project"]
    storm: bool
    restricted: str
    done: bool
    ready: bool
    score: int | None
    threshold: int
    trigger: Trigger
    project_connected_at: datetime
    actor_kind: str | None
    actor_may_dispatch: bool | None
    needs_approval: bool
    blockers: tuple[str, ...]
    repository: str | None
    acceptance: str | None
    running: int
    slots: int
    open_pull_requests: int | None
    open_pull_requests_limit: int
    cage_fault: str
    agent_fault: str
    unlifted: tuple[str, ...] = ()
    lifters: tuple[str, ...] = ()
    dear: Dear | None = None


def decide(facts: Facts) -> Admit | Defer:
    """Every rule that speaks against a start, in the order in which a person would mend them."""
    rules = (*_of_people(facts), *_of_text(facts), *_of_setup(facts), *_of_room(facts))
    reasons = tuple(reason for reason in rules if reason is not None)
    return Defer(reasons) if reasons else Admit()


def _when(condition: bool, code: str, text: str, next_: str) -> Reason | None:
    return Reason(code, text, next_) if condition else None


def older_label(label: str) -> Reason:
    """Such a label asked nobody for anything: there was no Signalbox yet."""
    text = f'The label "{label}" is older than the connection to Signalbox.'
    return Reason("label_older", text, "Remove it and set it again to ask for a run.")


STORM = Reason(
    "storm",
    "The label was set as one of many at once, so nothing starts by it.",
    'A person who may dispatch can comment "agent run", or set the label anew later.',
)


@dataclass(frozen=True, slots=True)
class _Words:
    """How a signal is spoken of."""

    done: str
    renew: str
    set: str


_LABEL = _Words(
    "The label was set",
    "remove it and set it again",
    "set the label",
)
_ASSIGNMENT = _Words(
    "The ticket was assigned",
    "assign it to somebody else and back",
    "assign it",
)


def _older(f: Facts) -> Reason:
    if not f.trigger.is_assignment:
        return older_label(f.label)
    text = "The assignment is older than the connection to Signalbox."
    next_ = "Assign the ticket to somebody else and back to ask for a run."
    return Reason("label_older", text, next_)


def _of_people(f: Facts) -> tuple[Reason | None, ...]:
    unknown = f.actor_kind is None or f.actor_may_dispatch is None
    outside = not unknown and f.actor_kind not in PEOPLE
    words = _ASSIGNMENT if f.trigger.is_assignment else _LABEL
    return (
        _when(
            f.paused != "",
            "paused",
            f"Signalbox is paused for this {f.paused or 'site'}.",
            "An admin can resume it.",
        ),
        STORM if f.storm else None,
        _older(f) if f.trigger.at < f.project_connected_at else None,
        _when(
            unknown,
            "unknown_person",
            "I could not find out who asked for it, or their roles.",
            "An admin can see: signalbox doctor.",
        ),
        _when(
            outside,
            "not_a_person",
            f"{words.done} by an app, a rule or a customer, not by a person of the project.",
            f"A person who may dispatch can {words.renew}.",
        ),
        _when(
            not unknown and not outside and not f.actor_may_dispatch,
            "no_right",
            "The person who asked for it may not dispatch in this project.",
            f"Somebody with the dispatch right can {words.set}, or an admin grants it: "
            '"signalbox role grant".',
        ),
    )


def _of_text(f: Facts) -> tuple[Reason | None, ...]:
    score = "not judged" if f.score is None else f"{f.score}/100, {f.threshold} needed"
    return (
        _when(bool(f.restricted), "restricted", f"Left alone by default: {f.restricted}.", ""),
        _when(f.done, "done", "The ticket is done already.", "Reopen it if there is work left."),
        _when(
            not f.ready,
            "not_ready",
            f"The text does not answer everything yet ({score}).",
            "Edit the description; I look again within seconds.",
        ),
        _unlifted(f),
        _when(
            bool(f.blockers),
            "blocked",
            f"It waits for {', '.join(f.blockers[:5])}.",
            "I look again when that is done.",
        ),
        _when(
            f.ready and f.needs_approval,
            "approval",
            "A person has to approve this start.",
            _APPROVE,
        ),
        _dear(f.dear) if f.ready and f.dear and not f.needs_approval else None,
    )


_APPROVE = 'Somebody with the approve right comments "agent approve".'


def _dear(dear: Dear) -> Reason:
    text = (
        f"The forecast is {dear.forecast}; what may cost more than {dear.above} starts here only "
        "when a person has approved it."
    )
    plain = "It may cost more than may start here before a person has approved it."
    return Reason("approval", text, _APPROVE, plain)


def _unlifted(f: Facts) -> Reason | None:
    what = " and ".join(f.unlifted)
    who = " or ".join(f"in the role {role}" for role in f.lifters[:5]) or "with the dispatch right"
    return _when(
        bool(f.unlifted),
        "objection",
        f"{what}: set aside by a person whose word opens no gate.",
        f'Somebody {who} can agree: "agent wrong {f.unlifted[0].lower() if f.unlifted else ""}".',
    )


def _of_setup(f: Facts) -> tuple[Reason | None, ...]:
    return (
        _when(
            not f.repository,
            "no_repository",
            "No repository is set for this project.",
            "A project admin sets it: signalbox project add.",
        ),
        _when(
            not f.acceptance,
            "no_acceptance",
            "No acceptance command is set for this project, so nothing could be checked.",
            "A project admin sets it: signalbox project add.",
        ),
        _when(bool(f.cage_fault), "no_cage", f.cage_fault, "An admin can see: signalbox doctor."),
        _when(
            bool(f.agent_fault), "no_agent", f.agent_fault, "An admin can see: signalbox doctor."
        ),
    )


def _of_room(f: Facts) -> tuple[Reason | None, ...]:
    waiting = f.open_pull_requests
    return (
        _when(
            f.running >= f.slots,
            "slots",
            f"{f.running} of {f.slots} agents of this project are at work.",
            "I look again when one ends.",
        ),
        _when(
            waiting is None,
            "code_host",
            "The code host did not answer, so the open agent pull requests are not known.",
            "I look again within a minute.",
        ),
        _when(
            waiting is not None and waiting >= f.open_pull_requests_limit,
            "review_queue",
            f"{waiting} agent pull requests wait for review (limit {f.open_pull_requests_limit}).",
            "I look again when one is merged or closed.",
        ),
    )
