"""The gate's rules: each one alone holds a start back, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.eligibility import OUTSIDE, Admit, Dear, Defer, Facts, Trigger, decide

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIT = Facts(
    label="agent-ready",
    mode="auto",
    paused="",
    storm=False,
    restricted="",
    done=False,
    ready=True,
    score=88,
    threshold=70,
    trigger=Trigger("label:1", "account", NOW),
    project_connected_at=NOW - timedelta(days=1),
    actor_kind="atlassian",
    actor_may_dispatch=True,
    needs_approval=False,
    blockers=(),
    repository="/repo.git",
    acceptance="make test",
    running=0,
    slots=1,
    open_pull_requests=0,
    open_pull_requests_limit=4,
    cage_fault="",
    agent_fault="",
)
AGAINST: dict[str, dict[str, Any]] = {
    "paused": {"paused": "site"},
    "storm": {"storm": True},
    "label_older": {"project_connected_at": NOW + timedelta(seconds=1)},
    "not_a_person": {"actor_kind": "app"},
    "unknown_person": {"actor_may_dispatch": None},
    "no_right": {"actor_may_dispatch": False},
    "restricted": {"restricted": "security level"},
    "done": {"done": True},
    "not_ready": {"ready": False},
    "blocked": {"blockers": ("ACME-1",)},
    "approval": {"needs_approval": True},
    "no_repository": {"repository": None},
    "no_acceptance": {"acceptance": ""},
    "no_cage": {"cage_fault": "bubblewrap is missing."},
    "no_agent": {"agent_fault": "no such agent."},
    "slots": {"running": 1},
    "code_host": {"open_pull_requests": None},
    "review_queue": {"open_pull_requests": 4},
}


def test_a_fit_ticket_is_admitted() -> None:
    assert decide(FIT) == Admit()


@pytest.mark.parametrize("code", AGAINST)
def test_each_rule_alone_holds_it_back(code: str) -> None:
    verdict = decide(replace(FIT, **AGAINST[code]))
    assert isinstance(verdict, Defer)
    assert [reason.code for reason in verdict.reasons] == [code]
    assert verdict.reasons[0].text.endswith(".")


@given(st.sets(st.sampled_from(sorted(AGAINST)), min_size=1))
def test_all_that_speaks_against_it_is_told(codes: set[str]) -> None:
    changes: dict[str, Any] = {}
    for code in sorted(codes):
        changes |= AGAINST[code]
    facts = replace(FIT, **changes)
    verdict = decide(facts)
    assert isinstance(verdict, Defer)
    told = {reason.code for reason in verdict.reasons}
    assert told == {code for code in codes if AGAINST[code].items() <= vars_of(facts)} - silent(
        codes
    )


def vars_of(facts: Facts) -> Any:
    """What is in force: of two changes to one fact only the later one is."""
    return {name: getattr(facts, name) for name in Facts.__slots__}.items()


def silent(codes: set[str]) -> set[str]:
    """An unknown person's kind and rights are no question, nor an app's rights, nor the approval
    of an unfit text."""
    hidden = {"no_right", "not_a_person"} if "unknown_person" in codes else set()
    hidden |= {"no_right"} if "not_a_person" in codes else set()
    return hidden | ({"approval"} if "not_ready" in codes else set())


def test_what_may_cost_much_waits_for_a_person() -> None:
    dear = Dear("about $0.26, rarely above $1.70", "$1.00")
    verdict = decide(replace(FIT, dear=dear))
    assert isinstance(verdict, Defer)
    (reason,) = verdict.reasons
    assert reason.code == "approval"
    forecast = "The forecast is about $0.26, rarely above $1.70"
    rule = "what may cost more than $1.00 starts here only when a person has approved it."
    lift = 'Somebody with the approve right comments "agent approve".'
    assert reason.told(costs=True) == f"{forecast}; {rule} {lift}"
    assert "$" not in reason.told(costs=False)
    assert decide(replace(FIT, dear=dear, needs_approval=True)) == decide(
        replace(FIT, needs_approval=True)
    )
    unfit = decide(replace(FIT, dear=dear, ready=False))
    assert isinstance(unfit, Defer)
    assert [reason.code for reason in unfit.reasons] == ["not_ready"]


@pytest.mark.parametrize("kind", ["app", "customer", "anonymous"])
def test_only_people_of_the_site_count(kind: str) -> None:
    verdict = decide(replace(FIT, actor_kind=kind))
    assert isinstance(verdict, Defer)
    assert [reason.code for reason in verdict.reasons] == ["not_a_person"]


def test_codes_that_are_looked_at_again_exist() -> None:
    assert {*AGAINST, "budget"} >= OUTSIDE
