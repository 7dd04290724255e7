"""Rights, budgets, pause and deliveries, against a sandbox Jira and a real database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.store import ledger
from app.store.database import Database
from app.store.inbox import relay
from app.store.schema import inbox, ticket
from tests.cli.conftest import AUTHOR, BILL, ME, NOW, Terminal


def waiting_ticket(db: Database, project: str, issue_id: str) -> None:
    values = {"gen": 3, "taken": 3, "look_again": True, "key": f"{project}-{issue_id}"}
    with db.write() as c:
        c.execute(
            ticket.insert().values(site_id="acme", issue_id=issue_id, project_key=project, **values)
        )


def woken(db: Database) -> list[tuple[str, str]]:
    with db.write() as c:
        rows = c.execute(sa.select(inbox.c.issue_id, inbox.c.event).order_by(inbox.c.seq)).all()
        c.execute(inbox.delete())
        return [(row[0], row[1]) for row in rows]


# Rights


def test_rights_are_granted_listed_and_taken_away(connected: Terminal) -> None:
    connected.run(BILL)
    assert connected.run("role list") == "There is no grant yet: nobody may dispatch.\n"
    account = f"role grant dispatch --project bill --account {AUTHOR}"
    assert connected.run(account) == f"Granted dispatch in BILL of acme to Author ({AUTHOR}).\n"
    assert connected.run("role grant approve --project * --jira-role Developers") == (
        "Granted approve in all of acme to the Jira role Developers.\n"
    )
    assert connected.run("role list --project BILL") == (
        "Project  Right     Held by\n"
        "*        approve   Jira role Developers\n"
        f"BILL     dispatch  account {AUTHOR}\n"
    )
    revoke = account.replace("grant", "revoke")
    assert connected.run(revoke) == "Revoked dispatch in BILL of acme.\n"
    assert connected.refused(revoke) == "There is no such grant: see `signalbox role list`."
    assert connected.json("role list") == {
        "grants": [
            {
                "site": "acme",
                "project": "*",
                "right": "approve",
                "kind": "jira_role",
                "subject": "Developers",
            }
        ]
    }


NO_GRANTS = [
    (
        "fly --project BILL --jira-role A",
        "'fly' is no right: use dispatch, approve, budget, admin.",
    ),
    ("dispatch --project BILL", "Name one of --account ID and --jira-role NAME."),
    (
        "dispatch --project BILL --account a --jira-role b",
        "Name one of --account ID and --jira-role NAME.",
    ),
    ("dispatch --project BILL --account nobody", "The account nobody is not visible"),
    (f"dispatch --project BILL --account {ME}", "Signalbox is no person of the site: an app"),
    (f"dispatch --project X1 --account {AUTHOR}", "There is no project X1 in acme: `signal"),
]


def test_a_grant_that_cannot_be(connected: Terminal) -> None:
    connected.run(BILL)
    for line, sentence in NO_GRANTS:
        assert connected.refused(f"role grant {line}")[: len(sentence)] == sentence
    assert connected.json("role list") == {"grants": []}


# Budgets


def test_budgets_show_spent_set_aside_and_free_apart(
    connected: Terminal, database: Database
) -> None:
    connected.run(BILL)
    assert connected.run("budget list") == ("No budget is set for acme, so nothing may be spent.\n")
    assert connected.run("budget set --limit 200") == (
        "Limit of site acme, period month: $200.00.\n"
    )
    assert connected.run("budget set --project BILL --period week --limit $25") == (
        "Limit of project BILL, period week: $25.00.\n"
    )
    assert connected.run("budget set --per-ticket --limit 10") == (
        "Limit of each ticket without its own, period once: $10.00.\n"
    )
    assert connected.run("budget set --ticket bill-1 --limit 4") == (
        "Limit of ticket BILL-1, period once: $4.00.\n"
    )
    assert connected.run("budget set --project BILL --no-limit") == (
        "Limit of project BILL, period month: none.\n"
    )
    spend(database, attempt=1, cost=420_000)
    spend(database, attempt=2, cost=None)
    assert connected.run("budget list") == (
        "Level    For     Period    Limit  Spent  Set aside     Free  Next reset\n"
        "site     acme    month   $200.00  $0.42      $3.00  $196.58  2026-12-01 00:00 CET\n"
        "project  BILL    week     $25.00  $0.42      $3.00   $21.58  2026-11-30 00:00 CET\n"
        "ticket   BILL-1  once      $4.00  $0.42      $3.00    $0.58\n"
        "ticket   *       once     $10.00\n"
    )
    told = connected.json("budget list")
    assert (told["site"], told["currency"]) == ("acme", "USD")
    assert told["budgets"][0] == {
        "level": "site",
        "subject": "acme",
        "period": "month",
        "limit": "200.000000",
        "spent": "0.420000",
        "set_aside": "3.000000",
        "free": "196.580000",
        "spent_simulated": "0.000000",
        "set_aside_simulated": "0.000000",
        "next_reset": "2026-11-30T23:00:00Z",
    }


def test_limits_of_persons_and_agents_are_raised_and_passed_for_a_time(
    connected: Terminal, database: Database
) -> None:
    connected.run(BILL)
    assert connected.run(f"budget set --person {AUTHOR} --period day --limit 5") == (
        f"Limit of person {AUTHOR}, period day: $5.00.\n"
    )
    assert connected.run("budget set --agent claude --limit 20") == (
        "Limit of agent claude, period month: $20.00.\n"
    )
    assert connected.run("budget raise --agent claude --by 2.50 --reason trial") == (
        "Limit of agent claude, period month: $22.50.\n"
    )
    assert connected.refused("budget raise --by 5") == "There is no limit to raise: set one"
    connected.run("budget set --limit 10")
    granted = connected.json("budget override --amount 30 --reason audit --until 2026-11-28")
    assert (granted["level"], granted["amount"]) == ("site", "30.000000")
    assert granted["until"] == "2026-11-27T23:00:00Z"
    passed = "budget override --agent claude --until 2026-12-24T18:00 --reason party"
    assert connected.run(passed).partition(":")[2] == (
        " agent claude, period month, no limit until 2026-12-24 18:00 CET.\n"
    )
    told = connected.json("budget list")
    assert [line["limit"] for line in told["budgets"]] == ["40.000000", "5.000000", None]
    assert {line["reason"] for line in told["overrides"]} == {"audit", "party"}
    first = connected.run("budget list").split("\n\n")[1].splitlines()
    assert first[0].startswith("Override  Level  For     Period  Allows")
    assert connected.run(f"budget revoke {granted['override']}").endswith(" has ended.\n")
    again = connected.refused(f"budget revoke {granted['override']}")
    assert again.endswith("is in force: see `signalbox budget list`.")
    assert connected.json("budget list")["budgets"][0]["limit"] == "10.000000"


NO_OVERRIDES = [
    ("--amount 1 --reason x --until tomorrow", "'tomorrow' is no time: write 2026-12-01"),
    ("--amount 1 --reason x --until 2020-01-01", "An override cannot end before it begins"),
    ("--amount 1 --reason x --project *", "An override is for one of them, not for each"),
    ("--reason x", "An override needs an amount, or a time at which it ends"),
    ("--amount 0 --reason x", "0 is not an amount from 1"),
    ("--amount 1 --reason x --person nobody", "The account nobody is not visible"),
]


def test_an_override_that_cannot_be(connected: Terminal) -> None:
    for options, sentence in NO_OVERRIDES:
        assert connected.refused(f"budget override {options}")[: len(sentence)] == sentence
    assert connected.json("budget list")["overrides"] == []


def test_what_a_rehearsal_made_up_is_marked(connected: Terminal, database: Database) -> None:
    connected.run(BILL)
    connected.run("budget set --limit 200")
    spend(database, attempt=1, cost=420_000, simulated=True)
    spend(database, attempt=2, cost=80_000)
    spend(database, attempt=3, cost=None, simulated=True)
    line = connected.run("budget list").splitlines()[1]
    assert "$0.50 ($0.42 of it simulated)  $3.00 (simulated)" in line


def spend(db: Database, attempt: int, cost: int | None, *, simulated: bool = False) -> None:
    waiting_ticket(db, "BILL", "10000") if attempt == 1 else None
    with db.write() as c:
        c.execute(ticket.update().values(key="BILL-1"))
    terms: dict[str, Any] = {"site_id": "acme", "zone": "Europe/Berlin", "project_key": "BILL"}
    terms |= {"issue_id": "10000", "run": 1, "attempt": attempt, "amount": 3_000_000}
    terms |= {"hold_id": f"hold-{attempt}", "simulated": simulated, "price_version": "list 1"}
    ledger.reserve(db, actor="test", now=NOW, **terms)
    if cost is not None:
        key = {"site_id": "acme", "hold_id": terms["hold_id"], "actor": "test"}
        ledger.settle(db, actual=cost, now=NOW, **key)


NO_LIMITS = [
    ("", "Say either --limit AMOUNT or --no-limit."),
    ("--limit 1 --no-limit", "Say either --limit AMOUNT or --no-limit."),
    ("--limit 1 --project BILL --per-ticket", "A limit is for one of --project, --ticket, --"),
    ("--limit -1", "'-1' is not an amount between 0 and 1000000000"),
    ("--limit 0.0000001", "'0.0000001' is not an amount between 0 and 1000000000"),
    ("--limit 1 --period year", "'year' is no period: use day, week, month, once."),
    ("--limit 1 --per-ticket --period day", "'day' is no period of a ticket: use once"),
    ("--limit 1 --project NONE", "There is no project NONE in acme: `signalbox project add`."),
    ("--limit 1 --ticket BILL-99", "The ticket BILL-99 is not visible: deleted or hidden"),
]


def test_a_limit_that_cannot_be(connected: Terminal) -> None:
    for options, sentence in NO_LIMITS:
        assert connected.refused(f"budget set {options}")[: len(sentence)] == sentence
    assert connected.json("budget list")["budgets"] == []


# Who waits is looked at again


def test_whoever_waits_is_woken_by_what_may_help(connected: Terminal, database: Database) -> None:
    connected.run(BILL)
    waiting_ticket(database, "BILL", "1")
    waiting_ticket(database, "HELP", "2")
    assert woken(database) == []
    connected.run(f"{BILL} --slots 2")
    assert woken(database) == [("1", "signalbox:project")]
    connected.run("budget set --project BILL --limit 5")
    assert woken(database) == [("1", "signalbox:budget")]
    connected.run("budget set --limit 5")
    assert woken(database) == [("1", "signalbox:budget"), ("2", "signalbox:budget")]
    connected.run(f"role grant dispatch --project BILL --account {AUTHOR}")
    assert woken(database) == [("1", "signalbox:grant")]
    assert connected.run("pause --project bill") == (
        "Project BILL of acme is paused; 1 waiting tickets are looked at again.\n"
    )
    assert woken(database) == [("1", "signalbox:paused")]
    told = connected.json("resume --project bill")
    assert told == {"site": "acme", "project": "BILL", "paused": False, "woken": 1}
    assert woken(database) == [("1", "signalbox:resumed")]


def test_pause_and_resume_of_a_site(connected: Terminal) -> None:
    connected.run(BILL)
    assert connected.run("pause") == "Site acme is paused.\n"
    assert connected.run("site list").splitlines()[1].endswith("  paused")
    assert connected.run("resume") == "Site acme is on again.\n"
    assert connected.run("site list").splitlines()[1].endswith("  on")
    assert connected.run("pause --project BILL") == "Project BILL of acme is paused.\n"
    assert connected.run("project list").splitlines()[1].endswith("  paused")
    assert connected.refused("pause --project NONE") == (
        "There is no project NONE in acme: `signalbox project add`."
    )


def test_deliveries_are_listed_with_what_became_of_them(
    connected: Terminal, database: Database
) -> None:
    assert connected.run("deliveries") == "Nothing has come in yet.\n"
    with database.write() as c:
        for n, outcome in enumerate(("handled", "ignored", None), 1):
            row: dict[str, Any] = {
                "id": f"d{n}",
                "site_id": "acme",
                "ident": f"i{n}",
                "event": "jira:issue_updated",
            }
            row |= {"kind": "ticket", "outcome": outcome, "reason": "" if n != 2 else "our own"}
            c.execute(inbox.insert().values(**row, received_at=NOW, relays=0))
    assert connected.run("deliveries --last 2") == (
        "Received              Site  Event               Outcome  Why      Delivery\n"
        "2026-11-23 09:00 UTC  acme  jira:issue_updated  waiting           d3\n"
        "2026-11-23 09:00 UTC  acme  jira:issue_updated  ignored  our own  d2\n"
    )
    told = connected.json("deliveries --site acme")
    assert told["counts"] == {"handled": 1, "ignored": 1, "waiting": 1}
    assert [row["id"] for row in told["deliveries"]] == ["d3", "d2", "d1"]


def test_what_is_parked_is_replayed(connected: Terminal, database: Database) -> None:
    with database.write() as c:
        for n, outcome in enumerate(("parked", "parked", "handled"), 1):
            row: dict[str, Any] = {
                "id": f"d{n}",
                "site_id": "acme",
                "ident": f"i{n}",
                "event": "comment_created",
                "kind": "comment",
                "outcome": outcome,
                "reason": "a fault",
                "workflow_id": f"w{n}",
                "issue_id": "1",
                "comment_id": "7",
            }
            c.execute(inbox.insert().values(**row, received_at=NOW, relayed_at=NOW, relays=1))
    assert connected.refused("replay d3") == (
        "No parked delivery has the id d3. See `signalbox deliveries`."
    )
    assert connected.run("replay d1") == "1 delivery waits once more.\n"
    assert connected.json("replay --site acme") == {"replayed": 1}
    assert connected.json("deliveries")["counts"] == {"handled": 1, "waiting": 2}
    assert relay(database, lambda *_: None, NOW) == 2
