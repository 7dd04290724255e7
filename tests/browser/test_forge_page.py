"""What Forge deploys, in a real browser, with Atlassian's bridge played by the test."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.embedding import FrameBrowser
from tests.needs import ROOT
from tests.sandbox.browser import running

pytestmark = [pytest.mark.chromium, pytest.mark.forge]
FORGE = ROOT / "forge"
BRIDGE = """globalThis.asked = [];
globalThis.__bridge = { callBridge: async (name, told) => {
  asked.push([name, told]);
  if (name === "enableTheming") document.documentElement.dataset.colorMode = "dark";
  if (name === "getContext") return { moduleKey: "signalbox-panel" };
  if (name !== "invoke") return undefined;
  const html = told.method === "POST" ? "<p>it is being done</p>" :
    '<button data-command="score" data-nonce="nonce-1" data-focus="score">Look again</button>' +
    '<a href="https://git.example/7">Pull request</a>';
  const body = { html, mark: "1", said: "Look again: asked at 10:00 CET." };
  return { success: true, payload: { status: 200, headers: {}, body } };
} };"""


class Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # the browser's own wish
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base calls it
        """Nobody reads it."""


@contextmanager
def deployed(folder: Path) -> Iterator[str]:
    """The folder as `npm run build` makes it, served."""
    shutil.copytree(FORGE / "src", folder / "forge/src")
    shutil.copytree(ROOT / "app/admin/static", folder / "app/admin/static")
    shutil.copy(FORGE / "package.json", folder / "forge")
    (folder / "forge/node_modules").symlink_to(FORGE / "node_modules")
    argv = ["npm", "run", "build", "--silent"]
    subprocess.run(argv, cwd=folder / "forge", check=True, capture_output=True)
    handler = partial(Quiet, directory=str(folder / "forge/build"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


def test_forge_s_page(tmp_path: Path) -> None:
    with running(tmp_path / "profile", FrameBrowser) as browser, deployed(tmp_path) as address:
        assert isinstance(browser, FrameBrowser)
        browser.before(BRIDGE)
        browser.open(address)
        browser.wait_for("document.querySelector('[data-command=score]')")
        assert browser.evaluate("document.body.className") == "panel"
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(29, 33, 37)"
        )
        first = browser.evaluate("asked.find(([name]) => name === 'invoke')[1]")
        assert first["path"].startswith("/forge/surfaces/panel?group=&page=1&mark=")
        assert (first["method"], first["invokeType"]) == ("GET", "ui-remote-fetch")

        browser.evaluate("document.querySelector('a').click()")
        browser.wait_for("asked.some(([name]) => name === 'navigate')")
        gone = browser.evaluate("asked.find(([name]) => name === 'navigate')[1]")
        assert gone == {"url": "https://git.example/7", "type": "new-tab"}
        browser.evaluate("document.querySelector('button').click()")
        browser.wait_for("document.body.innerText.includes('it is being done')")
        sent = browser.evaluate("asked.find(([, told]) => told?.method === 'POST')[1]")
        assert sent["path"] == "/forge/surfaces/panel"
        assert (sent["body"]["command"], sent["body"]["nonce"]) == ("score", "nonce-1")
        said = browser.evaluate("document.querySelector('[role=status]').textContent")
        assert said == "Look again: asked at 10:00 CET."
        assert browser.complaints == []
