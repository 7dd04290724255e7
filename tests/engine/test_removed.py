"""Work that was under way for a site that is no more: it ends, once, and by a name."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from dbos import DBOS

from app.engine.forget import forget
from app.engine.relay import Enqueuer
from app.store import inbox, removal
from tests.engine.stage import LONG_AGO, SITE, Stage, set_up, until

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
Work = Callable[..., Any]


def states() -> dict[str, str]:
    return {
        flow.workflow_id: flow.status for flow in DBOS.list_workflows(queue_name=["assess", "runs"])
    }


def test_workflows_of_a_removed_site_end(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    on_stage.deliver_comment(key, on_stage.jira.comment(key, "agent status", "Author").id)
    enqueue = Enqueuer(on_stage.db.url)
    assert inbox.relay(on_stage.db, enqueue, LONG_AGO) == 2
    enqueue.close()
    removal.wipe(on_stage.db, SITE)
    work()
    until(lambda: len(states()) == 2 and set(states().values()) == {"SUCCESS"})
    results: set[Any] = {DBOS.retrieve_workflow(name).get_result() for name in states()}
    assert results == {"parked"}
    assert on_stage.outcomes() == []


def test_a_site_of_the_same_name_begins_anew(on_stage: Stage, work: Work) -> None:
    """Its tickets and runs count from one again, and so do the ids of their workflows."""
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert removal.shut(on_stage.db, SITE, LONG_AGO) == 0
    assert forget(on_stage.db.url, SITE) >= 3
    assert [name for name in states() if f":{SITE}:" in name] == []
    removal.wipe(on_stage.db, SITE)
    assert (on_stage.runs(), on_stage.outcomes()) == ([], [])
    jira = on_stage.jira
    own = jira.user("Signalbox").account_id
    set_up(on_stage.db, jira.base_url, own, jira.credentials("Signalbox"), on_stage.origin)
    for branch in on_stage.branches():  # they stay, and a branch is never pushed over
        argv = ["git", "-C", str(on_stage.origin), "branch", "-D", branch]
        subprocess.run(argv, check=True, capture_output=True)
    on_stage.deliver(key)
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert [(run["number"], run["ending"]) for run in on_stage.runs()] == [(1, "Succeeded")]
