"""The outbox of webhooks: order, choice, stopping and going on."""

from __future__ import annotations

import pytest

from app.sandbox.server import SandboxJira
from app.sandbox.webhooks import EVENTS
from tests.sandbox.receiver import SECRET, Receiver, listening
from tests.sandbox.test_webhooks import sent


class TestOutbox:
    def test_keeps_the_order_of_changes(self, jira: SandboxJira, receiver: Receiver) -> None:
        for number in range(30):
            jira.edit("BILL-1", {"summary": f"Edit {number}"}, as_user="Author")
        seen = [payload["issue"]["fields"]["summary"] for payload in sent(jira, receiver)]
        assert seen == [f"Edit {number}" for number in range(30)]

    def test_sends_only_what_was_asked_for(self, jira: SandboxJira) -> None:
        with listening() as receiver:
            hook = jira.webhook(receiver.url, "", ["comment_created"], ["BILL"])
            jira.add_label("BILL-1", "x", as_user="Author")
            jira.comment("BILL-1", "Here", as_user="Author")
            jira.comment("HELP-1", "There", as_user="Author")
            jira.webhooks.drain()
            jira.webhooks.shut(hook.id)
            jira.comment("BILL-1", "Here again", as_user="Author")
            jira.webhooks.drain()
            assert receiver.events == ["comment_created"]

    def test_refuses_an_event_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="issue_updated"):
            SandboxJira().webhook("http://127.0.0.1:9/", "", events=["issue_updated"])
        assert "jira:issue_updated" in EVENTS

    def test_survives_a_url_that_is_none(self, jira: SandboxJira) -> None:
        jira.webhooks.delays = ()
        jira.webhook("http://[broken", SECRET)
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        assert jira.webhooks.deliveries[0].state == "failed"

    def test_goes_on_after_the_server_was_stopped(self) -> None:
        jira = SandboxJira.seeded()
        with listening() as receiver:
            with jira.serve():
                jira.webhook(receiver.url, SECRET)
            jira.webhooks.close()
            with jira.serve():
                jira.add_label("BILL-1", "x", as_user="Author")
                jira.webhooks.drain()
            assert receiver.events == ["jira:issue_updated"]

    def test_builds_nothing_for_nobody(self, jira: SandboxJira) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        assert jira.webhooks.deliveries == []
        jira.webhooks.drain(0.1)
