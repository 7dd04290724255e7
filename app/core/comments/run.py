"""The run comment: one for each run, edited at its changes of state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from app.core.comments.phrases import (
    amount,
    clock,
    footer,
    headline,
    listed,
    lozenge,
    named,
    person,
    short,
    spent,
)
from app.core.forecast import Forecast
from app.core.forecast import told as told_forecast
from app.core.money import nearly_used
from app.core.run import Ending
from app.core.text import Block, Span, Tone, paragraph

TickState = Literal["done", "doing", "todo", "failed"]
_MARKS: dict[TickState, str] = {"done": "✓", "doing": "►", "todo": "○", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class Tick:
    """One step of a run, in two or three words."""

    text: str
    state: TickState


def ticks(names: Sequence[str], step: int, *, failed: bool = False) -> tuple[Tick, ...]:
    """The steps with all before `step` (counted from 1) done; past the last one all are."""
    now: TickState = "failed" if failed else "doing"
    return tuple(
        Tick(name, "done" if at < step else now if at == step else "todo")
        for at, name in enumerate(names, 1)
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Why a run is on: who asked for it, who approved it, which text it works on."""

    asked_at: datetime
    asked_by: str
    text_as_of: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None
    how: Literal["labelled", "assigned", "asked", "retry asked"] = "labelled"


@dataclass(frozen=True, slots=True)
class RunMoney:
    """Micro-units. spent: so far, None = not known yet. held: set aside for the run.

    cap_holds: spending is stopped from outside the agent before it passes the hold. topped_up:
    what of `held` was added since the attempt began. used: what of `held` the attempt has used.
    """

    spent: int | None
    held: int
    currency: str
    simulated: bool
    cap_holds: bool
    topped_up: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands. `ending` None = it is on. `doing`: the agent's last line of progress.

    repository: a short name. cage: "" when the agent is shut in, else the sentence that says how
    it is not. forecast: as it was when the run began. costs: whether comments name money here.
    """

    agent_title: str
    number: int
    repository: str
    branch: str
    ticks: tuple[Tick, ...]
    step: int
    attempt: int
    attempts: int
    money: RunMoney
    origin: Origin
    zone: tzinfo
    started: datetime
    latest_end: datetime | None = None
    sign_of_life: datetime | None = None
    ended: datetime | None = None
    ending: Ending | None = None
    doing: str = ""
    cage: str = ""
    forecast: Forecast | None = None
    stop_asked: bool = False
    costs: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """How an ending is told: the lozenge and the half sentence that goes with it."""

    mark: str
    tone: Tone
    text: str


ENDINGS: dict[Ending, Told] = {
    Ending.SUCCEEDED: Told("finished", "green", "has finished"),
    Ending.FAILED: Told("failed", "red", "did not get it done"),
    Ending.TIMED_OUT: Told("out of time", "red", "ran out of time"),
    Ending.STALLED: Told("stuck", "red", "got stuck"),
    Ending.OVER_BUDGET: Told("out of money", "red", "used up its money"),
    Ending.CANCELLED: Told("stopped", "neutral", "was stopped"),
    Ending.INTERRUPTED: Told("interrupted", "red", "was interrupted from outside"),
    Ending.NEEDS_ANSWER: Told("has a question", "yellow", "waits for an answer"),
    Ending.DRIFTED: Told("text changed", "yellow", "was stopped, as the text was changed"),
}


def run_comment(view: RunView) -> tuple[Block, ...]:
    """State, step and attempt first; ticks; money and time; why; how to stop it."""
    blocks = [_first_line(view)]
    if view.ticks:
        blocks.append(paragraph(" ".join(f"{_MARKS[t.state]} {t.text}" for t in view.ticks)))
    if view.doing and view.ending is None:
        # The agent's own words: short, marked as such, and never more than a sign of life.
        blocks.append(paragraph(f"The agent says it is at: {short(view.doing, 100)}"))
    blocks.append(paragraph(_money(view)))
    if view.ending is None and nearly_used(view.money.used, view.money.held):
        blocks.append(paragraph(_left(view)))
    blocks.append(paragraph(*_why(view)))
    if view.ending is None:
        wish = "It is being stopped" if view.stop_asked else 'Stop: "agent stop"'
        blocks.append(paragraph(f"{wish} (work is kept on {view.branch})."))
    blocks.append(footer(f"run {view.number}", view.cage))
    return tuple(blocks)


def _first_line(view: RunView) -> Block:
    if view.ending is not None:
        told = ENDINGS[view.ending]
        at = f", {_time(view, view.ended)}" if view.ended else ""
        where = f"attempt {view.attempt} of {view.attempts}{at}"
        return headline(
            lozenge(told.mark, told.tone),
            f"{view.agent_title} {told.text} on {view.repository}: {where}. "
            "The result is in a comment of its own.",
        )
    at = f" Last sign of life {_time(view, view.sign_of_life)}." if view.sign_of_life else ""
    title = named(view.agent_title, simulated=view.money.simulated)
    return headline(
        lozenge("stopping" if view.stop_asked else "running", "blue"),
        f"{title} works on {view.repository}: step {view.step} of "
        f"{len(view.ticks)}, attempt {view.attempt} of {view.attempts}.{at}",
    )


def _money(view: RunView) -> str:
    money = view.money
    so_far = spent(money.spent, money.currency, simulated=money.simulated)
    parts = [so_far] if view.costs else []
    if view.costs and view.ending is None:
        sure = " (cannot be exceeded)" if money.cap_holds else ""
        held = f"{amount(money.held, money.currency)} set aside"
        if money.topped_up:
            held += f", {amount(money.topped_up, money.currency)} of it topped up"
        parts = [f"{so_far} of {held}{sure}"]
        if money.spent is None:
            note = " (simulated)" if money.simulated else ""
            parts = [f"{held}{note}{sure}", "how much of it is spent is not known yet"]
        if view.forecast is not None:
            parts.append(f"forecast {told_forecast(view.forecast)}")
    parts.append(f"started {_time(view, view.started)}")
    if view.ending is None and view.latest_end is not None:
        parts[-1] += f", ends by {_time(view, view.latest_end)} at the latest"
    line = " · ".join(parts)
    return line if view.costs else line[0].upper() + line[1:]


def _left(view: RunView) -> str:
    """Most of the money is used: what is done, what is not, what a person can do about it."""
    done = listed([tick.text for tick in view.ticks if tick.state == "done"]) or "nothing yet"
    left = listed([tick.text for tick in view.ticks if tick.state in ("doing", "todo")])
    share = 100 * view.money.used // view.money.held
    return (
        f"{share} % of the money set aside is used. Done: {done}. Left to do: {left}. Where it "
        "does not reach, the run stops there and its work is kept; "
        'somebody who may set more aside comments "agent topup" with an amount, such as '
        '"agent topup 3".'
    )


def _why(view: RunView) -> list[str | Span]:
    origin = view.origin
    words: list[str | Span] = [
        f"Why it runs: {origin.how} {_time(view, origin.asked_at)} by ",
        person(origin.asked_by),
    ]
    if origin.approved_at is not None and origin.approved_by:
        words += [f", approved {_time(view, origin.approved_at)} by ", person(origin.approved_by)]
    edit = "; an edit of it stops the run" if view.ending is None else ""
    return [*words, f", on the text as of {_time(view, origin.text_as_of)}{edit}."]


def _time(view: RunView, moment: datetime | None) -> str:
    """With its date where it is not the day on which the run started."""
    return "" if moment is None else clock(moment, view.zone, view.started)
