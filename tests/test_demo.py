"""The demo: the same story each time, its JSON true, its end checked, nothing left of it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.main import get_command

from app.cli import app, demo_play
from app.cli.demo_outcome import outcome
from app.cli.demo_stage import AUTHOR, NotAsTold, Stage
from app.core.adf import from_adf
from app.core.money import MICRO
from app.core.plain import render
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.story import QUOTING, STORY, VAGUE
from tests.demo_process import demo, nothing_left
from tests.repositories import ENV, WHO

SIGNALBOX = Path(sys.executable).with_name("signalbox")
ONCE = ("--once", "--json")
KEYS = ["BILL-1", "OPS-1", "BILL-2"]

RUN = {
    "state": str,
    "attempts": int,
    "cost_usd": float,
    "simulated": bool,
    "branch": str,
    "commit": str,
    "acceptance": [{"criterion": str, "result": str, "evidence": str}],
}
SHAPE = {
    "tickets": [{"key": str, "score": int, "verdict": str, "comments": [str], "runs": [RUN]}],
    "ledger": {"held": float, "posted": float, "open_holds": int},
    "deliveries": {"received": int, "handled": int, "ignored": int},
    "seconds": float,
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`signalbox demo …` in this process: its exit code, JSON and stderr."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    handlers = [(wanted, signal.getsignal(wanted)) for wanted in (signal.SIGINT, signal.SIGTERM)]
    command = get_command(app)

    def run(*arguments: str) -> tuple[int, Any, str]:
        out, err = io.StringIO(), io.StringIO()  # never closed: the engine's logger keeps one
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command.main(["demo", *arguments], "signalbox", standalone_mode=False)
        return code, json.loads(out.getvalue()) if out.getvalue() else None, err.getvalue()

    yield run
    for wanted, handler in handlers:
        signal.signal(wanted, handler)


def shaped(value: Any, shape: Any) -> bool:
    match shape:
        case dict():
            return list(value) == list(shape) and all(shaped(value[k], shape[k]) for k in shape)
        case list():
            return isinstance(value, list) and all(shaped(entry, shape[0]) for entry in value)
    return type(value) is shape


def same(result: Any) -> str:
    """The story without what differs from one telling to the next: times and commit ids."""
    text = json.dumps({**result, "seconds": 0})
    for pattern, stands_for in ((r"\b\d\d:\d\d UTC", "<time>"), (r"\b[0-9a-f]{10,40}\b", "<id>")):
        text = re.sub(pattern, stands_for, text)
    return text


# The story


def test_two_demos_at_once_tell_the_same_story(tmp_path: Path) -> None:
    told = []
    with demo(tmp_path, *ONCE) as one, demo(tmp_path, *ONCE) as other:
        for process in (one, other):
            out, err = process.communicate(timeout=100)
            assert (process.returncode, err) == (0, "")
            told.append(json.loads(out))
    first, second = told
    assert shaped(first, SHAPE)
    assert same(first) == same(second)
    assert first["seconds"] <= 60
    assert nothing_left(tmp_path)


def test_the_story_ends_as_promised_and_its_json_is_true(
    here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []

    def compare(on: Stage, seconds: float) -> Any:
        result = outcome(on, seconds)
        as_jira_says(on, result)
        as_git_says(on, result)
        as_the_database_says(on.settings.data / "signalbox.sqlite", result)
        any_other_claim_is_refused(on)
        compared.append(result)
        return result

    monkeypatch.setattr(demo_play, "outcome", compare)
    assert here(*ONCE) == (0, compared[0], "")
    as_the_documents_say(compared[0])


def as_the_documents_say(result: Any) -> None:
    vague, budget, good = result["tickets"]
    assert [ticket["key"] for ticket in result["tickets"]] == KEYS
    assert [ticket["verdict"] for ticket in result["tickets"]] == ["ready"] * 3
    assert [run["cost_usd"] for run in vague["runs"] + good["runs"]] == [0.63, 0.42]
    assert budget["runs"] == []
    assert "Project budget: this needs $3.00 set aside" in budget["comments"][0]
    for ticket in (vague, good):
        readiness, _, final = ticket["comments"]
        (run,) = ticket["runs"]
        assert (run["state"], run["attempts"], run["simulated"]) == ("Succeeded", 1, True)
        assert run["acceptance"][0]["result"] == "passed"
        assert "the label has had its run" in readiness
        assert f"Branch {run['branch']}, commit {run['commit'][:10]}" in final
        assert "(simulated)" in final
    assert result["ledger"] == {"held": 0.0, "posted": 1.05, "open_holds": 0}


def as_jira_says(on: Stage, result: Any) -> None:
    with httpx.Client(base_url=on.jira.base_url, auth=on.jira.credentials(AUTHOR)) as rest:
        for ticket in result["tickets"]:
            found = rest.get(f"/rest/api/3/issue/{ticket['key']}/comment").json()["comments"]
            assert [render(from_adf(c["body"]).blocks) for c in found] == ticket["comments"]
            assert {comment["author"]["displayName"] for comment in found} == {"Signalbox"}
            where = f"/rest/api/3/issue/{ticket['key']}/properties/signalbox.readiness"
            told = rest.get(where).json()["value"]
            assert (told["score"], told["verdict"]) == (ticket["score"], ticket["verdict"])
        sent = rest.get("/sandbox/deliveries").json()
    assert {delivery["state"] for delivery in sent} == {"delivered"}
    assert len(sent) == result["deliveries"]["received"]


def as_git_says(on: Stage, result: Any) -> None:
    def git(*arguments: str) -> list[str]:
        argv = ["git", "-C", str(on.origin), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    done = [run for ticket in result["tickets"] for run in ticket["runs"]]
    for run in done:
        assert git("rev-parse", f"refs/heads/{run['branch']}") == [run["commit"]]
        changed = git("diff", "--name-only", f"main...{run['commit']}")
        assert changed == ["billing/csv_export/writer.py", "tests/test_writer.py"]
    branches = git("for-each-ref", "--format=%(refname:short)", "refs/heads")
    assert sorted(branches) == sorted(["main", *(run["branch"] for run in done)])
    assert git("rev-list", "--count", "main") == ["1"]


def as_the_database_says(file: Path, result: Any) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as c:
        holds = c.execute("select state, actual from hold").fetchall()
        ended = c.execute('select key, ending, "commit" from run order by key').fetchall()
        outcomes = dict(c.execute("select outcome, count(*) from inbox group by 1").fetchall())
    done = [(ticket["key"], run) for ticket in result["tickets"] for run in ticket["runs"]]
    assert ended == [(key, run["state"], run["commit"]) for key, run in done]
    assert {state for state, _ in holds} == {"posted"}
    posted = sum(actual for _, actual in holds)
    assert posted == sum(round(run["cost_usd"] * MICRO) for _, run in done)
    assert posted / MICRO == result["ledger"]["posted"]
    counts = result["deliveries"]
    assert outcomes == {"handled": counts["handled"], "ignored": counts["ignored"]}
    assert counts["received"] == sum(outcomes.values())


# Another end than the one told


def any_other_claim_is_refused(on: Stage) -> None:
    """The checks of the demo themselves, each with a claim that is not true."""
    for name, other, difference in (
        ("good", {"summary": "Else"}, "its text is not the one"),
        ("vague", {"better": QUOTING}, "its text is not the one"),
        ("good", {"verdict": "nearly"}, "ready with 100, not nearly"),
        ("good", {"least_score": 101}, "ready with 100, not ready"),
        ("good", {"run": "Failed"}, r"its runs ended as \[\('Succeeded', ''\)\], not as Failed"),
        ("good", {"run": None, "reason": "budget"}, r"held back by \[\], not by budget"),
        ("good", {"file": "billing/invoice.py"}, "the commit does not change"),
        ("budget", {"reason": "slots"}, r"held back by \['budget'\], not by slots"),
        ("budget", {"run": "Succeeded"}, r"its runs ended as \[\]"),
    ):
        with pytest.raises(NotAsTold, match=difference):
            demo_play._check(on, on.keys[name], replace(STORY[name], **other))


def test_a_broken_test_of_the_sample_is_told(here: Callable[..., Any], tmp_path: Path) -> None:
    folder, clone = tmp_path / "demo", tmp_path / "clone"
    origin = create_sample_repository(folder / "origin")
    subprocess.run(["git", "clone", "--quiet", origin, clone], env=ENV, check=True)
    with (clone / "tests" / "test_writer.py").open("a") as test:
        test.write("\n    def test_nothing_can_pass(self):\n        self.fail('broken')\n")
    for words in (("commit", "--quiet", "--all", "--message=Break a test"), ("push", "--quiet")):
        subprocess.run(["git", *WHO, *words], cwd=clone, env=ENV, check=True)
    code, result, said = here(*ONCE, "--directory", str(folder))
    assert code == 1
    assert said.startswith("The story did not end as told: BILL-1: its runs ended as [('Failed'")
    assert [run["state"] for ticket in result["tickets"] for run in ticket["runs"]] == [
        "Failed",
        "Failed",
    ]
    assert result["ledger"]["open_holds"] == 0


def test_other_words_are_told(here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    story = {**STORY, "good": replace(STORY["good"], description=VAGUE)}
    monkeypatch.setattr(demo_play, "play", partial(demo_play.play, story=story))
    code, result, said = here(*ONCE)
    assert code == 1
    assert re.match("The story did not end as told: BILL-2: n\\w+ with [0-9]+, not ready\n", said)
    assert [len(ticket["runs"]) for ticket in result["tickets"]] == [1, 0, 0]


def test_a_vague_text_that_is_let_through_is_told(
    here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = {"vague": replace(STORY["vague"], description=QUOTING)}
    monkeypatch.setattr(demo_play, "play", partial(demo_play.play, story=story))
    code, _, said = here(*ONCE)
    assert code == 1
    assert "BILL-1: the vague text was let through: ready" in said


def test_a_text_that_somebody_edits_meanwhile_is_told(
    here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = demo_play.write_tickets

    def then_edit(on: Stage, *rest: Any) -> None:
        real(on, *rest)
        on.jira.edit(on.keys["budget"], {"summary": "CSV export: another thing"}, AUTHOR)

    monkeypatch.setattr(demo_play, "write_tickets", then_edit)
    code, _, said = here(*ONCE)
    assert code == 1
    assert said.startswith("The story did not end as told: OPS-1: its text is not the one")


# What cannot be


def test_what_cannot_be_is_refused_in_a_sentence(here: Callable[..., Any], tmp_path: Path) -> None:
    known = "known: rehearsal, and claude where ANTHROPIC_API_KEY is set"
    used = tmp_path / "data" / "signalbox.sqlite"
    used.parent.mkdir()
    used.touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] - 1
        for arguments, sentence in (
            (("--agent", "nobody"), f"The agent 'nobody' cannot start here; {known}"),
            (
                ("--directory", str(tmp_path)),
                f"There is a demo in {tmp_path} already: name a fresh folder",
            ),
            (("--port", str(port)), f"Port {port} or {port + 1} is in use on this machine"),
        ):
            assert here(*ONCE, *arguments) == (2, None, f"signalbox: {sentence}\n")
    assert here("--json")[:2] == (2, None)
