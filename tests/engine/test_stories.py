"""The demo's story, told once through each way in which a site can be connected."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.connection import KINDS
from app.sandbox.connect import ConnectApp
from app.sandbox.forge import ForgeApp
from app.sandbox.server import SandboxJira
from app.sandbox.story import LABEL, QUOTING, STORY
from app.store import spending
from app.store.database import Database
from tests.engine.story_stage import APP_ID, StoryStage, story_stage

WAYS = [
    ("token", "cloud", "sqlite"),
    ("automation", "cloud", "sqlite"),
    ("connect", "cloud", "sqlite"),
    ("forge", "cloud", "sqlite"),
    ("server", "server", "sqlite"),
    ("poll", "cloud", "sqlite"),
    ("poll", "server", "sqlite"),
    pytest.param("token", "cloud", "postgres", marks=pytest.mark.postgres),
]
TEXT = Path(__file__).with_name("story_comments.txt")
CHANGING = (
    (r"(?:\d+ [A-Z][a-z]{2} )?\d\d:\d\d UTC", "<time>"),
    (r"until \d+ [A-Z][a-z]{2}", "until <day>"),
    (r"\b[0-9a-f]{10}\b", "<commit>"),
    (r"by @\w+", "by <author>"),
)


@pytest.mark.parametrize(("kind", "face", "dialect"), WAYS, indirect=["dialect"])
def test_the_story(database: Database, tmp_path: Path, kind: str, face: str) -> None:
    with story_stage(database, tmp_path, kind, face) as on:
        keys = tell(on)
        ask(on, keys["good"])
        assert said(on, keys) == expected(face)
        as_git_says(on)
        as_the_ledger_says(on)
        if kind == "forge":
            give_it_to_the_agent(on)
        as_the_journal_says(on)
        others_are_refused(on)


def tell(on: StoryStage) -> dict[str, str]:
    """The story's tickets, labelled; the vague one edited after its questions. Their keys."""
    keys = {}
    for name, act in STORY.items():
        more = {"issue_type": act.issue_type}
        keys[name] = on.write(act.project, act.summary, act.description, **more)
        on.jira.add_label(keys[name], LABEL, "Author")
    vague = keys["vague"]
    (first,) = on.until(lambda: on.comments(vague)).values()
    assert re.match(r"\[not yet\] No agent will start: \w+ answers are missing", first, re.I)
    assert "3. " in first
    assert vague not in {run["key"] for run in on.runs()}
    on.jira.edit(vague, {"description": STORY["vague"].better}, "Author")
    on.until(lambda: len(on.runs()) == 2 and on.at_rest())
    return keys


def ask(on: StoryStage, key: str) -> None:
    """A command in a comment; once it is answered, nothing else has come of it."""
    comment = on.jira.comment(key, "agent status", "Author")
    on.until(lambda: f"reply:{comment.id}" in on.comments(key) and on.at_rest())


def said(on: StoryStage, keys: dict[str, str]) -> str:
    """All that stands in the tickets, without what differs from one telling to the next."""
    told = []
    for name, key in keys.items():
        for ours, text in on.comments(key).items():
            told.append(f"== {name}: {ours.partition(':')[0]}\n{text}\n")
    whole = "\n".join(told)
    for pattern, stands_for in CHANGING:
        whole = re.sub(pattern, stands_for, whole)
    return whole


def expected(face: str) -> str:
    """Wiki markup has neither expands nor lozenges."""
    text = TEXT.read_text()
    if face == "cloud":
        return text
    text = re.sub(r"^(\[[A-Z ]+\])", lambda found: found[1].lower(), text, flags=re.MULTILINE)
    return re.sub("^(?:▸ | {4})", "", text, flags=re.MULTILINE)


def as_git_says(on: StoryStage) -> None:
    def git(*arguments: str) -> list[str]:
        argv = ["git", "-C", str(on.origin), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    assert on.branches() == ["agent/BILL-1-1", "agent/BILL-2-1"]
    for run in on.runs():
        assert (run["ending"], run["number"]) == ("Succeeded", 1)
        assert git("rev-parse", f"refs/heads/agent/{run['key']}-1") == [run["commit"]]
        changed = git("diff", "--name-only", f"main...{run['commit']}")
        assert changed == ["billing/csv_export/writer.py", "tests/test_writer.py"]


def as_the_ledger_says(on: StoryStage) -> None:
    assert spending.totals(on.db) == {"held": 0, "posted": 1_050_000, "open_holds": 0}
    outcomes = {outcome for outcome, _ in on.outcomes()}
    assert outcomes <= {"handled", "ignored"}


def give_it_to_the_agent(on: StoryStage) -> None:
    """Assigned in Jira: an event, and a message of the agent connector. One intent, one run."""
    summary = "CSV export: quote fields that contain a quote"
    key = on.write("BILL", summary, QUOTING, issue_type="Bug")
    task = on.jira.assign_to_agent(key, "Author")
    on.until(lambda: len(on.runs()) == 3 and on.at_rest())
    run = next(run for run in on.runs() if run["key"] == key)
    assert (run["ending"], run["trigger_id"].partition(":")[0]) == ("Succeeded", "assign")
    assert task.poll() == "TASK_STATE_COMPLETED"
    said = on.jira.mention_agent(key, "status", "Author", version="0.3")
    on.until(lambda: any(name.startswith("reply:") for name in on.comments(key)) and on.at_rest())
    assert said.poll() == "completed"
    assert len(on.runs()) == 3


def as_the_journal_says(on: StoryStage) -> None:
    """Every single request carried this kind's credential, at the address that goes with it."""
    made = list(on.jira.journal)
    assert {entry.scheme for entry in made} == {on.scheme}
    assert {entry.account for entry in made} == {on.login.account_id}
    assert {entry.platform for entry in made} == {on.kind in ("token", "forge")}
    assert {entry.refusal for entry in made} == {""}
    assert {entry.status for entry in made if (entry.status or 500) >= 400} <= {404}
    sent = on.jira.webhooks.deliveries
    assert {delivery.state for delivery in sent} == (
        set() if KINDS[on.kind].door == "none" else {"delivered"}
    )


def others_are_refused(on: StoryStage) -> None:
    """Credentials that this Jira would take, were it connected in their way."""
    jira, kind = on.jira, on.jira.state.required
    with httpx.Client(verify=False, trust_env=False) as web:
        for scheme, (url, authorization) in credentials(jira).items():
            for required, taken in ((kind, {on.scheme}), ("", ways(jira))):
                jira.state.required = required
                answer = web.get(url, headers={"authorization": authorization})
                wanted = 200 if scheme in taken else 401
                assert (scheme, required, answer.status_code) == (scheme, required, wanted)
    jira.state.required = kind


def ways(jira: SandboxJira) -> set[str]:
    cloud = {"token", "connect", "forge"}
    return cloud if jira.state.deployment == "cloud" else {"pat"}


def credentials(jira: SandboxJira) -> dict[str, tuple[str, str]]:
    """Address and header, by scheme: of the author, and of apps that are installed by now."""
    state, author = jira.state, jira.user("Author")
    state.connect_apps.append(
        app := ConnectApp(
            {"key": "other", "baseUrl": jira.base_url},
            state.client_key,
            author.account_id,
            state.now,
        )
    )
    app.new_secret()
    ids: Any = {"cloud_id": state.cloud_id, "account_id": author.account_id}
    places: Any = {"site_url": jira.base_url, "api_url": jira.api_url, "remote_url": jira.base_url}
    state.forge_apps.append(forge := ForgeApp(app_id=APP_ID, now=state.now, **ids, **places))
    path = "/rest/api/2/myself"
    own, root = jira.base_url + path, jira.base_url
    request = httpx.Request("GET", own)
    basic = next(httpx.BasicAuth(author.email, author.token).auth_flow(request))
    platform = root if state.deployment == "server" else jira.api_url
    return {
        "token": (own, basic.headers["authorization"]),
        "pat": (own, f"Bearer {author.token}"),
        "connect": (own, f"JWT {app.own_token('GET', own, root)}"),
        "forge": (platform + path, f"Bearer {forge.system_token()}"),
    }
