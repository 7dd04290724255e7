"""Runs in the store: one claim a ticket, and no end that leaves money set aside."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.money import MICRO
from app.core.run import Ending, RunRef
from app.store import budgets, ledger, run_money, runs, sites, spending
from app.store.database import Database
from app.store.schema import run as run_table
from app.store.schema_money import hold

NOW = datetime(2026, 5, 5, tzinfo=UTC)
MONEY = run_money.Money(3 * MICRO, "UTC", "list 1")


def site(db: Database) -> None:
    values = dict.fromkeys(("deployment", "api_url", "browse_url", "token", "account_id"), "x")
    more = {"id": "acme", "label": "agent-ready", "zone": "UTC", "currency": "USD"}
    sites.add_site(db, {**values, **more, "connected_at": NOW})
    budgets.set_limit(db, "acme", "site", "acme", "month", 100 * MICRO, "admin", NOW)


def values(issue_id: str = "1", trigger: str = "label:1") -> dict[str, Any]:
    return {
        "site_id": "acme",
        "issue_id": issue_id,
        "key": f"BILL-{issue_id}",
        "project_key": "BILL",
        "trigger_id": trigger,
        "actor": "someone",
        "triggered_at": NOW,
        "agent": "rehearsal",
        "simulated": True,
        "repository": "/repo.git",
        "base_branch": "main",
        "spec_hash": "0",
        "spec_as_of": NOW,
        "spec": {"summary": "s", "description": "d"},
    }


def start(db: Database, slots: int = 5, **more: Any) -> Any:
    started: list[str] = []

    def enqueue(_c: Any, _workflow: str, workflow_id: str, _args: Any) -> None:
        started.append(workflow_id)

    ref = runs.start(db, values(**more), MONEY, slots, enqueue, NOW)
    assert started == ([ref.workflow_id] if isinstance(ref, RunRef) else [])
    return ref


def end(db: Database, ref: RunRef, ending: Ending) -> Any:
    told: list[str] = []

    def enqueue(_c: Any, workflow: str, _id: str, _args: Any) -> None:
        told.append(workflow)

    before = runs.get(db, ref.site_id, ref.issue_id, ref.number)["ended_at"]
    row = runs.finish(db, ref, {"ending": ending, "cause": ""}, enqueue, NOW)
    assert told == ([] if before else ["tell_result"])
    return row


def holds(db: Database) -> list[tuple[str, int | None]]:
    with db.read() as c:
        return [tuple(row) for row in c.execute(sa.select(hold.c.state, hold.c.actual))]


def test_an_attempt_that_never_ended_takes_its_full_hold(database: Database) -> None:
    site(database)
    ref = start(database)
    assert runs.open_attempt(database, ref, 1, NOW)
    assert not runs.open_attempt(database, ref, 1, NOW)
    end(database, ref, Ending.FAILED)
    assert holds(database) == [("posted", 3 * MICRO)]
    assert runs.attempts(database, ref)[0]["ending"] == Ending.INTERRUPTED
    assert spending.totals(database)["open_holds"] == 0


def test_money_that_no_attempt_used_goes_back(database: Database) -> None:
    site(database)
    ref = start(database)
    row = end(database, ref, Ending.CANCELLED)
    again = end(database, ref, Ending.FAILED)
    assert (row["ending"], again["ending"], row["spec"]) == ("Cancelled", "Cancelled", None)
    assert holds(database) == [("void", None)]


def test_an_attempt_is_settled_once(database: Database) -> None:
    site(database)
    ref = start(database)
    runs.open_attempt(database, ref, 1, NOW)
    ended = {"ending": Ending.SUCCEEDED, "cause": "", "cost": 5, "cost_source": "agent"}
    first = runs.close_attempt(database, ref, 1, ended, NOW)
    second = runs.close_attempt(database, ref, 1, {**ended, "cost": 7}, NOW)
    assert (first["cost"], second["cost"]) == (5, 5)
    assert holds(database) == [("posted", 5)]


def test_one_trigger_one_run_and_one_run_at_a_time(database: Database) -> None:
    site(database)
    ref = start(database)
    for trigger in ("label:1", "label:2"):
        with pytest.raises(runs.AlreadyRunning):
            start(database, trigger=trigger)
    end(database, ref, Ending.FAILED)
    with pytest.raises(runs.AlreadyRunning):
        start(database, trigger="label:1")
    assert start(database, trigger="label:2").number == 2


def test_the_last_slot_and_the_last_money_are_given_once(database: Database) -> None:
    site(database)
    assert start(database, slots=1, issue_id="1")
    assert start(database, slots=1, issue_id="2") is None
    budgets.set_limit(database, "acme", "project", "BILL", "day", 5 * MICRO, "admin", NOW)
    room = start(database, issue_id="3")
    assert isinstance(room, ledger.NoRoom)
    assert (room.kind, room.held, room.needed) == ("project", 3 * MICRO, 3 * MICRO)
    with database.read() as c:
        assert c.execute(sa.select(sa.func.count()).select_from(run_table)).scalar() == 1


def test_many_starts_at_once_fill_the_slots_and_no_more(database: Database) -> None:
    site(database)
    found: list[Any] = []

    def go(number: int) -> None:
        found.append(start(database, slots=3, issue_id=str(number)))

    threads = [threading.Thread(target=go, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([ref for ref in found if isinstance(ref, RunRef)]) == 3
    assert spending.totals(database)["open_holds"] == 3


def test_a_wish_to_stop_is_kept_and_the_first_counts(database: Database) -> None:
    site(database)
    ref = start(database)
    assert runs.stop_asked(database, ref) is None
    assert runs.ask_stop(database, ref, "one", "first")
    assert runs.ask_stop(database, ref, "two", "second")
    assert runs.stop_asked(database, ref) == "first"
    end(database, ref, Ending.CANCELLED)
    assert not runs.ask_stop(database, ref, "three", "third")
