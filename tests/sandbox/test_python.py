"""The sandbox from Python: what tests and demos of other parts build their scenes with."""

from __future__ import annotations

import pytest

from app.sandbox.refusals import Refusal
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import document


@pytest.fixture
def empty() -> SandboxJira:
    return SandboxJira()


def test_a_scene_from_nothing(empty: SandboxJira) -> None:
    empty.add_project("CAR", "Cars", "business")
    driver = empty.add_user("Driver", roles={"CAR": ["Administrators"]}, email="d@example.org")
    issue = empty.create_issue(
        "CAR",
        "Brakes",
        description="*Loud*",
        issue_type="bug",
        labels=["b", "a"],
        assignee="Driver",
    )
    assert (issue.key, issue.reporter, issue.assignee) == (
        "CAR-1",
        driver.account_id,
        driver.account_id,
    )
    assert issue.labels == ["a", "b"]
    assert empty.credentials("d@example.org") == ("d@example.org", "token-of-driver")
    assert empty.state.roles_of(driver, empty.state.project("car")) == {"Administrators"}


@pytest.mark.parametrize("who", ["Author", "author", "author@sandbox.example"])
def test_people_are_known_by_many_names(who: str) -> None:
    jira = SandboxJira.seeded()
    assert jira.user(who) is jira.user(jira.user("Author").account_id)
    assert jira.user(jira.user(who)) is jira.user(who)


def test_wrong_names_are_errors(empty: SandboxJira) -> None:
    with pytest.raises(KeyError, match="nobody"):
        empty.user("nobody")
    with pytest.raises(Refusal):
        empty.issue("CAR-1")
    empty.add_project("CAR")
    with pytest.raises(Refusal, match="no user yet"):
        empty.create_issue("CAR", "Brakes")
    with pytest.raises(ValueError, match="colour"):
        empty.add_user("Driver", colour="red")  # type: ignore[call-arg]


def test_doing_what_people_do() -> None:
    jira = SandboxJira.seeded()
    entry = jira.add_label("BILL-1", "agent-ready", as_user="Reviewer")
    assert entry is not None
    assert entry.author == jira.user("Reviewer").account_id
    assert jira.add_label("BILL-1", "agent-ready") is None
    assert jira.remove_label("BILL-1", "agent-ready") is not None
    jira.edit("BILL-1", {"summary": "New", "description": document("Text")}, as_user="Author")
    description = jira.issue("BILL-1").description
    assert description is not None
    assert description.adf() == document("Text")
    assert description.plain() == "Text"
    jira.transition("BILL-1", "done")
    with pytest.raises(ValueError, match="Sleeping"):
        jira.transition("BILL-1", "Sleeping")
    with pytest.raises(Refusal, match="contains spaces"):
        jira.add_label("BILL-1", "a b")


def test_a_comment_keeps_the_form_it_was_written_in() -> None:
    jira = SandboxJira.seeded()
    wiki = jira.comment("BILL-1", "h3. Title", as_user="Author")
    adf = jira.comment("BILL-1", document("Title"), as_user="Author")
    assert [comment.id for comment in jira.comments("BILL-1")] == [wiki.id, adf.id]
    assert wiki.body.wiki() == "h3. Title"
    assert wiki.body.adf()["content"][0]["type"] == "heading"
    assert adf.body.adf() == document("Title")
    assert adf.body.wiki() == "Title"


def test_a_former_user_is_shown_as_such() -> None:
    jira = SandboxJira.seeded()
    comment = jira.comment("BILL-1", "I was here", as_user="Reviewer")
    del jira.state.users[comment.author]
    assert jira.state.name_of(comment.author) == comment.author
