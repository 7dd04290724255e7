"""`signalbox demo`: everything left running for a person to look around, with a guide."""

from __future__ import annotations

import contextlib
import select
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from app.cli.demo_play import ENDING, place, write_tickets
from app.cli.demo_stage import AUTHOR, SITE, Stage, interruption, stage
from app.core.money import MICRO
from app.core.run import RunRef
from app.sandbox.story import STORY
from app.store import runs, spending, tickets

GLANCE = 0.3
"""Seconds between two looks at what has become of the tickets."""


def explore(agent: str, directory: Path | None, port: int, api_key: str) -> int:
    """The story's tickets, addresses to look at, and a line whenever something happens."""
    print("A moment: a sandbox Jira, a sample repository and the service are started ...")
    with (
        contextlib.suppress(KeyboardInterrupt),
        place(directory) as folder,
        stage(folder, agent, port, api_key) as on,
        interruption,
    ):
        write_tickets(on, STORY, lambda _line: None)
        print(guide(on, agent), flush=True)
        _attend(on)
    print("\nThe demo has ended; nothing of it is left running.")
    return 0


def guide(on: Stage, agent: str) -> str:
    keys, admin = on.keys, on.settings.admin_token
    pages = on.service_url.replace("://", f"://admin:{admin}@")
    what = "a rehearsal agent without a model: every cost in it is simulated."
    if agent != "rehearsal":
        what = "a real agent: it costs real money, at most $3.00 an attempt."
    enter = "\n     Or press Enter here, and its author does it." if sys.stdin.isatty() else ""
    return f"""
Signalbox demo: a sandbox Jira (not a real one), a sample repository, and
{what}

  1. {on.jira.base_url}/browse/{keys["vague"]}
     A vague ticket. No agent starts; the questions are in its comment. Answer them: edit
     the description, and the comment changes within a second or two.{enter}
  2. {on.jira.base_url}/browse/{keys["budget"]}
     A fit ticket that its project's budget holds back.
  3. {on.jira.base_url}/browse/{keys["good"]}
     A good ticket. It runs to the branch agent/{keys["good"]}-1 of {on.origin}
     with its cost and what we observed ourselves.

  The board: {on.jira.base_url}/    What came in: {pages}/deliveries

{ENDING}
Stop with Ctrl-C. What happens:
"""


def _attend(on: Stage) -> None:
    """Say what happens for as long as somebody looks: what two glances see, as in between a new
    score may stand beside an old decision."""
    said: dict[str, str] = {}
    seen: dict[str, str] = {}
    reads = sys.stdin.isatty()
    while True:
        for key in on.keys.values():
            before, line = seen.get(key, ""), _state(on, key)
            seen[key] = line
            if line == before != said.get(key, ""):
                said[key] = line
                print(f"  {datetime.now().astimezone():%H:%M:%S}  {key}: {line}", flush=True)
        if not reads:
            time.sleep(GLANCE)
        elif select.select([sys.stdin], [], [], GLANCE)[0]:
            reads = bool(sys.stdin.readline())  # nothing is read where it has ended
            if reads:
                on.jira.edit(on.keys["vague"], {"description": STORY["vague"].better}, AUTHOR)


def _state(on: Stage, key: str) -> str:
    """The ticket in a line; empty before its first comment."""
    row = tickets.by_key(on.db, SITE, key)
    if row is None or row["comment_id"] is None:
        return ""
    done = runs.of_ticket(on.db, SITE, row["issue_id"])
    if done:
        return _run_state(on, done[-1])
    reasons = (row["decision"] or {}).get("reasons", ())
    why = reasons[0]["text"] if reasons else ""
    return f"{row['score']}/100, no agent starts. {why}"


def _run_state(on: Stage, run: Any) -> str:
    ref = RunRef(SITE, run["issue_id"], run["key"], run["number"])
    if run["ended_at"] is None:
        return f"let out: an agent is at work on {ref.branch}"
    cost = spending.run_money(on.db, SITE, ref.issue_id, ref.number).posted / MICRO
    simulated = " simulated" if run["simulated"] else ""
    return f"{run['ending']}: branch {ref.branch}, ${cost:.2f}{simulated}"
