"""`signalbox demo`: the story told by itself, each claim checked, or left running for a person."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.cli.demo_stage import AUTHOR, SITE, NotAsTold, Stage, stage, until
from app.core.adf import from_adf
from app.core.money import MICRO
from app.core.plain import render
from app.core.run import RunRef
from app.sandbox.story import LABEL, STORY, Act
from app.store import inbox, runs, spending, tickets

LONGEST_STORY = 50.0  # seconds
ENDING = "Now with your own Jira: docs/how-to/connect-your-jira.md"


# What the command does


def run(
    *, once: bool, as_json: bool, agent: str, directory: Path | None, port: int, api_key: str = ""
) -> int:
    """Play the story (`once`) or leave everything running until interrupted. The exit code."""
    say = _silent if as_json else print
    if not once:
        return explore(agent, directory, port, api_key)
    try:
        result, code = play(directory, agent, say, api_key), 0
    except NotAsTold as difference:
        print(f"The story did not end as told: {difference.args[0]}", file=sys.stderr)
        result, code = difference.args[1], 1
    if as_json:
        print(json.dumps(result))
    else:
        print(f"\n{ENDING if code == 0 else ''}")
    return code


def explore(agent: str, directory: Path | None, port: int, api_key: str) -> int:
    """The guided story for a person: tickets, addresses, and time to look around."""
    with contextlib.ExitStack() as stack:
        if directory is None:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="signalbox-demo-"))
            directory = Path(place)
        ports = (port + 1, port) if port else (0, 0)
        on = stack.enter_context(stage(directory, agent, *ports, api_key=api_key))
        try:
            write_tickets(on, STORY, lambda _line: None)
            print(_guide(on))
            signal.pause()
        except KeyboardInterrupt:
            print("\nThe demo ends; nothing of it is left running.")
    return 0


def _guide(on: Stage) -> str:
    keys, admin = on.keys, on.settings.admin_token
    pages = on.service_url.replace("://", f"://admin:{admin}@")
    lines = [
        "",
        "Signalbox demo: a sandbox Jira (not a real one), a sample repository, a rehearsal agent",
        "without a model. Every cost in it is simulated.",
        "",
        f"  1. {on.jira.base_url}/browse/{keys['vague']}",
        "     A vague ticket. No agent starts; the questions are in its comment. Answer them: edit",
        "     the description, and the comment changes within a second or two.",
        f"  2. {on.jira.base_url}/browse/{keys['budget']}",
        "     A fit ticket that its project's budget holds back.",
        f"  3. {on.jira.base_url}/browse/{keys['good']}",
        f"     A good ticket. It runs to the branch agent/{keys['good']}-1 of {on.origin}",
        "     with its cost and what we observed ourselves.",
        "",
        f"  The board: {on.jira.base_url}/    What came in: {pages}/deliveries",
        "",
        ENDING,
        "Stop with Ctrl-C.",
    ]
    return "\n".join(lines)


# The story


def play(
    directory: Path | None,
    agent: str,
    told: Callable[[str], None],
    api_key: str = "",
    story: Mapping[str, Act] = STORY,
) -> dict[str, Any]:
    """Tell the story once. Raises NotAsTold, with what there is as its second argument."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        if directory is None:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="signalbox-demo-"))
            directory = Path(place)
        on = stack.enter_context(stage(directory, agent, api_key=api_key))
        fault = ""
        try:
            _tell(on, story, told)
        except NotAsTold as difference:
            fault = str(difference)
        on.jira.webhooks.drain(5)
        result = outcome(on, time.monotonic() - started)
    if fault:
        raise NotAsTold(fault, result)
    return result


def _silent(_line: str) -> None:
    """Where a machine reads, the story is not told."""


def _tell(on: Stage, story: Mapping[str, Act], told: Callable[[str], None]) -> None:
    write_tickets(on, story, told)
    for name, act in story.items():
        if act.better is None:
            continue
        key = on.keys[name]
        until(lambda k=key: _assessed(on, k), f"{key} is assessed", LONGEST_STORY)  # type: ignore[misc]
        first = _ticket(on, key)
        if first["verdict"] == "ready" or first["decision"]["decision"] != "defer":
            raise NotAsTold(f"{key}: the vague text was let through: {first['verdict']}")
        told(f"{key} scores {first['score']}/100: questions in the ticket, no agent, nothing spent")
        on.jira.edit(key, {"description": act.better}, AUTHOR)
        told(f"{key} is edited: the answers are in the text now")
    for name, act in story.items():
        _end(on, on.keys[name], act, told)


def write_tickets(on: Stage, story: Mapping[str, Act], told: Callable[[str], None]) -> None:
    """The story's tickets, written and labelled by their author."""
    for name, act in story.items():
        issue = on.jira.create_issue(
            act.project,
            act.summary,
            description=act.description,
            issue_type=act.issue_type,
            reporter=AUTHOR,
        )
        on.keys[name] = issue.key
        told(f"{issue.key}: {act.title}")
        on.jira.add_label(issue.key, LABEL, AUTHOR)


def _end(on: Stage, key: str, act: Act, told: Callable[[str], None]) -> None:
    """Wait for the ticket's end, and check that it is the one the story tells."""
    until(lambda: _settled(on, key, act), f"{key} comes to its end", LONGEST_STORY)
    row = _ticket(on, key)
    if row["verdict"] != act.verdict or (row["score"] or 0) < act.least_score:
        raise NotAsTold(f"{key}: {row['verdict']} with {row['score']}, not {act.verdict}")
    if _text_in_jira(on, key) != (act.summary, act.better or act.description):
        raise NotAsTold(f"{key}: its text is not the one that the story tells")
    done = runs.of_ticket(on.db, SITE, row["issue_id"])
    if act.run is None:
        codes = [reason["code"] for reason in row["decision"]["reasons"]]
        if done or codes != [act.reason]:
            raise NotAsTold(f"{key}: held back by {codes}, not by {act.reason}")
        told(f"{key} waits: {row['decision']['reasons'][0]['text']}")
        return
    if [run["ending"] for run in done] != [act.run]:
        endings = [(run["ending"], run["cause"]) for run in done]
        raise NotAsTold(f"{key}: its runs ended as {endings}, not as {act.run}")
    if act.file not in _changed_files(on.origin, done[-1]["commit"]):
        raise NotAsTold(f"{key}: the commit does not change {act.file}")
    cost = spending.ticket_cost(on.db, SITE, row["issue_id"]).posted / MICRO
    told(
        f"{key} is done: branch agent/{key}-1, ${cost:.2f}"
        + (" simulated" if done[-1]["simulated"] else "")
    )


def _assessed(on: Stage, key: str) -> bool:
    row = tickets.by_key(on.db, SITE, key)
    return row is not None and row["comment_id"] is not None


def _settled(on: Stage, key: str, act: Act) -> bool:
    row = tickets.by_key(on.db, SITE, key)
    if row is None or row["comment_id"] is None:
        return False
    if act.run is None:
        return bool(row["decision"] and row["decision"]["decision"] == "defer")
    done = runs.of_ticket(on.db, SITE, row["issue_id"])
    return bool(done) and all(run["ended_at"] for run in done) and _told_result(on, key)


def _told_result(on: Stage, key: str) -> bool:
    """Two comments at least: readiness and run; the third is the result."""
    return len(on.jira.comments(key)) >= 3


def _text_in_jira(on: Stage, key: str) -> tuple[str, str]:
    issue = on.jira.issue(key)
    return issue.summary, issue.description.wiki() if issue.description else ""


def _ticket(on: Stage, key: str) -> Any:
    row = tickets.by_key(on.db, SITE, key)
    assert row is not None, key
    return row


def _changed_files(origin: Path, commit: str | None) -> list[str]:
    if commit is None:
        return []
    argv = ["git", "-C", str(origin), "show", "--name-only", "--format=", commit, "--"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")


# What there is in the end


def outcome(on: Stage, seconds: float) -> dict[str, Any]:
    """The result of the story, read from Jira's REST API, the ledger and the deliveries."""
    totals = spending.totals(on.db)
    counts = inbox.counts(on.db)
    return {
        "tickets": [_told_ticket(on, key) for key in on.keys.values()],
        "ledger": {
            "held": totals["held"] / MICRO,
            "posted": totals["posted"] / MICRO,
            "open_holds": totals["open_holds"],
        },
        "deliveries": {
            "received": sum(counts.values()),
            "handled": counts.get("handled", 0),
            "ignored": counts.get("ignored", 0),
        },
        "seconds": round(seconds, 2),
    }


def _told_ticket(on: Stage, key: str) -> dict[str, Any]:
    row = tickets.by_key(on.db, SITE, key)
    if row is None:
        return {"key": key, "score": None, "verdict": None, "comments": [], "runs": []}
    return {
        "key": key,
        "score": row["score"],
        "verdict": row["verdict"],
        "comments": _comments(on, key),
        "runs": [_told_run(on, run) for run in runs.of_ticket(on.db, SITE, row["issue_id"])],
    }


def _told_run(on: Stage, run: Any) -> dict[str, Any]:
    ref = RunRef(SITE, run["issue_id"], run["key"], run["number"])
    money = spending.run_money(on.db, SITE, ref.issue_id, ref.number)
    return {
        "state": run["ending"] or "Running",
        "attempts": len(runs.attempts(on.db, ref)),
        "cost_usd": money.posted / MICRO,
        "simulated": run["simulated"],
        "branch": ref.branch,
        "commit": run["commit"],
        "acceptance": run["acceptance"],
    }


def _comments(on: Stage, key: str) -> list[str]:
    """As Jira answers them."""
    return [render(from_adf(comment.body.adf()).blocks) for comment in on.jira.comments(key)]
