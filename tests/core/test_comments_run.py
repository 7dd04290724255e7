"""The comments of a run in full: while it is on, and how it ended."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inline_snapshot import snapshot

from app.core.comments import Origin, RunMoney, result_comment, run_comment, ticks
from app.core.plain import render
from app.core.run import Check, Ending
from tests.core.views import DONE, MINUTE, NOON, RUN


def test_a_run_that_is_on() -> None:
    assert render(run_comment(RUN)) == snapshot("""\
[RUNNING] Claude Code works on billing-api: step 3 of 5, attempt 1 of 2. Last sign of life 14:32 CET.
✓ read the ticket ✓ prepare ► change it ○ check it ○ hand over
$0.42 spent of $3.00 set aside (cannot be exceeded) · forecast about $0.60, rarely above $1.90 · started 14:26 CET, ends by 15:06 CET at the latest
Why it runs: labelled 14:24 CET by @557:a, approved 14:26 CET by @557:b, on the text as of 14:25 CET; an edit of it stops the run.
Stop: "agent stop" (work is kept on agent/BILL-231-1).
Signalbox, automated · run 1\
""")


def test_a_rehearsal_without_a_cage_that_is_being_stopped() -> None:
    view = replace(
        RUN,
        money=RunMoney(None, 3_000_000, "USD", simulated=True, cap_holds=False),
        origin=Origin(NOON - timedelta(days=1), "557:a", NOON, how="retry asked"),
        doing="Editing app/x.py\nh1. [x|http://y]",
        cage="runs without a cage: an admin accepted that",
        stop_asked=True,
    )
    assert render(run_comment(view)) == snapshot("""\
[STOPPING] Claude Code (simulated) works on billing-api: step 3 of 5, attempt 1 of 2. Last sign of life 14:32 CET.
✓ read the ticket ✓ prepare ► change it ○ check it ○ hand over
The agent says it is at: Editing app/x.py h1. [x|http://y]
$3.00 set aside (simulated) · how much of it is spent is not known yet · forecast about $0.60, rarely above $1.90 · started 14:26 CET, ends by 15:06 CET at the latest
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
            "[STUCK] Not finished: Rehearsal agent got stuck. main is untouched. / 3",
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


def test_a_run_that_was_asked_for_in_words() -> None:
    view = replace(RUN, origin=replace(RUN.origin, how="asked"))
    assert "Why it runs: asked 14:24 CET by @557:a" in render(run_comment(view))


def test_without_costs_a_run_says_nothing_of_money() -> None:
    on, over = replace(RUN, costs=False), replace(RUN, costs=False, ending=Ending.FAILED)
    assert [render(run_comment(view)).splitlines()[2] for view in (on, over)] == snapshot(
        ["Started 14:26 CET, ends by 15:06 CET at the latest", "Started 14:26 CET"]
    )
    for ending in Ending:
        shown = render(result_comment(replace(DONE, ending=ending, costs=None, cause="x")))
        assert "$" not in shown
        assert "Cost" not in shown


def test_an_agent_is_called_simulated_once() -> None:
    view = replace(RUN, agent_title="Rehearsal agent (simulated)")
    view = replace(view, money=replace(RUN.money, simulated=True))
    assert render(run_comment(view)).splitlines()[0].count("simulated") == 1


def test_a_run_whose_money_is_nearly_used() -> None:
    money = RunMoney(5_100_000, 6_000_000, "USD", False, True, topped_up=3_000_000, used=4_800_000)
    assert render(run_comment(replace(RUN, money=money))) == snapshot("""\
[RUNNING] Claude Code works on billing-api: step 3 of 5, attempt 1 of 2. Last sign of life 14:32 CET.
✓ read the ticket ✓ prepare ► change it ○ check it ○ hand over
$5.10 spent of $6.00 set aside, $3.00 of it topped up (cannot be exceeded) · forecast about $0.60, rarely above $1.90 · started 14:26 CET, ends by 15:06 CET at the latest
80 % of the money set aside is used. Done: read the ticket and prepare. Left to do: change it, check it and hand over. Where it does not reach, the run stops there and its work is kept; somebody who may set more aside comments "agent topup" with an amount, such as "agent topup 3".
Why it runs: labelled 14:24 CET by @557:a, approved 14:26 CET by @557:b, on the text as of 14:25 CET; an edit of it stops the run.
Stop: "agent stop" (work is kept on agent/BILL-231-1).
Signalbox, automated · run 1\
""")
    enough = replace(money, used=4_799_999)
    assert "Left to do" not in render(run_comment(replace(RUN, money=enough)))
    ended = replace(RUN, money=money, ending=Ending.OVER_BUDGET, ended=NOON)
    assert "Left to do" not in render(run_comment(ended))
