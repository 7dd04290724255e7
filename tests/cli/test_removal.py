"""`signalbox site remove`: what is told first, what goes, what another site keeps, and repeats."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic
from app.core.plain import render
from app.core.text import paragraph
from app.sandbox.server import SandboxJira
from app.store import installs, sites
from app.store.database import Database
from app.store.schema import project, run, site, ticket
from tests.cli.conftest import NOW, TOKEN, Terminal
from tests.store.rows import AT, count, fill

KEYS = ("BILL-1", "BILL-2", "BILL-3")
LINE = "Signalbox was removed from this Jira on 23 Nov 2026."


@pytest.fixture
def told(connected: Terminal, jira: SandboxJira, database: Database) -> Terminal:
    """Three tickets with a comment and both properties; a second site with the same ids."""
    mine = JiraTracker("acme", connected.address, Basic("signalbox@sandbox.example", TOKEN))
    with database.write() as c:
        for key in KEYS:
            issue = jira.issue(key)
            made = mine.put_comment(issue.id, "readiness", [paragraph(f"about {key}")])
            mine.set_property(issue.id, "signalbox.readiness", {"score": 1})
            mine.set_property(issue.id, "signalbox.run", {"state": "ended"})
            values = {"site_id": "acme", "issue_id": issue.id, "gen": 1, "taken": 1}
            values |= {"key": key, "comment_id": made, "assessed_at": NOW}
            c.execute(ticket.insert().values(values))
    fill(database, "acme", issue_id="404", commit="c0ffee", key="GONE-1", repository="/srv/code")
    fill(database, "twin", issue_id="404", commit="c0ffee", key="GONE-1", repository="/srv/code")
    return connected


def ours(jira: SandboxJira, key: str) -> list[str]:
    """Our comments as text."""
    found = [c for c in jira.comments(key) if "signalbox" in c.properties]
    return [render(c.body.document().blocks).strip() for c in found]


def properties(jira: SandboxJira, key: str) -> set[str]:
    return {name for name in jira.issue(key).properties if name.startswith("signalbox.")}


def end_runs(database: Database, at: datetime | None = AT) -> None:
    with database.write() as c:
        c.execute(run.update().values(ended_at=at))


def test_the_plan_changes_nothing(told: Terminal, jira: SandboxJira, database: Database) -> None:
    before = count(database, "acme"), sites.get_site(database, "acme")
    rows = sum(before[0].values()) - 1
    Path(told.env["SIGNALBOX_DATA"], "runs", "acme", "404-1").mkdir(parents=True)
    assert told.run("site remove acme --plan").replace(str(Path.cwd()), "…") == (
        "Removing the site acme (http://jira) means:\n"
        "- Runs: none is on.\n"
        "- Money: $0.00 spent and $0.00 set aside; the ledger goes too, so note what you need.\n"
        f"- Rows: {rows} of this site go, of other sites none.\n"
        "- Comments: each is replaced by one line (--comments keep|fold|delete), in 5 tickets at"
        " the most. Jira may mail those edits to watchers.\n"
        "- Properties: signalbox.readiness, .run and .text are deleted in the same tickets.\n"
        "- Branch that stays: agent/GONE-1-1 in /srv/code\n"
        "- Folder that stays, with work that could not be pushed: …/data/runs/acme/404-1\n"
        "- By hand: In Jira: Settings > System > WebHooks: delete the webhook to"
        " /webhooks/jira/acme.\n"
        "- By hand: Revoke the API token of signalbox@sandbox.example: id.atlassian.com > Security"
        " > API tokens.\n"
        "Nothing was changed. To do it: signalbox site remove acme --yes\n"
    )
    assert (count(database, "acme"), sites.get_site(database, "acme")) == before
    assert ours(jira, "BILL-1") == ["about BILL-1"]
    told_of = told.json("site remove acme --plan")
    assert told_of["branches"] == [{"repository": "/srv/code", "branch": "agent/GONE-1-1"}]
    assert told_of["rows"] == {k: v for k, v in before[0].items() if k != "site"}


@pytest.mark.parametrize(
    ("fate", "left"), [("fold", [LINE]), ("delete", []), ("keep", ["about {}"])]
)
def test_everything_of_the_site_goes(
    told: Terminal, jira: SandboxJira, database: Database, fate: str, left: list[str]
) -> None:
    jira.comment("BILL-1", "A person's words", "Author")
    rows, other = sum(count(database, "acme").values()), count(database, "twin")
    said = told.run(f"site remove acme --yes --comments {fate}")
    assert said.startswith(f"The site acme is removed: {rows} rows.\nTidied in Jira: 5 tickets.\n")
    for key in KEYS:
        assert ours(jira, key) == [line.format(key) for line in left]
        assert properties(jira, key) == set()
    assert [c for c in jira.comments("BILL-1") if "signalbox" not in c.properties]
    assert set(count(database, "acme").values()) == {0}
    assert count(database, "twin") == other
    assert set(other.values()) == {1}
    assert "there is no site 'acme'" in told.refused("site remove acme --yes").lower()


def test_runs_are_stopped_first(told: Terminal, database: Database) -> None:
    end_runs(database, None)
    before = count(database, "acme")
    assert told.refused("site remove acme --yes", code=1) == (
        "One run has not ended yet and will stop now, where the worker is up; nothing else starts."
        " Repeat the command in a minute."
    )
    assert count(database, "acme") == before
    with database.read() as c:
        stops = c.execute(sa.select(run.c.site_id, run.c.stop_why)).all()
        modes = c.execute(sa.select(project.c.site_id, project.c.mode)).all()
    assert dict(stops) == {"acme": "1", "twin": "1"}, "the first wish counts"
    assert dict(modes) == {"acme": "off", "twin": "1"}
    assert sites.get_site(database, "acme")["paused_at"] == NOW
    end_runs(database)
    told.run("site remove acme --yes")


def test_a_jira_that_is_away_loses_nothing(
    told: Terminal, jira: SandboxJira, database: Database
) -> None:
    third = jira.issue("BILL-3").id
    jira.faults.add(kind="503", path_pattern=f"issue/{third}", times=100)
    before = count(database, "acme")
    told.refused("site remove acme --yes", code=1)
    gone_on = count(database, "acme")
    assert (gone_on["ticket"], gone_on["run"], gone_on["entry"]) == (before["ticket"], 1, 1)
    assert [ours(jira, key) for key in KEYS] == [[LINE], [LINE], ["about BILL-3"]]
    jira.faults.clear()
    seen = len(jira.journal)
    told.run("site remove acme --yes")
    assert [ours(jira, key) for key in KEYS] == [[LINE]] * 3
    again = [e for e in list(jira.journal)[seen:] if f"issue/{jira.issue('BILL-1').id}" in e.path]
    assert again == [], "what was tidied is not looked at again"


def test_a_credential_that_is_refused(
    told: Terminal, jira: SandboxJira, database: Database
) -> None:
    with database.write() as c:
        c.execute(site.update().where(site.c.id == "acme").values(email="nobody@sandbox.example"))
    said = told.refused("site remove acme --yes")
    assert said.endswith("To remove the site and leave Jira as it is: --comments keep.")
    assert count(database, "acme")["site"] == 1
    said = told.run("site remove acme --yes --comments keep")
    assert said.count("Left as it is: ") == 5
    assert ours(jira, "BILL-1") == ["about BILL-1"]
    assert count(database, "acme")["site"] == 0


def test_a_site_that_has_uninstalled_us(
    told: Terminal, jira: SandboxJira, database: Database
) -> None:
    installs.uninstall(database, "acme", NOW)
    plan = told.run("site remove acme --plan")
    assert "they stay, as Signalbox was uninstalled" in plan
    assert "By hand" not in plan
    seen = len(jira.journal)
    assert "Tidied" not in told.run("site remove acme --yes")
    assert len(jira.journal) == seen
    assert set(count(database, "acme").values()) == {0}


def test_what_was_typed_has_to_be_clear(told: Terminal) -> None:
    for line in ("", " --plan --yes"):
        assert "either --plan" in told.refused(f"site remove acme{line}")
    assert "use keep, fold, delete" in told.refused("site remove acme --yes --comments burn")
    assert "there is no site 'no'" in told.refused("site remove no --plan").lower()
