"""A session of the official MCP client with `signalbox mcp`, recorded on the wire.

Writes docs/reference/mcp.md: python -m tests.cli.mcp_session
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from app.adapters.vault import new_key
from app.core.money import MICRO
from app.store import budgets, migrate, sites
from app.store.database import Database
from app.store.schema import ticket

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "mcp.md"
MARK = "<!-- recorded -->\n"
SPEC = """\
# CSV export is slow

The export in `app/export.py` is too slow for big customers, please make it better.
Maybe in the background? See Slack thread.
"""
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Score a text", "score_spec", {"text": SPEC, "issue_type": "Story"}),
    ("Where the answers go", "improve_spec", {"text": SPEC}),
    ("What became of a ticket", "ticket_status", {"key": "BILL-231"}),
    ("What may still be spent", "budget_left", {"project": "BILL"}),
    ("A fault says what to do", "score_spec", {"text": " "}),
    ("A ticket that is not known", "ticket_status", {"key": "BILL-9"}),
)
LONG_AGO = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
# Between client and server, so that nothing but what went over the wire is kept.
RELAY = 'tee "$1" | "$2" -c "from app.cli import main; main()" mcp | tee "$3"'


@dataclass(frozen=True, slots=True)
class Spoken:
    """One request as it was sent, and its answer."""

    request: dict[str, Any]
    answer: dict[str, Any]


def parameters(folder: Path, env: Mapping[str, str]) -> StdioServerParameters:
    wires = [str(folder / "in"), sys.executable, str(folder / "out")]
    path = {"PYTHONPATH": str(PAGE.parents[2])}
    return StdioServerParameters(
        command="bash", args=["-c", RELAY, "relay", *wires], env={**env, **path}, cwd=folder
    )


def installation(folder: Path) -> dict[str, str]:
    """A database with a site, a project, a ticket and budgets; the environment that names it."""
    env = {"SIGNALBOX_SECRET_KEY": new_key(), "SIGNALBOX_DATA": str(folder / "data")}
    (folder / "data").mkdir()
    url = f"sqlite:///{folder}/data/signalbox.sqlite"
    migrate.upgrade(url)
    db = Database(url)
    try:
        _fill(db)
    finally:
        db.close()
    return env


def _fill(db: Database) -> None:
    address = "https://acme.example"
    site: dict[str, Any] = {"id": "acme", "connection": "token", "deployment": "cloud"}
    site |= {"api_url": address, "browse_url": address, "token": "", "account_id": "signalbox"}
    site |= {"label": "agent-ready", "zone": "UTC", "currency": "USD", "connected_at": LONG_AGO}
    sites.add_site(db, site)
    project: dict[str, Any] = {"site_id": "acme", "key": "BILL", "mode": "approve"}
    project |= {"threshold": 70, "must_haves": ["outcome"], "base_branch": "main"}
    project |= {"agent": "rehearsal", "attempts": 2, "attempt_cap": 3 * MICRO, "slots": 1}
    project |= {"attempt_seconds": 60, "open_pull_requests": 4, "without_cage": False}
    sites.add_project(db, {**project, "connected_at": LONG_AGO})
    for kind, subject, limit in (("site", "acme", 200), ("project", "BILL", 50)):
        budgets.set_limit(db, "acme", kind, subject, "once", limit * MICRO, "admin", LONG_AGO)
    waits = "A person has to approve this start."
    asks = 'Somebody with the approve right comments "agent approve".'
    reason = {"code": "needs_approval", "text": waits, "next": asks}
    row = {"site_id": "acme", "issue_id": "10231", "gen": 1, "taken": 1, "key": "BILL-231"}
    judged = {"project_key": "BILL", "score": 88, "verdict": "ready", "assessed_at": LONG_AGO}
    decided = {"decision": {"decision": "defer", "reasons": [reason]}}
    with db.write() as c:
        c.execute(ticket.insert().values(**row, **judged, **decided))


def record(folder: Path, talk: Callable[[Client], Any], mode: str) -> list[Spoken]:
    """What the client and the server said while `talk` went on."""
    env = installation(folder)

    async def session() -> None:
        async with Client(parameters(folder, env), mode=mode) as client:
            await talk(client)

    asyncio.run(session())
    sent = [json.loads(line) for line in (folder / "in").read_text().splitlines()]
    came = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    answers = {message["id"]: message for message in came if "id" in message}
    return [Spoken(each, answers[each["id"]]) for each in sent if "id" in each]


async def story(client: Client) -> None:
    for _, tool, arguments in CALLS:
        await client.call_tool(tool, arguments)


def shown(spoken: list[Spoken]) -> str:
    """The recording as the page has it: every message whole, laid out to be read."""
    titles = iter(title for title, _, _ in CALLS)
    parts = []
    for each in spoken:
        method = each.request["method"]
        named = {"initialize": "Both say who they are", "tools/list": "Which tools there are"}
        title = named.get(method) or next(titles)
        sent = json.dumps(each.request, ensure_ascii=False)
        answer = json.dumps(each.answer, ensure_ascii=False, indent=2)
        parts += [f"### {title}", "", "```json", sent, "```", "", "```json", answer, "```", ""]
    return "\n".join(parts)


def write() -> None:
    with tempfile.TemporaryDirectory(prefix="signalbox-mcp-") as folder:
        spoken = record(Path(folder), story, "legacy")
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(before + mark + "\n" + shown(spoken), encoding="utf-8")


if __name__ == "__main__":
    write()
