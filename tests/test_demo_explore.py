"""The demo that stays up for a person: its guide, its pages, its end."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from app.sandbox.story import SPEED
from tests.demo_process import demo, nothing_left


def read_until(process: subprocess.Popen[str], *words: str) -> str:
    """What it prints until it has said all of the words."""
    read = ""
    assert process.stdout is not None
    while not all(word in read for word in words):
        line = process.stdout.readline()
        assert line, f"it ended without saying {words}: {read}"
        read += line
    return read


def test_a_person_looks_around_and_lets_a_ticket_out(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        guide = read_until(process, "What happens:")
        vague, budget, good = re.findall(r"http://\S+/browse/\S+", guide)
        deliveries = re.findall(r"http://admin:\S+/deliveries", guide)[0]
        for page, word in ((vague, "CSV export is slow"), (budget, "totals"), (good, "comma")):
            assert word in httpx.get(page).raise_for_status().text
        read_until(process, "OPS-1: 100/100, no agent starts. Project budget", "BILL-1: ")
        assert "handled" in httpx.get(deliveries).raise_for_status().text
        jira, _, key = vague.partition("/browse/")
        better = {"fields": {"description": SPEED}}
        author = ("author@sandbox.example", "token-of-author")
        httpx.put(f"{jira}/rest/api/2/issue/{key}", json=better, auth=author).raise_for_status()
        read_until(process, f"{key}: let out: an agent is at work on agent/{key}-1")
        end(process, signal.SIGINT)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("words", ["A moment", "What happens:"])
def test_a_demo_that_is_terminated_leaves_nothing(tmp_path: Path, words: str) -> None:
    with demo(tmp_path) as process:
        read_until(process, words)
        end(process, signal.SIGTERM)
    assert nothing_left(tmp_path)


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """As an impatient person does it. Nothing but a good-bye is printed."""
    process.send_signal(how)
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("The demo has ended; nothing of it is left running.\n")
