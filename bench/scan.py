"""A scan of real tickets over HTTP: the command as an admin types it, on a sandbox Jira.

The tickets are those of SHARED_DIR/score_bench: read from there, never copied.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.progress import Progress

from app.adapters.vault import new_key
from app.sandbox.server import SandboxJira
from bench.report import Line, Report
from bench.service import SIGNALBOX, SITE

ROOT = Path(__file__).resolve().parent.parent
TICKETS = (ROOT / os.environ.get("SHARED_DIR", "../shared")).resolve() / "score_bench/data"
FIRST, APART = datetime(2014, 1, 1, tzinfo=UTC), timedelta(hours=6)
"""When the first ticket was made, and how long after it each next one: eleven years in all."""
ALL = 1_000_000
csv.field_size_limit(sys.maxsize)


def run(progress: Progress, most: int = ALL) -> Report:
    """`most` tickets of each project."""
    if not files():
        raise RuntimeError(f"there are no tickets in {TICKETS}: SHARED_DIR names its folder")
    jira = SandboxJira()
    jira.add_user("Signalbox", account_type="app", rights="admin")
    keys = [_fill(progress, jira, file, most) for file in files()]
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder, jira.serve() as address:
        env = _environment(jira, Path(folder))
        site = ["site", "add", SITE, "--url", address, "--email", "signalbox@sandbox.example"]
        argv = [str(SIGNALBOX), *site, "--token-env", "JIRA_TOKEN"]
        subprocess.run(argv, env=env, check=True, capture_output=True)
        jira.journal.clear()
        jql = f"project in ({', '.join(keys)})"
        seconds, memory, said = _timed([str(SIGNALBOX), "scan", "--jql", jql], env)
    found = json.loads(said)
    many = found["read"]
    if many != len(jira.state.issues):
        raise RuntimeError(f"{many} tickets were read of {len(jira.state.issues)}")
    shares = {name: f"{100 * count / many:.1f} %" for name, count in found["groups"].items()}
    notes = {
        "tickets": many,
        "tickets/s": round(many / seconds),
        "requests": len(jira.journal),
        "peak memory MB": round(memory),
        **shares,
        "rubric": found["rubric"],
    }
    return Report("scan", "a backlog read and judged, over HTTP", [Line("scan", [seconds])], notes)


def files() -> list[Path]:
    return sorted((TICKETS / "storypoints").glob("*.csv.gz"))


def _fill(progress: Progress, jira: SandboxJira, file: Path, most: int) -> str:
    name = file.name.partition(".")[0]
    project = jira.add_project(name[:10], name)
    for row in progress.track(list(_rows(file, most)), description=name):
        text = row["description"]
        issue = jira.create_issue(project.key, row["title"] or "(none)", description=text)
        issue.created = FIRST + APART * len(jira.state.issues)
    return project.key


def _rows(file: Path, most: int) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if number == most:
                return
            yield row


def _environment(jira: SandboxJira, folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}
    own = {"SIGNALBOX_SECRET_KEY": new_key(), "SIGNALBOX_DATA": str(folder / "data")}
    return env | own | {"JIRA_TOKEN": jira.credentials("Signalbox")[1], "NO_PROXY": "127.0.0.1"}


def _timed(argv: list[str], env: dict[str, str]) -> tuple[float, float, str]:
    """Seconds, peak memory in MB, and what it printed, of one process."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen([*argv, "--format", "json"], env=env, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the scan ended with {process.returncode}")
        out.seek(0)
        return seconds, used.ru_maxrss / 1024, out.read()
