"""Jira as the client of a remote agent: A2A over JSON-RPC, both versions that it speaks.

https://developer.atlassian.com/platform/forge/remote-agents-in-jira/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from app.sandbox import comments, issues
from app.sandbox.comments import Draft
from app.sandbox.forge import UI_SECONDS, ForgeApp
from app.sandbox.markup import RichText
from app.sandbox.outbox import client
from app.sandbox.payloads import forge_issue
from app.sandbox.records import Issue, User
from app.sandbox.state import SandboxState

METHODS = {"1.0": ("SendMessage", "GetTask"), "0.3": ("message/send", "tasks/get")}
Json = dict[str, Any]


class AgentFault(Exception):
    """The agent's endpoint did not answer as A2A has it; the message says how it did."""


@dataclass(slots=True)
class AgentTask:
    """What the agent made of one message, as of its last answer."""

    app: ForgeApp
    version: str
    account_id: str
    task: Json

    @property
    def id(self) -> str:
        return str(self.task["id"])

    @property
    def state(self) -> str:
        """TASK_STATE_… in version 1.0, lower case in 0.3."""
        return str(self.task["status"]["state"])

    def poll(self) -> str:
        """Ask how it stands; the state."""
        found = _call(self.app, self.version, 1, {"id": self.id}, self.account_id)
        self.task = _task(found)
        return self.state


def assign(state: SandboxState, issue: Issue, actor: User, version: str) -> AgentTask:
    """The assignment is one of the issue as well: events go out for it too."""
    app = state.forge_apps[-1]
    with state.lock:
        issues.edit(state, issue, {"assignee": app.account_id}, actor)
    return _send(state, issue, actor, version, "ISSUE_ASSIGNMENT")


def mention(state: SandboxState, issue: Issue, actor: User, words: str, version: str) -> AgentTask:
    app = state.forge_apps[-1]
    named = {"type": "mention", "attrs": {"id": app.account_id, "text": "@agent"}}
    paragraph = {"type": "paragraph", "content": [named, {"type": "text", "text": f" {words}"}]}
    with state.lock:
        body = RichText({"type": "doc", "version": 1, "content": [paragraph]})
        comments.add(state, issue, Draft(body), actor)
    return _send(state, issue, actor, version, "ISSUE_COMMENT_MENTION")


def _send(
    state: SandboxState, issue: Issue, actor: User, version: str, invocation: str
) -> AgentTask:
    app = state.forge_apps[-1]
    shown = forge_issue(state, issue)
    data = {
        "invocationType": invocation,
        "userAccountId": actor.account_id,
        "issue": {"id": issue.id, "key": issue.key, "fields": shown["fields"]},
    }
    message = _message(version, data)
    found = _call(app, version, 0, {"message": message}, actor.account_id)
    return AgentTask(app, version, actor.account_id, _task(found))


def _message(version: str, data: Json) -> Json:
    ids = {"messageId": str(uuid4())}
    if version == "1.0":
        return ids | {"role": "ROLE_USER", "parts": [{"data": data}]}
    parts = [{"kind": "data", "data": data}]
    return ids | {"kind": "message", "role": "user", "parts": parts}


def _call(app: ForgeApp, version: str, which: int, params: Json, account_id: str) -> Json:
    if version not in METHODS:
        raise ValueError(f"unknown version {version!r} of A2A; known: {', '.join(METHODS)}")
    request = {
        "jsonrpc": "2.0",
        "id": str(uuid4()),
        "method": METHODS[version][which],
        "params": params,
    }
    headers = app.headers("agent", account_id)
    if version != "0.3":  # which is what a missing header means
        headers["A2A-Version"] = version
    with client() as web:
        answer = web.post(app.url("agent"), json=request, headers=headers, timeout=UI_SECONDS)
    if answer.status_code != 200:
        raise AgentFault(f"{answer.status_code} {answer.text[:200]}")
    reply: Json = answer.json()
    if reply.get("id") != request["id"] or "result" not in reply:
        raise AgentFault(str(reply.get("error") or reply)[:300])
    return dict(reply["result"])


def _task(result: Json) -> Json:
    """Version 1.0 wraps a sent message's task."""
    found = result.get("task", result)
    if "id" not in found or "status" not in found:
        raise AgentFault(f"no task: {str(result)[:200]}")
    return dict(found)
