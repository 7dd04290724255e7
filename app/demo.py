"""`signalbox demo`: a sandbox Jira, a sample repository and the service, in a fresh folder.

`play` tells the story by itself and checks each claim against what Jira, git and the ledger say;
`explore` leaves everything running for a person.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.config import Settings
from app.core.money import MICRO
from app.core.plain import render
from app.core.rights import GRANTABLE
from app.sandbox.server import SandboxJira
from app.sandbox.story import BILLING, LABEL, OPERATIONS, STORY, Act
from app.store import budgets, inbox, runs, sites, spending, tickets
from app.store.database import Database

SITE = "demo"
AUTHOR = "Author"
LONGEST_STORY = 50.0  # seconds
ACCEPTANCE = "python3 -m unittest -q"
WITHOUT_CAGE = "no cage on this machine: the rehearsal agent runs without one, as a demo may"


class NotAsTold(Exception):
    """The story did not end as it should. The message says what was different."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo. keys: ticket keys by the story's names."""

    jira: SandboxJira
    db: Database
    settings: Settings
    service_url: str
    keys: dict[str, str]
    origin: Path


@contextlib.contextmanager
def stage(
    directory: Path, agent: str, jira_port: int = 0, port: int = 0, api_key: str = ""
) -> Iterator[Stage]:
    """Everything set up and running, without tickets; all of it ends with the block."""
    from app import main
    from app.adapters.vault import Vault, new_key
    from app.sandbox.sample_repository import create_sample_repository

    origin = create_sample_repository(directory / "origin")
    settings = Settings(
        secret_key=new_key(),
        data=directory / "data",
        database_url="",
        port=port,
        admin_token=secrets.token_urlsafe(12),
        look_again_seconds=5,
        anthropic_api_key=api_key,
    )
    jira = SandboxJira()
    with jira.serve(jira_port) as jira_url:
        db = main.open_database(settings)
        _set_up(db, jira, jira_url, Vault(settings.secret_key), agent, origin)
        worker = main.build_worker(settings, db)
        with _web(main.web_app(settings, db), port) as url:
            webhook_secret = secrets.token_urlsafe(24)
            sealed = Vault(settings.secret_key).seal(webhook_secret)
            sites.add_site(db, {**sites.get_site(db, SITE), "webhook_secret": sealed})
            jira.webhook(f"{url}/webhooks/jira/{SITE}", webhook_secret)
            worker.start()
            try:
                yield Stage(jira, db, settings, url, {}, origin)
            finally:
                worker.stop()
                db.close()


@contextlib.contextmanager
def _web(app: Any, port: int) -> Iterator[str]:
    """The web part in a thread of this process; its address."""
    import socket

    import uvicorn

    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="warning", server_header=False, lifespan="off")
        server = uvicorn.Server(config)
        listen: dict[str, Any] = {"sockets": [bound]}
        thread = threading.Thread(target=server.run, kwargs=listen, daemon=True)
        thread.start()
        try:
            _until(lambda: server.started, "the web part starts", 10)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(5)


def _set_up(
    db: Database, jira: SandboxJira, jira_url: str, vault: Any, agent: str, origin: Path
) -> None:
    now = _now()
    roles = {BILLING: ["Developers"], OPERATIONS: ["Developers"]}
    jira.add_project(BILLING, "Billing")
    jira.add_project(OPERATIONS, "Operations")
    jira.add_user(AUTHOR, roles=roles)
    own = jira.add_user("Signalbox", account_type="app", rights="admin")
    email, token = jira.credentials("Signalbox")
    site = {
        "id": SITE,
        "deployment": "cloud",
        "api_url": jira_url,
        "browse_url": jira_url,
        "email": email,
        "token": vault.seal(token),
        "webhook_secret": None,
        "account_id": own.account_id,
        "label": LABEL,
        "zone": "UTC",
        "currency": "USD",
        "connected_at": now,
    }
    sites.add_site(db, site)
    for key in (BILLING, OPERATIONS):
        sites.add_project(db, _project(key, agent, origin, now))
    grant = {"site_id": SITE, "project_key": "*", "right": GRANTABLE[0], "kind": "jira_role"}
    sites.add_grant(db, {**grant, "subject": "Developers", "granted_at": now})
    for kind, subject, limit in (
        ("site", SITE, 50 * MICRO),
        ("project", BILLING, 20 * MICRO),
        ("project", OPERATIONS, 1_200_000),
    ):
        budgets.set_limit(db, SITE, kind, subject, "month", limit, "demo", now)
    budgets.set_limit(db, SITE, "ticket", "*", "once", 6 * MICRO, "demo", now)


def _project(key: str, agent: str, origin: Path, now: datetime) -> dict[str, Any]:
    return {
        "site_id": SITE,
        "key": key,
        "mode": "auto",
        "threshold": 70,
        "must_haves": ["outcome", "acceptance", "location"],
        "repository": str(origin),
        "base_branch": "main",
        "acceptance": ACCEPTANCE,
        "agent": agent,
        "attempts": 2,
        "attempt_cap": 3 * MICRO,
        "attempt_seconds": 600,
        "slots": 2,
        "open_pull_requests": 4,
        "without_cage": True,
        "connected_at": now,
    }


# The story


def play(
    directory: Path | None, agent: str, told: Callable[[str], None], api_key: str = "",
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


def _tell(on: Stage, story: Mapping[str, Act], told: Callable[[str], None]) -> None:
    write_tickets(on, story, told)
    for name, act in story.items():
        if act.better is None:
            continue
        key = on.keys[name]
        _until(lambda k=key: _assessed(on, k), f"{key} is assessed", LONGEST_STORY)  # type: ignore[misc]
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
    _until(lambda: _settled(on, key, act), f"{key} comes to its end", LONGEST_STORY)
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
    told(f"{key} is done: branch agent/{key}-1, ${cost:.2f}" + (" simulated" if done[-1]["simulated"] else ""))


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
    money = spending.run_money(on.db, SITE, run["issue_id"], run["number"])
    return {
        "state": run["ending"] or "Running",
        "attempts": len(runs.attempts(on.db, _ref(run))),
        "cost_usd": money.posted / MICRO,
        "simulated": run["simulated"],
        "branch": f"agent/{run['key']}-{run['number']}",
        "commit": run["commit"],
        "acceptance": run["acceptance"],
    }


def _ref(run: Any) -> Any:
    from app.core.run import RunRef

    return RunRef(run["site_id"], run["issue_id"], run["key"], run["number"])


def _comments(on: Stage, key: str) -> list[str]:
    """As Jira has them, over its REST API."""
    from app.core.adf import from_adf

    email, token = on.jira.credentials("Signalbox")
    basic = base64.b64encode(f"{email}:{token}".encode()).decode()
    request = urllib.request.Request(
        f"{on.jira.base_url}/rest/api/3/issue/{key}/comment",
        headers={"Authorization": f"Basic {basic}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = json.load(answer)["comments"]
    return [render(from_adf(comment["body"]).blocks) for comment in found]


def _now() -> datetime:
    from app.adapters.clock import SystemClock

    return SystemClock().now()


def _until(reached: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise NotAsTold(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
