"""`signalbox score`: files, streams and tickets; nothing is written anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.comments.readiness import NoStart, ReadinessView, readiness_comment
from app.core.markdown import titled
from app.core.plain import render
from app.core.readiness import assess
from app.sandbox.server import SandboxJira
from tests.cli.conftest import Terminal

VAGUE = """\
# CSV export is slow

The export is too slow for big customers, please make it better. Maybe in the background?
See Slack thread.
"""


def test_a_file_is_told_as_in_jira_but_for_what_happens_there(
    bare: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "spec.md").write_text(VAGUE)
    first, *rest = bare.run("score spec.md --type Story", code=4).splitlines()
    assert re.fullmatch(r"\[NOT YET\] [0-9]+/100, [2-5] open questions\.", first)
    summary, description = titled(VAGUE)
    readiness = assess(summary, description, "Story")
    comment = render(readiness_comment(ReadinessView(readiness, NoStart("mode"), "")))
    assert rest == comment.splitlines()[1:-2]
    assert any("Maybe in the background?" in line for line in rest)
    assert not any(line.startswith(("Next:", "Signalbox")) for line in rest)


def test_a_file_as_json_explains_every_point(bare: Terminal) -> None:
    told = json.loads(bare.run("score - --format json", code=4, stdin=VAGUE))
    assert list(told) == [
        *("file", "score", "verdict", "rubric", "note", "good", "questions", "criteria"),
        *("evidence", "points"),
    ]
    assert (told["file"], told["verdict"]) == ("-", "not_yet")
    assert round(sum(line["got"] for line in told["points"])) == told["score"]
    assert told["evidence"]["open_decision"] == ["Maybe in the background?"]


DESIGN = """\
---
status: draft
---
Invoices: print an empty one
============================

| state | shown |
|---|---|
| no lines | the hint "No lines yet" |

## Acceptance criteria
- [ ] Given an invoice without lines, the button Print is grey.

```py
# TODO: should we do this?
```
![flow](flow.png)
"""


def test_a_design_document_is_read_as_markdown(bare: Terminal, tmp_path: Path) -> None:
    (tmp_path / "design.md").write_text(DESIGN)
    told = json.loads(bare.run("score design.md --format json"))
    assert told["evidence"]["acceptance"][0].startswith("Given an invoice without lines")
    assert told["criteria"]["open_decision"] == "silent", "code is no open question"
    shown = bare.run("score design.md")
    assert re.match(r"\[READY\] [0-9]+/100\.\n", shown)
    assert 'Not read: "flow". What matters there has to stand in the text.' in shown


def test_markdown_is_ready_to_paste(bare: Terminal) -> None:
    first, good, *middle, last = bare.run("score - --format markdown", code=4, stdin=VAGUE).split(
        "\n\n"
    )
    assert re.fullmatch(r"\*\*NOT YET\*\* [0-9]+/100, [2-5] open questions\.", first)
    assert good.startswith("Good already: the place (")
    asked, title, table = middle
    assert asked.startswith("1. ")
    assert "For example" in asked
    assert title.startswith("All checks: ")
    rows = table.splitlines()
    assert rows[:2] == ["| Check | State | Seen in the text |", "| --- | --- | --- |"]
    assert len(rows) == 2 + 12
    assert re.fullmatch(r"_Signalbox, checklist v\d+, no AI, text stayed here_\n?", last)


def test_what_cannot_be_scored(bare: Terminal, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00 \x00\n\xff")
    (tmp_path / "long.txt").write_bytes(b"a" * 5_000_001)
    empty = "There is nothing to judge yet: the text is empty or a single word."
    assert bare.run("score empty.txt", code=4) == f"[NOT YET] not judged.\n{empty}\n"
    assert bare.run("score bytes.txt", code=4).startswith("[NOT YET] ")
    assert (
        bare.refused("score long.txt")
        == "The file long.txt is larger than 5000000 bytes: no spec is."
    )
    assert bare.refused("score .") == "The file . cannot be read: Is a directory."
    assert bare.refused("score nothing.md") == (
        "There is no file nothing.md, and it is no key of a ticket."
    )
    assert bare.refused("score") == "Name a file, - for stdin, or the key of a ticket."
    assert bare.run("score - --format xml", code=2) == ""
    assert "'xml' is not one of" in bare.said
    assert bare.refused("score spec.md --jsonl") == (
        "--jsonl reads stdin alone and takes nothing else beside it."
    )


def test_lines_are_answered_one_by_one(bare: Terminal) -> None:
    lines = [
        '{"id": "a", "summary": "CSV export", "description": "Maybe in the background?"}',
        "",
        "nonsense",
        "[1]",
        '{"id": "b", "summary": 7}',
        "[" * 100_000,
        '{"id": "c", "summary": "\\ud800 slow export", "issue_type": "Bug"}',
    ]
    out = bare.run("score --jsonl", code=1, stdin="\n".join(lines)).splitlines()
    first, *faults, last = [json.loads(line) for line in out]
    assert (first["id"], first["criteria"]["open_decision"]) == ("a", "unmet")
    assert first["evidence"]["open_decision"] == ["Maybe in the background?"]
    assert [(fault["id"], fault["score"]) for fault in faults] == [
        *((None, None), (None, None), ("b", None), (None, None)),
    ]
    assert faults[1]["error"] == "an object is expected"
    assert faults[2]["error"] == "summary has to be a string"
    assert (last["id"], type(last["score"])) == ("c", int)


def test_the_stream_answers_before_it_ends() -> None:
    """As another program uses it: one line in, its answer out, in a process without settings."""
    program = (
        "import sys; sys.argv = ['signalbox', 'score', '--jsonl']; import app.cli; app.cli.main()"
    )
    clean = {name: value for name, value in os.environ.items() if "SIGNALBOX" not in name}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**clean, "LC_ALL": "C", "PYTHONUTF8": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("ä", "b"):
            asked = {"id": name, "summary": "Größe – slow", "description": ""}
            process.stdin.write(json.dumps(asked, ensure_ascii=False).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == name
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_ticket_is_read_and_nothing_is_written(connected: Terminal, jira: SandboxJira) -> None:
    told = connected.run("score BILL-1", code=4)
    assert told.startswith("[NOT YET] No agent will start: ")
    assert told.splitlines()[-1].startswith("Signalbox, automated · ")
    ready = connected.run("score BILL-2")
    first = '[READY] No agent will start without the label "agent-ready". The text is fine ('
    assert ready.startswith(first)
    assert json.loads(connected.run("score BILL-2 --format json"))["verdict"] == "ready"
    connected.run("project add --key BILL --threshold 100")
    told = json.loads(connected.run("score BILL-2 --format json", code=3))
    assert (told["key"], told["verdict"]) == ("BILL-2", "nearly")
    shown = connected.run("score BILL-2 --format markdown", code=3)
    assert shown.startswith("**NEARLY** BILL-2: 9")
    assert "| Check | State | Seen in the text |\n| --- | --- | --- |\n| Outcome | met |" in shown
    assert connected.refused("score BILL-99").startswith("The ticket BILL-99 is not visible")
    assert jira.journal.writes() == []
