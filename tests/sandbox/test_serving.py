"""Starting, stopping, many at once, from many threads."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api, document


def test_starts_and_stops_often() -> None:
    """Hundreds of tests do so; seconds would hurt. The bound is ten times what it takes."""
    began = time.monotonic()
    jira = SandboxJira.seeded()
    for _ in range(20):
        with jira.serve() as base_url:
            assert httpx.get(f"{base_url}/sandbox/state").status_code == 200
    assert time.monotonic() - began < 10


def test_stops_with_open_connections_and_silent_requests() -> None:
    jira = SandboxJira.seeded()
    jira.faults.add(kind="timeout_after_write", seconds=60)
    with jira.serve() as base_url:
        idle = socket.create_connection(("127.0.0.1", int(base_url.rpartition(":")[2])))
        with Api(jira, "Author") as api, pytest.raises(httpx.ReadTimeout):
            api.get("myself", timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    idle.close()


def test_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    jira = SandboxJira.seeded()
    with jira.serve():
        jira.webhook("http://127.0.0.1:9/", "")
    left = {thread for thread in threading.enumerate() if thread not in before}
    assert not {thread for thread in left if thread.name.startswith("sandbox")}


def test_a_port_can_be_chosen_and_used_again() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    jira = SandboxJira.seeded()
    for label in ("first", "second"):
        with jira.serve(port) as base_url:
            assert base_url == f"http://127.0.0.1:{port}"
            jira.add_label("BILL-1", label)
            assert httpx.get(f"{base_url}/browse/BILL-1").status_code == 200
    assert jira.issue("BILL-1").labels == ["first", "second"]


def test_listens_on_this_machine_alone(jira: SandboxJira) -> None:
    assert jira.base_url.startswith("http://127.0.0.1:")


def test_two_do_not_know_each_other() -> None:
    one, two = SandboxJira.seeded(), SandboxJira.seeded()
    with one.serve(), two.serve(), Api(one, "Author") as api:
        api.ok("PUT", "issue/BILL-1", json={"fields": {"labels": ["x"]}})
    assert (one.issue("BILL-1").labels, two.issue("BILL-1").labels) == (["x"], [])


def test_many_writers_lose_nothing(jira: SandboxJira) -> None:
    def write(number: int) -> None:
        with Api(jira, "Author") as api:
            for step in range(5):
                label = f"label-{number}-{step}"
                api.ok("PUT", "issue/BILL-1", json={"update": {"labels": [{"add": label}]}})
                api.ok("POST", "issue/BILL-1/comment", json={"body": document(label)})
                jira.comment("BILL-1", label)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    issue = jira.issue("BILL-1")
    assert len(issue.labels) == len(issue.history) == 40
    assert len(set(issue.comments)) == 80
    joined = [history.changes[0] for history in issue.history]
    for before, after in pairwise(joined):
        assert before.after_text == after.before_text


def test_runs_as_a_program() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from app.sandbox.server import run; run({port})"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        for _ in range(500):
            try:
                about = httpx.get(f"http://127.0.0.1:{port}/sandbox/state").json()
                break
            except httpx.ConnectError:
                time.sleep(0.02)
        assert about["base_url"] == f"http://127.0.0.1:{port}"
        assert "BILL-1" in about["issues"]
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.wait(10)
