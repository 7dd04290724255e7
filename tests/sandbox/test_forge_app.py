"""A Forge app in the sandbox: events to its remote, tokens, the scheduled trigger, the agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from app.sandbox.agents import AgentFault
from app.sandbox.forge import ForgeApp
from app.sandbox.server import SandboxJira
from tests.sandbox.receiver import Received, Receiver, listening

APP_ID = "ari:cloud:ecosystem::app/00000000-0000-4000-8000-0000000000a1"


@pytest.fixture
def remote() -> Iterator[Receiver]:
    with listening() as made:
        yield made


@pytest.fixture
def app(jira: SandboxJira, remote: Receiver) -> ForgeApp:
    return jira.install_forge(remote.root, APP_ID)


def sent(jira: SandboxJira, remote: Receiver) -> list[dict[str, Any]]:
    jira.webhooks.drain()
    return [entry.payload for entry in remote.at("/forge/events")]


def fit(jira: SandboxJira, entry: Received) -> dict[str, Any]:
    """The claims, verified with the keys that the sandbox publishes."""
    token = entry.headers["authorization"].removeprefix("Bearer ")
    keys = jwt.PyJWKSet.from_dict(httpx.get(jira.forge_keys_url).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    wanted: Any = {"require": ["exp", "iat", "nbf", "iss", "aud"]}
    issuer = "forge/invocation-token"
    return dict(
        jwt.decode(token, key, algorithms=["RS256"], audience=APP_ID, issuer=issuer, options=wanted)
    )


class TestEvents:
    def test_an_edit(self, jira: SandboxJira, remote: Receiver, app: ForgeApp) -> None:
        jira.add_label("BILL-1", "agent-ready", as_user="Author")
        (body,) = sent(jira, remote)
        author = jira.user("Author").account_id
        assert body["eventType"] == "avi:jira:updated:issue"
        assert (body["issue"]["key"], body["atlassianId"]) == ("BILL-1", author)
        assert body["changelog"]["items"][0]["toString"] == "agent-ready"
        assert body["selfGenerated"] is False
        assert not {"description", "labels"} & set(body["issue"]["fields"])

    def test_an_assignment_is_told_twice(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        fields = {"assignee": {"accountId": app.account_id}, "summary": "New"}
        jira.edit("BILL-1", fields, as_user="Author")
        first, second = sent(jira, remote)
        assert first["eventType"] == "avi:jira:assigned:issue"
        assert [item["field"] for item in first["changelog"]["items"]] == ["assignee"]
        assert first["changelog"]["items"][0]["to"] == app.account_id
        assert second["eventType"] == "avi:jira:updated:issue"
        assert len(second["changelog"]["items"]) == 2

    def test_birth_death_and_comments(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.create_issue("BILL", "Born", reporter="Author")
        comment = jira.comment("BILL-4", "Hello", as_user="Author")
        jira.edit_comment(comment.id, "Again", as_user="Author")
        jira.delete_issue("BILL-4", as_user="Admin")
        bodies = sent(jira, remote)
        assert [body["eventType"] for body in bodies] == [
            "avi:jira:created:issue",
            "avi:jira:commented:issue",
            "avi:jira:commented:issue",
            "avi:jira:deleted:issue",
        ]
        assert bodies[1]["comment"]["body"]["type"] == "doc"
        assert bodies[1]["comment"]["id"] == comment.id

    def test_its_own_doing_is_left_out(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.add_label("BILL-1", "x", as_user="Forge app (app)")
        app.ignore_self = False
        jira.add_label("BILL-1", "y", as_user="Forge app (app)")
        (body,) = sent(jira, remote)
        assert body["selfGenerated"] is True

    def test_the_changelog_may_be_a_list(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        app.changelog_as_list = True
        jira.add_label("BILL-1", "x", as_user="Author")
        (body,) = sent(jira, remote)
        assert body["changelog"][0]["toString"] == "x"

    def test_five_tries_and_then_no_more(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.webhooks.drain()
        remote.answers = [500] * 9
        jira.add_label("BILL-1", "x", as_user="Author")
        assert len(sent(jira, remote)) == 5
        assert jira.webhooks.deliveries[-1].state == "failed"

    def test_nothing_after_its_end(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.uninstall_forge(app)
        jira.add_label("BILL-1", "x", as_user="Author")
        assert sent(jira, remote) == []
        told = [
            entry for path in ("installed", "uninstalled") for entry in remote.at(f"/forge/{path}")
        ]
        modules = [fit(jira, entry)["app"]["module"]["key"] for entry in told]
        assert modules == ["signalbox-installed", "signalbox-uninstalled"]


class TestTokens:
    def test_an_invocation_names_app_site_and_module(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        claims = fit(jira, remote.at("/forge/events")[0])
        assert claims["exp"] - claims["iat"] == 25
        assert claims["app"]["module"] == {"type": "core:trigger", "key": app.modules["events"].key}
        assert claims["app"]["apiBaseUrl"] == jira.api_url
        assert claims["context"]["cloudId"] == jira.state.cloud_id
        assert claims["context"]["siteUrl"] == jira.base_url

    @pytest.mark.shared
    def test_like_a_seen_one(
        self, shared: Any, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        sample = json.loads((shared / "contracts/forge/fit-claims-example.json").read_text())
        claims = fit_of(app)
        assert set(claims) == set(sample["payload"])
        assert set(claims["app"]) == set(sample["payload"]["app"])
        assert set(claims["context"]) <= set(sample["payload"]["context"])

    def test_the_system_token_calls_jira_as_the_app(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        jira.run_scheduled(app)
        jira.webhooks.drain()
        (entry,) = remote.at("/forge/scheduled")
        claims = fit(jira, entry)
        assert claims["app"]["module"]["type"] == "core:scheduledTrigger"
        token = {"authorization": f"Bearer {entry.headers['x-forge-oauth-system']}"}
        me = httpx.get(f"{claims['app']['apiBaseUrl']}/rest/api/3/myself", headers=token).json()
        assert (me["accountId"], me["accountType"]) == (app.account_id, "app")


def fit_of(app: ForgeApp) -> dict[str, Any]:
    options: Any = {"verify_signature": False}
    return dict(jwt.decode(app.fit("panel", "somebody"), options=options))


STATES = {
    "1.0": ("TASK_STATE_WORKING", "TASK_STATE_COMPLETED"),
    "0.3": ("working", "completed"),
}


class Agent:
    """A small agent that speaks both versions of A2A: it works at first, then it is done."""

    def __init__(self) -> None:
        self.polls = 0

    def __call__(self, entry: Received) -> Any:
        if entry.path != "/a2a":
            return None
        asked = entry.payload
        version = entry.headers.get("a2a-version", "0.3")
        send = asked["method"] in ("SendMessage", "message/send")
        self.polls += not send
        task = {"id": "t1", "status": {"state": STATES[version][not send]}}
        wrapped = {"task": task} if send and version == "1.0" else task
        return {"jsonrpc": "2.0", "id": asked["id"], "result": wrapped}


class TestAgent:
    @pytest.mark.parametrize("version", ["1.0", "0.3"])
    def test_assigned(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp, version: str
    ) -> None:
        remote.reply = Agent()
        task = jira.assign_to_agent("BILL-1", as_user="Author", version=version)
        assert task.state == STATES[version][0]
        assert task.poll() == STATES[version][1]
        sending, polling = remote.at("/a2a")
        message = sending.payload["params"]["message"]
        new = version == "1.0"
        assert sending.payload["method"] == ("SendMessage" if new else "message/send")
        assert polling.payload["method"] == ("GetTask" if new else "tasks/get")
        assert polling.payload["params"] == {"id": "t1"}
        assert message["role"] == ("ROLE_USER" if new else "user")
        (part,) = message["parts"]
        assert part.get("kind") == (None if new else "data")
        data = part["data"]
        assert data["invocationType"] == "ISSUE_ASSIGNMENT"
        assert data["userAccountId"] == jira.user("Author").account_id
        assert (data["issue"]["key"], "summary" in data["issue"]["fields"]) == ("BILL-1", True)
        claims = fit(jira, sending)
        assert claims["app"]["module"]["type"] == "rovo:agentConnector"
        assert claims["context"]["accountId"] == jira.user("Author").account_id
        names = [body["eventType"] for body in sent(jira, remote)]
        assert names == ["avi:jira:assigned:issue", "avi:jira:updated:issue"]
        assert jira.issue("BILL-1").assignee == app.account_id

    def test_mentioned(self, jira: SandboxJira, remote: Receiver, app: ForgeApp) -> None:
        remote.reply = Agent()
        jira.mention_agent("BILL-1", "have a look", as_user="Author")
        (sending,) = remote.at("/a2a")
        data = sending.payload["params"]["message"]["parts"][0]["data"]
        assert data["invocationType"] == "ISSUE_COMMENT_MENTION"
        assert jira.comments("BILL-1")[0].body.plain().endswith("have a look")

    def test_an_agent_that_refuses(
        self, jira: SandboxJira, remote: Receiver, app: ForgeApp
    ) -> None:
        remote.reply = lambda entry: {"error": "none"}
        with pytest.raises(AgentFault, match="none"):
            jira.assign_to_agent("BILL-1", as_user="Author")
        with pytest.raises(ValueError, match=r"unknown version '2\.0'"):
            jira.assign_to_agent("BILL-1", as_user="Author", version="2.0")
