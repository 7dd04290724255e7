"""The control API: what another process needs to set a scene and to look at the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api
from tests.sandbox.receiver import SECRET, Receiver, listening


@pytest.fixture
def control(jira: SandboxJira) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{jira.base_url}/sandbox/") as client:
        yield client


def post(control: httpx.Client, path: str, **body: Any) -> Any:
    answer = control.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def test_sets_a_scene(control: httpx.Client, jira: SandboxJira) -> None:
    post(control, "reset")
    assert control.get("state").json()["issues"] == []
    post(control, "projects", key="car", name="Cars")
    made = post(control, "users", name="Driver", rights="admin", roles={"CAR": ["Developers"]})
    issue = post(
        control,
        "issues",
        project="CAR",
        summary="Brakes",
        description="h1. Squeak",
        labels=["b", "a"],
        issue_type="Bug",
        reporter="Driver",
    )
    assert issue["key"] == "CAR-1"
    assert made["token"] == "token-of-driver"
    with Api(jira, "Driver") as api:
        shown = api.ok("GET", "issue/CAR-1")
        assert shown["fields"]["labels"] == ["a", "b"]
        assert shown["fields"]["description"]["content"][0]["type"] == "heading"
        assert len(api.ok("GET", "project/CAR/role/10003")["actors"]) == 1
    state = control.get("state").json()
    assert state["projects"] == ["CAR"]
    assert [user["email"] for user in state["users"]] == ["driver@sandbox.example"]


def test_reset_with_examples(control: httpx.Client, jira: SandboxJira) -> None:
    jira.add_label("BILL-1", "x", as_user="Author")
    jira.faults.add(kind="500")
    post(control, "reset", seeded=True)
    assert control.get("state").json()["projects"] == ["BILL", "HELP"]
    assert jira.issue("BILL-1").labels == []
    assert control.get("faults").json() == []
    assert control.get("journal").json() == []


def test_webhooks_and_deliveries(control: httpx.Client) -> None:
    with listening() as receiver:
        post(control, "webhooks", url=receiver.url, secret=SECRET, events=["jira:issue_created"])
        post(control, "issues", project="BILL", summary="New", reporter="Author")
        post(control, "drain", timeout=5)
        (delivery,) = control.get("deliveries").json()
        assert (delivery["event"], delivery["state"]) == ("jira:issue_created", "delivered")
        assert delivery["payload"]["issue"]["key"] == delivery["issue"] == "BILL-4"
        assert receiver.received[0].signed()


def test_draining_does_not_stop_the_server(
    control: httpx.Client, jira: SandboxJira, receiver: Receiver
) -> None:
    receiver.answers = [0.3]
    jira.add_label("BILL-1", "x", as_user="Author")
    answer = control.post("drain", json={"timeout": 0.05})
    assert answer.status_code == 400
    assert "TimeoutError" in answer.text
    post(control, "drain", timeout=5)


def test_faults_and_journal(control: httpx.Client, author: Api) -> None:
    planned = post(control, "faults", kind="429", method="GET", path_pattern="myself", times=2)
    assert planned["reason"] == "jira-burst-based"
    assert author.get("myself").status_code == 429
    assert control.get("faults").json()[0]["struck"] == 1
    control.delete("faults")
    author.ok("GET", "myself")
    entries = control.get("journal").json()
    assert [entry["status"] for entry in entries] == [429, 200]
    control.delete("journal")
    assert control.get("journal").json() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users", {}),
        ("users", {"name": "X", "role": "admin"}),
        ("users", {"name": "X", "rights": ["FLY"]}),
        ("users", {"name": "X", "rights": "king"}),
        ("users", {"name": "X", "roles": {"BILL": ["Pilots"]}}),
        ("issues", {"project": "BILL"}),
        ("issues", {"project": "BILL", "summary": "x", "colour": "red"}),
        ("issues", {"project": "BILL", "summary": "x", "issue_type": "Song"}),
        ("issues", {"project": "BILL", "summary": "x", "labels": ["a b"]}),
        ("issues", {"project": "BILL", "summary": "x", "reporter": "Nobody"}),
        ("webhooks", {"secret": "x"}),
        ("webhooks", {"url": "http://127.0.0.1:9", "events": ["issue_updated"]}),
        ("faults", {"kind": "flood"}),
        ("faults", {"kinds": "429"}),
    ],
)
def test_wrong_input_is_refused(control: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = control.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"][0]


def test_input_that_is_no_object(control: httpx.Client) -> None:
    assert control.post("reset", content=b"[1]").status_code == 400
    assert control.post("reset", content=b"{").status_code == 400


def test_another_web_site_may_not_call_it(control: httpx.Client, jira: SandboxJira) -> None:
    foreign = {"origin": "https://example.org", "content-type": "text/plain"}
    answer = control.post("reset", content=b"{}", headers=foreign)
    assert answer.status_code == 403
    assert jira.issue("BILL-1").key == "BILL-1"
    own = control.post("reset", content=b"{}", headers={"origin": jira.base_url})
    assert own.status_code == 200
