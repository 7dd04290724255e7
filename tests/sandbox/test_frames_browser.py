"""A framed app in a real browser: the bridges of Connect and of Forge answer it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.browser import Browser, running
from tests.sandbox.receiver import Receiver, listening

pytestmark = pytest.mark.chromium
CONNECT = """<!doctype html><link rel="icon" href="data:,"><script>
const host = JSON.parse(window.name);
const send = (message) => parent.postMessage({ eid: host.extension_id, ...message }, host.origin);
let mode = "";
addEventListener("message", ({ data }) => {
  if (data.etyp === "theme_initialized") {
    mode = data.evnt.initialTheme.colorMode;
    send({ type: "req", mid: "2", mod: "context", fn: "getToken", args: [] });
  }
  if (data.mid !== "2" || data.args[0].split(".").length !== 3) return;
  const height = { light: "111px", dark: "222px" }[mode];
  send({ type: "req", mid: "3", mod: "env", fn: "resize", args: ["1px", height] });
});
send({ type: "init" });
send({ type: "req", mid: "1", mod: "theming", fn: "initializeTheming", args: [] });
</script>"""
FORGE = """<!doctype html><link rel="icon" href="data:,"><script>
const ask = (message) => parent.postMessage(message, "*");
addEventListener("message", ({ data }) => {
  if (data.id === 1) ask({ id: 2, call: "invokeRemote", method: "POST",
    path: "/forge/surfaces/panel", body: { theme: data.answer } });
});
ask({ id: 1, call: "theme" });
</script>"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def app() -> Iterator[Receiver]:
    with listening() as receiver:
        modules = {"webPanels": [{"key": "panel", "url": "/panel"}]}
        about = {"key": "app", "name": "App", "baseUrl": receiver.root, "modules": modules}
        receiver.documents["/atlassian-connect.json"] = about
        yield receiver


@pytest.mark.parametrize(("theme", "height"), [("light", "111px"), ("dark", "222px")])
def test_connect(
    browser: Browser, jira: SandboxJira, app: Receiver, theme: str, height: str
) -> None:
    browser.complaints.clear()
    app.documents["/panel"] = CONNECT
    jira.install_connect(app.root)
    browser.open(jira.frame_url("panel", "BILL-1", theme=theme))
    browser.wait_for(f"document.querySelector('iframe').style.minHeight === '{height}'")
    assert browser.evaluate("document.documentElement.dataset.colorMode") == theme
    assert browser.complaints == []


def test_forge(browser: Browser, jira: SandboxJira, app: Receiver) -> None:
    browser.complaints.clear()
    app.documents["/ui"] = FORGE
    app.reply = lambda entry: {}
    jira.install_forge(app.root, "ari:cloud:ecosystem::app/1", ui_url=f"{app.root}/ui")
    browser.open(jira.frame_url("panel", "BILL-1", theme="dark"))
    browser.wait_for("performance.getEntriesByName(location.origin + '/sandbox/bridge').length")
    (entry,) = app.at("/forge/surfaces/panel")
    assert entry.payload == {"theme": "dark"}
    assert entry.headers["authorization"].startswith("Bearer ")
    assert browser.complaints == []
