"""A budget that fills up: told on the operations ticket of a project and by webhook, never on the
tickets that are worked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.core.comments.phrases import amount, footer, headline, lozenge, person
from app.core.periods import Period
from app.core.text import Block, Span, paragraph

FULL = 100


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """A budget of which `threshold` per cent are gone. kind: its level; name: whose it is, a person
    by account. basis: "used" = spent and set aside, "spent" = spent alone. starts, resets_at: its
    period, which ends never where resets_at is None."""

    kind: str
    name: str
    period: Period
    starts: datetime
    resets_at: datetime | None
    threshold: int
    basis: str
    limit: int
    posted: int
    held: int
    currency: str
    zone: tzinfo


def worth_telling(kind: str, basis: str) -> bool:
    """A ticket's budget is set aside in one piece whenever an agent starts on it: that is no news.
    What was spent is."""
    return kind != "ticket" or basis == "spent"


def budget_alert(alert: BudgetAlert, *, costs: bool = True) -> tuple[Block, ...]:
    """For the operations ticket. costs: whether comments name amounts there."""
    who = person(alert.name) if alert.kind == "person" else alert.name
    return (*_alert(alert, who, costs=costs), footer())


def budget_alert_outside(alert: BudgetAlert) -> tuple[Block, ...]:
    """For the webhook: it leaves Jira, so a person is not named."""
    who = "somebody" if alert.kind == "person" else alert.name
    return _alert(alert, who, costs=True)


def _alert(alert: BudgetAlert, who: str | Span, *, costs: bool) -> tuple[Block, ...]:
    full = alert.threshold >= FULL
    gone = "spent" if alert.basis == "spent" else "spent or set aside"
    mark = lozenge(f"{alert.threshold} % of a budget", "red" if full else "yellow")
    share = "All" if full else f"{alert.threshold} %"
    first = headline(
        mark,
        f"{share} of the budget of {'' if alert.kind == 'person' else f'{alert.kind} '}",
        who,
        f" ({_period(alert)}) is {gone}.",
    )
    posted, held, limit = (
        amount(micro, alert.currency) for micro in (alert.posted, alert.held, alert.limit)
    )
    money = f"{posted} is spent, and {held} set aside, of {limit}."
    if alert.held:
        money += " What is set aside comes back where it is not needed."
    then = _then(alert, full=full)
    lift = f"An admin can raise it: {_command(alert)}."
    lines = [money] if costs else []
    return (first, *(paragraph(line) for line in (*lines, f"{then} {lift}")))


def _then(alert: BudgetAlert, *, full: bool) -> str:
    on = "what is at work goes on inside the money that is set aside for it."
    if not full:
        return f"At 100 % nothing new starts under it; {on}"
    until = "until it is raised"
    if alert.resets_at is not None:
        local = alert.resets_at.astimezone(alert.zone)
        until = f"until {local.day} {local:%b}, when it is free again, or until it is raised"
    return f"What does not fit any more does not start {until}; {on}"


def _command(alert: BudgetAlert) -> str:
    named = {"site": "", "person": " --person ID"}
    about = named.get(alert.kind, f" --{alert.kind} {alert.name}")
    period = "" if alert.period in ("month", "once") else f" --period {alert.period}"
    return f"signalbox budget raise{about}{period} --by AMOUNT"


def _period(alert: BudgetAlert) -> str:
    local = alert.starts.astimezone(alert.zone)
    day = f"{local.day} {local:%b %Y}"
    words = {"day": day, "week": f"week from {day}", "month": f"{local:%B %Y}"}
    return words.get(alert.period, "over its life")
