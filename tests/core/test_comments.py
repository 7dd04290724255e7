"""Every comment in full, as a person reads it; and that outside text in it can do nothing."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from app.core.adf import to_adf
from app.core.commands import WrongCommand, parse
from app.core.comments import (
    Costs,
    NoStart,
    Origin,
    ReadinessView,
    ResultView,
    RunMoney,
    RunView,
    Starts,
    StatusView,
    done_reply,
    help_reply,
    readiness_comment,
    refused_reply,
    result_comment,
    run_comment,
    status_reply,
    ticks,
    wrong_reply,
)
from app.core.comments.phrases import count, listed, short
from app.core.eligibility import Defer, Reason
from app.core.plain import render
from app.core.readiness import Finding, Question, Readiness
from app.core.run import Check, Ending
from app.core.text import Block, Document, Span
from app.core.wiki import from_wiki, to_wiki
from tests.core.generated import hostile_text

TEXT = """\
Make the CSV export better

The export is slow for big customers, maybe in the background? See Slack thread."""


def quote(words: str) -> tuple[tuple[int, int], ...]:
    at = TEXT.index(words)
    return ((at, at + len(words)),)


VAGUE = Readiness(
    score=38,
    verdict="not_yet",
    findings=(
        Finding("location", "met", quote("CSV export"), "CSV export"),
        Finding("acceptance", "unmet", (), "", "a result that can be seen", "Add one check."),
        Finding("bundle", "silent", looked_for="several separate changes"),
        Finding("reproduction", "not_applicable"),
        Finding(
            "open_decision", "unmet", quote("maybe in the background?"), "maybe in the background?"
        ),
    ),
    questions=(
        Question(
            "vague", "How fast is fast enough?", "100,000 rows in under 10 s", "make it better"
        ),
        Question("open_decision", "In the background, or not?", "yes", "maybe in the background?"),
        Question("outside_source", "What matters in the thread?", "copy it", "see Slack thread"),
    ),
    good=('the place ("CSV export")', 'for whom ("big customers")'),
    rubric="checklist v1",
    text=TEXT,
    note="",
)
READY = replace(VAGUE, score=88, verdict="ready", questions=(), findings=VAGUE.findings[:1])
BUDGET = Reason(
    "budget",
    "Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec.",
    "A project admin can raise it.",
)
QUEUE = Reason("review_queue", "4 agent pull requests wait for review (limit 4).", "")
NOT_READY = Reason("not_ready", "The text does not answer everything yet.", "")


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
▸ All checks: 1 met, 2 missing, 1 not judged, 1 not needed here
    | Check | State | Seen in the text |
    | Location | met | "CSV export" |
    | Acceptance | missing | I looked for a result that can be seen. Add one check. |
    | Bundle | not judged | I looked for several separate changes. |
    | Reproduction | not needed here | – |
    | Open decision | in the way | "maybe in the background?" |
Next: edit the description; I look again within seconds and update this comment. Rather a person? Remove the label "agent-ready".
Signalbox, automated · 38/100 · checklist v1, no AI, text stayed here · Mistaken? Comment "agent help"\
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
[STARTS] Rehearsal agent starts now (run 1: a rehearsal, its cost is simulated). The text is fine (88/100).
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
            '[READY] No agent will start without the label "agent-ready". The text is fine (88/100). / Next: set the label "agent-ready" to ask for an agent.',
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


NOON = datetime(2026, 3, 4, 13, 26, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = RunView(
    agent_title="Claude Code",
    number=1,
    repository="billing-api",
    branch="agent/BILL-231-1",
    ticks=ticks(["read the ticket", "prepare", "change it", "check it", "hand over"], 3),
    step=3,
    attempt=1,
    attempts=2,
    money=RunMoney(420_000, 3_000_000, "USD", simulated=False, cap_holds=True),
    origin=Origin(NOON - 2 * MINUTE, "557:a", NOON - MINUTE, NOON, "557:b"),
    zone=ZoneInfo("Europe/Berlin"),
    started=NOON,
    latest_end=NOON + 40 * MINUTE,
    sign_of_life=NOON + 6 * MINUTE,
)


def test_a_run_that_is_on() -> None:
    assert render(run_comment(RUN)) == snapshot("""\
[RUNNING] Claude Code works on billing-api: step 3 of 5, attempt 1 of 2. Last sign of life 14:32 CET.
✓ read the ticket ✓ prepare ► change it ○ check it ○ hand over
$0.42 spent of $3.00 set aside (cannot be exceeded) · started 14:26 CET, ends by 15:06 CET at the latest
Why it runs: labelled 14:24 CET by @557:a, approved 14:26 CET by @557:b, on the text as of 14:25 CET; an edit of it stops the run.
Stop: "agent stop" (work is kept on agent/BILL-231-1).
Signalbox, automated · run 1\
""")


def test_a_rehearsal_without_a_cage_that_is_being_stopped() -> None:
    view = replace(
        RUN,
        money=RunMoney(None, 3_000_000, "USD", simulated=True, cap_holds=False),
        origin=Origin(NOON - timedelta(days=1), "557:a", NOON, retry=True),
        doing="Editing app/x.py\nh1. [x|http://y]",
        cage="runs without a cage: an admin accepted that",
        stop_asked=True,
    )
    assert render(run_comment(view)) == snapshot("""\
[STOPPING] Claude Code (simulated) works on billing-api: step 3 of 5, attempt 1 of 2. Last sign of life 14:32 CET.
✓ read the ticket ✓ prepare ► change it ○ check it ○ hand over
The agent says it is at: Editing app/x.py h1. [x|http://y]
$3.00 set aside (simulated) · how much of it is spent is not known yet · started 14:26 CET, ends by 15:06 CET at the latest
Why it runs: retry asked 3 Mar 14:26 CET by @557:a, on the text as of 14:26 CET; an edit of it stops the run.
It is being stopped (work is kept on agent/BILL-231-1).
Signalbox, automated · run 1 · runs without a cage: an admin accepted that\
""")


def test_a_run_that_has_ended() -> None:
    over = replace(RUN, ending=Ending.OVER_BUDGET, ended=NOON + 9 * MINUTE, attempt=2)
    over = replace(over, ticks=ticks([tick.text for tick in RUN.ticks], 3, failed=True))
    assert render(run_comment(over)) == snapshot("""\
[OUT OF MONEY] Claude Code used up its money on billing-api: attempt 2 of 2, 14:35 CET. The result is in a comment of its own.
✓ read the ticket ✓ prepare ✗ change it ○ check it ○ hand over
$0.42 spent · started 14:26 CET
Why it runs: labelled 14:24 CET by @557:a, approved 14:26 CET by @557:b, on the text as of 14:25 CET.
Signalbox, automated · run 1\
""")


COSTS = Costs(420_000, 600_000, 2_580_000, "USD", simulated=True)
DONE = ResultView(
    agent_title="Rehearsal agent",
    number=1,
    ending=Ending.SUCCEEDED,
    branch="agent/BILL-231-1",
    base_branch="main",
    costs=COSTS,
    change="2 files changed: app/export.py, tests/test_export.py",
    commit="1a2b3c4d5e6f7a8b",
    pull_request="https://code.example/pr/7",
    checks=(
        Check("100,000 rows in under 10 s", "passed", "make check: exit 0, 12 tests"),
        Check("The manual says so", "not checked", ""),
    ),
    said="All done, believe me!",
)


def test_a_run_that_succeeded() -> None:
    assert render(result_comment(DONE)) == snapshot("""\
[FINISHED] Rehearsal agent has finished. A person is next: please review the pull request.
2 files changed: app/export.py, tests/test_export.py.
Branch agent/BILL-231-1, commit 1a2b3c4d5e · pull request (https://code.example/pr/7)
Observed by Signalbox, outside the agent:
| Acceptance criterion | Result | Evidence |
| 100,000 rows in under 10 s | passed | make check: exit 0, 12 tests |
| The manual says so | not checked | – |
The agent's own words, not checked: "All done, believe me!"
Cost: $0.42 spent (simulated), $2.58 returned to the budget (simulated). This ticket so far: $0.60 (simulated).
Next: review it, then merge or close it; nothing is merged by itself. Another try on the same text: "agent retry".
Signalbox, automated · run 1\
""")


def test_a_run_that_failed() -> None:
    failed = replace(
        DONE,
        ending=Ending.FAILED,
        cause="the acceptance command failed: 1 of 12 tests",
        commit=None,
        pull_request=None,
        checks=(Check("python -m pytest", "failed", "exit 1"),),
        said="",
    )
    assert render(result_comment(failed)) == snapshot("""\
[FAILED] Not finished: Rehearsal agent did not get it done. main is untouched.
Cause: The acceptance command failed: 1 of 12 tests.
Cost: $0.42 spent (simulated), $2.58 returned to the budget (simulated). This ticket so far: $0.60 (simulated).
Observed by Signalbox, outside the agent:
| Acceptance criterion | Result | Evidence |
| python -m pytest | failed | exit 1 |
What you can do next:
1. Add to the description what the cause above shows to be missing; I look again at once.
2. "agent retry" starts another run, with money of its own.
3. Or give it to a person: remove the label.
Signalbox, automated · run 1\
""")


def test_a_run_that_was_stopped() -> None:
    by_person = replace(
        DONE, ending=Ending.CANCELLED, stopped_by="557:a", ended=NOON, zone=RUN.zone
    )
    by_label = replace(
        DONE,
        ending=Ending.CANCELLED,
        stopped_why='the label "agent-ready" was removed',
        commit=None,
    )
    assert [render(result_comment(view)) for view in (by_person, by_label)] == snapshot(
        [
            """\
[STOPPED] Stopped at 14:26 CET by @557:a. main is untouched.
The work so far is kept on agent/BILL-231-1 (1a2b3c4d5e).
Cost: $0.42 spent (simulated), $2.58 returned to the budget (simulated). This ticket so far: $0.60 (simulated).
Next: "agent retry" or a new label starts another run on the text of then.
Signalbox, automated · run 1\
""",
            """\
[STOPPED] Stopped: the label "agent-ready" was removed. main is untouched.
Nothing had been changed yet.
Cost: $0.42 spent (simulated), $2.58 returned to the budget (simulated). This ticket so far: $0.60 (simulated).
Next: "agent retry" or a new label starts another run on the text of then.
Signalbox, automated · run 1\
""",
        ]
    )


def test_every_ending_has_one_first_line_and_three_steps_where_it_failed() -> None:
    lines = [
        (comment := render(result_comment(replace(DONE, ending=ending, cause="x")))).splitlines()[0]
        + f" / {sum(line[:2] in ('1.', '2.', '3.') for line in comment.splitlines())}"
        for ending in Ending
    ]
    assert lines == snapshot(
        [
            "[FINISHED] Rehearsal agent has finished. A person is next: please review the pull request. / 0",
            "[FAILED] Not finished: Rehearsal agent did not get it done. main is untouched. / 3",
            "[OUT OF TIME] Not finished: Rehearsal agent ran out of time. main is untouched. / 3",
            "[STUCK] Not finished: Rehearsal agent gave no sign of life any more. main is untouched. / 3",
            "[OUT OF MONEY] Not finished: Rehearsal agent used up its money. main is untouched. / 3",
            "[STOPPED] Stopped: no reason was given. main is untouched. / 0",
            "[INTERRUPTED] Not finished: Rehearsal agent was interrupted from outside. main is untouched. / 3",
            "[HAS A QUESTION] Not finished: Rehearsal agent waits for an answer. main is untouched. / 3",
            "[TEXT CHANGED] Stopped, as the text was changed while it ran. main is untouched. / 0",
        ]
    )


def test_money_that_nobody_spent_is_always_called_simulated() -> None:
    for view in (run_comment(replace(RUN, money=replace(RUN.money, simulated=True))),):
        assert all("simulated" in line for line in render(view).splitlines() if "$" in line)
    for ending in Ending:
        text = render(result_comment(replace(DONE, ending=ending)))
        assert all("simulated" in line for line in text.splitlines() if "$" in line)


def test_answers_to_commands() -> None:
    wrong = parse(from_wiki("agent hlep"), None)
    assert isinstance(wrong, WrongCommand)
    status = StatusView("ready", 88, (BUDGET,), "Run 1 was stopped.", 420_000, "USD", True)
    nothing = StatusView(None, None, (), "", None, "USD", False)
    assert render(
        [
            *help_reply(),
            *status_reply(status),
            *status_reply(nothing),
            *wrong_reply(wrong),
            *refused_reply("approve", "approve", ("Leads", "Admins")),
            *refused_reply("stop", "stop"),
            *done_reply("There is no run to stop."),
        ]
    ) == snapshot("""\
Begin a comment with one of these ("/agent …" or a mention of me work too):
• agent score: judge the text as it is now
• agent status: say where this ticket stands and what it has cost
• agent approve: let the agent start on this version of the text
• agent stop: stop the run; its work is kept on its branch
• agent retry: start another run, with money of its own
• agent help: show this list
By role: score, status and help are for everybody who can comment.
Signalbox, automated
• The text is ready (88/100).
• Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec. A project admin can raise it.
• Run 1 was stopped.
• Cost so far: $0.42 (simulated).
Signalbox, automated
• The text was not judged yet.
• No agent has worked on it.
Signalbox, automated
I did not do anything: agent hlep is no command. There are: score, status, approve, stop, retry, help; "agent help" explains them.
Signalbox, automated
I did not do anything: you may not use "agent approve" here, as it needs the right to approve. Here Leads or Admins may do it.
Signalbox, automated
I did not do anything: you may not use "agent stop" here, as it needs the right to dispatch or to approve. An admin can grant it: signalbox role grant.
Signalbox, automated
There is no run to stop.
Signalbox, automated\
""")


hostile = st.builds(
    lambda t: (
        readiness_comment(
            ReadinessView(
                replace(
                    VAGUE,
                    text=f"x\n{t}",
                    note=t,
                    good=(t,),
                    questions=(Question("vague", t, t, t), Question("outside_source", t, t, t)),
                    findings=(Finding(t, "unmet", ((0, 3),), t, t, t),),
                ),
                Defer((Reason("x", t, t),)),
                t,
                unread=(t,) * 7,
                approvers=(t,),
            )
        )
        + run_comment(replace(RUN, agent_title=t, repository=t, doing=t, branch=t, cage=t))
        + result_comment(
            replace(DONE, change=t, pull_request=t, checks=(Check(t, t, t),), said=t, branch=t)
        )
        + result_comment(replace(DONE, ending=Ending.CANCELLED, stopped_why=t, stopped_by=t))
        + result_comment(replace(DONE, ending=Ending.FAILED, cause=t))
        + wrong_reply(WrongCommand(t, ""))
    ),
    hostile_text,
)


@given(hostile)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_outside_text_stays_inert(blocks: tuple[Block, ...]) -> None:
    links = {span.link for span in _spans(blocks)} - {None}
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in links if link)
    json.dumps(to_adf(blocks))
    written = from_wiki(to_wiki(blocks))
    assert not written.unread
    assert {block.kind for block in written.blocks} <= {"paragraph", "numbers", "panel", "table"}


def _spans(blocks: tuple[Block, ...]) -> list[Span]:
    return [s for b in blocks for s in (*b.spans, *_spans(b.children))]


def test_phrases() -> None:
    assert [listed(["a", "b", "c"]), listed(["a"]), listed([])] == ["a, b and c", "a", ""]
    assert [count(1, "day", "days"), count(12, "day", "days")] == ["one day", "12 days"]
    assert short("a\n b  " + "c" * 50, 20) == "a b cccccccccccccccc…"[:19] + "…"
    assert Document(help_reply()).plain()
