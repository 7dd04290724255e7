"""How long the tests take: all of them as `make test` runs them, and those of the pure core."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from rich.progress import Progress

from bench.machine import ROOT
from bench.report import Line, Report

SUITE = ("make", "test")
CORE = (sys.executable, "-m", "pytest", "-q", "tests/core")
SUITE_GOAL = ("max", 300.0)
CORE_GOAL = ("max", 5.0)


class TestsFailed(Exception):
    """The time of tests that fail is no figure. The message is what they said last."""


def run_suite(progress: Progress, runs: int) -> Report:
    values, said = _timed(progress, SUITE, runs, "make test")
    goal = [Line("make test", values, SUITE_GOAL)]
    return Report("suite", "the whole suite, warm", goal, {"last run": said})


def run_core(progress: Progress, runs: int) -> Report:
    values, said = _timed(progress, CORE, runs, "pytest tests/core")
    goal = [Line("pytest tests/core", values, CORE_GOAL)]
    return Report("core", "the pure core's tests, one process", goal, {"last run": said})


def _timed(
    progress: Progress, command: Sequence[str], runs: int, title: str
) -> tuple[list[float], str]:
    values, said = [], ""
    for number in range(1, runs + 1):
        task = progress.add_task(f"{title}, run {number} of {runs}", total=None)
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        values.append(time.perf_counter() - started)
        progress.update(task, total=1, completed=1)
        if done.returncode:
            raise TestsFailed("\n".join((done.stdout + done.stderr).splitlines()[-20:]))
        said = done.stdout.strip().splitlines()[-1].strip("= ")
    return values, said
