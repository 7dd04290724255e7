"""What a task in Jira has come to, told from our own records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.run import Ending
from app.core.task_state import OBEYED, Asked, RunSeen, State, run_of, task_status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
EARLIER = NOON - timedelta(minutes=5)


def asked(outcome: str | None = "handled", **more: Any) -> Asked:
    values: dict[str, Any] = {
        "kind": "ticket",
        "received_at": NOON,
        "relayed": True,
        "outcome": outcome,
        "reason": "",
        "decision": {},
        "verdict": None,
    }
    return Asked(**{**values, **more})


def state(*runs: RunSeen, **more: Any) -> State:
    wish = asked(**more)
    return task_status(wish, run_of(wish, runs)).state


def defer(*codes: str) -> dict[str, Any]:
    reasons = [{"code": code, "text": f"Because of {code}.", "next": "Wait."} for code in codes]
    return {"decision": "defer", "reasons": reasons}


def none(why: str, run: int | None = None) -> dict[str, Any]:
    return {"decision": "none", "why": why, "reasons": [], "run": run}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"outcome": None, "relayed": False}, State.SUBMITTED),
        ({"outcome": None}, State.WORKING),
        ({"outcome": None, "relayed": False, "reason": "Jira did not answer"}, State.WORKING),
        ({"outcome": "parked", "reason": "KeyError('x')"}, State.WORKING),
        ({"outcome": "ignored", "reason": "project X is not connected"}, State.REJECTED),
        ({"outcome": "malformed", "reason": "no issue"}, State.REJECTED),
        ({"decision": defer("not_ready")}, State.INPUT_REQUIRED),
        ({"decision": defer("approval", "slots")}, State.INPUT_REQUIRED),
        ({"decision": defer("budget")}, State.SUBMITTED),
        ({"decision": defer("paused")}, State.SUBMITTED),
        ({"decision": defer("not_ready", "no_right")}, State.REJECTED),
        ({"decision": defer("label_older")}, State.REJECTED),
        ({"decision": none("no_label")}, State.CANCELED),
        ({"decision": none("label_used", 1)}, State.REJECTED),
        ({"decision": none("gone")}, State.REJECTED),
        ({"decision": none("text_changed")}, State.WORKING),
        ({"decision": none("mode"), "verdict": "ready"}, State.COMPLETED),
        ({"decision": none("mode"), "verdict": "nearly"}, State.INPUT_REQUIRED),
        ({"kind": "comment", "reason": "status"}, State.COMPLETED),
        ({"kind": "comment", "outcome": "ignored", "reason": "refused: x"}, State.REJECTED),
        ({"kind": "comment", "outcome": "ignored", "reason": "not a command"}, State.REJECTED),
        ({"kind": "comment", "outcome": "ignored", "reason": OBEYED}, State.COMPLETED),
        ({}, State.WORKING),
    ],
)
def test_without_a_run(found: dict[str, Any], wanted: State) -> None:
    assert state(**found) == wanted


@pytest.mark.parametrize(
    ("ending", "wanted"),
    [
        (Ending.SUCCEEDED, State.COMPLETED),
        (Ending.NEEDS_ANSWER, State.INPUT_REQUIRED),
        (Ending.CANCELLED, State.CANCELED),
        (Ending.DRIFTED, State.CANCELED),
        *((e, State.FAILED) for e in (Ending.FAILED, Ending.TIMED_OUT, Ending.STALLED)),
        *((e, State.FAILED) for e in (Ending.OVER_BUDGET, Ending.INTERRUPTED)),
    ],
)
def test_every_ending_of_a_run_has_a_state(ending: Ending, wanted: State) -> None:
    assert state(RunSeen(1, LATER, ending)) == wanted


def test_a_run_that_is_on_is_work() -> None:
    assert state(RunSeen(1, EARLIER, Ending.FAILED), RunSeen(2, None, None)) == State.WORKING


def test_a_task_stays_with_its_run() -> None:
    later = RunSeen(2, None, None)
    assert state(RunSeen(1, LATER, Ending.SUCCEEDED), later) == State.COMPLETED
    assert state(RunSeen(1, LATER, Ending.NEEDS_ANSWER), later) == State.WORKING


def test_a_message_that_comes_after_its_run_tells_of_that_run() -> None:
    over = RunSeen(1, EARLIER, Ending.SUCCEEDED)
    assert state(over, decision=none("label_used", 1)) == State.COMPLETED
    assert state(over, decision=defer("budget")) == State.SUBMITTED


def test_reasons_are_told_in_their_own_words() -> None:
    told = task_status(asked(decision=defer("budget")), None)
    assert told.text == "Because of budget. Wait."
    assert task_status(asked("parked", reason="KeyError('x')"), None).text == (
        "Something is in the way that an admin of Signalbox has to look at."
    )
