"""Webhooks out: what they say, how they are signed, when they come again."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from app.sandbox.outbox import Delivery
from app.sandbox.server import SandboxJira
from app.sandbox.webhooks import Webhook
from tests.sandbox.conftest import Api, document
from tests.sandbox.receiver import SECRET, Receiver, listening


def sent(jira: SandboxJira, receiver: Receiver) -> list[dict[str, Any]]:
    jira.webhooks.drain(10)
    return [entry.payload for entry in receiver.received]


class TestPayloads:
    def test_labels(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.add_label("BILL-1", "test-label", as_user="Author")
        jira.add_label("BILL-1", "sad", as_user="Reviewer")
        first, second = sent(jira, receiver)
        assert first["webhookEvent"] == "jira:issue_updated"
        assert first["issue_event_type_name"] == "issue_updated"
        assert first["user"]["accountId"] == jira.user("Author").account_id
        assert "emailAddress" not in first["user"]
        assert second["changelog"] == {
            "id": "10001",
            "items": [
                {
                    "field": "labels",
                    "fieldtype": "jira",
                    "fieldId": "labels",
                    "from": None,
                    "fromString": "test-label",
                    "to": None,
                    "toString": "sad test-label",
                }
            ],
        }
        assert second["issue"]["fields"]["labels"] == ["sad", "test-label"]

    def test_an_issue_is_shaped_like_version_2(
        self, jira: SandboxJira, author: Api, receiver: Receiver
    ) -> None:
        fields = {"description": document("New text"), "summary": "New"}
        author.ok("PUT", "issue/BILL-1", json={"fields": fields})
        (payload,) = sent(jira, receiver)
        issue = payload["issue"]
        assert issue["self"] == f"{jira.base_url}/rest/api/2/issue/10000"
        assert issue["fields"]["description"] == "New text"
        assert issue["fields"]["project"]["key"] == "BILL"
        assert "comment" not in issue["fields"]
        assert abs(payload["timestamp"] / 1000 - time.time()) < 60

    def test_created_and_deleted(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.create_issue("BILL", "Born", reporter="Author")
        jira.delete_issue("BILL-4", as_user="Admin")
        created, deleted = sent(jira, receiver)
        assert created["webhookEvent"] == "jira:issue_created"
        assert created["issue_event_type_name"] == "issue_created"
        assert created["issue"]["fields"]["description"] is None
        assert deleted["webhookEvent"] == "jira:issue_deleted"
        assert deleted["user"]["accountId"] == jira.user("Admin").account_id
        assert deleted["issue"]["key"] == "BILL-4"
        assert not {"changelog", "issue_event_type_name"} & set(deleted)

    def test_a_transition_and_an_assignment(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.transition("BILL-1", "In Progress", as_user="Author")
        account = jira.user("Reviewer").account_id
        jira.edit("BILL-1", {"assignee": {"accountId": account}}, as_user="Author")
        kinds = [payload["issue_event_type_name"] for payload in sent(jira, receiver)]
        assert kinds == ["issue_generic", "issue_assigned"]

    def test_comments(self, jira: SandboxJira, author: Api, receiver: Receiver) -> None:
        path = "issue/BILL-1/comment"
        made = author.ok("POST", path, json={"body": document("One")})
        author.ok("PUT", f"{path}/{made['id']}", json={"body": document("Two")})
        author.ok("DELETE", f"{path}/{made['id']}")
        created, updated, deleted = sent(jira, receiver)
        assert receiver.events == ["comment_created", "comment_updated", "comment_deleted"]
        for payload in (created, updated, deleted):
            assert "user" not in payload
            assert payload["comment"]["id"] == made["id"]
            assert payload["comment"]["author"]["accountId"] == jira.user("Author").account_id
            assert payload["issue"]["key"] == "BILL-1"
            assert set(payload["issue"]["fields"]) == {
                "summary",
                "issuetype",
                "project",
                "assignee",
                "priority",
                "status",
            }
        assert (created["comment"]["body"], updated["comment"]["body"]) == ("One", "Two")
        assert updated["comment"]["updated"] > created["comment"]["updated"]

    def test_text_outside_ascii_goes_as_it_is(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.comment("BILL-1", "Zoë zahlt 3 € 🚂", as_user="Author")
        jira.webhooks.drain()
        assert "Zoë zahlt 3 € 🚂".encode() in receiver.received[0].body

    def test_nothing_changed_sends_nothing(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.add_label("BILL-1", "x", as_user="Author")
        assert len(sent(jira, receiver)) == 1

    def test_links_only_for_those_who_ask(self, jira: SandboxJira, receiver: Receiver) -> None:
        with listening() as other:
            jira.webhook(other.url, "", events=["issuelink_created"])
            jira.link("BILL-1", "BILL-2", as_user="Author")
            assert sent(jira, receiver) == []
            payload = other.received[0].payload
        assert not {"user", "issue"} & set(payload)
        assert payload["issueLink"]["sourceIssueId"] == 10000
        assert payload["issueLink"]["issueLinkType"]["outwardName"] == "blocks"


@pytest.mark.shared
class TestLikeRecordedOnes:
    """The keys of recorded Cloud bodies, without those that need what the sandbox has not."""

    SAMPLES = "contracts/webhooks/mattermost-plugin-jira"

    def _sample(self, shared: Any, name: str) -> dict[str, Any]:
        text = (shared / self.SAMPLES / name).read_text(encoding="utf-8")
        return dict(json.loads(text))

    def test_issue_updated(self, shared: Any, jira: SandboxJira, receiver: Receiver) -> None:
        sample = self._sample(shared, "webhook-issue-updated-labels.json")
        jira.add_label("BILL-1", "x", as_user="Author")
        (ours,) = sent(jira, receiver)
        assert list(ours) == list(sample)
        assert set(ours["changelog"]["items"][0]) == set(sample["changelog"]["items"][0])
        fields = {name for name in ours["issue"]["fields"] if name != "statuscategorychangedate"}
        assert fields <= set(sample["issue"]["fields"])
        assert set(ours["issue"]) == set(sample["issue"])

    @pytest.mark.parametrize("event", ["created", "updated"])
    def test_comment(self, shared: Any, jira: SandboxJira, receiver: Receiver, event: str) -> None:
        sample = self._sample(shared, f"webhook-cloud-comment-{event}.json")
        comment = jira.comment("BILL-1", "x", as_user="Author")
        jira.edit_comment(comment.id, "y", as_user="Author")
        ours = sent(jira, receiver)[0 if event == "created" else 1]
        assert set(ours) - {"eventType"} == set(sample)
        assert set(ours["comment"]) == set(sample["comment"])
        assert set(ours["issue"]["fields"]) == set(sample["issue"]["fields"])


class TestSignature:
    def test_over_the_raw_bytes(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        (entry,) = receiver.received
        assert entry.signed()
        assert not entry.signed("another secret")
        assert entry.headers["content-type"].startswith("application/json")

    def test_the_published_vector(self) -> None:
        """https://developer.atlassian.com/cloud/jira/platform/webhooks/"""
        hook = Webhook(1, "http://127.0.0.1:9/", "It's a Secret to Everybody")
        made = Delivery("id", hook, "comment_created", "BILL-1", "", b"Hello World!")
        digest = hmac.new(b"It's a Secret to Everybody", made.body, hashlib.sha256).hexdigest()
        assert made.headers()["X-Hub-Signature"] == f"sha256={digest}"
        assert digest.startswith("a4771c39fbe90f31")

    def test_none_without_a_secret(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            jira.webhook(receiver.url, "")
            jira.add_label("BILL-1", "x", as_user="Author")
            jira.webhooks.drain()
            assert "x-hub-signature" not in receiver.received[0].headers


class TestRetries:
    @pytest.mark.parametrize("answer", [408, 409, 425, 429, 500, 503, "drop"])
    def test_come_with_the_same_identifier(
        self, jira: SandboxJira, receiver: Receiver, answer: int | str
    ) -> None:
        receiver.answers = [answer, answer]
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        headers = [entry.headers for entry in receiver.received]
        assert len({entry["x-atlassian-webhook-identifier"] for entry in headers}) == 1
        assert [entry.get("x-atlassian-webhook-retry") for entry in headers] == [None, "1", "2"]
        assert {entry["x-atlassian-webhook-flow"] for entry in headers} == {"Primary"}
        assert len({entry.body for entry in receiver.received}) == 1
        (delivery,) = jira.webhooks.deliveries
        assert (delivery.state, delivery.status) == ("delivered", "200")

    @pytest.mark.parametrize("answer", [400, 401, 404, 302])
    def test_do_not_come_after_other_answers(
        self, jira: SandboxJira, receiver: Receiver, answer: int
    ) -> None:
        receiver.answers = [answer]
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        (delivery,) = jira.webhooks.deliveries
        assert (delivery.state, delivery.attempts) == ("refused", [str(answer)])

    def test_end_after_five(self, jira: SandboxJira, receiver: Receiver) -> None:
        receiver.answers = [500] * 10
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        (delivery,) = jira.webhooks.deliveries
        assert (delivery.state, len(delivery.attempts)) == ("failed", 6)
        assert len(receiver.received) == 6

    def test_after_a_timeout(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.webhooks.timeout = 0.1
        receiver.answers = [0.4]
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        assert jira.webhooks.deliveries[0].attempts == ["ReadTimeout", "200"]

    def test_reach_a_receiver_that_comes_back(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            url = receiver.url
        jira.webhooks.delays = (0.05, 0.05, 5, 5, 5)
        jira.webhook(url, SECRET)
        jira.add_label("BILL-1", "x", as_user="Author")
        with pytest.raises(TimeoutError, match="1 deliveries open"):
            jira.webhooks.drain(0.5)
        assert jira.webhooks.deliveries[0].attempts == ["ConnectError"] * 3

    def test_hold_nobody_up(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.webhooks.delays = (0.2,)
        receiver.answers = [503]
        for label in ("a", "b", "c"):
            jira.add_label("BILL-1", label, as_user="Author")
        jira.webhooks.drain()
        last = [entry.payload["changelog"]["items"][0]["toString"] for entry in receiver.received]
        assert last == ["a", "a b", "a b c", "a"]

    def test_one_can_come_twice(self, jira: SandboxJira, receiver: Receiver) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        jira.webhooks.redeliver(jira.webhooks.deliveries[0])
        jira.webhooks.drain()
        first, second = receiver.received
        name = "x-atlassian-webhook-identifier"
        assert first.headers[name] == second.headers[name]
        assert second.headers["x-atlassian-webhook-retry"] == "1"
