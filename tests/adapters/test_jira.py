"""The Jira adapter against the sandbox Jira, over real HTTP: what it reads, writes and sends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from app import ports
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic
from app.adapters.jira_session import Way
from app.core.adf import from_adf
from app.core.text import Block, Document, Span, bullets, expand, item, paragraph
from app.ports import NotFound, Refused
from app.sandbox.server import SandboxJira

BLOCKS: tuple[Block, ...] = (
    paragraph(Span("NOT YET", status="red"), " No agent will start."),
    bullets(item(paragraph("How fast is ", Span("fast enough", strong=True), "?"))),
    expand("All checks", paragraph("4 met, 3 missing")),
)


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def tracker(jira: SandboxJira) -> ports.Tracker:
    return JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")))


def sent(jira: SandboxJira, method: str = "") -> list[str]:
    return [f"{e.method} {e.path}" for e in jira.journal.find(method)]


def test_it_knows_itself(jira: SandboxJira, tracker: ports.Tracker) -> None:
    me = tracker.myself()
    assert (me.id, me.name, me.kind) == (jira.user("Signalbox").account_id, "Signalbox", "app")
    assert tracker.myself() == me
    assert sent(jira) == ["GET /rest/api/3/myself"]


def test_rights_are_its_own(jira: SandboxJira, tracker: ports.Tracker) -> None:
    names = ["ADD_COMMENTS", "EDIT_ALL_COMMENTS"]
    assert tracker.rights("BILL", names) == {"ADD_COMMENTS": True, "EDIT_ALL_COMMENTS": False}
    with pytest.raises(NotFound, match="project NONE is not visible"):
        tracker.rights("NONE", names)
    with pytest.raises(Refused, match="Unrecognized permission: FLY"):
        tracker.rights("BILL", ["FLY"])


def test_a_ticket_is_read_whole(jira: SandboxJira, tracker: ports.Tracker) -> None:
    jira.create_issue(
        "BILL",
        "Export",
        description="h2. Goal\n* fast\n* *small*",
        labels=["b", "a"],
        issue_type="Bug",
        reporter="Reviewer",
    )
    made = list(jira.state.issues.values())[-1]
    ticket = tracker.ticket(made.key)
    assert ticket == tracker.ticket(made.id)
    assert (ticket.site_id, ticket.id, ticket.key) == ("acme", made.id, made.key)
    assert (ticket.project_key, ticket.issue_type, ticket.summary) == ("BILL", "Bug", "Export")
    assert ticket.description.plain() == "## Goal\n\n- fast\n- small"
    assert ticket.labels == {"a", "b"}
    assert (ticket.status, ticket.done) == ("To Do", False)
    assert ticket.reporter == jira.user("Reviewer").account_id
    assert ticket.updated == made.updated
    assert (ticket.blockers, ticket.restricted) == ((), "")
    jira.transition(made.key, "Done")
    assert tracker.ticket(made.key).done


def test_an_empty_ticket_is_read(jira: SandboxJira, tracker: ports.Tracker) -> None:
    made = jira.create_issue("BILL", "Export")
    assert tracker.ticket(made.key).description == Document()


def test_only_open_blockers_block(jira: SandboxJira, tracker: ports.Tracker) -> None:
    first, second, third = (jira.create_issue("BILL", name).key for name in "abc")
    jira.link(first, third)
    jira.link(second, third)
    assert set(tracker.ticket(third).blockers) == {first, second}
    assert tracker.ticket(first).blockers == ()
    jira.transition(first, "Done")
    assert tracker.ticket(third).blockers == (second,)


def test_what_is_restricted_says_why(jira: SandboxJira, tracker: ports.Tracker) -> None:
    desk = next(i for i in jira.state.issues.values() if i.project == "HELP")
    assert tracker.ticket(desk.key).restricted == "service desk"
    made = jira.create_issue("BILL", "hidden", security="Team only")
    with pytest.raises(NotFound, match="deleted or hidden from Signalbox"):
        tracker.ticket(made.key)
    admin: ports.Tracker = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Admin")))
    assert admin.ticket(made.key).restricted == "security level"


def test_a_deleted_ticket_is_not_visible(jira: SandboxJira, tracker: ports.Tracker) -> None:
    jira.delete_issue("BILL-1")
    for call in (tracker.ticket, tracker.label_history):
        with pytest.raises(NotFound, match="ticket BILL-1 is not visible"):
            call("BILL-1")


@pytest.mark.parametrize("issue", ["BILL-1/../BILL-2", "../myself", "BILL-1?x=1", "BILL-1#", ""])
def test_odd_keys_stay_in_their_place(
    jira: SandboxJira, tracker: ports.Tracker, issue: str
) -> None:
    with pytest.raises(Refused):
        tracker.ticket(issue)
    assert sent(jira) == ["GET /rest/api/3/issue/" + issue]


def test_labels_have_a_history_with_actors(jira: SandboxJira, tracker: ports.Tracker) -> None:
    made = jira.create_issue("BILL", "Export", labels=["born", "gone"], reporter="Reviewer")
    jira.add_label(made.key, "agent-ready", as_user="Author")
    jira.remove_label(made.key, "gone", as_user="Admin")
    jira.edit(made.key, {"summary": "Exports"}, as_user="Admin")
    jira.edit(made.key, {"labels": ["born", "x"]}, as_user="Reviewer")
    history = tracker.label_history(made.key)
    told = [(change.actor, set(change.added), set(change.removed)) for change in history]
    assert told == [
        (jira.user("Reviewer").account_id, {"born", "gone"}, set()),
        (jira.user("Author").account_id, {"agent-ready"}, set()),
        (jira.user("Admin").account_id, set(), {"gone"}),
        (jira.user("Reviewer").account_id, {"x"}, {"agent-ready"}),
    ]
    assert history[0].id == "created"
    assert history[0].at == made.created
    assert [change.id for change in history[1:]] == [
        entry.id for entry in made.history if entry.changes[0].field == "labels"
    ]


def test_a_long_history_is_read_to_its_end(jira: SandboxJira, tracker: ports.Tracker) -> None:
    for number in range(230):
        jira.edit("BILL-1", {"labels": [f"l{number}"]})
    assert len(tracker.label_history("BILL-1")) == 230
    assert len(jira.journal.find("GET", "changelog")) == 3


def test_without_labels_there_is_no_history(tracker: ports.Tracker) -> None:
    assert tracker.label_history("BILL-1") == []


def test_accounts_are_looked_up(jira: SandboxJira, tracker: ports.Tracker) -> None:
    customer = jira.user("Portal customer")
    found = tracker.account(customer.account_id)
    assert (found.name, found.kind, found.active) == ("Portal customer", "customer", True)
    with pytest.raises(NotFound, match="account nobody is not visible"):
        tracker.account("nobody")


def test_roles_are_read_live(jira: SandboxJira, tracker: ports.Tracker) -> None:
    author = jira.user("Author").account_id
    assert tracker.roles("BILL", author) == {"Developers"}
    jira.grant_role("Author", "BILL", "Administrators")
    assert tracker.roles("BILL", author) == {"Developers", "Administrators"}
    assert tracker.roles("BILL", "nobody") == frozenset()
    with pytest.raises(NotFound, match="Administer Projects"):
        tracker.roles("NONE", author)


def test_a_comment_is_written_once_and_edited_in_place(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    made = tracker.put_comment("BILL-1", "readiness", BLOCKS)
    notices = len(jira.state.notices)
    assert tracker.put_comment("BILL-1", "readiness", BLOCKS) == made
    assert jira.journal.find("PUT") == []
    assert tracker.put_comment("BILL-1", "readiness", [paragraph("READY")]) == made
    (edit,) = jira.journal.find("PUT")
    assert parse_qs(edit.query) == {}
    assert len(jira.state.notices) == notices + 1
    (posted,) = jira.journal.find("POST")
    assert posted.body["properties"] == [{"key": "signalbox", "value": {"key": "readiness"}}]
    assert from_adf(posted.body["body"]).blocks == BLOCKS
    (comment,) = jira.comments("BILL-1")
    assert comment.id == made
    assert from_adf(comment.body.adf()).plain() == "READY"
    assert comment.properties == {"signalbox": {"key": "readiness"}}


def test_each_key_has_its_own_comment(jira: SandboxJira, tracker: ports.Tracker) -> None:
    first = tracker.put_comment("BILL-1", "readiness", BLOCKS)
    second = tracker.put_comment("BILL-1", "run:1", BLOCKS)
    assert first != second
    assert tracker.find_comment("BILL-1", "readiness") == first
    assert tracker.find_comment("BILL-1", "run:1") == second
    assert tracker.find_comment("BILL-2", "readiness") is None


def test_somebody_elses_mark_is_not_ours(jira: SandboxJira, tracker: ports.Tracker) -> None:
    other: ports.Tracker = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Author")))
    forged = other.put_comment("BILL-1", "readiness", [paragraph("READY, run it")])
    assert tracker.find_comment("BILL-1", "readiness") is None
    assert tracker.comment("BILL-1", forged).key is None
    assert tracker.put_comment("BILL-1", "readiness", BLOCKS) != forged


def test_it_is_found_among_many(jira: SandboxJira, tracker: ports.Tracker) -> None:
    made = tracker.put_comment("BILL-1", "readiness", BLOCKS)
    for number in range(250):
        jira.comment("BILL-1", f"me too {number}")
    assert tracker.find_comment("BILL-1", "readiness") == made
    assert len(jira.journal.find("GET", "comment$")) == 1 + 2


def test_a_removed_comment_is_written_anew(jira: SandboxJira, tracker: ports.Tracker) -> None:
    from app.sandbox import comments

    made = tracker.put_comment("BILL-1", "readiness", BLOCKS)
    comments.delete(jira.state, jira.state.comments[made], jira.user("Admin"))
    assert tracker.put_comment("BILL-1", "readiness", BLOCKS) != made
    assert len(jira.comments("BILL-1")) == 1


def test_a_huge_comment_is_cut_to_fit(jira: SandboxJira, tracker: ports.Tracker) -> None:
    huge = [paragraph("word " * 400) for _ in range(100)]
    made = tracker.put_comment("BILL-1", "readiness", huge)
    assert tracker.put_comment("BILL-1", "readiness", huge) == made
    (posted,) = jira.journal.find("POST")
    assert len(json.dumps(posted.body["body"])) < 32_767
    assert jira.journal.find("PUT") == []


def test_a_cut_comment_links_to_our_page_of_the_ticket(jira: SandboxJira) -> None:
    way, basic = Way(pages="https://signalbox.example/"), Basic(*jira.credentials("Signalbox"))
    tracker: ports.Tracker = JiraTracker("acme", jira.base_url, basic, way=way)
    tracker.put_comment("BILL-1", "readiness", [paragraph("word " * 8000)])
    (posted,) = jira.journal.find("POST")
    link = posted.body["body"]["content"][-1]["content"][-1]
    address = "https://signalbox.example/surfaces/panel?site=acme&issue=BILL-1"
    assert link["text"] == link["marks"][0]["attrs"]["href"] == address


def test_peoples_comments_are_read(jira: SandboxJira, tracker: ports.Tracker) -> None:
    said = jira.comment("BILL-1", "agent *run*", as_user="Reviewer")
    read = tracker.comment("BILL-1", said.id)
    assert read.author == tracker.account(jira.user("Reviewer").account_id)
    assert read.text.plain() == "agent run"
    assert (read.created, read.updated) == (said.created, said.updated)
    assert (read.restricted, read.key) == (False, None)
    said.visibility = {"type": "role", "value": "Developers"}
    jira.grant_role("Signalbox", "BILL", "Developers")
    assert tracker.comment("BILL-1", said.id).restricted
    with pytest.raises(NotFound, match=f"comment {said.id} of BILL-2"):
        tracker.comment("BILL-2", said.id)


def test_a_property_is_set_on_the_ticket(jira: SandboxJira, tracker: ports.Tracker) -> None:
    for score in (38, 88):
        tracker.set_property("BILL-1", "signalbox", {"score": score})
    assert jira.issue("BILL-1").properties["signalbox"] == {"score": 88}
    with pytest.raises(NotFound):
        tracker.set_property("BILL-999", "signalbox", {})


def test_without_the_right_to_comment_it_says_so(jira: SandboxJira) -> None:
    jira.add_user("Silent", rights=["BROWSE_PROJECTS"])
    silent: ports.Tracker = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Silent")))
    with pytest.raises(Refused, match=r"“Add Comments”.*do not have the permission to comment"):
        silent.put_comment("BILL-1", "readiness", BLOCKS)


def test_the_library_is_loaded_at_the_first_call() -> None:
    code = (
        "import sys; from app.adapters.jira import JiraTracker;"
        "from app.adapters.jira_auth import Basic;"
        "JiraTracker('a', 'http://x', Basic('a', 'b'));"
        "print([name for name in ('jira', 'requests', 'urllib3', 'jwt') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
