"""The pages in a real browser: a person opens a ticket, edits it, labels it, reads comments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.browser import Browser, running
from tests.sandbox.conftest import document

pytestmark = pytest.mark.chromium
PNG = b"\x89PNG"


def comment_of(sentence: str) -> dict[str, Any]:
    first = [
        {"type": "status", "attrs": {"text": "Not yet", "color": "red"}},
        {"type": "text", "text": f" {sentence}"},
    ]
    inside = document("Hidden until it is opened")["content"]
    return document(
        {"type": "paragraph", "content": first},
        {"type": "expand", "attrs": {"title": "All checks"}, "content": inside},
    )


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, jira: SandboxJira) -> Browser:
    chromium.complaints.clear()
    chromium.look(1280, 1000)
    return chromium


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Kept where SIGNALBOX_PICTURES says, to look at them."""
    folder = Path(os.environ.get("SIGNALBOX_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_from_board_to_comment(browser: Browser, jira: SandboxJira) -> None:
    browser.open(jira.base_url)
    assert browser.text(".column h2").startswith("To Do")
    browser.evaluate("window.before = true; document.querySelector('a.card').click()")
    browser.arrive()
    assert browser.evaluate("location.pathname") == "/browse/BILL-1"

    browser.evaluate("document.querySelector('.edit summary').click()")
    browser.submit(".edit form", summary="CSV export in 10 s", description="h3. Goal\n* fast")
    assert browser.text("h1") == "CSV export in 10 s"
    assert browser.text(".description li") == "fast"

    browser.submit("form[action$='/label']", label="agent-ready")
    assert "agent-ready" in browser.text("[data-part=labels]")
    browser.submit("form.add", body="Please *look*")
    assert browser.text(".comment .document") == "Please look"
    assert jira.issue("BILL-1").labels == ["agent-ready"]
    browser.submit("[data-part=labels] form")
    assert jira.issue("BILL-1").labels == []
    assert browser.complaints == []


def test_a_comment_comes_by_itself(browser: Browser, jira: SandboxJira) -> None:
    browser.open(f"{jira.base_url}/browse/BILL-1")
    assert "No comments yet" in browser.text("[data-part=comments]")
    comment = jira.comment("BILL-1", comment_of("No agent will start."), as_user="Signalbox")
    browser.wait_for("document.querySelector('.comment')")
    assert "No agent will start." in browser.text(".comment")
    assert "Hidden until" not in browser.text(".comment")

    browser.evaluate("document.querySelector('.comment summary').click()")
    assert "Hidden until it is opened" in browser.text(".comment")
    typed = "document.querySelector('#comment')"
    browser.evaluate(f"{typed}.value = 'half a sentence'")
    jira.edit_comment(comment.id, comment_of("An agent starts."), as_user="Signalbox")
    browser.wait_for("document.querySelector('.comment').innerText.includes('An agent starts.')")
    assert "Hidden until it is opened" in browser.text(".comment"), "what is open stays open"
    assert browser.evaluate(f"{typed}.value") == "half a sentence"
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
    browser.wait_for("document.querySelector('.labels').innerText.includes('agent-ready')")
    assert browser.complaints == []


def test_the_board_moves_by_itself(browser: Browser, jira: SandboxJira) -> None:
    browser.open(f"{jira.base_url}/?project=BILL")
    jira.transition("BILL-1", "Done", as_user="Author")
    done = "document.querySelector('[aria-label=Done]').innerText"
    browser.wait_for(f"{done}.includes('BILL-1')")


def test_choosing_who_acts(browser: Browser, jira: SandboxJira) -> None:
    browser.open(f"{jira.base_url}/browse/BILL-1")
    account = jira.user("Reviewer").account_id
    browser.evaluate(
        f"who.value = '{account}'; who.dispatchEvent(new Event('change', {{bubbles: true}}))"
    )
    browser.wait_for("document.querySelector('.add label')?.innerText.includes('Reviewer')")
    assert browser.evaluate("location.pathname") == "/browse/BILL-1"


def test_hostile_text_does_nothing(browser: Browser, jira: SandboxJira) -> None:
    hostile = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>"
    mark = {"type": "link", "attrs": {"href": "javascript:document.title='gone'"}}
    link = {"type": "text", "text": "click", "marks": [mark]}
    issue = jira.create_issue("BILL", hostile, description=hostile)
    jira.comment(issue.key, document({"type": "paragraph", "content": [link]}, hostile))
    browser.open(f"{jira.base_url}/browse/{issue.key}")
    jira.comment(issue.key, hostile)
    browser.wait_for("document.querySelectorAll('.comment').length === 2")
    assert browser.evaluate("document.title") == f"{issue.key} · Sandbox Jira"
    assert browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert browser.evaluate("document.querySelectorAll('.comment a').length") == 0
    assert browser.complaints == []


def test_inline_script_is_refused_by_the_policy(browser: Browser, jira: SandboxJira) -> None:
    """If text ever got through, the browser would still not run it."""
    browser.open(jira.base_url)
    browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<img src=/nothing onerror=\"document.title=1\">')"
    )
    browser.wait_for("document.images[0].complete")
    assert browser.evaluate("document.title") == "All projects · Sandbox Jira"
    assert any("Content Security Policy" in text for text in browser.complaints)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 420])
def test_fits_the_window(
    browser: Browser, jira: SandboxJira, pictures: Path, width: int, dark: bool
) -> None:
    jira.comment("BILL-2", comment_of("No agent will start."), as_user="Signalbox")
    jira.create_issue("BILL", "W" * 200, labels=["L" * 120])
    browser.look(width, 1400, dark)
    for name, path in {"board": "/", "ticket": "/browse/BILL-2", "long": "/browse/BILL-4"}.items():
        browser.open(jira.base_url + path)
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        shade = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (shade == "rgb(255, 255, 255)") is not dark
        kind = "dark" if dark else "light"
        assert browser.picture(pictures / f"{name}-{width}-{kind}.png").startswith(PNG)
