"""Drives a headless Chromium over its debugging pipe: open, look, click, take a picture.

A pipe needs no port and no library: JSON messages, each ended by a NUL byte.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import needs

START = 'exec "$0" "$@" 3<&{read} 4>&{write} 2>/dev/null'
FLAGS = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


class Browser:
    """One page. `complaints` holds what the page wrote to the console and refused to load."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        self.evaluate("window.before = true")
        self._call("Page.navigate", url=url)
        self.arrive()

    def arrive(self) -> None:
        """Wait until another page than the marked one is there, whole."""
        self.wait_for("!window.before && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        answer = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def text(self, selector: str = "body") -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def wait_for(self, expression: str, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                if self.evaluate(f"!!({expression})"):
                    return
            except AssertionError:
                pass  # the page is on its way to another one
            if time.monotonic() > end:
                raise AssertionError(f"not so within {seconds} s: {expression}")
            time.sleep(0.02)

    def submit(self, form: str, **fields: str) -> None:
        """Fill a form in and press its button; returns when the next page is there."""
        self.evaluate("window.before = true")
        self.evaluate(
            f"""(() => {{
                const form = document.querySelector({json.dumps(form)});
                for (const [name, value] of Object.entries({json.dumps(fields)}))
                    form.elements[name].value = value;
                form.querySelector("button").click();
            }})()"""
        )
        self.arrive()

    def look(self, width: int, height: int, dark: bool = False) -> None:
        """Size of the window and colour scheme."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> bytes:
        data = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(data)
        return data

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            self._note(answer)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(parameters))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._reading], [], [], 30)[0]:
                raise AssertionError("Chromium does not answer")
            chunk = os.read(self._reading, 1 << 16)
            if not chunk:
                raise AssertionError("Chromium has ended")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(text))


@contextmanager
def running(profile: Path, kind: type[Browser] = Browser) -> Iterator[Browser]:
    """A browser with an empty profile; it is gone afterwards."""
    to_read, our_write = os.pipe()
    our_read, to_write = os.pipe()
    chromium = needs.chromium_path() or "chromium"
    command = START.format(read=to_read, write=to_write)
    process = subprocess.Popen(
        ["bash", "-c", command, chromium, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(to_read, to_write),
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(to_write)
    try:
        yield kind(our_read, our_write)
    finally:
        os.close(our_write)  # Chromium ends when its pipe is closed
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(our_read)
