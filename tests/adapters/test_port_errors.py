"""What ports raise is kept by the engine, pickled, and read again by another process."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest
from dbos._error import DBOSMaxStepRetriesExceeded

from app.adapters import jira_auth, jira_fault
from app.core.run import CallUsage
from app.ports import Changed, NoJudgement, NotFound, PortError, RateLimited, Refused, Transient

ERRORS: list[PortError] = [
    PortError("Something failed."),
    Transient("Jira gave no answer."),
    RateLimited("Jira asks to wait 30 seconds.", 30.5),
    Refused("Jira refuses the ticket."),
    NotFound("BILL-1 is not visible."),
    Changed("The text is another one."),
    NoJudgement("it timed out", 12, CallUsage("m", "n", 1, 2, 3, 4, 12)),
    jira_fault.Denied("Jira does not let this account use it."),
    jira_auth.Waiting("The Forge app's token ran out."),
]


def kinds(base: type[PortError]) -> Iterator[type[PortError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


def same(read: Exception, written: Exception) -> bool:
    facts = [
        (type(e), e.args, str(e), getattr(e, "after", None), getattr(e, "usage", None))
        for e in (read, written)
    ]
    return facts[0] == facts[1]


def test_every_error_of_a_port_is_here() -> None:
    ours = {kind for kind in kinds(PortError) if kind.__module__.startswith("app.")}
    assert {type(error) for error in ERRORS} == ours


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_being_kept(error: PortError) -> None:
    assert same(pickle.loads(pickle.dumps(error)), error)


def test_errors_survive_in_the_engines_own() -> None:
    kept = pickle.loads(pickle.dumps(DBOSMaxStepRetriesExceeded("read_ticket", 3, [*ERRORS])))
    assert len(kept.errors) == len(ERRORS)
    assert all(same(read, error) for read, error in zip(kept.errors, ERRORS, strict=True))
