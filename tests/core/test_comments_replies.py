"""Answers to commands and notices to admins, in full."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from inline_snapshot import snapshot

from app.core.commands import WrongCommand, parse
from app.core.comments import (
    StatusView,
    done_reply,
    help_reply,
    refused_reply,
    status_reply,
    storm_notice,
    wrong_reply,
)
from app.core.plain import render
from app.core.wiki import from_wiki
from tests.core.views import BUDGET


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
• agent run: start an agent on this text, as the label would
• agent approve: let the agent start on this version of the text
• agent stop: stop the run; its work is kept on its branch
• agent retry: start another run, with money of its own
• agent topup 3: set more money aside for the attempt that is on
• agent wrong 2: set question 2 aside, as I am mistaken; also by name ("agent wrong vague"), with a reason
• agent apply: write the text that I propose into the description
• agent split: make the sub-tasks that I propose
• agent status: say where this ticket stands and what it has cost
• agent pause: let nothing more start in this project
• agent resume: end the pause of this project
• agent help: show this list
By role: score, wrong, status and help are for everybody who can comment.
I took something wrongly? Say it in the description in other words, set my question aside (agent wrong), or give the ticket to a person: remove the label. Which answers are needed here is set by an admin.
Signalbox, automated
• The text is ready (88/100).
• Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec. A project admin can raise it.
• Run 1 was stopped.
• Cost so far: $0.42 (simulated).
Signalbox, automated
• The text was not judged yet.
• No agent has worked on it.
Signalbox, automated
I did not do anything: agent hlep is no command. There are: score, run, approve, stop, retry, topup, wrong, apply, split, status, pause, resume, help; "agent help" explains them.
Signalbox, automated
I did not do anything: you may not use "agent approve" here, as it needs the right to approve. Here Leads or Admins may do it.
Signalbox, automated
I did not do anything: you may not use "agent stop" here, as it needs the right to dispatch or to approve. An admin can grant it: signalbox role grant.
Signalbox, automated
There is no run to stop.
Signalbox, automated\
""")


def test_without_costs_a_status_names_no_amount() -> None:
    view = StatusView("ready", 88, (BUDGET,), "Run 1 was stopped.", None, "USD", True)
    assert "$" not in render(status_reply(view))


def test_admins_are_told_of_a_storm() -> None:
    since, zone = datetime(2026, 3, 4, 13, 26, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    assert render(storm_notice("557:a", "agent-ready", since, zone)) == snapshot("""\
[MANY LABELS] @557:a set the label "agent-ready" on more than 20 tickets within 10 minutes (4 Mar 14:26 CET).
The first 20 were told of as usual. The others got no comment, and nothing starts by their labels; the project page lists them.
To let one of them out, somebody who may dispatch comments "agent run" in it, or sets its label anew later.
Signalbox, automated\
""")
