"""Comments over HTTP: both faces, properties, restrictions, whose they are."""

from __future__ import annotations

import pytest

from app.sandbox.records import ALL_RIGHTS, MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api, document

PATH = "issue/BILL-1/comment"
TEXT = document("Hello")


class TestAdd:
    def test_answers_the_whole_comment(self, author: Api, jira: SandboxJira) -> None:
        answer = author.post(PATH, json={"body": TEXT})
        made = answer.json()
        assert answer.status_code == 201
        assert made["body"] == TEXT
        assert made["self"].endswith(f"/comment/{made['id']}")
        assert made["author"]["accountId"] == jira.user("Author").account_id
        assert made["author"] == made["updateAuthor"]
        assert made["created"] == made["updated"]
        assert made["jsdPublic"] is True
        assert "properties" not in made
        assert "visibility" not in made

    def test_keeps_properties_from_the_same_request(self, author: Api) -> None:
        body = {"body": TEXT, "properties": [{"key": "signalbox", "value": {"run": 1}}]}
        made = author.ok("POST", PATH, json=body)
        shown = author.ok("GET", f"comment/{made['id']}/properties/signalbox")
        assert shown["value"] == {"run": 1}

    def test_is_wiki_markup_in_version_2(self, author: Api, author_v2: Api) -> None:
        made = author_v2.ok("POST", PATH, json={"body": "h2. Title\n* one\n* two"})
        assert made["body"] == "h2. Title\n* one\n* two"
        shown = author.ok("GET", f"{PATH}/{made['id']}")["body"]
        assert [node["type"] for node in shown["content"]] == ["heading", "bulletList"]

    def test_an_adf_comment_reads_as_wiki_in_version_2(self, author: Api, author_v2: Api) -> None:
        strong = {"type": "text", "text": "bold", "marks": [{"type": "strong"}]}
        body = document({"type": "paragraph", "content": [strong]})
        made = author.ok("POST", PATH, json={"body": body})
        shown = author_v2.ok("GET", f"{PATH}/{made['id']}")["body"].strip()
        assert shown in ("*bold*", "{*}bold{*}")

    @pytest.mark.parametrize(
        "body",
        [
            "text",
            None,
            {"type": "doc", "version": 2, "content": []},
            {"type": "paragraph", "version": 1, "content": []},
            {"type": "doc", "version": 1},
            {"type": "doc", "version": 1, "content": [{"type": "blink"}]},
            {"type": "doc", "version": 1, "content": ["text"]},
            {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": "text"}]},
            document({"type": "paragraph", "content": [{"type": "text", "text": ""}]}),
            document({"type": "paragraph", "content": [{"type": "text"}]}),
        ],
    )
    def test_refuses_what_is_no_document(self, author: Api, body: object) -> None:
        assert author.refused("POST", PATH, json={"body": body})[0] == 400

    def test_refuses_a_document_in_version_2(self, author_v2: Api) -> None:
        status, text = author_v2.refused("POST", PATH, json={"body": TEXT})
        assert (status, text) == (400, "Comment body is not valid!")

    def test_refuses_nesting_without_end(self, author: Api) -> None:
        block = document("x")["content"][0]
        for _ in range(100):
            block = {"type": "blockquote", "content": [block]}
        assert author.refused("POST", PATH, json={"body": document(block)})[0] == 400

    def test_length_limit(self, author: Api, author_v2: Api) -> None:
        author.ok("POST", PATH, json={"body": document("x" * 32_767)})
        assert "32,767" in author.refused("POST", PATH, json={"body": document("x" * 32_768)})[1]
        author_v2.ok("POST", PATH, json={"body": "x" * 32_767})
        assert author_v2.refused("POST", PATH, json={"body": "x" * 32_768})[0] == 400

    def test_an_issue_full_of_comments(
        self, author: Api, jira: SandboxJira, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.sandbox.comments.PER_ISSUE", 1)
        jira.comment("BILL-1", "The last", as_user="Author")
        assert author.refused("POST", PATH, json={"body": TEXT})[0] == 413

    def test_needs_the_right(self, author: Api, jira: SandboxJira) -> None:
        jira.user("Author").rights = MEMBER_RIGHTS - {"ADD_COMMENTS"}
        status, text = author.refused("POST", PATH, json={"body": TEXT})
        assert status == 400
        assert text == "Author, you do not have the permission to comment on this issue."

    def test_moves_the_issues_time(self, author: Api) -> None:
        before = author.ok("GET", "issue/BILL-1")["fields"]["updated"]
        author.ok("POST", PATH, json={"body": TEXT})
        assert author.ok("GET", "issue/BILL-1")["fields"]["updated"] > before


class TestList:
    @pytest.fixture(autouse=True)
    def _five(self, jira: SandboxJira) -> None:
        for number in range(5):
            jira.comment("BILL-1", f"Comment {number}", as_user="Author")

    def test_pages_in_order(self, author: Api) -> None:
        page = author.ok("GET", PATH, params={"startAt": 1, "maxResults": 2})
        assert (page["startAt"], page["maxResults"], page["total"]) == (1, 2, 5)
        assert [int(entry["id"]) for entry in page["comments"]] == [10001, 10002]
        newest = author.ok("GET", PATH, params={"orderBy": "-created", "maxResults": 1})
        assert newest["comments"][0]["id"] == "10004"
        same = author.ok("GET", PATH, params={"orderBy": "+created", "maxResults": 1})
        assert same["comments"][0]["id"] == "10000"

    def test_refuses_another_order_and_a_bad_number(self, author: Api) -> None:
        assert author.refused("GET", PATH, params={"orderBy": "author"})[0] == 400
        assert author.refused("GET", PATH, params={"startAt": "x"})[0] == 400

    def test_expands(self, author: Api) -> None:
        plain = author.ok("GET", PATH)["comments"][0]
        assert not {"properties", "renderedBody"} & set(plain)
        full = author.ok("GET", PATH, params={"expand": "properties,renderedBody"})["comments"][0]
        assert full["properties"] == []
        assert full["renderedBody"] == "<p>Comment 0</p>"

    def test_by_ids_over_issues(self, author: Api, jira: SandboxJira) -> None:
        other = jira.comment("BILL-2", "Elsewhere", as_user="Author")
        author.ok("PUT", f"comment/{other.id}/properties/mark", json="x")
        body = {"ids": [10003, int(other.id), 99999]}
        page = author.ok("POST", "comment/list?expand=properties", json=body)
        assert [entry["id"] for entry in page["values"]] == ["10003", other.id]
        assert page["values"][1]["properties"] == [{"key": "mark", "value": "x"}]
        assert (page["total"], page["isLast"]) == (2, True)

    @pytest.mark.parametrize("ids", [[], list(range(1001)), None])
    def test_by_ids_has_limits(self, author: Api, ids: object) -> None:
        assert author.refused("POST", "comment/list", json={"ids": ids})[0] == 400

    def test_stands_in_the_issue_too(self, author: Api) -> None:
        page = author.ok("GET", "issue/BILL-1")["fields"]["comment"]
        assert (len(page["comments"]), page["total"]) == (5, 5)


class TestEdit:
    def test_changes_text_and_time(self, author: Api, admin: Api, jira: SandboxJira) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        new = document("Changed")
        shown = admin.ok("PUT", f"{PATH}/{made['id']}", json={"body": new})
        assert shown["body"] == new
        assert shown["author"]["displayName"] == "Author"
        assert shown["updateAuthor"]["displayName"] == "Admin"
        assert shown["updated"] > shown["created"]

    def test_properties_alone(self, author: Api) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        body = {"properties": [{"key": "a", "value": 1}]}
        shown = author.ok("PUT", f"{PATH}/{made['id']}?expand=properties", json=body)
        assert shown["body"] == TEXT
        assert shown["properties"] == [{"key": "a", "value": 1}]

    def test_silently_for_administrators(
        self, author: Api, service: Api, jira: SandboxJira
    ) -> None:
        made = service.ok("POST", PATH, json={"body": TEXT})
        jira.state.notices.clear()
        service.ok("PUT", f"{PATH}/{made['id']}?notifyUsers=false", json={"body": TEXT})
        assert jira.state.notices == []
        service.ok("PUT", f"{PATH}/{made['id']}", json={"body": TEXT})
        assert [notice.event for notice in jira.state.notices] == ["comment_updated"]
        made = author.ok("POST", PATH, json={"body": TEXT})
        path = f"{PATH}/{made['id']}"
        status, text = author.refused("PUT", f"{path}?notifyUsers=false", json={"body": TEXT})
        assert (status, text.partition(" a comment")[0]) == (
            403,
            "You do not have permission to edit",
        )
        author.ok("PUT", path, json={"body": TEXT})

    def test_another_persons_needs_a_right_of_its_own(
        self, author: Api, service: Api, jira: SandboxJira
    ) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        path = f"{PATH}/{made['id']}"
        status, text = service.refused("PUT", path, json={"body": TEXT})
        assert (status, text) == (400, "You do not have the permission to edit this comment.")
        assert service.refused("DELETE", path)[0] == 400
        assert service.refused("PUT", f"comment/{made['id']}/properties/a", json=1)[0] == 403
        jira.user("Signalbox").rights = ALL_RIGHTS
        service.ok("PUT", path, json={"body": TEXT})
        service.ok("DELETE", path)

    def test_ones_own_needs_a_right_too(self, author: Api, jira: SandboxJira) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        jira.user("Author").rights = MEMBER_RIGHTS - {"EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS"}
        assert author.refused("PUT", f"{PATH}/{made['id']}", json={"body": TEXT})[0] == 400
        assert author.refused("DELETE", f"{PATH}/{made['id']}")[0] == 400

    def test_only_under_its_own_issue(self, author: Api) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        elsewhere = f"issue/BILL-2/comment/{made['id']}"
        assert author.refused("GET", elsewhere)[0] == 404
        assert author.refused("PUT", elsewhere, json={"body": TEXT})[0] == 404

    def test_delete(self, author: Api) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        answer = author.delete(f"{PATH}/{made['id']}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert author.refused("GET", f"{PATH}/{made['id']}")[0] == 404
        assert author.ok("GET", PATH)["total"] == 0


class TestProperties:
    def test_life_of_a_property(self, author: Api) -> None:
        made = author.ok("POST", PATH, json={"body": TEXT})
        path = f"comment/{made['id']}/properties"
        assert author.put(f"{path}/signalbox", json={"a": None}).status_code == 201
        assert author.put(f"{path}/signalbox", json=[1]).status_code == 200
        assert author.ok("GET", f"{path}/signalbox") == {"key": "signalbox", "value": [1]}
        assert [entry["key"] for entry in author.ok("GET", path)["keys"]] == ["signalbox"]
        author.ok("DELETE", f"{path}/signalbox")
        assert author.ok("GET", path)["keys"] == []
        assert author.refused("GET", f"{path}/signalbox")[0] == 404


class TestRestrictions:
    def test_a_role_sees_its_comments_alone(self, author: Api, service: Api, admin: Api) -> None:
        hidden = {"type": "role", "value": "Developers"}
        made = author.ok("POST", PATH, json={"body": TEXT, "visibility": hidden})
        assert made["visibility"] == hidden
        assert author.ok("GET", PATH)["total"] == 1
        for outside in (service, admin):
            assert outside.ok("GET", PATH)["total"] == 0
            assert outside.refused("GET", f"{PATH}/{made['id']}")[0] == 404
            by_id = outside.ok("POST", "comment/list", json={"ids": [int(made["id"])]})
            assert by_id["values"] == []

    def test_only_members_may_restrict(self, service: Api) -> None:
        body = {"body": TEXT, "visibility": {"type": "role", "value": "Developers"}}
        status, text = service.refused("POST", PATH, json=body)
        assert (status, text) == (
            400,
            "You are currently not a member of the project role: Developers.",
        )

    def test_a_group(self, jira: SandboxJira, author: Api) -> None:
        jira.add_user("Insider", groups=["staff"])
        body = {"body": TEXT, "visibility": {"type": "group", "value": "staff"}}
        with Api(jira, "Insider") as insider:
            insider.ok("POST", PATH, json=body)
            assert insider.ok("GET", PATH)["total"] == 1
        assert author.ok("GET", PATH)["total"] == 0
        odd = {"body": TEXT, "visibility": {"type": "planet", "value": "Mars"}}
        assert author.refused("POST", PATH, json=odd)[0] == 400

    def test_customers_do_not_see_internal_ones(self, jira: SandboxJira, author: Api) -> None:
        internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
        path = "issue/HELP-1/comment"
        made = author.ok("POST", path, json={"body": TEXT, "properties": internal})
        assert made["jsdPublic"] is False
        with Api(jira, "Portal customer") as customer:
            assert customer.ok("GET", path)["total"] == 0
        elsewhere = author.ok("POST", PATH, json={"body": TEXT, "properties": internal})
        assert elsewhere["jsdPublic"] is True
