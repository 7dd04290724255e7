"""The benchmarks: their arithmetic, their table, and that the longest one still runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from bench import first_comment, machine, report, scan, score
from bench.__main__ import main
from bench.distribution import figures
from bench.report import Line, Report

MACHINE: dict[str, Any] = {"cores": 2}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], {"n": 1, "p50": 3, "p95": 3, "p99": 3, "max": 3}),
        ([2.0, 1.0], {"n": 2, "p50": 1, "p95": 2, "p99": 2, "max": 2}),
        (list(range(1, 101)), {"n": 100, "p50": 50, "p95": 95, "p99": 99, "max": 100}),
        (list(range(200, 0, -1)), {"n": 200, "p50": 100, "p95": 190, "p99": 198, "max": 200}),
    ],
)
def test_figures_are_values_that_were_measured(
    values: list[float], expected: dict[str, float]
) -> None:
    assert figures(values) == expected


@pytest.mark.parametrize(("most", "word"), [(1.0, "not reached"), (2.0, "≤ 2: reached")])
def test_a_goal_is_told_as_reached_or_not(most: float, word: str) -> None:
    made = Report("walk", "from here to there", [Line("on foot", [1.0, 1.5], ("max", most))])
    shown = io.StringIO()
    report.show(Console(file=shown, width=120), made, MACHINE)
    assert word in shown.getvalue()
    assert "cores 2" in shown.getvalue()


def test_every_value_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    made = Report("walk", "from here to there", [Line("on foot", [1.0, 1.5])], {"rain": "no"})
    kept = json.loads(report.save(made, MACHINE).read_text())
    assert kept["lines"] == [{"title": "on foot", "values": [1.0, 1.5], "goal": None}]
    assert (kept["machine"], kept["notes"]) == (MACHINE, {"rain": "no"})


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["second_comment"])
    assert "there are first_comment, ledger, score, core, suite, scan" in capsys.readouterr().err


def test_the_machine_is_described() -> None:
    found = machine.facts()
    assert found["cores"] >= 1
    assert found["hashing_ms"] > 0


def test_first_comments_are_measured() -> None:
    with Progress(disable=True) as progress:
        made = first_comment.run(progress, tickets=1, burst=2, mode="auto", warming=0)
    assert [len(line.values) for line in made.lines] == [1, 2]
    assert all(0 < value < 60 for line in made.lines for value in line.values)


@pytest.mark.shared
def test_scans_are_measured() -> None:
    with Progress(disable=True) as progress:
        made = scan.run(progress, most=20)
    assert made.notes["tickets"] == 20 * len(scan.files())
    assert made.notes["tickets/s"] > 0


@pytest.mark.shared
def test_the_checklist_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "LARGE", {})
    monkeypatch.setattr(score, "GROWING", ("etc. ",))
    with Progress(disable=True) as progress:
        made = score.run(progress, runs=1)
    named = {line.title: line.values for line in made.lines}
    assert (len(named["a real ticket"]), len(named["binary"])) == (220, 1)
    assert made.notes["tickets a second on one core"] > 0
    assert made.notes["four times the text takes"].endswith("times as long at most ('etc. ')")
