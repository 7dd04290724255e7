"""What is kept of people after a whole run, and what a report leaves of a closed account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS

from app.adapters.jira import JiraTracker
from app.engine import sweep_steps
from app.store import people
from app.store.schema import inbox, metadata, site
from tests.engine.stage import SITE, Stage, until

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
TEXTS = (sa.Text, sa.JSON, sa.LargeBinary)
SAID = "agent status and a private remark about Author"


def kept(on: Stage) -> dict[str, str]:
    """Every text that we keep, by its column; all rows together."""
    found: dict[str, str] = {}
    with on.db.read() as c:
        for table in metadata.sorted_tables:
            for row in c.execute(sa.select(table)).mappings():
                for column in table.c:
                    if isinstance(column.type, TEXTS) and row[column.name] is not None:
                        name = f"{table.name}.{column.name}"
                        found[name] = found.get(name, "") + f" {row[column.name]!s}"
    return found


def run_to_its_end(on: Stage, work: Callable[..., Any]) -> str:
    key = on.label_good_ticket()
    on.deliver(key)
    work()
    until(lambda: on.runs() and on.quiet())
    on.deliver_comment(key, on.jira.comment(key, SAID, "Author").id)
    until(on.quiet)
    return on.jira.user("Author").account_id


def test_account_ids_alone(on_stage: Stage, work: Callable[..., Any]) -> None:
    account = run_to_its_end(on_stage, work)
    texts = kept(on_stage)
    assert account in texts["run.actor"], "the test sees what is there"
    user = on_stage.jira.user("Author")
    for name in filter(None, (user.name, user.email, SAID, "private remark")):
        told = {column for column, text in texts.items() if name.lower() in text.lower()}
        assert told == set(), f"{name} is kept"


def test_a_closed_account_is_erased_everywhere(
    on_stage: Stage, work: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = run_to_its_end(on_stage, work)
    with on_stage.db.write() as c:
        c.execute(site.update().values(connection="connect", client_key="k"))
        c.execute(inbox.update().values(body=account.encode()))
    told: list[Any] = []

    def closed(self: JiraTracker, stored: Any) -> frozenset[str]:
        told.append(stored)
        return frozenset({account})

    monkeypatch.setattr(JiraTracker, "report_accounts", closed)
    assert sweep_steps.report_people() == 1
    assert set(told[0]) == {account}
    assert {name for name, text in kept(on_stage).items() if account in text} == set()
    assert people.accounts(on_stage.db, SITE) == {}
    assert "report-people" in {each["schedule_name"] for each in DBOS.list_schedules()}


def test_only_apps_report(on_stage: Stage, work: Callable[..., Any]) -> None:
    work()
    assert sweep_steps.report_people() == 0, "a token's site would raise"
