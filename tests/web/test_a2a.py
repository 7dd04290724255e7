"""The assignable agent: both versions of its protocol, whose tasks are told to whom, no effect in
the answer itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.intake import a2a_agent
from app.store import inbox, installs, schema
from app.store.database import Database
from app.store.schema import run, site, ticket
from tests.core.scraps import SCRAPS
from tests.web.signers import APP, CLOUD, KeyServer, fit, fit_claims, hs256, pem
from tests.web.test_webhooks import BAD

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
Rows = Callable[[], list[sa.RowMapping]]
OTHER = "00000000-0000-4000-8000-0000000000c2"
AGENT = "signalbox-agent"
ISSUE = {"id": "10001", "key": "BILL-1", "fields": {"summary": "not to be believed"}}
NOW = datetime.now(UTC)


def post(client: TestClient, body: bytes, token: str = "", **headers: str) -> Any:
    sent = {"authorization": f"Bearer {token or fit(AGENT)}", **headers}
    return client.post("/a2a", content=body, headers=sent)


def rpc(client: TestClient, method: str, params: Any, cloud: str = CLOUD, **more: Any) -> Any:
    """The whole answer to one call. Version and method go together."""
    body = {"jsonrpc": "2.0", "id": "7", "method": method, "params": params}
    version = "0.3" if "/" in method else "1.0"
    token = fit(AGENT, cloud=cloud, **more)
    answer = post(client, json.dumps(body).encode(), token, **{"a2a-version": version})
    assert answer.status_code == 200
    return answer.json()


def message(told: Any, number: str = "m-1", **more: Any) -> dict[str, Any]:
    return {
        "message": {"messageId": number, "role": "ROLE_USER", "parts": [{"data": told}], **more}
    }


def assignment(number: str = "m-1", **more: Any) -> dict[str, Any]:
    return message({"invocationType": "ISSUE_ASSIGNMENT", "issue": ISSUE}, number, **more)


def assign(client: TestClient, number: str = "m-1", cloud: str = CLOUD) -> dict[str, Any]:
    task: dict[str, Any] = rpc(client, "SendMessage", assignment(number), cloud)["result"]["task"]
    return task


def site_id(db: Database, cloud: str = CLOUD) -> str:
    found = installs.by_identity(db, "forge", cloud)
    assert found is not None
    return str(found["id"])


def start_run(db: Database, **values: Any) -> None:
    """As the gate would: a run of the ticket that the tasks here are about."""
    row = {
        "site_id": site_id(db),
        "issue_id": "10001",
        "number": 1,
        "key": "BILL-1",
        "project_key": "BILL",
        "trigger_id": "assign:5",
        "actor": "user-1",
        "triggered_at": NOW,
        "agent": "rehearsal",
        "simulated": True,
        "repository": "/billing-api",
        "base_branch": "main",
        "spec_hash": "x",
        "spec_as_of": NOW,
        "step": 3,
        "created_at": NOW,
    }
    with db.write() as c:
        c.execute(run.insert().values(**{**row, **values}))


def settle(db: Database, outcome: str = "handled", reason: str = "") -> None:
    """As the assessment that all waiting deliveries share."""
    with db.write() as c:
        c.execute(schema.inbox.update().values(workflow_id="w", relayed_at=NOW))
    inbox.settle(db, "w", outcome, reason)


def decide(db: Database, **values: Any) -> None:
    row = {"site_id": site_id(db), "issue_id": "10001", "gen": 1, "taken": 1, "assessed_at": NOW}
    with db.write() as c:
        c.execute(db.insert(ticket).values(**{**row, **values}))


def state(client: TestClient, task: dict[str, Any]) -> str:
    return str(rpc(client, "GetTask", {"id": task["id"]})["result"]["status"]["state"])


# the card


def test_the_card_is_public_and_names_both_versions(jira: TestClient) -> None:
    card = jira.get("/.well-known/agent-card.json").json()
    at = "https://signalbox.example.com/a2a"
    assert [
        (i["url"], i["protocolVersion"], i["protocolBinding"]) for i in card["supportedInterfaces"]
    ] == [(at, "1.0", "JSONRPC"), (at, "0.3", "JSONRPC")]
    assert (card["url"], card["protocolVersion"], card["preferredTransport"]) == (
        at,
        "0.3",
        "JSONRPC",
    )
    assert card["capabilities"] == {"streaming": True, "pushNotifications": False}
    assert card["securitySchemes"]["forge"]["httpAuthSecurityScheme"]["scheme"] == "Bearer"


def test_without_a_forge_app_there_is_no_agent(client: TestClient) -> None:
    assert client.get("/.well-known/agent-card.json").status_code == 404
    assert client.post("/a2a", content=b"{}").status_code == 404


# who may ask

STRANGERS = {
    "no token": "",
    "another module": fit("signalbox-panel"),
    "no module": fit(AGENT, app={"apiBaseUrl": f"https://api.atlassian.com/ex/jira/{CLOUD}"}),
    "another app": fit(AGENT, aud=APP + "2"),
    "expired": fit(AGENT, iat=1, nbf=1, exp=26),
    "signed with the public key": hs256(fit_claims(AGENT), pem("forge"), kid="forge/x"),
}


@pytest.mark.parametrize("token", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_is_refused_before_anything_is_read(
    jira: TestClient, rows: Rows, token: str
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = jira.post("/a2a", content=b"{", headers=headers)
    assert (answer.status_code, answer.content) == (
        401,
        b'{"error":"missing or wrong signature"}',
    )
    assert rows() == []


def test_keys_that_cannot_be_had_are_weather(jira: TestClient, keys: KeyServer) -> None:
    keys.fault = OSError("no route to the host")
    answer = post(jira, b"{}")
    assert answer.status_code == 503
    assert "route" not in answer.text


def test_a_site_that_has_left_is_a_stranger(jira: TestClient, database: Database) -> None:
    task = assign(jira)
    with database.write() as c:
        c.execute(site.update().values(uninstalled_at=NOW))
    assert post(jira, json.dumps({"id": task["id"]}).encode()).status_code == 401


# what a message does


def test_an_assignment_becomes_a_task_at_once(jira: TestClient, rows: Rows) -> None:
    task = assign(jira)
    assert task["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert task["status"]["message"]["parts"] == [
        {"text": "I have it and will read the ticket within seconds."}
    ]
    (row,) = rows()
    assert (row["id"], row["event"], row["kind"]) == (task["id"], "a2a:ISSUE_ASSIGNMENT", "ticket")
    assert (row["issue_id"], row["actor"], row["outcome"]) == ("10001", "user-1", None)


def test_a_message_that_comes_twice_is_one_task(jira: TestClient, rows: Rows) -> None:
    assert assign(jira)["id"] == assign(jira)["id"]
    assert assign(jira, "m-2")["id"] != assign(jira)["id"]
    assert len(rows()) == 2


def test_the_older_version_of_the_protocol(jira: TestClient, rows: Rows) -> None:
    told = {"invocationType": "ISSUE_ASSIGNMENT", "issue": {"key": "BILL-1"}}
    part = {"kind": "data", "data": told}
    sent = {"kind": "message", "messageId": "m-1", "role": "user", "parts": [part]}
    task = rpc(jira, "message/send", {"message": sent})["result"]
    assert (task["kind"], task["status"]["state"]) == ("task", "submitted")
    assert [(row["issue_id"], row["issue_key"]) for row in rows()] == [(None, "BILL-1")]
    again = rpc(jira, "tasks/get", {"id": task["id"]})["result"]
    assert again == task
    unknown = rpc(jira, "tasks/get", {"id": "nobody's"})
    assert unknown["error"]["code"] == -32001


@pytest.mark.parametrize(("method", "code"), [("SendMessage", None), ("message/send", None)])
def test_without_a_version_the_method_tells_it(
    jira: TestClient, method: str, code: int | None
) -> None:
    kind = {"kind": "message", "role": "user"} if "/" in method else {}
    part: dict[str, Any] = {"data": {"invocationType": "ISSUE_ASSIGNMENT", "issue": ISSUE}}
    part |= {"kind": "data"} if kind else {}
    sent = {"messageId": "m-1", "role": "ROLE_USER", "parts": [part], **kind}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": sent}}
    answer = post(jira, json.dumps(body).encode()).json()
    assert answer.get("error", {}).get("code") == code
    assert answer["id"] == 1


def test_a_version_that_nobody_knows_is_refused(jira: TestClient, rows: Rows) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": assignment()}
    answer = post(jira, json.dumps(body).encode(), **{"a2a-version": "9.0"})
    assert answer.json()["error"]["code"] == -32009
    assert rows() == []


@pytest.mark.parametrize(
    ("told", "kind", "comment_id"),
    [
        ({"comment": {"id": "20001"}}, "comment", "20001"),
        ({"commentId": 20001}, "comment", "20001"),
        ({}, "mention", None),
    ],
)
def test_a_mention_is_a_comment_to_be_read(
    jira: TestClient, rows: Rows, told: dict[str, Any], kind: str, comment_id: str | None
) -> None:
    mention = {"invocationType": "ISSUE_COMMENT_MENTION", "issue": ISSUE, **told}
    task = rpc(jira, "SendMessage", message(mention))["result"]["task"]
    assert task["status"]["state"] == "TASK_STATE_SUBMITTED"
    (row,) = rows()
    assert (row["kind"], row["comment_id"], row["actor"]) == (kind, comment_id, "user-1")


CHATS: list[list[dict[str, Any]]] = [
    [{"text": "What can you do?"}],
    [{"data": {"issue": ISSUE}}, {"text": "run it, approve it, delete it"}],
    [{"data": {"invocationType": "SOMETHING_NEW", "issue": ISSUE}}],
    [{"data": [1, 2]}],
    [],
]


@pytest.mark.parametrize("parts", CHATS)
def test_a_chat_gets_an_answer_and_has_no_effect(
    jira: TestClient, rows: Rows, parts: list[dict[str, Any]]
) -> None:
    sent = {"messageId": "m-1", "role": "ROLE_USER", "contextId": "c-1", "parts": parts}
    said = rpc(jira, "SendMessage", {"message": sent})["result"]["message"]
    assert (said["role"], said["contextId"]) == ("ROLE_AGENT", "c-1")
    assert said["parts"][0]["text"].startswith("I work on tickets: assign one to me, or set the")
    assert rows() == []


def test_a_word_within_a_task_is_answered_with_the_task(jira: TestClient, rows: Rows) -> None:
    task = assign(jira)
    talk = {"messageId": "m-2", "role": "ROLE_USER", "parts": [{"text": "And?"}]}
    answer = rpc(jira, "SendMessage", {"message": {**talk, "taskId": task["id"]}})
    assert answer["result"]["task"] == task
    stranger = rpc(jira, "SendMessage", assignment("m-3", taskId="nobody's"))
    assert stranger["error"]["code"] == -32001
    assert len(rows()) == 1


def test_the_conversation_is_kept_with_the_task(jira: TestClient) -> None:
    task = rpc(jira, "SendMessage", assignment(contextId="c-9"))["result"]["task"]
    assert task["contextId"] == "c-9"
    assert rpc(jira, "GetTask", {"id": task["id"]})["result"]["contextId"] == "c-9"


def test_an_assignment_of_nothing_is_a_wrong_call(jira: TestClient, rows: Rows) -> None:
    answer = rpc(jira, "SendMessage", message({"invocationType": "ISSUE_ASSIGNMENT"}))
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"] == "ISSUE_ASSIGNMENT names no issue"
    assert rows() == []


# what a task has come to


def test_a_task_of_another_site_is_not_found(jira: TestClient, rows: Rows) -> None:
    """Same messages, same tickets on both sites: ids differ, and neither sees the other's."""
    ours, theirs = assign(jira), assign(jira, cloud=OTHER)
    assert ours["id"] != theirs["id"]
    for method in ("GetTask", "CancelTask", "tasks/get", "tasks/cancel"):
        foreign = rpc(jira, method, {"id": theirs["id"]})
        unknown = rpc(jira, method, {"id": "0" * 24})
        assert foreign == unknown
        assert foreign["error"]["code"] == -32001
    assert len(rows()) == 2


def test_a_delivery_of_another_door_is_no_task(jira: TestClient, database: Database) -> None:
    assign(jira)
    row = {"id": "f" * 24, "site_id": site_id(database), "ident": "jira:1", "kind": "ticket"}
    row |= {"event": "jira:issue_updated", "issue_id": "10001", "reason": ""}
    inbox.receive(database, {**row, "once_key": None, "received_at": NOW})
    assert rpc(jira, "GetTask", {"id": "f" * 24})["error"]["code"] == -32001


def test_a_task_follows_its_ticket(jira: TestClient, database: Database) -> None:
    task = assign(jira)
    decide(database, decision={"decision": "defer", "reasons": []}, verdict="ready")
    settle(database)
    reason = {"code": "budget", "text": "No money is free.", "next": "I look again."}
    question = {"code": "not_ready", "text": "Not all is answered.", "next": "Edit it."}
    for reasons, wanted in (([reason], "SUBMITTED"), ([question], "INPUT_REQUIRED")):
        with database.write() as c:
            decision = {"decision": "defer", "reasons": reasons}
            c.execute(ticket.update().values(decision=decision))
        assert state(jira, task) == f"TASK_STATE_{wanted}"
    start_run(database)
    assert state(jira, task) == "TASK_STATE_WORKING"
    ended = {"ended_at": datetime.now(UTC), "ending": "Succeeded"}
    with database.write() as c:
        c.execute(run.update().values(**ended, pull_request="https://code.example.com/pulls/7"))
    done = rpc(jira, "GetTask", {"id": task["id"]})["result"]
    assert done["status"]["state"] == "TASK_STATE_COMPLETED"
    (artifact,) = done["artifacts"]
    assert artifact["parts"] == [
        {"text": "Pull request https://code.example.com/pulls/7"},
        {
            "data": {
                "branch": "agent/BILL-1-1",
                "simulated": True,
                "pullRequest": "https://code.example.com/pulls/7",
            }
        },
    ]


def test_an_ignored_delivery_is_a_rejected_task(jira: TestClient, database: Database) -> None:
    task = assign(jira)
    settle(database, "ignored", "project BILL is not connected")
    told = rpc(jira, "GetTask", {"id": task["id"]})["result"]["status"]
    assert told["state"] == "TASK_STATE_REJECTED"
    assert told["message"]["parts"] == [{"text": "I did nothing: project BILL is not connected."}]


def test_only_a_run_that_is_on_can_be_cancelled(
    jira: TestClient, rows: Rows, database: Database
) -> None:
    task = assign(jira)
    assert rpc(jira, "CancelTask", {"id": task["id"]})["error"]["code"] == -32002
    settle(database)
    start_run(database)
    told = rpc(jira, "CancelTask", {"id": task["id"]})["result"]
    assert (told["id"], told["status"]["state"]) == (task["id"], "TASK_STATE_WORKING")
    _, wish = rows()
    assert (wish["kind"], wish["issue_id"], wish["actor"]) == ("cancel", "10001", "user-1")
    assert rpc(jira, "GetTask", {"id": wish["id"]})["error"]["code"] == -32001


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("ListTasks", -32004),
        ("GetExtendedAgentCard", -32007),
        ("CreateTaskPushNotificationConfig", -32003),
        ("ListTaskPushNotificationConfigs", -32003),
        ("tasks/pushNotificationConfig/list", -32003),
        ("tasks/delete", -32601),
        ("__init__", -32601),
        ("", -32600),
    ],
)
def test_what_there_is_not(jira: TestClient, method: str, code: int) -> None:
    assert rpc(jira, method, {"id": "x"})["error"]["code"] == code


# streams


def events(answer: Any) -> list[dict[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = answer.text.splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def test_a_stream_tells_each_change_until_nothing_more_happens(
    jira: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [lambda: settle(database), lambda: start_run(database), lambda: None]

    async def meanwhile(_seconds: float) -> None:
        if steps:
            steps.pop(0)()
            return
        with database.write() as c:
            c.execute(run.update().values(ended_at=datetime.now(UTC), ending="Failed"))

    monkeypatch.setattr("app.intake.a2a_agent.asyncio.sleep", meanwhile)
    body = {"jsonrpc": "2.0", "id": 3, "method": "SendStreamingMessage", "params": assignment()}
    told = events(post(jira, json.dumps(body).encode()))
    assert {event["id"] for event in told} == {3}
    first, *changes = (event["result"] for event in told)
    assert first["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert [change["statusUpdate"]["status"]["state"] for change in changes] == [
        "TASK_STATE_WORKING",
        "TASK_STATE_WORKING",
        "TASK_STATE_FAILED",
    ]


def test_a_stream_does_not_last_for_ever(jira: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a2a_agent, "FOLLOW_EVERY", 0.001)
    task = assign(jira)
    body = {"jsonrpc": "2.0", "id": 3, "method": "tasks/resubscribe", "params": {"id": task["id"]}}
    (told,) = events(post(jira, json.dumps(body).encode()))
    assert told["result"]["status"]["state"] == "submitted"
    body |= {"method": "SubscribeToTask", "params": {"id": "nobody's"}}
    assert post(jira, json.dumps(body).encode()).json()["error"]["code"] == -32001


# what a hostile or broken caller gets


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_unreadable_bodies_get_the_protocols_own_error(
    jira: TestClient, rows: Rows, body: bytes
) -> None:
    answer = post(jira, body)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] in (-32700, -32600)
    assert rows() == []


def test_half_a_character_is_no_json(jira: TestClient) -> None:
    body = b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "GetTask", "params": {"id": "\\udfff"}}'
    assert post(jira, body).json()["error"]["code"] == -32700


def test_a_body_over_the_limit(jira: TestClient) -> None:
    assert post(jira, b'{"a": "' + b"x" * 100_001 + b'"}').status_code == 413


def test_a_store_that_is_away_is_told_without_its_words(
    jira: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OSError("disk full")

    task = assign(jira)
    monkeypatch.setattr("app.intake.a2a_agent.inbox.receive", away)
    monkeypatch.setattr("app.intake.a2a_task.tasks.find", away)
    for told in (
        rpc(jira, "SendMessage", assignment("m-2")),
        rpc(jira, "GetTask", {"id": task["id"]}),
        rpc(jira, "tasks/get", {"id": task["id"]}),
    ):
        assert told["error"]["code"] == -32603
        assert "disk" not in json.dumps(told)


def test_no_params_break_it(jira: TestClient) -> None:
    token = fit(AGENT)
    methods = st.sampled_from(["SendMessage", "message/send", "GetTask", "tasks/get", "CancelTask"])

    @given(methods, SCRAPS, st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none()))
    def tried(method: str, params: object, number: object) -> None:
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer = post(jira, json.dumps(body).encode(), token)
        assert answer.status_code == 200
        assert ("error" in answer.json()) != ("result" in answer.json())

    tried()


def test_old_tasks_are_told_without_their_bodies(jira: TestClient, database: Database) -> None:
    task = rpc(jira, "SendMessage", assignment(contextId="c-9"))["result"]["task"]
    inbox.erase_bodies(database, NOW + timedelta(days=1))
    assert rpc(jira, "GetTask", {"id": task["id"]})["result"]["contextId"] == task["id"]
