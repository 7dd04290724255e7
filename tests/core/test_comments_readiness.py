"""The readiness comment in full, as its author reads it."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from inline_snapshot import snapshot

from app.core.comments import NoStart, ReadinessView, Starts, readiness_comment
from app.core.eligibility import STORM, Defer, Reason
from app.core.plain import render
from app.core.readiness import Readiness
from tests.core.views import BUDGET, NOT_READY, QUEUE, READY, VAGUE


def told(readiness: Readiness, decision: Starts | Defer | NoStart, **more: object) -> str:
    view = ReadinessView(readiness, decision, "agent-ready")
    return render(readiness_comment(replace(view, **more)))  # type: ignore[arg-type]


def test_a_text_with_gaps_is_asked_about() -> None:
    assert told(VAGUE, Defer((NOT_READY,)), unread=("shot.png", "jira"), hidden=True) == snapshot("""\
[NOT YET] No agent will start: three answers are missing. Nothing was spent.
Good already: the place ("CSV export") and for whom ("big customers").
Characters that nobody can see were taken out before I read it.
Not read: "shot.png" and "jira". What matters there has to stand in the text.
1. How fast is fast enough? For example "100,000 rows in under 10 s". I found only "make it better".
2. In the background, or not? For example "yes". "maybe in the background?" leaves it open.
3. What matters in the thread? Copy it. An agent cannot open "see Slack thread".
▸ Your text as a skeleton with […] where an answer goes
        The export is slow for big customers, maybe in the background? […] See Slack thread.

        How fast is fast enough? […]
        What matters in the thread? […]
    To have it put into the description: "agent apply".
▸ All checks: 1 met, 2 missing, 1 not judged, 1 not needed here
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
    | Acceptance | missing | I looked for a result that can be seen. Add one check. |
    | Bundle | not judged | I looked for several separate changes. |
    | Reproduction | not needed here | – |
    | Open decision | in the way | "maybe in the background?" |
Next: edit the description; I look again within seconds and update this comment. Rather a person? Remove the label "agent-ready".
Signalbox, automated · 38/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent wrong 2"\
""")


def test_a_fine_text_that_has_to_wait() -> None:
    assert told(READY, Defer((BUDGET, QUEUE))) == snapshot("""\
[WAITS] No agent will start yet. The text is fine (88/100).
1. Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec. A project admin can raise it.
2. 4 agent pull requests wait for review (limit 4).
▸ All checks: 1 met
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
I look again when either changes; you need do nothing.
Signalbox, automated · 88/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent help"\
""")


def test_a_fine_text_that_needs_approval() -> None:
    reason = Reason("approval", "A person has to approve this start.", "")
    assert told(READY, Defer((reason,)), approvers=("Leads", "Admins")) == snapshot("""\
[WAITS] No agent will start yet. The text is fine (88/100).
1. A person has to approve this start.
▸ All checks: 1 met
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
Next: somebody of Leads or Admins comments "agent approve".
Signalbox, automated · 88/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent help"\
""")


def test_an_agent_starts() -> None:
    assert told(READY, Starts("Rehearsal agent", True, 1)) == snapshot("""\
[STARTS] Rehearsal agent (simulated) starts now (run 1). The text is fine (88/100).
▸ All checks: 1 met
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
Next: I report in a comment of its own. Stop it with "agent stop".
Signalbox, automated · 88/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent help"\
""")


def test_nobody_asks_for_a_start() -> None:
    assert [
        (lines := told(READY, NoStart(why, 2)).splitlines())[0] + " / " + lines[-2]
        for why in ("mode", "no_label", "label_used", "text_changed")
    ] == snapshot(
        [
            "[READY] No agent will start: in this project I give advice only. The text is fine (88/100). / Next: nothing; a person or an agent can take it as it is.",
            '[READY] No agent will start without the label "agent-ready". The text is fine (88/100). / Next: to ask for an agent, set the label "agent-ready" or comment "agent run".',
            '[READY] No agent will start: the label has had its run (run 2). The text is fine (88/100). / Next: "agent retry" starts another run, and so does a new label.',
            "[READY] No agent will start yet: the text has just changed. The text is fine (88/100). / I look again within seconds.",
        ]
    )


def test_first_lines_of_texts_that_are_not_ready() -> None:
    def first(**changes: object) -> str:
        changed = replace(VAGUE, **changes)  # type: ignore[arg-type]
        return told(changed, Defer((NOT_READY,)), nothing_spent=False).splitlines()[0]

    one = VAGUE.questions[:1]
    assert [
        first(verdict="nearly", questions=one),
        first(score=None, questions=(), findings=()),
        first(questions=()),
    ] == snapshot(
        [
            "[NEARLY] No agent will start: one answer is missing.",
            "[NOT YET] No agent will start: this text cannot be judged.",
            "[NOT YET] No agent will start: the text is not ready.",
        ]
    )


def test_other_reasons_stand_below_the_questions() -> None:
    assert "Besides:\n1. Project budget" in told(VAGUE, Defer((NOT_READY, BUDGET)))


def test_at_most_five_questions() -> None:
    many = replace(VAGUE, questions=VAGUE.questions * 3)
    comment = told(many, Defer((NOT_READY,)))
    assert "five answers are missing" in comment
    assert "\n5. " in comment
    assert "\n6. " not in comment


def test_one_of_many_labels_set_at_once() -> None:
    assert told(READY, Defer((STORM,))) == snapshot("""\
[WAITS] No agent will start yet. The text is fine (88/100).
1. The label was set as one of many at once, so nothing starts by it. A person who may dispatch can comment "agent run", or set the label anew later.
▸ All checks: 1 met
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
I look again as soon as something changes.
Signalbox, automated · 88/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent help"\
""")


def test_a_command_is_acknowledged_in_the_comment() -> None:
    asked = (datetime(2026, 3, 4, 13, 26, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert told(READY, NoStart("no_label"), asked=asked).splitlines()[-1] == snapshot(
        'Signalbox, automated · 88/100 · checklist v1, no AI, text stayed here · looked again as asked 4 Mar 14:26 CET · Mistaken? Comment "agent help"'
    )


def test_without_costs_no_reason_names_an_amount() -> None:
    shown = told(READY, Defer((BUDGET, QUEUE)), costs=False)
    assert "$" in told(READY, Defer((BUDGET, QUEUE)))
    assert "$" not in shown
    assert shown.splitlines()[1] == snapshot(
        "1. Project budget: what is free until 1 Dec is too little for this. A project admin can raise it."
    )
