"""`signalbox serve` as a process of its own on fresh SQLite, set up as an admin would do it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.adapters.vault import new_key
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.server import SandboxJira

SIGNALBOX = Path(sys.executable).with_name("signalbox")
SITE, PROJECT, LABEL, AUTHOR = "bench", "BILL", "agent-ready", "Author"
STARTED = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, and the sandbox Jira in this process that it works with."""

    jira: SandboxJira
    url: str
    secret: str
    process: subprocess.Popen[bytes]

    def listen(self) -> None:
        """Jira's events go to the service from now on."""
        self.jira.webhook(f"{self.url}/webhooks/jira/{SITE}", self.secret)

    def cpu_seconds(self) -> float:
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def sandbox() -> SandboxJira:
    jira = SandboxJira()
    jira.add_project(PROJECT, "Billing")
    jira.add_user(AUTHOR, roles={PROJECT: ["Developers"]})
    jira.add_user("Signalbox", account_type="app", rights="admin")
    return jira


@contextmanager
def serving(folder: Path, mode: str) -> Iterator[Service]:
    """Up and answering; both ended with the block. What the service says goes to a file there."""
    jira, port, secret = sandbox(), free_port(), secrets.token_urlsafe(24)
    env = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}
    env |= {
        "SIGNALBOX_SECRET_KEY": new_key(),
        "SIGNALBOX_DATA": str(folder),
        "SIGNALBOX_PORT": str(port),
        "JIRA_TOKEN": jira.credentials("Signalbox")[1],
        "JIRA_SECRET": secret,
        "NO_PROXY": "127.0.0.1",
    }
    with jira.serve() as address, (folder / "service.log").open("wb") as log:
        _set_up(env, address, mode, create_sample_repository(folder / "origin"))
        process = subprocess.Popen([SIGNALBOX, "serve"], env=env, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(process, url, folder / "service.log")
            yield Service(jira, url, secret, process)
        finally:
            process.terminate()
            process.wait(20)


def _set_up(env: dict[str, str], address: str, mode: str, origin: Path) -> None:
    """All that a start takes but a budget: every ticket goes through the whole gate, none is let
    out."""
    site = ["site", "add", SITE, "--url", address, "--email", "signalbox@sandbox.example"]
    project = ["project", "add", "--key", PROJECT, "--mode", mode, "--without-cage"]
    agent = ["--agent", "rehearsal", "--acceptance", "python3 -m unittest -q"]
    for words in (
        [*site, "--token-env", "JIRA_TOKEN", "--webhook-secret-env", "JIRA_SECRET"],
        [*project, *agent, "--repository", str(origin)],
        ["role", "grant", "dispatch", "--project", PROJECT, "--jira-role", "Developers"],
    ):
        subprocess.run([SIGNALBOX, *words], env=env, check=True, capture_output=True)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + STARTED
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"the service did not start: {log.read_text()}")
