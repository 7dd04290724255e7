"""Changing issues over HTTP: edit, move, link, and what the changelog says of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.sandbox.records import MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api, document


class TestEdit:
    def test_records_one_entry_for_all_changes(self, author: Api, jira: SandboxJira) -> None:
        fields = {"summary": "New", "labels": ["x"], "description": document("Text")}
        answer = author.put("issue/BILL-1", json={"fields": fields})
        assert (answer.status_code, answer.content) == (204, b"")
        histories = author.ok("GET", "issue/BILL-1/changelog")["values"]
        assert len(histories) == 1
        assert histories[0]["author"]["accountId"] == jira.user("Author").account_id
        items = {item["field"]: item for item in histories[0]["items"]}
        assert set(items) == {"summary", "labels", "description"}
        assert items["summary"] == {
            "field": "summary",
            "fieldtype": "jira",
            "fieldId": "summary",
            "from": None,
            "fromString": "CSV export is slow",
            "to": None,
            "toString": "New",
        }
        assert items["description"]["toString"] == "Text"

    def test_labels_are_space_joined_without_ids(self, author: Api) -> None:
        author.ok("PUT", "issue/BILL-1", json={"fields": {"labels": ["bad", "test-label"]}})
        author.ok("PUT", "issue/BILL-1", json={"fields": {"labels": ["sad", "test-label"]}})
        item = author.ok("GET", "issue/BILL-1/changelog")["values"][-1]["items"][0]
        assert (item["fromString"], item["toString"]) == ("bad test-label", "sad test-label")
        assert (item["from"], item["to"]) == (None, None)

    def test_label_verbs(self, author: Api) -> None:
        def update(*verbs: dict[str, object]) -> list[str]:
            author.ok("PUT", "issue/BILL-1", json={"update": {"labels": list(verbs)}})
            shown = author.ok("GET", "issue/BILL-1?fields=labels")
            return list(shown["fields"]["labels"])

        assert update({"add": "one"}, {"add": "two"}) == ["one", "two"]
        assert update({"remove": "one"}) == ["two"]
        assert update({"add": "two"}) == ["two"]
        assert update({"set": ["b", "a"]}) == ["a", "b"]
        assert update({"remove": "not there"}) == ["a", "b"]

    def test_other_fields_know_set_only(self, author: Api) -> None:
        author.ok("PUT", "issue/BILL-1", json={"update": {"summary": [{"set": "By verb"}]}})
        assert author.ok("GET", "issue/BILL-1")["fields"]["summary"] == "By verb"
        for update in ({"summary": [{"add": 1}]}, {"labels": [{"eat": "x"}]}, {"labels": "x"}):
            assert author.refused("PUT", "issue/BILL-1", json={"update": update})[0] == 400

    def test_refuses_a_field_in_fields_and_update(self, author: Api) -> None:
        body = {"fields": {"labels": []}, "update": {"labels": [{"add": "x"}]}}
        assert "both" in author.refused("PUT", "issue/BILL-1", json=body)[1]

    def test_nothing_changed_leaves_no_trace(self, author: Api, jira: SandboxJira) -> None:
        before = jira.issue("BILL-1").updated
        author.ok("PUT", "issue/BILL-1", json={"fields": {"summary": "CSV export is slow"}})
        shown = author.ok("GET", "issue/BILL-1")["fields"]["description"]
        author.ok("PUT", "issue/BILL-1", json={"fields": {"description": shown}})
        assert jira.issue("BILL-1").history == []
        assert jira.issue("BILL-1").updated == before

    def test_description_can_be_emptied(self, author: Api) -> None:
        author.ok("PUT", "issue/BILL-1", json={"fields": {"description": None}})
        assert author.ok("GET", "issue/BILL-1")["fields"]["description"] is None
        item = author.ok("GET", "issue/BILL-1/changelog")["values"][0]["items"][0]
        assert item["toString"] is None

    def test_an_assignee_is_shown_by_id_and_name(self, author: Api, jira: SandboxJira) -> None:
        reviewer = jira.user("Reviewer").account_id
        fields = {"assignee": {"accountId": reviewer}}
        author.ok("PUT", "issue/BILL-1", json={"fields": fields})
        item = author.ok("GET", "issue/BILL-1/changelog")["values"][0]["items"][0]
        assert (item["from"], item["to"], item["toString"]) == (None, reviewer, "Reviewer")

    def test_needs_the_right(self, jira: SandboxJira, author: Api) -> None:
        jira.user("Author").rights = MEMBER_RIGHTS - {"EDIT_ISSUES"}
        status, text = author.refused("PUT", "issue/BILL-1", json={"fields": {"summary": "x"}})
        assert (status, text) == (400, "You do not have permission to edit issues in this project.")

    def test_only_administrators_edit_silently(
        self, jira: SandboxJira, author: Api, admin: Api
    ) -> None:
        jira.state.notices.clear()
        author.ok("PUT", "issue/BILL-1?notifyUsers=false", json={"fields": {"summary": "a"}})
        admin.ok("PUT", "issue/BILL-1?notifyUsers=false", json={"fields": {"summary": "b"}})
        admin.ok("PUT", "issue/BILL-1", json={"fields": {"summary": "c"}})
        admin_id, author_id = (jira.user(name).account_id for name in ("Admin", "Author"))
        assert [notice.actor for notice in jira.state.notices] == [author_id, admin_id]

    def test_keeps_fields_it_does_not_understand(self, author: Api) -> None:
        fields = {"customfield_1": [1], "priority": {"id": "1"}, "issuetype": {"id": "10003"}}
        body = {"fields": fields, "properties": [{"key": "a", "value": 1}]}
        author.ok("PUT", "issue/BILL-1", json=body)
        shown = author.ok("GET", "issue/BILL-1?properties=a")
        assert shown["fields"]["customfield_1"] == [1]
        assert shown["properties"] == {"a": 1}
        items = author.ok("GET", "issue/BILL-1/changelog")["values"][0]["items"]
        assert [item["toString"] for item in items] == ["[1]", "Highest", "Bug"]

    def test_can_return_the_issue(self, author: Api) -> None:
        body = {"fields": {"summary": "Shown"}}
        shown = author.put("issue/BILL-1?returnIssue=true", json=body).json()
        assert shown["fields"]["summary"] == "Shown"

    def test_times_never_stand_still(self, jira: SandboxJira) -> None:
        for number in range(50):
            jira.edit("BILL-1", {"summary": f"Edit {number}"}, as_user="Author")
        times = [history.created for history in jira.issue("BILL-1").history]
        assert len(set(times)) == 50
        assert times == sorted(times)


class TestChangelog:
    def test_pages_oldest_first(self, author: Api, jira: SandboxJira) -> None:
        for number in range(5):
            jira.add_label("BILL-1", f"label-{number}", as_user="Author")
        first = author.ok("GET", "issue/BILL-1/changelog?maxResults=2")
        assert [len(first["values"]), first["total"], first["isLast"]] == [2, 5, False]
        second = author.ok("GET", first["nextPage"])
        last = author.ok("GET", "issue/BILL-1/changelog?startAt=4")
        seen = [entry["id"] for page in (first, second, last) for entry in page["values"]]
        assert seen == sorted(seen, key=int)
        assert len(seen) == 5
        assert last["isLast"] is True

    def test_expanded_in_the_issue_newest_first(self, author: Api, jira: SandboxJira) -> None:
        for number in range(3):
            jira.add_label("BILL-1", f"label-{number}", as_user="Author")
        shown = author.ok("GET", "issue/BILL-1?expand=changelog")["changelog"]
        ids = [int(entry["id"]) for entry in shown["histories"]]
        assert ids == sorted(ids, reverse=True)
        assert shown["total"] == 3


class TestTransitions:
    def test_lists_and_moves(self, author: Api) -> None:
        offered = author.ok("GET", "issue/BILL-1/transitions")["transitions"]
        names = {entry["to"]["name"]: entry["id"] for entry in offered}
        assert set(names) == {"To Do", "In Progress", "In Review", "Done"}
        body = {"transition": {"id": names["Done"]}}
        author.ok("POST", "issue/BILL-1/transitions", json=body)
        fields = author.ok("GET", "issue/BILL-1")["fields"]
        assert fields["status"]["statusCategory"]["key"] == "done"
        assert fields["resolution"]["name"] == "Done"
        assert fields["resolutiondate"] is not None
        item = author.ok("GET", "issue/BILL-1/changelog")["values"][0]["items"][0]
        assert (item["from"], item["fromString"]) == ("10000", "To Do")
        assert (item["to"], item["toString"]) == ("10003", "Done")

    def test_leaving_done_takes_the_resolution_away(self, author: Api, jira: SandboxJira) -> None:
        jira.transition("BILL-1", "Done", as_user="Author")
        jira.transition("BILL-1", "To Do", as_user="Author")
        fields = author.ok("GET", "issue/BILL-1")["fields"]
        assert (fields["resolution"], fields["resolutiondate"]) == (None, None)

    def test_can_bring_fields_and_a_comment(self, author: Api, jira: SandboxJira) -> None:
        body = {
            "transition": {"id": "21"},
            "fields": {"labels": ["moved"]},
            "update": {"comment": [{"add": {"body": document("On it")}}]},
        }
        author.ok("POST", "issue/BILL-1/transitions", json=body)
        assert jira.issue("BILL-1").labels == ["moved"]
        assert [comment.body.plain() for comment in jira.comments("BILL-1")] == ["On it"]

    @pytest.mark.parametrize("body", [{}, {"transition": {}}, {"transition": {"id": "99"}}])
    def test_refuses_an_unknown_one(self, author: Api, body: dict[str, object]) -> None:
        assert author.refused("POST", "issue/BILL-1/transitions", json=body)[0] == 400

    def test_needs_the_right(self, jira: SandboxJira, author: Api) -> None:
        jira.user("Author").rights = MEMBER_RIGHTS - {"TRANSITION_ISSUES"}
        assert author.ok("GET", "issue/BILL-1/transitions")["transitions"] == []
        body = {"transition": {"id": "21"}}
        assert author.refused("POST", "issue/BILL-1/transitions", json=body)[0] == 400


BLOCKS: dict[str, Any] = {
    "type": {"name": "Blocks"},
    "inwardIssue": {"key": "BILL-1"},
    "outwardIssue": {"key": "BILL-2"},
}


class TestLinks:
    def test_the_inward_issue_blocks_the_outward_one(self, author: Api) -> None:
        answer = author.post("issueLink", json=BLOCKS)
        assert (answer.status_code, answer.content) == (201, b"")
        (blocker,) = author.ok("GET", "issue/BILL-1")["fields"]["issuelinks"]
        assert blocker["type"]["outward"] == "blocks"
        assert blocker["outwardIssue"]["key"] == "BILL-2"
        assert "inwardIssue" not in blocker
        (blocked,) = author.ok("GET", "issue/BILL-2")["fields"]["issuelinks"]
        assert blocked["type"]["inward"] == "is blocked by"
        assert blocked["inwardIssue"]["fields"]["status"]["name"] == "To Do"
        whole = author.ok("GET", f"issueLink/{blocked['id']}")
        assert {whole["inwardIssue"]["key"], whole["outwardIssue"]["key"]} == {"BILL-1", "BILL-2"}

    def test_can_bring_a_comment(self, author: Api, jira: SandboxJira) -> None:
        body = {**BLOCKS, "comment": {"body": document("Because")}}
        author.ok("POST", "issueLink", json=body)
        assert [comment.body.plain() for comment in jira.comments("BILL-1")] == ["Because"]

    def test_once_only_and_taken_away(self, author: Api) -> None:
        author.ok("POST", "issueLink", json=BLOCKS)
        author.ok("POST", "issueLink", json=BLOCKS)
        (known,) = author.ok("GET", "issue/BILL-1")["fields"]["issuelinks"]
        author.ok("DELETE", f"issueLink/{known['id']}")
        assert author.ok("GET", "issue/BILL-2")["fields"]["issuelinks"] == []
        fields = [
            item["field"]
            for entry in author.ok("GET", "issue/BILL-2/changelog")["values"]
            for item in entry["items"]
        ]
        assert fields == ["Link", "Link"]
        assert author.refused("GET", f"issueLink/{known['id']}")[0] == 404

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"type": {"name": "Eats"}}, 404),
            ({"inwardIssue": {"key": "BILL-99"}}, 404),
            ({"outwardIssue": {"key": "BILL-1"}}, 400),
            ({"outwardIssue": None}, 404),
        ],
    )
    def test_refuses(self, author: Api, change: dict[str, object], status: int) -> None:
        assert author.refused("POST", "issueLink", json={**BLOCKS, **change})[0] == status

    def test_needs_the_right(self, jira: SandboxJira, author: Api) -> None:
        jira.user("Author").rights = MEMBER_RIGHTS - {"LINK_ISSUES"}
        assert author.refused("POST", "issueLink", json=BLOCKS)[0] == 404

    def test_goes_with_a_deleted_issue(self, author: Api, jira: SandboxJira) -> None:
        jira.link("BILL-1", "BILL-2", as_user="Author")
        jira.delete_issue("BILL-1", as_user="Admin")
        assert author.ok("GET", "issue/BILL-2")["fields"]["issuelinks"] == []
