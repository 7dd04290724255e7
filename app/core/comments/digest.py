"""A project's week in five lines, on its operations ticket: cost, results, what is set aside, what
is left, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from app.core.comments.phrases import amount, count, footer, headline, listed, lozenge
from app.core.comments.run import ENDINGS
from app.core.run import Ending
from app.core.text import Block, paragraph


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget of the project as it is now. limit None = there is none."""

    period: str
    limit: int
    posted: int
    held: int


@dataclass(frozen=True, slots=True)
class Digest:
    """A project's week. begins, ends: half-open. Amounts are micro-units; `spent` is real money,
    `simulated` made up by rehearsals. nothing: what of both went into runs that led to nothing.
    tickets: that cost something. endings: of the runs that ended. held, at_work: set aside now,
    for so many attempts. budgets: with a limit. waits: tickets, by their first reason."""

    project: str
    begins: datetime
    ends: datetime
    spent: int
    simulated: int
    nothing: int
    tickets: int
    endings: tuple[tuple[Ending, int], ...]
    held: int
    at_work: int
    budgets: tuple[Standing, ...]
    waits: tuple[tuple[str, int], ...]
    currency: str
    zone: tzinfo


def digest_comment(week: Digest, *, costs: bool = True) -> tuple[Block, ...]:
    """costs: whether comments name amounts there."""
    lines = _of_money(week) if costs else _without_money(week)
    title = headline(lozenge("the week", "blue"), f"{week.project}, {_days(week)}: {lines[0]}")
    return (title, *(paragraph(line) for line in lines[1:]), footer())


def _of_money(week: Digest) -> Sequence[str]:
    parts = [f"{amount(week.spent, week.currency)} spent"]
    if week.simulated:
        parts.append(f"{amount(week.simulated, week.currency)} simulated")
    on = f" on {count(week.tickets, 'ticket', 'tickets')}" if week.tickets else ""
    results = _results(week)
    if week.nothing:
        results += f" {amount(week.nothing, week.currency)} went into runs that led to nothing."
    held = (
        f"Set aside now: {amount(week.held, week.currency)} for {_attempts(week)}; "
        "what is not needed of it comes back."
    )
    return (
        f"{' and '.join(parts)}{on}.",
        results,
        held if week.at_work else "Nothing is set aside now.",
        _left(week),
        _waits(week),
    )


def _without_money(week: Digest) -> Sequence[str]:
    at_work = f"Now at work: {_attempts(week)}." if week.at_work else "No agent is at work now."
    shares = [
        f"{100 * (each.posted + each.held) // each.limit} % of this {each.period}'s is gone"
        for each in week.budgets
        if each.limit
    ]
    left = f"Budgets: {listed(shares)}." if shares else "The project has no budget of its own."
    worked = f"agents worked on {count(week.tickets, 'ticket', 'tickets')}."
    return (worked, _results(week), at_work, left, _waits(week))


def _attempts(week: Digest) -> str:
    return count(week.at_work, "attempt", "attempts")


def _results(week: Digest) -> str:
    runs = sum(number for _, number in week.endings)
    if not runs:
        return "No run ended."
    each = ", ".join(f"{number} {ENDINGS[ending].mark}" for ending, number in week.endings)
    return f"{count(runs, 'run', 'runs').capitalize()} ended: {each}."


def _left(week: Digest) -> str:
    if not week.budgets:
        return "The project has no budget of its own; those above it hold."
    return f"Budgets: {'; '.join(_standing(each, week.currency) for each in week.budgets)}."


def _standing(of: Standing, currency: str) -> str:
    free = max(0, of.limit - of.posted - of.held)
    return (
        f"{of.period}, {amount(of.posted, currency)} spent and {amount(of.held, currency)} set "
        f"aside of {amount(of.limit, currency)}, {amount(free, currency)} free"
    )


def _waits(week: Digest) -> str:
    if not week.waits:
        return "No ticket waits."
    each = [f"{number} for {code.replace('_', ' ')}" for code, number in week.waits]
    return f"Waiting tickets: {listed(each)}."


def _days(week: Digest) -> str:
    """ "16 to 22 Nov": the last day is the one before the end."""
    first = week.begins.astimezone(week.zone)
    last = (week.ends - timedelta(seconds=1)).astimezone(week.zone)
    month = "" if first.month == last.month else f" {first:%b}"
    return f"{first.day}{month} to {last.day} {last:%b}"
