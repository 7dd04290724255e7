"""What happens to tickets besides a good run, and how all is well in the end.

Each story makes steps happen that a good run never comes to. Its worker may die in any of them;
then the next one goes on. A fault stays until the story has seen what it did: so nothing depends
on how often a call is repeated after a death.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.adapters.prices import price
from app.engine.relay import Enqueuer
from app.sandbox.story import VAGUE
from app.store import inbox as deliveries
from app.store import people, spending
from app.store.refold import refold
from app.store.schema import inbox, site
from app.store.schema_score import judgement
from tests.engine.crash import Crew, agent_starts, around, kind, pushes
from tests.engine.crash_commands import WRITES, told_by_commands
from tests.engine.crash_money import TOLD, told_of_money
from tests.engine.stage import PROJECT, SITE, Stage
from tests.fakes.messages_api import FakeCall, FakeMessagesApi

ALWAYS = 1_000_000
HOLD = 3_000_000


def turned_away(on: Stage, crew: Crew) -> None:
    """Jira asks to wait before anything is read. Then it takes a right away, and gives it back."""
    key = on.label_good_ticket(VAGUE)
    asked = on.jira.comment(key, "agent help", "Author").id
    on.jira.faults.add(kind="429", path_pattern="/issue/", retry_after="60", times=ALWAYS)
    on.deliver_comment(key, asked)
    on.deliver(key)
    crew.start()
    weather = (None, "Jira did not answer; tried again later")
    crew.until(lambda: on.outcomes() == [weather, weather])
    on.jira.faults.clear()
    crew.minutes_pass(1)
    crew.until(lambda: {outcome for outcome, _ in on.outcomes()} == {"handled"})
    on.jira.faults.add(kind="403", method="GET", path_pattern=r"/issue/\d+$", times=ALWAYS)
    on.deliver(key)
    crew.until(lambda: on.outcomes()[2][0] == "parked")
    on.jira.faults.clear()
    crew.trigger("look-again")
    crew.until(crew.at_rest)

    assert {outcome for outcome, _ in on.outcomes()} == {"handled"}
    assert len(on.outcomes()) == 3
    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert on.comments(key)["readiness"].startswith(("[NOT YET]", "[NEARLY]"))
    assert on.ticket(key)["decision"]["decision"] == "defer"
    assert spending.totals(on.db) == {"held": 0, "posted": 0, "open_holds": 0}
    assert on.runs() == []


def given_up(on: Stage, crew: Crew) -> None:
    """Jira takes rights away while the agent works, so that the run can't be handed over and its
    end can't be told; then it gives them back."""
    key = on.label_good_ticket()
    on.deliver(key)
    crew.start()
    crew.until(lambda: agent_starts(on) and on.outcomes()[0][0] == "handled")
    run_key = f"run:{SITE}:{on.runs()[0]['issue_id']}:1"
    for method, path in (("GET", r"/issue/\d+$"), ("POST", "/comment$")):
        on.jira.faults.add(kind="403", method=method, path_pattern=path, times=ALWAYS)
    crew.let_agent_work()
    crew.until(lambda: "parked" in {outcome for outcome, _ in on.outcomes()})
    crew.until(lambda: crew.flows("SUCCESS", name="tell_result"))
    assert on.runs()[0]["told_at"] is None
    on.jira.faults.clear()
    crew.minutes_pass(6)
    crew.trigger("look-again")
    crew.until(crew.at_rest)

    run = on.runs()[0]
    assert (len(on.runs()), run["ending"]) == (1, "Failed")
    assert "Jira does not let" in run["cause"]
    assert on.branches() == [f"agent/{key}-1"], "what it has made is kept"
    assert run["commit"]
    assert (pushes(on), len(agent_starts(on))) == (1, 1)
    assert set(on.comments(key)) == {"readiness", run_key, f"result:{run_key}"}
    assert "Jira does not let" in on.comments(key)[f"result:{run_key}"]
    assert "[FAILED]" in on.comments(key)[run_key]
    assert [outcome for outcome, _ in on.outcomes()] == ["handled"] * 2, "ours was parked"
    assert on.ticket(key)["decision"] is not None, "it was assessed after all"
    assert spending.totals(on.db) == {"held": 0, "posted": 420_000, "open_holds": 0}
    assert not list((on.directory / "runs").glob("*/*"))


def lost(on: Stage, crew: Crew) -> None:
    """Workflows are no more: the ticket's assessment and the answer to a question before they
    begin, and the run while the agent works."""
    key = on.label_good_ticket()
    asked = on.jira.comment(key, "agent help", "Author").id
    on.deliver_comment(key, asked)
    on.deliver(key)
    enqueue = Enqueuer(on.db.url)
    deliveries.relay(on.db, enqueue, datetime.now(UTC))
    enqueue.close()
    crew.engine.cancel_workflows([flow.workflow_id for flow in crew.flows("ENQUEUED")])
    crew.start()
    crew.trigger("look-again")
    crew.minutes_pass(1)
    crew.until(lambda: agent_starts(on) and {o for o, _ in on.outcomes()} == {"handled"})
    run_key = f"run:{SITE}:{on.runs()[0]['issue_id']}:1"
    crew.engine.cancel_workflow(run_key)
    crew.trigger("look-again")
    crew.until(crew.at_rest)

    assert [run["ending"] for run in on.runs()] == ["Failed"]
    told = {"readiness", f"reply:{asked}", run_key, f"result:{run_key}"}
    assert set(on.comments(key)) == told
    assert spending.totals(on.db) == {"held": 0, "posted": HOLD, "open_holds": 0}
    assert [outcome for outcome, _ in on.outcomes()] == ["handled"] * 2
    assert len(agent_starts(on)) == 1
    assert (on.branches(), pushes(on)) == ([], 0)


def unheard(on: Stage, crew: Crew) -> None:
    """No delivery comes in: label and question are found by asking Jira, and found once. Long
    after a delivery has come in all the same, what is left of it all is tidied."""
    key = on.label_good_ticket(VAGUE)
    asked = on.jira.comment(key, "agent help", "Author").id
    crew.start()
    crew.trigger("poll")
    crew.until(crew.at_rest)
    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert [why for _, why in on.outcomes()].count("help") == 1
    on.deliver(key)
    crew.until(crew.at_rest)
    crew.tidy_much_later()

    left = {flow.name for flow in crew.flows()}
    assert not left & {"assess_ticket", "obey_comment"}, "ended workflows were to be deleted"
    with on.db.read() as c:
        bodies = c.execute(sa.select(inbox.c.body).where(inbox.c.body.is_not(None)))
        assert not bodies.all(), "texts were to be erased"
    crew.until(crew.at_rest)
    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert on.comments(key)["readiness"].startswith(("[NOT YET]", "[NEARLY]"))
    assert {outcome for outcome, _ in on.outcomes()} <= {"handled", "ignored"}
    assert spending.totals(on.db) == {"held": 0, "posted": 0, "open_holds": 0}
    assert on.runs() == []


def by_other_doors(on: Stage, crew: Crew) -> None:
    """A rule names its ticket by key alone, a mention names no comment, a task is cancelled, a
    button is pressed, and admins are to hear of a storm."""
    key = on.label_good_ticket(VAGUE)
    alerts = _operations_ticket(on)
    asked = on.jira.comment(key, "agent help", "Author").id
    author, now = on.jira.user("Author").account_id, datetime.now(UTC)
    here = {"issue_id": on.jira.issue(key).id, "actor": author}
    _put(on, "rule", kind="ticket", issue_key=key)
    _put(on, "a2a:mention", kind="mention", **here)
    _put(on, "a2a:cancel", kind="cancel", **here)
    press = deliveries.Press("1", author, "status", "", now)
    deliveries.press(on.db, SITE, here["issue_id"], press)
    storm = json.dumps({"project_key": PROJECT, "by": author, "at": now.isoformat()})
    _put(on, "signalbox:storm", kind="notice", body=storm.encode(), **here)
    crew.start()
    crew.until(crew.at_rest)

    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert list(on.comments(alerts)) == [f"storm:{author}:{now.isoformat()}"]
    told = set(on.outcomes())
    # Where the worker died between the deed and its record, the repeat finds it done.
    assert told & {("handled", "status"), ("ignored", "obeyed before")}
    assert told & {("handled", "help"), ("ignored", "obeyed before")}
    assert {("handled", ""), ("ignored", "no run is on")} <= told
    assert len(on.outcomes()) == 4
    assert on.runs() == []


def in_duty(on: Stage, crew: Crew) -> None:
    """A token is about to end. Later, on an app's site, a person's account is closed."""
    alerts = _operations_ticket(on)
    ends = datetime.now(UTC) + timedelta(days=5)
    with on.db.write() as c:
        c.execute(site.update().values(token_expires_at=ends))
    on.deliver(on.label_good_ticket(VAGUE))
    crew.start()
    crew.until(crew.at_rest)
    crew.trigger("remind")
    assert list(on.comments(alerts)) == [f"token:{ends.date().isoformat()}:7"]
    with on.db.write() as c:
        c.execute(site.update().values(connection="connect", client_key="k"))
    assert set(people.accounts(on.db, SITE)) == {on.jira.user("Author").account_id}
    crew.trigger("report-people")
    assert people.accounts(on.db, SITE) == {}
    assert list(on.comments(alerts)) == [f"token:{ends.date().isoformat()}:7"]


def judged(on: Stage, crew: Crew) -> None:
    """An LLM is asked about a text. Whoever dies while it is asked has paid for it, and no money
    is left set aside."""
    on.change(judge=True)
    with FakeMessagesApi() as model:
        (on.directory / "model").write_text(model.url)
        key = on.label_good_ticket(VAGUE)
        crew.start()
        on.deliver(key)
        crew.until(crew.at_rest)

    spent = spending.totals(on.db)
    assert (spent["held"], spent["open_holds"]) == (0, 0)
    assert refold(on.db, SITE).equal
    with on.db.read() as c:
        row = c.execute(sa.select(judgement)).mappings().one()
    assert (row["state"], row["cost"]) == ("answered", spent["posted"])
    billed = sum(_billed(call) for call in model.calls)
    assert spent["posted"] >= billed, "what the provider bills is on our books"
    assert len(model.calls) <= 1 + crew.died
    if not crew.died:
        assert spent["posted"] == billed
    assert "with AI, text was sent to it" in on.comments(key)["readiness"]
    assert on.ticket(key)["decision"]["decision"] == "defer"
    assert on.runs() == []


def _billed(call: FakeCall) -> int:
    cost = price(call.model, fresh=call.fresh, written=call.written, read=call.read, out=call.out)
    assert cost is not None
    return cost


def _operations_ticket(on: Stage) -> str:
    key = on.jira.create_issue(PROJECT, "Alerts", reporter="Author").key
    on.change(operations_ticket=key)
    return key


def _put(on: Stage, event: str, **values: object) -> None:
    """A delivery as its door keeps it."""
    row: dict[str, object] = {
        "id": event,
        "site_id": SITE,
        "ident": event,
        "event": event,
        "once_key": None,
    }
    row |= {"reason": "", "received_at": datetime.now(UTC)}
    deliveries.receive(on.db, row | values)


@dataclass(frozen=True, slots=True)
class Story:
    """steps: those that happen in it and never in a run where all goes well. calls: those that
    are worth a death when one of these steps makes them."""

    play: Callable[[Stage, Crew], None]
    steps: frozenset[str]
    calls: frozenset[str]

    def deadly(self, found: Sequence[str]) -> list[str]:
        """Of the boundaries of a whole telling, those at which a worker is to die."""
        edges, within, deadly = around(self.steps), False, list[str]()
        for name in found:
            call = kind(name).partition(" ")[2]
            if kind(name) in edges:
                within = name.startswith("before")
            if kind(name) in edges or (within and call in self.calls):
                deadly.append(name)
        missed = (around(self.steps) | around(self.calls, "")) - {kind(name) for name in deadly}
        assert not missed, f"the story does not come to them any more: {sorted(missed)}"
        return deadly


STORIES = {
    "turned away": Story(turned_away, frozenset({"give_back", "wake_deferred"}), frozenset()),
    "given up": Story(
        given_up,
        frozenset({"give_up", "leave_untold", "tell_untold"}),
        frozenset({"enqueue tell_result"}),
    ),
    "lost": Story(lost, frozenset({"reconcile"}), frozenset({"enqueue tell_result"})),
    "unheard": Story(
        unheard,
        frozenset(
            {
                "due_sites",
                "poll",
                "erase_texts",
                "remove_workspaces",
                "delete_workflows",
                "check_ledger",
            }
        ),
        frozenset({"POST /rest/api/N/search/jql"}),
    ),
    "by other doors": Story(
        by_other_doors, frozenset({"find", "hear", "cancel", "press", "notify"}), frozenset()
    ),
    "told by commands": Story(
        told_by_commands,
        frozenset({"obey"}),
        frozenset(WRITES),
    ),
    "judged": Story(judged, frozenset({"judge"}), frozenset({"model call"})),
    "told of money": Story(told_of_money, TOLD, frozenset({"POST /rest/api/N/issue/N/comment"})),
    "in duty": Story(in_duty, frozenset({"warn_of_expiry", "report_people"}), frozenset()),
}
