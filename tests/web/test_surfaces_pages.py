"""What the project page and the admin page say, and for whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from app.admin.surfaces import Closed
from app.store import budgets, inbox, sites, surfaces
from app.store.database import Database
from tests.browser.frames import ADMIN, APPROVER, Stage, fill
from tests.browser.reading import buttons, page, words


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database)


def test_the_project_page(stage: Stage) -> None:
    fill(stage)
    shown = page(stage, "project", "BILL", ADMIN)
    assert words(shown) == snapshot(
        [
            "BILL: tickets for agents",
            "An agent starts when the text is ready and somebody approves it.",
            "Pause this project",
            "At work now",
            "BILL-3",
            "running Rehearsal agent (simulated)",
            "Step 3 of 5, attempt 1 of 2, last sign of life 10:00 CET",
            "$0.00 spent (simulated) of $3.00 set aside",
            "Money",
            "This month: $0.42 spent (simulated) of $50.00",
            "$3.00 set aside for runs and not spent · starts anew 1 Dec 00:00 CET",
            "Tickets",
            "Ready 4",
            "Nearly ready 1",
            "Not ready yet 41",
            "Not judged 0",
            "Kept quiet 1",
            "Old labels",
            "An agent could start on these, if nothing else holds them back.",
            "Ticket",
            "State",
            "What holds it back",
            "Judged",
            "BILL-2 Quote fields in CSV",
            "ready",
            "92/100",
            'A person has to approve this start. Somebody with the approve right comments "agent',
            'approve".',
            "09:55 CET",
            "BILL-3 Round totals to cents",
            "ready",
            "88/100",
            "Run 1 was let out.",
            "09:55 CET",
            "BILL-4 Invoice mail in German",
            "ready",
            "85/100",
            "It has had its run.",
            "09:55 CET",
            "BILL-5 Export as JSON",
            "ready",
            "81/100",
            "Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec. A project",
            "admin can raise it.",
            "09:55 CET",
            "The backlog",
            "Which tickets could an agent start on? signalbox scan --project BILL reads the",
            "backlog and sorts it. No AI is asked, so it costs nothing; the text stays here and",
            "no comment is written.",
        ]
    )
    assert buttons(shown) == ["pause"]
    assert buttons(page(stage, "project", "BILL", APPROVER)) == []
    sites.set_paused(stage.db, "acme", "BILL", stage.clock.now())
    paused = page(stage, "project", "BILL", ADMIN)
    assert buttons(paused) == ["resume"]
    assert "nothing new starts" in paused


def test_an_empty_project(stage: Stage) -> None:
    stage.project()
    budgets.set_limit(stage.db, "acme", "project", "BILL", "month", None, "a", stage.clock.now())
    assert words(page(stage, "project", "BILL", ADMIN)) == snapshot(
        [
            "BILL: tickets for agents",
            "An agent starts when the text is ready and somebody approves it.",
            "Pause this project",
            "At work now",
            "No agent is at work. 2 could be at once.",
            "Money",
            "This project has no budget of its own.",
            "Tickets",
            "Ready 0",
            "Nearly ready 0",
            "Not ready yet 0",
            "Not judged 0",
            "Kept quiet 0",
            "Old labels",
            "An agent could start on these, if nothing else holds them back.",
            "No ticket has asked for a look yet. Set the label “agent-ready” on one: it is judged",
            "within seconds.",
            "The backlog",
            "Which tickets could an agent start on? signalbox scan --project BILL reads the",
            "backlog and sorts it. No AI is asked, so it costs nothing; the text stays here and",
            "no comment is written.",
        ]
    )


def test_five_hundred_old_labels_are_listed(stage: Stage) -> None:
    """The day of the connection: all of them are to be seen, and nothing has been done."""
    stage.project(connected_at=stage.clock.now())
    for number in range(1, 503):
        stage.ticket(number, f"Old wish {number}", "text")
    stage.judged(stage.ticket(600, "New wish", "text"), "not_yet", 10)
    seen: list[str] = []
    for number in range(1, 12):
        shown = page(stage, "project", "BILL", group="old", page=number)
        seen += re.findall(r"/browse/(BILL-\d+)", shown)
    assert seen == [f"BILL-{number}" for number in range(1, 503)]
    assert 'Old labels <span class="count">502</span>' in shown
    assert stage.jira.calls.count("put_comment") == 0
    assert stage.pressed() == []


def test_old_labels_with_jira_away(stage: Stage) -> None:
    fill(stage)
    older = {"labelled_at": stage.clock.now() - timedelta(days=900)}
    stage.judged(stage.ticket(70, "Known", "text"), "not_yet", 5, **older)
    shown = page(stage, "project", "BILL", group="old")
    assert re.findall(r"/browse/(BILL-70)", shown) == ["BILL-70"]
    stage.away()
    shown = page(stage, "project", "BILL", group="old")
    assert "the list may lack tickets" in shown
    assert re.findall(r"/browse/(BILL-70)", shown) == ["BILL-70"]
    assert buttons(shown) == []


def test_every_ticket_stands_in_one_group(stage: Stage) -> None:
    fill(stage)
    row = sites.get_project(stage.db, "acme", "BILL")
    assert row is not None
    counts = surfaces.counts(stage.db, row)
    assert counts == {"ready": 4, "not_yet": 41, "nearly": 1, "quiet": 1}
    for group, number in counts.items():
        listed = surfaces.listed(stage.db, row, group, 0, 100)
        assert len(listed) == number
        assert len(surfaces.listed(stage.db, row, group, 0, 1)) == 1
    second = words(page(stage, "project", "BILL", group="quiet"))
    assert "BILL-47 One of a storm" in second


def test_the_admin_page(stage: Stage) -> None:
    fill(stage)
    for outcome in ("handled", "handled", "parked"):
        row = {
            "site_id": "acme",
            "ident": f"{outcome}-{len(inbox.deliveries(stage.db, 'acme'))}",
            "once_key": None,
            "event": "jira:issue_updated",
            "kind": "ticket",
            "outcome": outcome,
            "reason": "",
            "received_at": stage.clock.now(),
        }
        inbox.receive(stage.db, {**row, "id": row["ident"]})
    assert words(page(stage, "admin", who=ADMIN)) == snapshot(
        [
            "Signalbox in this Jira",
            "Health Deliveries Projects",
            "Health",
            "Connection",
            "Jira Cloud, Connect app, since 1 Jan 2026",
            "State",
            "on",
            "Credential",
            "Handed over and renewed by Jira itself.",
            "Last full look",
            "not yet",
            "Deliveries",
            "handled 2 parked 1",
            "1 could not be handled. The deliveries page of Signalbox says why.",
            "Projects",
            "Project",
            "Mode",
            "State",
            "BILL",
            "approve",
            "on",
        ]
    )
    with pytest.raises(Closed, match="for admins of Signalbox"):
        page(stage, "admin", who=APPROVER)


@pytest.mark.parametrize(("days", "said"), [(-1, "expired"), (7, "in 7 days"), (90, "works until")])
def test_the_credential_s_last_day(stage: Stage, days: int, said: str) -> None:
    site = dict(sites.get_site(stage.db, "acme"))
    ends = stage.clock.now() + timedelta(days=days)
    sites.add_site(stage.db, {**site, "connection": "token", "token_expires_at": ends})
    assert said in page(stage, "admin", who=ADMIN)
