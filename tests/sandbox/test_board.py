"""The pages over HTTP: what they show and what their forms do."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import document

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def pages(jira: SandboxJira) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=jira.base_url, follow_redirects=True) as client:
        yield client


def post(pages: httpx.Client, path: str, **fields: str) -> str:
    answer = pages.post(path, data=fields)
    assert answer.status_code == 200, answer.text
    return answer.text


def act_as(pages: httpx.Client, jira: SandboxJira, name: str, back: str = "/") -> httpx.Response:
    return pages.post("/acting", data={"who": jira.user(name).account_id, "back": back})


class TestLook:
    @pytest.mark.parametrize("path", ["/", "/?project=BILL", "/browse/BILL-1"])
    def test_is_marked_and_shut_in(self, pages: httpx.Client, path: str) -> None:
        answer = pages.get(path)
        assert "Sandbox Jira: not a real site." in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "style=" not in answer.text
        assert "onclick" not in answer.text

    def test_static_files(self, pages: httpx.Client) -> None:
        for name, kind in {"board.css": "css", "board.js": "javascript", "icon.svg": "svg"}.items():
            answer = pages.get(f"/sandbox/static/{name}")
            assert answer.status_code == 200
            assert kind in answer.headers["content-type"]
        assert pages.get("/sandbox/static/../server.py").status_code == 404

    def test_columns(self, pages: httpx.Client, jira: SandboxJira) -> None:
        jira.transition("BILL-3", "Done", as_user="Author")
        jira.add_label("BILL-1", "agent-ready", as_user="Author")
        page = pages.get("/?project=BILL").text
        assert page.index("BILL-1") < page.index("In Progress") < page.index("BILL-3")
        assert "agent-ready" in page
        assert "HELP-1" not in page
        assert "HELP-1" in pages.get("/").text

    def test_hostile_text_is_only_text(self, pages: httpx.Client, jira: SandboxJira) -> None:
        issue = jira.create_issue("BILL", HOSTILE, description=HOSTILE, labels=["<b>"])
        jira.comment(issue.key, HOSTILE, as_user="Author")
        jira.comment(issue.key, document(HOSTILE), as_user="Author")
        jira.add_user(HOSTILE, email="x@sandbox.example", token="x")
        jira.comment(issue.key, "x", as_user=HOSTILE)
        jira.edit(issue.key, {"summary": f"{HOSTILE}!"}, as_user=HOSTILE)
        for path in ("/", f"/browse/{issue.key}", f"/browse/{issue.key}/live"):
            page = pages.get(path).text
            assert HOSTILE not in page
            assert "&lt;script&gt;" in page
            assert "<b>" not in page

    def test_a_ticket(self, pages: httpx.Client, jira: SandboxJira) -> None:
        jira.comment("BILL-2", document("A comment"), as_user="Signalbox")
        jira.add_label("BILL-2", "one", as_user="Author")
        jira.edit("BILL-2", {"labels": ["two"]}, as_user="Author")
        jira.link("BILL-1", "BILL-2", as_user="Author")
        page = pages.get("/browse/BILL-2").text
        for part in (
            "<h3>What happens</h3>",
            "<code>total()</code>",
            "A comment",
            '<span class="lozenge neutral">APP</span>',
            "changed labels: +two −one",
            "Is blocked by",
            'value="two"',
        ):
            assert part in page, part

    def test_what_the_acting_user_may_not_see(self, pages: httpx.Client, jira: SandboxJira) -> None:
        jira.user("Portal customer").project_rights["BILL"] = frozenset()
        act_as(pages, jira, "Portal customer")
        assert "BILL-1" not in pages.get("/").text
        assert pages.get("/browse/BILL-1").status_code == 404
        assert pages.get("/?project=NONE").status_code == 404

    def test_an_empty_sandbox(self) -> None:
        jira = SandboxJira()
        with jira.serve() as base_url:
            assert "Nothing here" in httpx.get(base_url).text

    def test_a_restricted_comment(self, pages: httpx.Client, jira: SandboxJira) -> None:
        comment = jira.comment("BILL-1", "Between us", as_user="Author")
        comment.visibility = {"type": "role", "value": "Developers"}
        assert (
            '<span class="lozenge yellow">ONLY DEVELOPERS</span>'
            in pages.get("/browse/BILL-1").text
        )
        act_as(pages, jira, "Admin")
        assert "Between us" not in pages.get("/browse/BILL-1").text


class TestForms:
    def test_edit(self, pages: httpx.Client, jira: SandboxJira) -> None:
        text = "h3. New\r\n* one\r\n* two"
        page = post(pages, "/browse/BILL-1/edit", summary="Better", description=text)
        assert "<li><p>two</p></li>" in page
        issue = jira.issue("BILL-1")
        assert issue.summary == "Better"
        assert issue.description is not None
        assert issue.description.wiki() == "h3. New\n* one\n* two"
        assert issue.history[0].author == jira.user("Author").account_id

    def test_an_untouched_description_stays_as_written(
        self, pages: httpx.Client, jira: SandboxJira
    ) -> None:
        body = document({"type": "panel", "attrs": {"panelType": "note"}, "content": []}, "Text")
        jira.edit("BILL-1", {"description": body}, as_user="Author")
        known = jira.issue("BILL-1").description
        assert known is not None
        post(pages, "/browse/BILL-1/edit", summary="Only this", description=known.wiki())
        assert jira.issue("BILL-1").description is known
        assert [change.field for change in jira.issue("BILL-1").history[-1].changes] == ["summary"]

    def test_labels(self, pages: httpx.Client, jira: SandboxJira) -> None:
        post(pages, "/browse/BILL-1/label", label=" agent-ready ")
        assert jira.issue("BILL-1").labels == ["agent-ready"]
        post(pages, "/browse/BILL-1/unlabel", label="agent-ready")
        assert jira.issue("BILL-1").labels == []

    def test_comment_as_somebody(self, pages: httpx.Client, jira: SandboxJira) -> None:
        act_as(pages, jira, "Reviewer")
        page = post(pages, "/browse/BILL-1/comment", body="I see *this*\n")
        assert "I see <strong>this</strong>" in page
        (comment,) = jira.comments("BILL-1")
        assert comment.author == jira.user("Reviewer").account_id

    def test_status(self, pages: httpx.Client, jira: SandboxJira) -> None:
        post(pages, "/browse/BILL-1/status", status="In Review")
        assert jira.issue("BILL-1").status == "10002"

    def test_create(self, pages: httpx.Client, jira: SandboxJira) -> None:
        fields = {"project": "BILL", "issue_type": "Bug", "summary": "New", "description": "Text"}
        page = post(pages, "/create", **fields)
        assert "BILL-4" in page
        assert jira.issue("BILL-4").issue_type == "10003"

    @pytest.mark.parametrize(
        ("path", "fields", "status", "sentence"),
        [
            ("/browse/BILL-1/label", {"label": "a b"}, 400, "contains spaces"),
            ("/browse/BILL-1/label", {}, 400, "array of strings"),
            ("/browse/BILL-1/edit", {"summary": " "}, 400, "must specify a summary"),
            ("/browse/BILL-1/comment", {"body": " "}, 400, "can not be empty"),
            ("/browse/BILL-1/comment", {"body": "x" * 32_768}, 400, "too long"),
            ("/browse/BILL-1/status", {"status": "Sleeping"}, 400, "unknown status"),
            ("/browse/BILL-99/label", {"label": "a"}, 404, "does not exist"),
            ("/create", {"project": "NONE", "summary": "x"}, 404, "No project"),
            ("/create", {"project": "BILL", "summary": ""}, 400, "must specify a summary"),
        ],
    )
    def test_refuse_in_words(
        self, pages: httpx.Client, path: str, fields: dict[str, str], status: int, sentence: str
    ) -> None:
        answer = pages.post(path, data=fields)
        assert answer.status_code == status
        assert sentence in answer.text
        assert "That was not possible" in answer.text

    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/browse/BILL-1/edit", {"summary": "x"}),
            ("/browse/BILL-1/label", {"label": "x"}),
            ("/browse/BILL-1/status", {"status": "Done"}),
        ],
    )
    def test_hold_to_rights(
        self, pages: httpx.Client, jira: SandboxJira, path: str, fields: dict[str, str]
    ) -> None:
        act_as(pages, jira, "Portal customer")
        assert pages.post(path, data=fields).status_code == 403
        assert jira.issue("BILL-1").history == []

    def test_tell_the_webhooks(self, pages: httpx.Client, jira: SandboxJira) -> None:
        jira.webhooks.delays = ()
        jira.webhook("http://127.0.0.1:9/", "secret")
        post(pages, "/browse/BILL-1/label", label="agent-ready")
        assert [delivery.event for delivery in jira.webhooks.deliveries] == ["jira:issue_updated"]

    def test_another_web_site_may_not_post(self, pages: httpx.Client, jira: SandboxJira) -> None:
        foreign = {"origin": "https://example.org"}
        answer = pages.post("/browse/BILL-1/label", data={"label": "x"}, headers=foreign)
        assert answer.status_code == 403
        assert jira.issue("BILL-1").labels == []


class TestActing:
    def test_stays_chosen(self, pages: httpx.Client, jira: SandboxJira) -> None:
        answer = act_as(pages, jira, "Admin", back="/browse/BILL-1")
        assert answer.url.path == "/browse/BILL-1"
        assert "Add a comment as Admin" in answer.text
        assert "Add a comment as Admin" in pages.get("/browse/BILL-2").text

    @pytest.mark.parametrize("back", ["https://example.org/", "//example.org", "/\\example.org"])
    def test_leads_nowhere_else(self, pages: httpx.Client, jira: SandboxJira, back: str) -> None:
        answer = act_as(pages, jira, "Admin", back=back)
        assert urlsplit(str(answer.url)).netloc == urlsplit(jira.base_url).netloc

    def test_a_stranger_is_not_taken(self, pages: httpx.Client) -> None:
        pages.post("/acting", data={"who": "nobody"})
        assert not pages.cookies


class TestLive:
    def test_says_nothing_while_nothing_changes(
        self, pages: httpx.Client, jira: SandboxJira
    ) -> None:
        version = pages.get("/browse/BILL-1").headers["x-version"]
        live = f"/browse/BILL-1/live?seen={version}"
        assert pages.get(live).status_code == 204
        jira.comment("BILL-1", "Fresh", as_user="Author")
        answer = pages.get(live)
        assert "Fresh" in answer.text
        assert "<html" not in answer.text
        assert pages.get(f"/live?seen={answer.headers['x-version']}").status_code == 204
        assert "BILL-1" in pages.get("/live?project=BILL&seen=0").text
