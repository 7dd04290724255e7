"""What the issue panel says, and how: full, empty, with Jira away, and for whom."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from app.admin.surfaces import Hidden
from app.sandbox.story import QUOTING
from app.store import inbox, schema, sites, surfaces
from app.store.database import Database
from tests.browser.frames import APPROVER, LABEL, READER, Stage, fill
from tests.browser.reading import buttons, page, words


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database)


def test_a_vague_ticket(stage: Stage) -> None:
    fill(stage)
    assert words(page(stage, "panel", "10001")) == snapshot(
        [
            "not yet No agent will start: three answers are missing. Nothing was spent.",
            'Good already: the place ("CSV export"), for whom ("big customers") and what should',
            'be different ("Make it better and faster for big customers.").',
            'How will someone see that it is done? For example "given three rows, the file has',
            'four lines and the first one holds the column names". I found only "CSV export is',
            'slow".',
            'In the background, or not? For example "yes, in the background". "maybe in the',
            'background?" leaves it open.',
            "What matters in the Slack thread? Copy the sentences that matter into the",
            'description. An agent cannot open "see Slack thread".',
            "Your text as a skeleton with […] where an answer goes",
            "All checks: 3 met, 4 missing, 3 not judged, 2 not needed here",
            "Look again",
            "Signalbox, automated · 50/100 · checklist v1, no AI, text stayed here · Mistaken?",
            'Comment "agent wrong 2"',
        ]
    )
    assert buttons(page(stage, "panel", "10001")) == ["score"]


def test_a_run_that_is_on(stage: Stage) -> None:
    fill(stage)
    assert words(page(stage, "panel", "10003")) == snapshot(
        [
            "The run",
            "running Rehearsal agent (simulated) works on billing-api: step 3 of 5, attempt 1 of",
            "2. Last sign of life 10:00 CET.",
            "read ticket and repository rules, done",
            "make workspace, done",
            "agent changes files",
            "run acceptance command",
            "push branch",
            "The agent says it is at: edits app/invoice/mailer.py",
            "$0.00 spent (simulated) of $3.00 set aside · started 09:54 CET, ends by 11:14 CET at",
            "the latest",
            "Why it runs: labelled 09:52 CET by Mira, approved 09:54 CET by Mira, on the text as",
            "of 09:51 CET; an edit of it stops the run.",
            'Stop: "agent stop" (work is kept on agent/BILL-3-1).',
            "Stop the run",
            "Look again",
            "The text",
            "All checks: 6 met, 4 not judged, 2 not needed here",
            "This ticket so far: $0.00 spent (simulated); $3.00 set aside, not spent.",
            "Signalbox, automated · 100/100 · checklist v1, no AI, text stayed here · Mistaken?",
            'Comment "agent help"',
        ]
    )
    assert buttons(page(stage, "panel", "10003")) == ["stop", "score"]
    assert buttons(page(stage, "panel", "10003", READER)) == ["score"]


def test_a_run_that_has_ended(stage: Stage) -> None:
    fill(stage)
    shown = page(stage, "panel", "10004")
    assert words(shown)[-4:] == snapshot(
        [
            "Pull request from agent/BILL-4-1",
            "This ticket so far: $0.42 spent (simulated).",
            "Signalbox, automated · 100/100 · checklist v1, no AI, text stayed here · Mistaken?",
            'Comment "agent help"',
        ]
    )
    assert 'href="https://git.example/billing-api/pull/7"' in shown
    assert buttons(shown) == ["retry", "score"]


def test_what_waits_for_approval(stage: Stage) -> None:
    fill(stage)
    assert words(page(stage, "panel", "10002"))[:3] == snapshot(
        [
            "waits No agent will start yet. The text is fine (100/100).",
            'A person has to approve this start. Somebody with the approve right comments "agent',
            'approve".',
        ]
    )
    assert buttons(page(stage, "panel", "10002")) == ["approve", "score"]
    stage.jira.edit("BILL-2", summary="Another text")
    changed = page(stage, "panel", "10002")
    assert buttons(changed) == ["score"], "nobody approves what they have not been shown"
    assert "the text has just changed" in changed


def test_judged_live_and_not_kept(stage: Stage) -> None:
    """What is shown is what stands in Jira at this moment."""
    fill(stage)
    assert "Slack thread" in page(stage, "panel", "10001")
    stage.jira.edit("BILL-1", description="Nothing but new words, about a report in the office.")
    assert "Slack thread" not in page(stage, "panel", "10001")


def test_a_ticket_without_the_label(stage: Stage) -> None:
    stage.project()
    stage.ticket(9, "Export", "Something that nobody has asked about.", labels=())
    shown = words(page(stage, "panel", "10009"))
    assert shown[0].startswith("not yet No agent will start")
    stage.ticket(10, "Quote fields", QUOTING, labels=())
    assert words(page(stage, "panel", "10010")) == snapshot(
        [
            'ready No agent will start without the label "agent-ready". The text is fine',
            "(100/100).",
            "All checks: 6 met, 4 not judged, 2 not needed here",
            'Next: to ask for an agent, set the label "agent-ready" or comment "agent run".',
            "Look again",
            "Signalbox, automated · 100/100 · checklist v1, no AI, text stayed here · Mistaken?",
            'Comment "agent help"',
        ]
    )


def test_an_old_label_starts_nothing_and_says_so(stage: Stage) -> None:
    stage.project(connected_at=stage.clock.now())
    stage.ticket(9, "Quote fields", QUOTING)
    shown = words(page(stage, "panel", "10009"))
    assert f'The label "{LABEL}" is older than the connection to Signalbox.' in " ".join(shown)


def test_jira_is_away(stage: Stage) -> None:
    fill(stage)
    stage.away()
    assert words(page(stage, "panel", "10002")) == snapshot(
        [
            "Jira did not answer. Jira at acme.example did not answer within 20 seconds. Shown is",
            "what Signalbox knows itself.",
            "ready",
            "That is what the text was when it was last judged, 09:55 CET.",
            'A person has to approve this start. Somebody with the approve right comments "agent',
            'approve".',
            "92/100 · checklist v1",
        ]
    )
    running = page(stage, "panel", "10003")
    assert "Last sign of life" in running
    assert buttons(running) == []
    unknown = words(page(stage, "panel", "10099"))
    assert unknown == snapshot(
        [
            "Jira did not answer",
            "Jira at acme.example did not answer within 20 seconds. Signalbox has not met this",
            "ticket before, so there is nothing to show yet. It looks again by itself.",
        ]
    )


def test_not_our_project_and_not_our_ticket(stage: Stage) -> None:
    stage.project(mode="off")
    stage.ticket(1, "Off", "text")
    stage.ticket(2, "Elsewhere", "text", project_key="HR", key="HR-2")
    assert words(page(stage, "panel", "10001")) == snapshot(
        [
            "Signalbox is switched off for BILL",
            "Nothing here is scored, and no agent starts, until an admin gives the project",
            "another mode.",
        ]
    )
    assert words(page(stage, "panel", "10002")) == snapshot(
        [
            "Signalbox does not look after HR",
            "Nothing here is scored, and no agent starts. An admin can add the project: signalbox",
            "project add HR",
        ]
    )
    assert words(page(stage, "project", "HR")) == words(page(stage, "panel", "10002"))
    stage.project()
    stage.ticket(3, "Secret", "text", restricted="security level")
    assert words(page(stage, "panel", "10003")) == snapshot(
        [
            "Signalbox leaves this ticket alone",
            "What keeps it apart: security level. Such tickets are neither read nor given to an",
            "agent unless an admin has said so for the project.",
        ]
    )
    with pytest.raises(Hidden):
        page(stage, "panel", "10077")


def test_money_is_kept_where_comments_name_none(stage: Stage) -> None:
    fill(stage)
    assert "This ticket so far: $0.42 spent (simulated)." in page(stage, "panel", "10004", READER)
    stage.project(costs_in_comments=False)
    assert "This ticket so far" not in page(stage, "panel", "10004", READER)
    assert "This ticket so far" in page(stage, "panel", "10004", APPROVER)
    assert "$" not in page(stage, "panel", "10003", READER)
    assert "$3.00 set aside" in page(stage, "panel", "10003", APPROVER)
    told = page(stage, "project", "BILL", READER, group="not_yet")
    assert "$" not in told, "neither of a run nor of the budget"
    assert "$3.00 set aside" in page(stage, "project", "BILL", APPROVER)


def test_what_a_press_came_to(stage: Stage) -> None:
    fill(stage)
    press = inbox.Press("nonce-nonce", APPROVER, "retry", "", stage.clock.now())
    inbox.press(stage.db, "acme", "10004", press)
    waits = page(stage, "panel", "10004")
    assert "Start another run: asked at 10:00 CET, it is being done." in " ".join(words(waits))
    assert buttons(waits) == ["score"]
    with stage.db.write() as c:
        done = {"outcome": "handled", "reason": "retry: a run is on"}
        c.execute(schema.inbox.update().values(**done))
    told = page(stage, "panel", "10004")
    assert "asked at 10:00 CET. retry: a run is on" in " ".join(words(told))
    assert buttons(told) == ["retry", "score"]
    stage.clock.tick(600)
    assert "retry: a run is on" not in page(stage, "panel", "10004")


def test_the_mark_moves_with_what_is_shown(stage: Stage) -> None:
    fill(stage)
    seen = {surfaces.mark(stage.db, "acme", "BILL", "10002")}
    sites.set_paused(stage.db, "acme", "BILL", stage.clock.now())
    seen.add(surfaces.mark(stage.db, "acme", "BILL", "10002"))
    press = inbox.Press("nonce-nonce", APPROVER, "score", "", stage.clock.now())
    inbox.press(stage.db, "acme", "10002", press)
    seen.add(surfaces.mark(stage.db, "acme", "BILL", "10002"))
    stage.run(stage.jira.ticket("10002"))
    seen.add(surfaces.mark(stage.db, "acme", "BILL", "10002"))
    assert len(seen) == 4
    still = surfaces.mark(stage.db, "acme", "BILL", "10001")
    press = inbox.Press("another-nonce", APPROVER, "score", "", stage.clock.now())
    inbox.press(stage.db, "acme", "10002", press)
    assert surfaces.mark(stage.db, "acme", "BILL", "10001") == still
