"""A page of another origin that holds ours in a frame as Jira does; a browser that sees both."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.sandbox.browser import Browser

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Jira</title>
<style>body {{ margin: 0; background: {paper} }} iframe {{ border: 0; width: 100%; height: {high} }}
</style></head><body><iframe title="Signalbox" src="{source}" name='{name}'></iframe><script>
const frame = document.querySelector("iframe"), heard = [];
addEventListener("message", ({{ data, source }}) => {{
  if (source !== frame.contentWindow) return;
  heard.push(data.type === "req" ? `${{data.mod}}.${{data.fn}}` : data.type);
  const send = (message) => source.postMessage(message, "*");
  if (data.type === "init") send({{ type: "init_received" }});
  if (data.fn === "initializeTheming" && "{theme}") send({{ type: "evt", etyp: "theme_initialized",
    evnt: {{ initialTheme: {{ colorMode: "{theme}" }} }}, eid: data.eid }});
  if (data.fn === "resize") document.documentElement.dataset.height = data.args[1];
}});
</script></body></html>"""


class _Host(BaseHTTPRequestHandler):
    """GET /?src=…&theme=…: the page with that frame. Anything else is not there."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != "/":
            self.send_response(204)
            self.end_headers()
            return
        theme = asked.get("theme", "")
        options = {"extension_id": "signalbox__panel", "origin": self.server.origin}  # type: ignore[attr-defined]
        body = PAGE.format(
            source=asked["src"].replace("&", "&amp;"),
            name=json.dumps(options),
            theme=theme,
            paper="#1d2125" if theme == "dark" else "#fff",
            high="100vh",
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base calls it
        """Nobody reads it."""


@contextmanager
def host() -> Iterator[str]:
    """The address of the embedding page. By name, so that ours, by number, is a third party."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Host) as server:
        server.origin = f"http://localhost:{server.server_address[1]}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield str(server.origin)  # type: ignore[attr-defined]
        server.shutdown()


class FrameBrowser(Browser):
    """Sees into the frame, which is a process of its own, as it is of another site."""

    frame: str | None = None

    def watch_frames(self) -> None:
        self._call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True
        )

    def before(self, script: str) -> None:
        """Run this in every page before its own scripts."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def embed(self, url: str) -> None:
        self.frame = None
        self.open(url)
        self.wait_for("document.querySelector('iframe')")
        self.wait_for("heard.length")  # it has spoken, so it is there
        for domain in ("Runtime", "Log", "Network"):
            self.inside_call(f"{domain}.enable")
        self.wait_inside("document.readyState === 'complete' && document.querySelector('main')")

    def inside_call(self, method: str, **parameters: Any) -> dict[str, Any]:
        whole, self._session = self._session, self.frame
        try:
            return self._call(method, **parameters)
        finally:
            self._session = whole

    def inside(self, expression: str) -> Any:
        whole, self._session = self._session, self.frame
        try:
            return self.evaluate(expression)
        finally:
            self._session = whole

    def wait_inside(self, expression: str) -> None:
        whole, self._session = self._session, self.frame
        try:
            self.wait_for(expression, 10)
        finally:
            self._session = whole

    def press(self, key: str, code: int) -> None:
        """A key, as a person presses it: it goes to whatever has the focus, in the frame too."""
        more = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", **more, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", **more)

    def _note(self, event: dict[str, Any]) -> None:
        super()._note(event)
        told = event.get("params", {})
        attached = event.get("method") == "Target.attachedToTarget"
        if attached and told["targetInfo"]["type"] == "iframe":
            self.frame = told["sessionId"]
