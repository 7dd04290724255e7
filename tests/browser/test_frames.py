"""The three pages in a real browser, in a frame of another site, as Jira shows them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.main import running_web
from app.store.database import Database
from tests.browser.embedding import FrameBrowser, host
from tests.browser.frames import ADMIN, APPROVER, HOSTILE, READER, Stage, fill
from tests.needs import ROOT
from tests.sandbox.browser import running

pytestmark = [pytest.mark.chromium, pytest.mark.forge]
AXE = ROOT / "forge/node_modules/axe-core/axe.min.js"
SIZES = {"panel": (420, 820), "project": (1280, 900), "admin": (1280, 620)}
TAB, ENTER = ("Tab", 9), ("Enter", 13)
Page = tuple[str, str, str]  # surface, of, who
FULL: dict[str, Page] = {
    "panel-asks": ("panel", "10001", APPROVER),
    "panel-waits": ("panel", "10002", APPROVER),
    "panel-runs": ("panel", "10003", APPROVER),
    "panel-done": ("panel", "10004", APPROVER),
    "project-full": ("project", "BILL", ADMIN),
    "admin-full": ("admin", "", ADMIN),
}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrameBrowser]:
    with running(tmp_path_factory.mktemp("chromium"), FrameBrowser) as browser:
        assert isinstance(browser, FrameBrowser)
        browser.watch_frames()
        yield browser


class Jira:
    """Shows a page of ours in a frame of its own."""

    def __init__(self, browser: FrameBrowser, stage: Stage, origin: str, ours: str) -> None:
        self.browser, self.stage, self.origin, self.ours = browser, stage, origin, ours

    def show(self, page: Page, theme: str = "light", site: str = "acme") -> None:
        surface, of, who = page
        self.browser.look(*SIZES[surface], dark=False)
        source = self.ours + self.stage.address(surface, of, who, site)
        self.browser.embed(f"{self.origin}/?{urlencode({'src': source, 'theme': theme})}")

    def serious(self) -> list[str]:
        """What axe-core finds that keeps somebody out."""
        self.browser.inside(AXE.read_text() + "; 0")
        found: list[dict[str, Any]] = self.browser.inside(
            "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
        )
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


@pytest.fixture
def jira(chromium: FrameBrowser, database: Database) -> Iterator[Jira]:
    chromium.complaints.clear()
    with host() as origin:
        stage = Stage(database, browse_url=origin)
        with running_web(stage.app(), 0) as ours:
            yield Jira(chromium, stage, origin, ours)
            chromium.open(
                "about:blank"
            )  # before the server goes: the page still asks it now and then


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Kept where SIGNALBOX_PICTURES says, to look at them."""
    folder = Path(os.environ.get("SIGNALBOX_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def inspect(jira: Jira, pictures: Path, name: str, page: Page, site: str = "acme") -> None:
    """Light and dark: nothing to complain about, for anybody."""
    for theme, shade in {"light": "rgb(255, 255, 255)", "dark": "rgb(29, 33, 37)"}.items():
        jira.show(page, theme, site)
        jira.browser.wait_inside(f"document.documentElement.dataset.colorMode === '{theme}'")
        style = "getComputedStyle(document.body).backgroundColor"
        assert jira.browser.inside(style) == shade, name
        assert jira.browser.inside("document.documentElement.scrollWidth <= innerWidth"), name
        jira.browser.picture(pictures / f"{name}-{theme}.png")
        assert jira.serious() == [], (name, theme)
        assert jira.browser.inside("document.cookie") == ""
    assert jira.browser.inside_call("Network.getCookies")["cookies"] == []
    refused = [text for text in jira.browser.complaints if "status of 403" not in text]
    assert refused == []


def test_full_of_data(jira: Jira, pictures: Path) -> None:
    fill(jira.stage)
    for name, page in FULL.items():
        inspect(jira, pictures, name, page)


def test_empty(jira: Jira, pictures: Path) -> None:
    jira.stage.project()
    jira.stage.ticket(1, "Elsewhere", "text", project_key="HR", key="HR-1")
    jira.stage.ticket(2, "Nobody asked", "A text of which nobody has asked anything.", labels=())
    inspect(jira, pictures, "panel-empty", ("panel", "10002", READER))
    inspect(jira, pictures, "panel-apart", ("panel", "10001", READER))
    inspect(jira, pictures, "project-empty", ("project", "BILL", ADMIN))
    inspect(jira, pictures, "admin-empty", ("admin", "", ADMIN), "other")


def test_in_error(jira: Jira, pictures: Path) -> None:
    fill(jira.stage)
    jira.stage.away()
    inspect(jira, pictures, "panel-away", ("panel", "10003", APPROVER))
    inspect(jira, pictures, "project-away", ("project", "BILL", ADMIN))
    inspect(jira, pictures, "admin-refused", ("admin", "", READER))


def test_axe_would_find_a_fault(jira: Jira) -> None:
    """The check itself, on a page with a button that says nothing."""
    fill(jira.stage)
    jira.show(FULL["panel-asks"])
    jira.browser.inside("document.querySelector('main').append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in jira.serious())


def test_a_foreign_frame_is_refused(jira: Jira) -> None:
    """Only the site's own pages may show ours: here is one of another address."""
    fill(jira.stage)
    source = jira.ours + jira.stage.address("panel", "10001")
    other = jira.origin.replace("localhost", "127.0.0.1")
    jira.browser.open(f"{other}/?{urlencode({'src': source})}")
    jira.browser.wait_for("document.readyState === 'complete'")
    assert any("frame-ancestors" in text for text in jira.browser.complaints)


def test_keys_alone_reach_and_press_every_button(jira: Jira) -> None:
    fill(jira.stage)
    jira.show(FULL["panel-waits"])
    reached: list[str] = []
    for _ in range(12):
        jira.browser.press(*TAB)
        focus = jira.browser.inside("document.activeElement?.dataset.focus ?? ''")
        reached.append(focus)
        if focus == "approve":
            assert jira.browser.inside("document.activeElement.matches(':focus-visible')")
            jira.browser.press(*ENTER)
            jira.browser.wait_inside("document.body.innerText.includes('it is being done')")
    assert {"approve", "score"} <= set(reached)
    (press,) = jira.stage.pressed()
    assert json.loads(press["body"])["command"] == "approve"
    said = jira.browser.inside("document.querySelector('[role=status]').textContent")
    assert said == "Approve this text: asked at 10:00 CET."
    assert jira.browser.complaints == []


def test_it_lives(jira: Jira) -> None:
    """A tick shows what has happened, keeps open what is open, and asks nothing when hidden."""
    fill(jira.stage)
    jira.show(FULL["panel-runs"])
    jira.browser.inside("document.querySelector('summary').click()")
    with jira.stage.db.write() as c:
        c.exec_driver_sql("update run set doing = 'runs the tests', sign_at = sign_at + 60000000")
    jira.browser.inside("document.dispatchEvent(new Event('visibilitychange'))")
    jira.browser.wait_inside("document.body.innerText.includes('runs the tests')")
    assert jira.browser.inside("document.querySelector('details').open")
    jira.show(FULL["project-full"])
    jira.browser.inside("document.querySelector('[data-group=not_yet]').click()")
    jira.browser.wait_inside("document.querySelectorAll('tbody tr').length === 41")
    assert jira.browser.complaints == []


def test_hostile_text_does_nothing(jira: Jira) -> None:
    """A49: were it not escaped, the policy would still stop it; here neither has work to do."""
    fill(jira.stage)
    ticket = jira.stage.ticket(60, HOSTILE, HOSTILE + " maybe? See " + HOSTILE)
    jira.stage.judged(ticket, "not_yet", 10)
    for page in (("panel", "10060", APPROVER), ("project", "BILL", ADMIN)):
        jira.show(page)
        assert jira.browser.inside("document.querySelectorAll('main img, main script').length") == 0
    assert jira.browser.complaints == []


def test_by_itself_it_follows_the_browser(jira: Jira) -> None:
    """Where Jira names no theme."""
    fill(jira.stage)
    jira.show(FULL["panel-asks"], theme="")
    jira.browser.look(420, 800, dark=True)
    shade = "getComputedStyle(document.body).backgroundColor"
    jira.browser.wait_inside(f"{shade} === 'rgb(29, 33, 37)'")
