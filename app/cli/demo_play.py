"""`signalbox demo --once`: the story told by itself, and each claim of it checked."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.cli.demo_outcome import Result, outcome
from app.cli.demo_stage import AUTHOR, SITE, NotAsTold, Stage, interruption, stage, until
from app.core.money import MICRO
from app.core.run import RunRef
from app.sandbox.story import LABEL, STORY, Act
from app.store import inbox, runs, spending, tickets

LONGEST_STORY = {"rehearsal": 50.0, "claude": 1800.0}  # seconds, by agent
ENDING = "Now with your own Jira: docs/how-to/connect-your-jira.md"
Told = Callable[[str], None]


# The story


def play(
    directory: Path | None,
    agent: str,
    told: Told,
    api_key: str = "",
    port: int = 0,
    story: Mapping[str, Act] = STORY,
) -> tuple[Result, str]:
    """Tell the story once: what there is in the end, and what was not as told (empty = all was)."""
    started, difference = time.monotonic(), ""
    with place(directory) as folder, stage(folder, agent, port, api_key) as on, interruption:
        try:
            _tell(on, story, told, LONGEST_STORY[agent])
        except NotAsTold as fault:
            difference = str(fault)
            with contextlib.suppress(NotAsTold):
                until(lambda: _at_rest(on), "the rest of the story", 10)
        return outcome(on, time.monotonic() - started), difference


@contextlib.contextmanager
def place(directory: Path | None) -> Iterator[Path]:
    """The folder asked for, else one that is gone afterwards."""
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="signalbox-demo-") as fresh:
        yield Path(fresh)


def write_tickets(on: Stage, story: Mapping[str, Act], told: Told) -> None:
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


def _tell(on: Stage, story: Mapping[str, Act], told: Told, seconds: float) -> None:
    write_tickets(on, story, told)
    for key, act in _edited(on, story):
        until(lambda k=key: _assessed(on, k), f"{key} is assessed", seconds)  # type: ignore[misc]
        first = _ticket(on, key)
        if first["verdict"] == "ready" or first["decision"]["decision"] != "defer":
            raise NotAsTold(f"{key}: the vague text was let through: {first['verdict']}")
        told(f"{key} scores {first['score']}/100: questions in the ticket, no agent, nothing spent")
        on.jira.edit(key, {"description": act.better}, AUTHOR)
        told(f"{key} is edited: the answers are in the text now")
    until(lambda: _at_rest(on), "every ticket comes to its end", seconds)
    for name, act in story.items():
        told(_check(on, on.keys[name], act))
    totals = spending.totals(on.db)
    if totals["open_holds"] or totals["held"]:
        raise NotAsTold(f"{totals['open_holds']} holds are still open")


def _edited(on: Stage, story: Mapping[str, Act]) -> Iterator[tuple[str, Act]]:
    return ((on.keys[name], act) for name, act in story.items() if act.better is not None)


def _assessed(on: Stage, key: str) -> bool:
    row = tickets.by_key(on.db, SITE, key)
    return row is not None and row["comment_id"] is not None


def _at_rest(on: Stage) -> bool:
    """No run is on, and every change in Jira was sent, received and settled. What is settled has
    said all it had to say, so only what was sent meanwhile has to be looked at again."""
    return _settled(on) and _all_sent(on) and _settled(on)


def _settled(on: Stage) -> bool:
    waiting = any(row["outcome"] is None for row in inbox.deliveries(on.db, SITE, most=1000))
    if waiting or runs.active(on.db):
        return False
    return all(_results_told(on, key) for key in on.keys.values())


def _results_told(on: Stage, key: str) -> bool:
    """Beside the readiness comment each run has one of its own, and one with its result."""
    row = tickets.by_key(on.db, SITE, key)
    done = runs.of_ticket(on.db, SITE, row["issue_id"]) if row is not None else []
    return not done or len(on.jira.comments(key)) > 2 * len(done)


def _all_sent(on: Stage) -> bool:
    try:
        on.jira.webhooks.drain(0.05)
    except TimeoutError:
        return False
    return True


# Each claim of it


def _check(on: Stage, key: str, act: Act) -> str:
    """What became of the ticket, in a line. Raises NotAsTold where the story says another thing."""
    if _text_in_jira(on, key) != (act.summary, act.better or act.description):
        raise NotAsTold(f"{key}: its text is not the one that the story tells")
    row = _ticket(on, key)
    if row["verdict"] != act.verdict or (row["score"] or 0) < act.least_score:
        raise NotAsTold(f"{key}: {row['verdict']} with {row['score']}, not {act.verdict}")
    done = runs.of_ticket(on.db, SITE, row["issue_id"])
    if act.run is not None:
        return _check_run(on, key, act, done)
    codes = [reason["code"] for reason in row["decision"]["reasons"]]
    if done or codes != [act.reason]:
        raise NotAsTold(f"{key}: held back by {codes}, not by {act.reason}")
    return f"{key} waits: {row['decision']['reasons'][0]['text']}"


def _check_run(on: Stage, key: str, act: Act, done: list[Any]) -> str:
    if [run["ending"] for run in done] != [act.run]:
        endings = [(run["ending"], run["cause"]) for run in done]
        raise NotAsTold(f"{key}: its runs ended as {endings}, not as {act.run}")
    run = done[0]
    branch = RunRef(SITE, run["issue_id"], key, run["number"]).branch
    if _git(on, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") != [run["commit"]]:
        raise NotAsTold(f"{key}: {branch} does not hold the commit {run['commit']}")
    if act.file not in _git(on, "show", "--name-only", "--format=", run["commit"], "--"):
        raise NotAsTold(f"{key}: the commit does not change {act.file}")
    cost = spending.ticket_cost(on.db, SITE, run["issue_id"]).posted / MICRO
    simulated = " simulated" if run["simulated"] else ""
    return f"{key} is done: branch {branch}, ${cost:.2f}{simulated}"


def _text_in_jira(on: Stage, key: str) -> tuple[str, str]:
    issue = on.jira.issue(key)
    return issue.summary, issue.description.wiki() if issue.description else ""


def _ticket(on: Stage, key: str) -> Any:
    row = tickets.by_key(on.db, SITE, key)
    if row is None:
        raise NotAsTold(f"{key} was never assessed")
    return row


def _git(on: Stage, *arguments: str) -> list[str]:
    argv = ["git", "-C", str(on.origin), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split("\n")[:-1]
