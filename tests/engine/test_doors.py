"""What the doors of other kinds leave to the engine: a key to look up, an account to learn, a site
that has left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.core.rule_body import read_rule
from app.intake.receive import keep
from app.sandbox.rehearsal import Behaviour, RehearsalAgent
from app.store import installs, sites, tickets
from app.store.schema import site
from tests.engine.stage import SITE, Stage, until

Work = Callable[..., Any]


def tell(on: Stage, body: bytes) -> None:
    """As an Automation rule tells it."""
    keep(on.db, SITE, read_rule(body), f"rule:{body!r}", body, datetime.now(UTC))


def change_site(on: Stage, **values: Any) -> None:
    with on.db.write() as c:
        c.execute(site.update().values(**values))


def test_a_ticket_is_found_by_its_key(on_stage: Stage, work: Work) -> None:
    on_stage.change(mode="advise")
    key = on_stage.label_good_ticket()
    work()
    tell(on_stage, b'{"issue": {"key": "%s"}}' % key.encode())
    tell(on_stage, b'{"issue": {"key": "BILL-999"}}')
    until(lambda: on_stage.comments(key) and on_stage.quiet())
    assert sorted(on_stage.outcomes(), key=str) == [
        ("handled", ""),
        ("ignored", "the ticket is gone, or hidden from Signalbox"),
    ]
    assert on_stage.ticket(key)["issue_id"] == on_stage.jira.issue(key).id


def test_our_own_account_is_learnt_at_first_use(on_stage: Stage, work: Work) -> None:
    """Until then our own comments come back as events: they start nothing, and no more of them."""
    own = sites.get_site(on_stage.db, SITE)["account_id"]
    change_site(on_stage, account_id="")
    on_stage.change(mode="advise")
    key = on_stage.label_good_ticket()
    work()
    on_stage.deliver(key)
    until(lambda: on_stage.comments(key) and on_stage.quiet())
    assert sites.get_site(on_stage.db, SITE)["account_id"] == own
    change_site(on_stage, account_id="")
    before = [(comment.id, comment.updated) for comment in on_stage.jira.comments(key)]
    for comment_id, _ in before:
        on_stage.deliver_comment(key, comment_id)
    on_stage.deliver(key)
    until(on_stage.quiet)
    assert [(comment.id, comment.updated) for comment in on_stage.jira.comments(key)] == before
    assert ("ignored", "our own comment") in on_stage.outcomes()


def test_a_site_that_leaves_stops_its_run_and_starts_nothing(on_stage: Stage, work: Work) -> None:
    work(agent=RehearsalAgent(pace=0, behaviour=Behaviour.HANGS))
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    until(lambda: on_stage.runs() and on_stage.runs()[0]["doing"])
    assert installs.uninstall(on_stage.db, SITE, datetime.now(UTC)) == 1
    until(lambda: on_stage.runs()[0]["ended_at"])
    (run,) = on_stage.runs()
    assert run["stop_why"] == installs.UNINSTALLED
    other = on_stage.label_good_ticket()
    on_stage.deliver(other)
    wanted = f"Signalbox was uninstalled from {SITE}: install it there again."
    until(lambda: ("parked", wanted) in on_stage.outcomes())
    assert on_stage.comments(other) == {}
    assert tickets.wake_waiting(on_stage.db, frozenset(), datetime.now(UTC)) == 0
