"""Issues over HTTP: create, read, delete, their properties."""

from __future__ import annotations

import re

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

    def test_needs_the_right(self, jira: SandboxJira, author: Api) -> None:
        jira.user("Author").rights = MEMBER_RIGHTS - {"CREATE_ISSUES"}
        status, text = author.refused("POST", "issue", json={"fields": NEW})
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
