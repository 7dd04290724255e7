"""Automation rules, limits of writes, service desks, and a backlog labelled long ago."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.sandbox.faults import REASONS
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api, document
from tests.sandbox.receiver import listening


class TestAutomation:
    def test_says_what_the_author_of_the_rule_typed(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            jira.add_automation_rule(receiver.url, "a secret header")
            jira.add_label("BILL-1", "x", as_user="Author")
            comment = jira.comment("BILL-1", "Hello", as_user="Author")
            jira.edit_comment(comment.id, "Again", as_user="Author")
            jira.create_issue("BILL", "Born", reporter="Author")
            jira.webhooks.drain()
            edited, commented, born = receiver.received
        assert edited.headers["x-signalbox-token"] == "a secret header"
        assert not {"x-hub-signature", "x-atlassian-webhook-identifier"} & set(edited.headers)
        about = {"id": jira.issue("BILL-1").id, "key": "BILL-1"}
        name = "jira:issue_updated"
        assert edited.payload == {"webhookEvent": name, "issue": about, "comment": {"id": ""}}
        assert commented.payload["comment"] == {"id": comment.id}
        assert born.payload["issue"]["key"] == "BILL-4"

    def test_smart_values_cannot_break_the_json(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            template = (
                '{"title": "{{ issue.summary }}", "none": "{{issue.none}}",'
                ' "who": "{{initiator.accountId}}"}'
            )
            jira.add_automation_rule(receiver.url, "s", template)
            jira.edit("BILL-1", {"summary": 'a "quoted" \\ word'}, as_user="Author")
            jira.webhooks.drain()
            who = jira.user("Author").account_id
            title = 'a "quoted" \\ word'
            assert receiver.received[0].payload == {"title": title, "none": "", "who": who}

    def test_never_comes_again(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            receiver.answers = [503]
            jira.add_automation_rule(receiver.url, "s")
            jira.add_label("BILL-1", "x", as_user="Author")
            jira.webhooks.drain()
            assert len(receiver.received) == 1

    def test_a_body_that_is_no_json_is_shown(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            jira.add_automation_rule(receiver.url, "s", "only {{issue.key}}")
            jira.add_label("BILL-1", "x", as_user="Author")
            jira.webhooks.drain()
        assert jira.webhooks.deliveries[0].content() == "only BILL-1"


class TestLimits:
    def test_twenty_writes_to_one_issue(self, jira: SandboxJira, author: Api) -> None:
        jira.limit_writes()
        for number in range(20):
            author.ok("PUT", "issue/BILL-1/properties/n", json=number)
        answer = author.put("issue/BILL-1/properties/n", json=20)
        assert answer.status_code == 429
        assert answer.headers["ratelimit-reason"] == "jira-per-issue-on-write"
        assert answer.headers["retry-after"] in ("1", "2")
        assert jira.issue("BILL-1").properties["n"] == 19
        author.ok("GET", "issue/BILL-1")
        author.ok("PUT", "issue/BILL-2/properties/n", json=1)

    def test_windows(self) -> None:
        limits = SandboxJira().state.limits
        path = "/rest/api/3/issue/BILL-1/comment"
        assert [limits.wait("POST", path, 0.0) for _ in range(30)] == [0] * 30
        limits.on = True
        taken = [limits.wait("POST", path, number / 10 * 1.2) == 0 for number in range(120)]
        assert (sum(taken), taken[:100]) == (100, [True] * 100)
        assert limits.wait("POST", path, 120 * 0.12) == 16
        assert limits.wait("GET", path, 14.4) == 0
        assert limits.wait("POST", path, 30.2) == 0

    @pytest.mark.parametrize("reason", REASONS)
    def test_each_reason_has_its_time(self, jira: SandboxJira, author: Api, reason: str) -> None:
        jira.faults.add(kind="429", reason=reason)
        headers = author.get("myself").headers
        assert (headers["ratelimit-reason"], headers["retry-after"]) == (reason, REASONS[reason])


class TestServiceDesk:
    def test_a_comment_is_internal_by_its_property(self, jira: SandboxJira, author: Api) -> None:
        inside = {"key": "sd.public.comment", "value": {"internal": True}}
        body = {"body": document("For us"), "properties": [inside]}
        made = author.ok("POST", "issue/HELP-1/comment", json=body)
        assert made["jsdPublic"] is False
        with Api(jira, "Portal customer") as customer:
            assert customer.ok("GET", "issue/HELP-1/comment")["total"] == 0
            author.ok("DELETE", f"comment/{made['id']}/properties/sd.public.comment")
            assert customer.ok("GET", "issue/HELP-1/comment")["total"] == 1
            address = f"comment/{made['id']}/properties/sd.public.comment"
            author.ok("PUT", address, json={"internal": True})
            assert customer.ok("GET", "issue/HELP-1/comment")["total"] == 0
        plain = author.ok("POST", "issue/BILL-1/comment", json=body)
        assert plain["jsdPublic"] is True


class TestOldBacklog:
    def test_is_quick_old_and_told_to_nobody(self, jira: SandboxJira, author: Api) -> None:
        with listening() as receiver:
            jira.webhook(receiver.url, "s")
            began = time.monotonic()
            made = jira.seed_old_backlog("BILL")
            assert time.monotonic() - began < 1
            jira.webhooks.drain()
            assert receiver.received == []
        assert len({issue.key for issue in made}) == len(made) == 500
        params = {"jql": "project = BILL AND labels = agent-ready", "fields": "labels,updated"}
        page = author.ok("GET", "search/jql", params=params)
        assert (len(page["issues"]), page["isLast"]) == (50, False)
        log = author.ok("GET", f"issue/{made[-1].key}/changelog")["values"]
        assert [entry["items"][0]["toString"] for entry in log] == ["agent-ready"]
        edge = datetime.now(UTC) - timedelta(days=89)
        assert max(issue.updated for issue in made) < edge
        assert author.ok("GET", "issue/BILL-1")["key"] == "BILL-1"

    def test_each_label_has_its_own_time(self, jira: SandboxJira) -> None:
        made = jira.seed_old_backlog("BILL", 3, "wanted", days=1)
        times = [issue.history[0].created for issue in made]
        assert times == sorted(set(times))
        assert (
            json.dumps([issue.labels for issue in made]) == '[["wanted"], ["wanted"], ["wanted"]]'
        )
