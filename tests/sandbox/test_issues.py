"""Issues over HTTP: create, read, edit, move, link, delete, and what the changelog says of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.sandbox.records import MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api, document

NEW = {"project": {"key": "BILL"}, "issuetype": {"name": "Bug"}, "summary": "Rounding is wrong"}


class TestCreate:
    def test_gives_id_key_and_address(self, author: Api, jira: SandboxJira) -> None:
        made = author.ok("POST", "issue", json={"fields": NEW})
        assert made["key"] == "BILL-4"
        assert made["self"] == f"{jira.base_url}/rest/api/3/issue/{made['id']}"
        assert author.ok("GET", f"issue/{made['id']}")["key"] == "BILL-4"

    def test_takes_the_fields_it_knows(self, author: Api, jira: SandboxJira) -> None:
        reviewer = jira.user("Reviewer").account_id
        fields = {
            **NEW,
            "description": document("Why"),
            "labels": ["two", "one", "two"],
            "priority": {"name": "High"},
            "assignee": {"accountId": reviewer},
            "duedate": "2026-12-01",
            "customfield_10010": {"any": ["thing"]},
        }
        key = author.ok("POST", "issue", json={"fields": fields})["key"]
        shown = author.ok("GET", f"issue/{key}")["fields"]
        assert shown["labels"] == ["one", "two"]
        assert shown["priority"]["name"] == "High"
        assert shown["assignee"]["accountId"] == reviewer
        assert shown["duedate"] == "2026-12-01"
        assert shown["customfield_10010"] == {"any": ["thing"]}
        assert shown["reporter"]["displayName"] == "Author"
        assert shown["status"]["statusCategory"]["key"] == "new"

    def test_keeps_properties_from_the_same_request(self, author: Api) -> None:
        body = {"fields": NEW, "properties": [{"key": "mark", "value": 1}]}
        key = author.ok("POST", "issue", json=body)["key"]
        assert author.ok("GET", f"issue/{key}/properties/mark")["value"] == 1

    @pytest.mark.parametrize(
        ("change", "field", "sentence"),
        [
            ({"project": None}, "project", "Specify a valid project ID or key"),
            ({"project": {"key": "NONE"}}, "project", "Specify a valid project ID or key"),
            ({"summary": ""}, "summary", "You must specify a summary of the issue."),
            ({"summary": "a\nb"}, "summary", "contains newline characters"),
            ({"summary": "x" * 256}, "summary", "can't exceed 255"),
            ({"issuetype": {"name": "Nonsense"}}, "issuetype", "Specify a valid issue type"),
            ({"labels": ["with blank"]}, "labels", "'with blank' contains spaces"),
            ({"labels": "text"}, "labels", "not an array"),
            ({"labels": [7]}, "labels", "not an array of strings"),
            ({"labels": ["x" * 256]}, "labels", "exceeds the maximum length of 255"),
            ({"description": document("x" * 32_768)}, "description", "32,767 characters"),
            ({"description": "plain"}, "description", "must be an Atlassian Document"),
            ({"assignee": {"accountId": "nobody"}}, "assignee", "does not exist"),
            ({"duedate": "tomorrow"}, "duedate", "yyyy-MM-dd"),
            ({"colour": "red"}, "colour", "Field 'colour' cannot be set."),
        ],
    )
    def test_refuses_by_field(
        self, author: Api, change: dict[str, object], field: str, sentence: str
    ) -> None:
        answer = author.post("issue", json={"fields": {**NEW, **change}})
        assert answer.status_code == 400
        assert sentence in answer.json()["errors"][field]

    def test_needs_summary_and_type(self, author: Api) -> None:
        answer = author.post("issue", json={"fields": {"project": {"key": "BILL"}}})
        assert set(answer.json()["errors"]) == {"summary", "issuetype"}

    def test_a_description_of_version_2_is_a_string(self, author_v2: Api) -> None:
        body = {"fields": {**NEW, "description": document("x")}}
        assert author_v2.refused("POST", "issue", json=body) == (
            400,
            "Operation value must be a string",
        )

    def test_empty_values_mean_nothing(self, author: Api) -> None:
        empty = {"labels": None, "assignee": None, "duedate": None, "security": None}
        key = author.ok("POST", "issue", json={"fields": {**NEW, **empty, "reporter": {}}})["key"]
        fields = author.ok("GET", f"issue/{key}")["fields"]
        assert (fields["labels"], fields["assignee"], fields["duedate"]) == ([], None, None)
        assert fields["reporter"]["displayName"] == "Author"

    def test_names_every_fault_at_once(self, author: Api) -> None:
        fields = {"project": {"key": "BILL"}, "labels": ["a b"], "colour": 1}
        errors = author.post("issue", json={"fields": fields}).json()["errors"]
        assert set(errors) == {"labels", "colour"}

    def test_needs_the_right(self, service: Api) -> None:
        status, text = service.refused("POST", "issue", json={"fields": NEW})
        assert (status, text) == (
            403,
            "You do not have permission to create issues in this project.",
        )

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"fields": 3}', b"\xff\xfe"])
    def test_refuses_what_is_not_a_request(self, author: Api, body: bytes) -> None:
        assert author.refused("POST", "issue", content=body)[0] == 400


class TestRead:
    def test_by_key_in_any_case_and_by_id(self, author: Api) -> None:
        by_key = author.ok("GET", "issue/bill-1")
        assert by_key == author.ok("GET", f"issue/{by_key['id']}")

    def test_names_fields(self, author: Api) -> None:
        chosen = author.ok("GET", "issue/BILL-1", params={"fields": "summary,labels"})
        assert set(chosen["fields"]) == {"summary", "labels"}
        repeated = author.ok("GET", "issue/BILL-1?fields=summary&fields=status")
        assert set(repeated["fields"]) == {"summary", "status"}

    def test_leaves_fields_out(self, author: Api) -> None:
        fields = author.ok("GET", "issue/BILL-1", params={"fields": "*all,-comment"})["fields"]
        assert "comment" not in fields
        assert "summary" in fields
        assert "comment" not in author.ok("GET", "issue/BILL-1?fields=*navigable")["fields"]
        assert "labels" in author.ok("GET", "issue/BILL-1?fields=-comment")["fields"]

    def test_shows_times_as_jira_writes_them(self, author: Api) -> None:
        created = author.ok("GET", "issue/BILL-1")["fields"]["created"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created)

    def test_gives_the_description_in_the_face_of_the_version(
        self, author: Api, author_v2: Api
    ) -> None:
        assert author_v2.ok("GET", "issue/BILL-2")["fields"]["description"].startswith("h3. What")
        shown = author.ok("GET", "issue/BILL-2")["fields"]["description"]
        assert shown["content"][0]["type"] == "heading"
        author.ok("PUT", "issue/BILL-2", json={"fields": {"description": document("*Now*")}})
        assert "Now" in author_v2.ok("GET", "issue/BILL-2")["fields"]["description"]

    def test_latest_is_version_2(self, jira: SandboxJira) -> None:
        with Api(jira, "Author", "latest") as api:
            assert isinstance(api.ok("GET", "issue/BILL-1")["fields"]["description"], str)
        with Api(jira, "Author", "7") as api:
            assert api.refused("GET", "issue/BILL-1")[0] == 404

    def test_expands(self, author: Api) -> None:
        author.ok("PUT", "issue/BILL-1/properties/a", json=1)
        author.ok("PUT", "issue/BILL-1/properties/b", json=2)
        query = {"expand": "changelog,renderedFields,transitions", "properties": "a"}
        shown = author.ok("GET", "issue/BILL-1", params=query)
        assert shown["changelog"] == {
            "startAt": 0,
            "maxResults": 0,
            "total": 0,
            "histories": [],
        }
        assert shown["renderedFields"]["description"].startswith("<p>The export")
        assert len(shown["transitions"]) == 4
        assert shown["properties"] == {"a": 1}
        every = author.ok("GET", "issue/BILL-1", params={"properties": "*all"})
        assert every["properties"] == {"a": 1, "b": 2}

    def test_does_not_tell_gone_from_hidden(self, jira: SandboxJira, author: Api) -> None:
        gone = author.refused("GET", "issue/BILL-99")
        jira.user("Author").project_rights["BILL"] = frozenset()
        hidden = author.refused("GET", "issue/BILL-1")
        assert gone == hidden
        assert gone[0] == 404
        assert author.refused("GET", "project/BILL")[0] == 404

    def test_hides_an_issue_with_a_security_level(
        self, jira: SandboxJira, author: Api, admin: Api
    ) -> None:
        key = jira.create_issue("BILL", "Leak", security="Board only").key
        assert author.refused("GET", f"issue/{key}")[0] == 404
        assert admin.ok("GET", f"issue/{key}")["fields"]["security"]["name"] == "Board only"


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

    def test_needs_the_right(self, service: Api) -> None:
        assert service.refused("POST", "issueLink", json=BLOCKS)[0] == 404

    def test_goes_with_a_deleted_issue(self, author: Api, jira: SandboxJira) -> None:
        jira.link("BILL-1", "BILL-2", as_user="Author")
        jira.delete_issue("BILL-1", as_user="Admin")
        assert author.ok("GET", "issue/BILL-2")["fields"]["issuelinks"] == []


class TestProperties:
    def test_life_of_a_property(self, author: Api) -> None:
        assert author.put("issue/BILL-1/properties/score", json={"n": 1}).status_code == 201
        assert author.put("issue/BILL-1/properties/score", json={"n": 2}).status_code == 200
        shown = author.ok("GET", "issue/BILL-1/properties/score")
        assert shown == {"key": "score", "value": {"n": 2}}
        (key,) = author.ok("GET", "issue/BILL-1/properties")["keys"]
        assert key["key"] == "score"
        author.ok("DELETE", "issue/BILL-1/properties/score")
        assert author.refused("GET", "issue/BILL-1/properties/score")[0] == 404
        assert author.refused("DELETE", "issue/BILL-1/properties/score")[0] == 404

    @pytest.mark.parametrize(
        ("name", "content"), [("a" * 256, b"1"), ("big", b'"' + b"x" * 40_000 + b'"'), ("no", b"{")]
    )
    def test_limits(self, author: Api, name: str, content: bytes) -> None:
        assert author.refused("PUT", f"issue/BILL-1/properties/{name}", content=content)[0] == 400

    def test_needs_the_right(self, jira: SandboxJira) -> None:
        with Api(jira, "Portal customer") as customer:
            assert customer.refused("PUT", "issue/BILL-1/properties/a", json=1)[0] == 403


class TestDelete:
    def test_takes_comments_along(self, admin: Api, jira: SandboxJira) -> None:
        comment = jira.comment("BILL-1", "Bye", as_user="Author")
        admin.ok("DELETE", "issue/BILL-1")
        assert admin.refused("GET", "issue/BILL-1")[0] == 404
        assert admin.refused("GET", f"comment/{comment.id}/properties")[0] == 404

    def test_needs_the_right(self, author: Api) -> None:
        assert author.refused("DELETE", "issue/BILL-1")[0] == 403

    def test_a_number_is_not_used_twice(self, admin: Api, author: Api) -> None:
        admin.ok("DELETE", "issue/BILL-3")
        assert author.ok("POST", "issue", json={"fields": NEW})["key"] == "BILL-4"
