"""`signalbox scan` on a sandbox Jira, every ticket once, nothing written, to its end."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.backlog import Standing, place
from app.core.criteria import BY_NAME
from app.sandbox.server import SandboxJira
from app.store import scans
from app.store.database import Database
from app.store.schema_score import scan, scan_row
from tests.cli.conftest import NOW, PLACE, Terminal
from tests.core.test_backlog import READY, VAGUE

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
SECRET_WORDS = "frobnicate the zebra"


def fill(jira: SandboxJira, many: int) -> list[str]:
    """Tickets of LOAD, a day apart, of three kinds by turns."""
    jira.add_project("LOAD", "Load")
    kinds = (("Quote fields that hold a semicolon", READY), ("Export", VAGUE), ("Export", ""))
    keys = []
    for number in range(many):
        summary, text = kinds[number % 3]
        made = jira.create_issue("LOAD", f"{summary} {SECRET_WORDS}", description=text)
        made.created = NOW - timedelta(days=many - number)
        keys.append(made.key)
    return keys


def pages(jira: SandboxJira) -> list[tuple[Any, Any]]:
    """Which pages were read, those that were answered."""
    found = jira.journal.find("POST", "/search/jql")
    return [(e.body["jql"], e.body.get("nextPageToken")) for e in found if e.status == 200]


def written(jira: SandboxJira) -> list[str]:
    return [entry.path for entry in jira.journal.writes() if "/search" not in entry.path]


def everything(db: Database) -> str:
    with db.read() as c:
        return repr([list(c.execute(sa.select(table))) for table in (scan, scan_row)])


def test_a_backlog_is_sorted_and_nothing_is_written(
    connected: Terminal, jira: SandboxJira, database: Database, tmp_path: Path
) -> None:
    keys = fill(jira, 30)
    jira.transition(keys[0], "Done")
    jira.journal.clear()
    told = json.loads(connected.run("scan --project load --format json --csv all.csv"))
    assert (told["read"], told["left_alone"]) == (29, 0)  # done is not among the open ones
    assert told["groups"] == {"ready": 9, "one_answer": 0, "not_for_agents": 20}
    listed = [ticket["key"] for ticket in told["tickets"]]
    assert sorted(listed) == sorted(keys[1:])
    assert listed[:9] == keys[3::3]  # equal ones by age
    first = told["tickets"][0]
    assert first["url"] == f"{PLACE}/browse/{first['key']}"
    assert told["jql"] == 'project = "LOAD" AND (statusCategory != Done)'
    assert written(jira) == []
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ticket"] for row in rows] == listed
    assert (rows[0]["group"], rows[0]["address"]) == (
        "Ready now",
        f"{connected.address}/browse/{listed[0]}",
    )
    assert "frobnicate" not in everything(database)
    assert "frobnicate" not in (tmp_path / "all.csv").read_text()


def test_what_is_told_in_words(connected: Terminal, jira: SandboxJira) -> None:
    keys = fill(jira, 3)
    jira.transition(jira.create_issue("LOAD", "Long ago", description=READY).key, "Done")
    told = connected.run("scan --jql", "project = LOAD ORDER BY updated")
    found = json.loads(connected.run("scan --project LOAD --format json"))["tickets"]
    lines = [
        f"{each['key']}  {each['score']:>5}  {each['questions'] or '':>4}"
        f"  {BY_NAME[each['top']].title if each['top'] else ''}".rstrip()
        + "\n"
        for each in found
    ]
    assert [each["key"] for each in found] == [keys[0], keys[2], keys[1]]
    assert told == (
        "Scan of acme: project = LOAD\n"
        "4 tickets read; 1 of them done or left alone, so not judged.\n"
        "\n"
        "Ready now: 1\n"
        "Ticket  Score  Open  Asked first\n"
        f"{lines[0]}"
        "\n"
        "One answer away: 0\n"
        "\n"
        "Not for agents: 2\n"
        "Ticket  Score  Open  Asked first\n"
        f"{lines[1]}{lines[2]}"
        "\n"
        "No AI was asked and the text stayed here. Nothing was written to Jira.\n"
        "Every ticket: --csv FILE.\n"
    )


def test_what_is_left_alone_by_default_is_counted_and_not_judged(
    connected: Terminal, jira: SandboxJira, database: Database
) -> None:
    told = json.loads(connected.run("scan --project HELP --format json"))
    assert (told["read"], told["left_alone"], told["tickets"]) == (1, 1, [])
    with database.read() as c:
        (line,) = c.execute(sa.select(scan_row)).mappings()
    assert (line["group"], line["score"], line["verdict"]) == ("apart", None, None)
    connected.run("project add --key HELP --service-desk")
    told = json.loads(connected.run("scan --project HELP --format json"))
    assert (told["left_alone"], len(told["tickets"])) == (0, 1)


def test_a_large_backlog_is_read_in_parts_each_ticket_once(
    connected: Terminal, jira: SandboxJira, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.shards.cut.__defaults__", (100,))
    keys = fill(jira, 450)
    told = json.loads(connected.run("scan --project LOAD --format json"))
    assert sorted(ticket["key"] for ticket in told["tickets"]) == sorted(keys)
    asked = Counter(pages(jira))
    assert set(asked.values()) == {1}
    assert len({jql for jql, _ in asked}) >= 5


def test_a_scan_that_broke_off_goes_on(
    connected: Terminal, jira: SandboxJira, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr("app.core.shards.cut.__defaults__", (150,))
    keys = fill(jira, 450)
    jira.faults.add(kind="500", path_pattern="/search/jql", skip=3, times=10_000)
    monkeypatch.setattr("app.adapters.jira_pace.PATIENCE", 0.0)
    said = connected.refused("scan --project LOAD", code=1)
    assert said.endswith("What was read is kept: `signalbox scan --resume` goes on.")
    jira.faults.clear()
    before = set(pages(jira))
    assert before
    told = json.loads(connected.run("scan --resume --format json"))
    assert sorted(ticket["key"] for ticket in told["tickets"]) == sorted(keys)
    assert set(Counter(pages(jira)).values()) == {1}  # no page that was judged is read again
    assert told["ended_at"] is not None
    assert connected.refused("scan --resume") == (
        "No scan of acme was broken off: start one without --resume."
    )


@sqlite_only
def test_a_killed_scan_reads_each_ticket_once(
    connected: Terminal, jira: SandboxJira, tmp_path: Path
) -> None:
    """Killed for good, wherever it is: at most the pages in flight are asked for again."""
    keys = fill(jira, 900)
    # all of one day: one part, one page after another, so that there is something to kill
    for key in keys:
        jira.issue(key).created = NOW
    jira.faults.add(kind="slow", path_pattern="/search/jql", seconds=0.15, times=10_000)
    env = {**os.environ, **connected.env, "NO_PROXY": "127.0.0.1"}
    program = [sys.executable, "-c", "from app.cli import main; main()"]
    with (tmp_path / "said").open("w") as said:
        argv = [*program, "scan", "--project", "LOAD"]
        process = subprocess.Popen(argv, env=env, stdout=said, stderr=said)
    while len(pages(jira)) < 3:
        assert process.poll() is None, (tmp_path / "said").read_text()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    jira.faults.clear()
    read = len(pages(jira))
    assert 3 <= read < 9
    told = json.loads(connected.run("scan --resume --format json"))
    assert sorted(ticket["key"] for ticket in told["tickets"]) == sorted(keys)
    assert len(pages(jira)) <= 9 + 1


def test_the_order_of_the_store_is_that_of_the_rule(
    connected: Terminal, jira: SandboxJira, database: Database
) -> None:
    fill(jira, 60)
    connected.run("scan --project LOAD")
    row = scans.newest(database, "acme", "LOAD")
    assert row is not None
    for group in ("ready", "not_for_agents"):
        listed = scans.ranked(database, row, group)
        places = [
            place(Standing(group, each["verdict"], each["score"], each["questions"]), issue)
            for each in listed
            if (issue := each["issue_id"])
        ]
        assert places == sorted(places)
        assert len(places) >= 20


def test_a_later_scan_of_the_same_query_takes_the_place_of_the_first(
    connected: Terminal, jira: SandboxJira, database: Database
) -> None:
    keys = fill(jira, 3)
    connected.run("scan --project LOAD")
    jira.edit(keys[2], {"description": READY})
    told = json.loads(connected.run("scan --project LOAD --format json"))
    assert told["groups"]["ready"] == 2
    with database.read() as c:
        assert c.execute(sa.select(scan.c.id)).scalars().all() == [told["scan"]]
        assert len(c.execute(sa.select(scan_row)).all()) == 3


def test_a_place_that_jira_forgot_is_read_from_its_beginning(
    connected: Terminal, jira: SandboxJira, database: Database
) -> None:
    keys = fill(jira, 250)
    for key in keys:
        jira.issue(key).created = NOW
    connected.run("scan --project LOAD")
    with database.write() as c:
        row = c.execute(sa.select(scan)).mappings().one()
        (part,) = row["parts"]
        broken = [{**part, "at": "forgotten", "done": False}]
        c.execute(scan.update().values(parts=broken, ended_at=None))
    told = json.loads(connected.run("scan --resume --format json"))
    assert sorted(ticket["key"] for ticket in told["tickets"]) == sorted(keys)


def test_jira_asking_to_wait_is_obeyed(
    connected: Terminal, jira: SandboxJira, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(jira, 3)
    slept: list[float] = []
    monkeypatch.setattr("app.cli.scan.time.sleep", slept.append)
    jira.faults.add(kind="429", path_pattern="/search/jql", retry_after="40")
    told = json.loads(connected.run("scan --project LOAD --format json"))
    assert told["read"] == 3
    assert [round(seconds) for seconds in slept] == [40]


def test_what_cannot_be_scanned(connected: Terminal, jira: SandboxJira) -> None:
    assert connected.refused("scan").startswith("Say what to scan: --project KEY")
    assert connected.refused("scan --jql", "order by key").startswith("Say what")
    assert "Jira says" in connected.refused("scan --jql", "nonsense = 1")
    assert connected.refused("scan --project BILL --csv no/such/file.csv") == (
        "There is no folder no/such to write file.csv to."
    )
