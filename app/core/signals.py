"""What asks for a start: the label, or an assignment to us. Signals of one intent act once.

An intent lasts for as long as at least one signal stands, and is withdrawn when none does. What is
set after that is a new one, and so is a signal that is set after a run has ended. A second signal
that comes while a run waits or is on only says the same thing once more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.eligibility import Trigger
from app.core.ticket import Assignment, LabelChange

SPOKEN = ("run:", "retry:")
"""How the triggers begin that a person gave in words."""
Order = tuple[datetime, int]
"""When something happened in Jira. Entries of one instant stand in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What counts as a signal on this site: the label, and our own account as the assignee.
    shown: which of "label" and "assign" the ticket carries now."""

    label: str
    account: str
    shown: frozenset[str]


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run as far as signals are concerned. `ended` is by our own clock; None = it is on."""

    trigger: str
    at: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Signals:
    """What stands now. shown: the ticket itself shows a signal, whether the changelog explains it
    or not. gone: when last none stood any more."""

    shown: bool
    standing: tuple[Trigger, ...]
    gone: Order | None

    def withdrawn_since(self, run: PastRun) -> bool:
        """Whether nothing stood at some moment after the run was asked for. A run that a command
        asked for needs no signal, but goes with the last one that is taken away."""
        if not self.shown and run.trigger.startswith(("label:", "assign:")):
            return True
        return self.gone is not None and self.gone > order(run)

    def news(self, before: Sequence[PastRun]) -> tuple[Trigger, ...]:
        """Signals that may start a run after these, which have all ended."""
        return tuple(signal for signal in self.standing if self.is_new(signal, before))

    def is_new(self, signal: Trigger, before: Sequence[PastRun]) -> bool:
        """Whether it is an intent of its own, or says what had its run once more."""
        last = max(before, key=order, default=None)
        if last is None:
            return True
        used = signal.id in {run.trigger for run in before}
        if used or place(signal.id, signal.at) <= order(last):  # had its run, or was overtaken
            return False
        # Two clocks meet here, Jira's and ours: what falls into the seconds between them may be
        # taken for a part of the old intent. Then nothing starts, which costs nothing.
        over = max((run.ended for run in before if run.ended is not None), default=last.at)
        return signal.at > over or (self.gone is not None and self.gone > order(last))


def order(run: PastRun) -> Order:
    return place(run.trigger, run.at)


def standing(label: Iterable[LabelChange], given: Iterable[Assignment], wanted: Wanted) -> Signals:
    """The signals of a ticket, from its changelog."""
    turns = [*_label_turns(label, wanted.label), *_assignment_turns(given, wanted.account)]
    on: dict[str, Trigger] = {}
    gone: Order | None = None
    for turn in sorted(turns, key=lambda turn: turn.order):
        if turn.on:
            on[turn.kind] = turn.trigger
        elif on.pop(turn.kind, None) and not on:
            gone = turn.order
    seen = tuple(on[kind] for kind in sorted(on) if kind in wanted.shown)
    return Signals(bool(wanted.shown), seen, gone)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A signal goes on or off."""

    kind: str
    on: bool
    order: Order
    trigger: Trigger


def _label_turns(history: Iterable[LabelChange], label: str) -> Iterable[_Turn]:
    for change in history:
        if label in change.added | change.removed:
            trigger = Trigger(f"label:{change.id}", change.actor, change.at)
            yield _Turn("label", label in change.added, place(trigger.id, change.at), trigger)


def _assignment_turns(given: Iterable[Assignment], account: str) -> Iterable[_Turn]:
    for entry in given:
        trigger = Trigger(f"assign:{entry.id}", entry.actor, entry.at)
        yield _Turn("assign", entry.to == account, place(trigger.id, entry.at), trigger)


def place(trigger: str, at: datetime) -> Order:
    """Where in time it stands: ids of a changelog count up, and what is no entry of it comes last
    in its instant."""
    kind, _, ident = trigger.partition(":")
    if kind not in ("label", "assign"):
        return at, sys.maxsize
    return at, int(ident) if ident.isdigit() else 0
