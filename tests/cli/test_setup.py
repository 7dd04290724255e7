"""Setting up by hand, against a sandbox Jira and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters.vault import Vault
from app.sandbox.records import MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from app.store import ledger, sites
from app.store.database import Database
from app.store.schema import inbox, ticket
from tests.cli.conftest import NOW, NOWHERE, PLACE, SECRET, SITE, TOKEN, Terminal

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
ME = "45f2aebd240cb351b03dc860"
AUTHOR = "636485868971eac5aca33c4a"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def waiting_ticket(db: Database, project: str, issue_id: str) -> None:
    values = {"gen": 3, "taken": 3, "look_again": True, "key": f"{project}-{issue_id}"}
    with db.write() as c:
        c.execute(
            ticket.insert().values(
                site_id="acme", issue_id=issue_id, project_key=project, score_asked=False, **values
            )
        )


def woken(db: Database) -> list[tuple[str, str]]:
    with db.write() as c:
        rows = c.execute(sa.select(inbox.c.issue_id, inbox.c.event).order_by(inbox.c.seq)).all()
        c.execute(inbox.delete())
        return [(row[0], row[1]) for row in rows]


# Sites


def test_a_site_is_connected_and_listed(terminal: Terminal, jira: SandboxJira) -> None:
    assert terminal.run("site list") == (
        "There is no site yet: add one with `signalbox site add`.\n"
    )
    said = terminal.run(f"{SITE} --webhook-secret-env JIRA_SECRET --zone Europe/Berlin")
    assert said == (
        f"Site acme is connected as Signalbox ({ME}).\n"
        "Mind: its address is not https, so the token travels in the clear.\n"
        "Webhook in Jira: <this service's address>/webhooks/jira/acme\n"
        "Next: signalbox project add --site acme --key KEY\n"
    )
    head, row = terminal.run("site list").splitlines()
    assert head.split("  ")[0] == "Site"
    assert row.split() == ["acme", PLACE, ME, "agent-ready", "set", "Europe/Berlin", "USD", "on"]
    assert terminal.json("site list") == {
        "sites": [
            {
                "id": "acme",
                "deployment": "cloud",
                "url": PLACE,
                "browse_url": PLACE,
                "email": "signalbox@sandbox.example",
                "account_id": ME,
                "webhook_secret": "set",
                "label": "agent-ready",
                "zone": "Europe/Berlin",
                "currency": "USD",
                "connected_at": "2026-11-23T09:00:00Z",
                "paused_at": None,
            }
        ]
    }


def test_secrets_are_sealed_at_rest(connected: Terminal, db: Database) -> None:
    row = sites.get_site(db, "acme")
    assert TOKEN not in str(dict(row))
    assert SECRET not in str(dict(row))
    vault = Vault(connected.env["SIGNALBOX_SECRET_KEY"])
    assert (vault.unseal(row["token"]), vault.unseal(row["webhook_secret"])) == (TOKEN, SECRET)


def test_a_token_may_come_from_stdin(terminal: Terminal, jira: SandboxJira) -> None:
    line = SITE.replace("--token-env JIRA_TOKEN", "--token-stdin")
    assert terminal.run(line, stdin=f"{TOKEN}\n").startswith("Site acme is connected")
    assert "Webhooks are closed until it has a secret" in terminal.run("site add acme")


def test_a_site_is_changed_only_where_it_is_named(connected: Terminal, db: Database) -> None:
    before = dict(sites.get_site(db, "acme"))
    connected.run("pause")
    connected.run("site add acme --label robot")
    after = dict(sites.get_site(db, "acme"))
    assert after == {**before, "label": "robot", "paused_at": NOW}


def test_what_jira_refuses_is_not_stored(terminal: Terminal, jira: SandboxJira) -> None:
    terminal.env["JIRA_TOKEN"] = "another"
    assert terminal.refused(SITE).startswith("Jira does not accept Signalbox's credentials")
    terminal.env["JIRA_TOKEN"] = TOKEN
    down = terminal.refused(SITE.replace(PLACE, NOWHERE), code=1)
    assert down.startswith("Jira cannot be reached")
    assert terminal.json("site list") == {"sites": []}


NO_SITES = [
    (f"{SITE} --zone Mars", "'Mars' is no time zone: use a name such as Europe/Berlin."),
    (f"{SITE} --currency euro", "'euro' is no currency: use three capitals, such as USD."),
    (f"{SITE} --deployment moon", "'moon' is no deployment: use cloud or server."),
    (f"{SITE} --token-env NOTHING", "The environment variable NOTHING is not set."),
    (f"{SITE} --webhook-secret-env SHORT", "The webhook secret is too short: use 16 char"),
    (f"{SITE} --token-stdin", "The token comes from --token-env or from --token-stdin, not"),
    (f"{SITE} --url ftp://jira", "'ftp://jira' is no url: give one such as https://acme."),
    (f"{SITE} --url https://a:b@jira", "The url has to be plain: no user, password, question"),
    (f"{SITE} --browse-url jira", "'jira' is no browse url: give one such as https://acme."),
    (SITE.replace("acme", "Acme"), "'Acme' cannot be a site's id: use a-z, 0-9 and -, such"),
    (SITE.split(" --email")[0], "Jira Cloud takes an e-mail address with its API token"),
    (SITE.split(" --token")[0], "A site needs a token: an API token or a personal access"),
    ("site add acme --email a@b", "'' is no url: give one such as https://acme.atlassian.net."),
]


def test_a_site_that_cannot_be(terminal: Terminal, jira: SandboxJira) -> None:
    terminal.env["SHORT"] = "short"
    for line, sentence in NO_SITES:
        assert terminal.refused(line)[: len(sentence)] == sentence
    assert terminal.json("site list") == {"sites": []}


def test_a_label_holds_no_blank(terminal: Terminal, jira: SandboxJira) -> None:
    assert terminal.refused(SITE, "--label", "two words") == (
        "'two words' cannot be a label in Jira: it holds no blank."
    )


def test_a_site_that_moves_needs_its_token_again(connected: Terminal) -> None:
    again = "For another address or e-mail the token has to be given once more."
    assert connected.refused("site add acme --url https://elsewhere.example") == again
    assert connected.refused("site add acme --email author@sandbox.example") == again
    assert connected.refused("site add acme --currency EUR") == (
        "The ledger of this site is kept in USD: that cannot be changed."
    )


# Projects

BILL = "project add --key BILL"
DEFAULTS = {
    "site": "acme",
    "key": "BILL",
    "mode": "advise",
    "threshold": 70,
    "must_haves": ["acceptance", "location", "outcome"],
    "repository": None,
    "base": "main",
    "acceptance": None,
    "agent": "claude",
    "attempts": 2,
    "attempt_cap": "3.000000",
    "attempt_minutes": 40.0,
    "slots": 1,
    "open_pull_requests": 4,
    "without_cage": False,
    "connected_at": "2026-11-23T09:00:00Z",
    "paused_at": None,
}


def test_a_project_is_connected_with_defaults_and_changed(
    connected: Terminal, tmp_path: Path
) -> None:
    assert connected.run("project add --key bill") == (
        "Project BILL of acme is connected, mode advise.\n"
        "Next: signalbox role grant dispatch --project BILL --account ID\n"
    )
    assert connected.json("project list") == {"projects": [DEFAULTS]}
    assert "Nothing can start yet: it has no --repository.\n" in connected.run(
        f"{BILL} --mode auto"
    )
    full = (
        "--mode approve --repository code/billing --base develop --agent rehearsal --threshold 60 "
        "--must-have outcome --must-have reason --attempts 3 --attempt-cap 2.5 --attempt-minutes 1 "
        "--slots 2 --open-pull-requests 9 --without-cage --site acme"
    )
    changed = connected.json(f"{BILL} {full}", "--acceptance", "make test")
    assert changed == {
        **DEFAULTS,
        "mode": "approve",
        "threshold": 60,
        "must_haves": ["outcome", "reason"],
        "repository": str(tmp_path / "code/billing"),  # from the root, wherever a worker starts
        "base": "develop",
        "acceptance": "make test",
        "agent": "rehearsal",
        "attempts": 3,
        "attempt_cap": "2.500000",
        "attempt_minutes": 1.0,
        "slots": 2,
        "open_pull_requests": 9,
        "without_cage": True,
    }
    after = connected.json(f"{BILL} --with-cage --acceptance=")
    assert after == {**changed, "without_cage": False, "acceptance": None}
    head, row = connected.run("project list --site acme").splitlines()
    place = f"{tmp_path}/code/billing (develop)"
    assert head == (
        f"Site  Project  Mode     Agent      Attempts    Cap  {'Repository':{len(place)}}  State"
    )
    assert row == f"acme  BILL     approve  rehearsal         3  $2.50  {place}  on"


NO_PROJECTS = [
    ("--mode on", "'on' is no mode: use off, watch, advise, approve, auto."),
    ("--agent robot", "'robot' is no agent: use claude, rehearsal."),
    ("--threshold 101", "The threshold has to be from 0 to 100, not 101."),
    ("--attempts 0", "The number of attempts has to be from 1 to 10, not 0."),
    ("--attempt-minutes 0", "The time of an attempt, in seconds, has to be from 10 to"),
    ("--attempt-cap 1e99", "'1e99' is not an amount between 0 and 1000000000"),
    ("--attempt-cap nan", "'nan' is not an amount of money, such as 3.50"),
    ("--must-have vague", "'vague' cannot be a must-have: use outcome, reason, acceptance,"),
    ("--repository ext::sh", "Addresses of git's helper programs (name::address) are not"),
    ("--repository https://u:p@host/x", "The repository's address holds a password: give"),
    ("--base ../x", "'../x' cannot be the name of a branch."),
    ("--site other", "There is no site 'other': add it with `signalbox site add`"),
    ("--key BILL!", "'BILL!' is no project key: it looks like BILL."),
    ("--key NONE", "The project NONE is not visible: deleted or hidden from Signalbox."),
]


def test_a_project_that_cannot_be(connected: Terminal) -> None:
    for options, sentence in NO_PROJECTS:
        assert connected.refused(f"{BILL} {options}")[: len(sentence)] == sentence
    assert connected.json("project list") == {"projects": []}


def test_a_project_that_we_may_not_see(connected: Terminal, jira: SandboxJira) -> None:
    jira.user("Signalbox").project_rights["BILL"] = frozenset(MEMBER_RIGHTS - {"BROWSE_PROJECTS"})
    assert connected.refused(BILL) != ""
    assert connected.json("project list") == {"projects": []}


def test_several_sites_have_to_be_named(connected: Terminal) -> None:
    connected.run(SITE.replace("acme", "zeta"))
    assert connected.refused(BILL) == (
        "There are several sites: name one with --site (acme, zeta)."
    )
    assert connected.json(f"{BILL} --site zeta")["site"] == "zeta"


def test_without_any_site_the_way_is_told(terminal: Terminal) -> None:
    assert terminal.refused(BILL) == "There is no site yet: add one with `signalbox site add`."


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
    ("fly --project BILL --jira-role A", "'fly' is no right: use dispatch, approve, admin."),
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


def test_budgets_show_spent_set_aside_and_free_apart(connected: Terminal, db: Database) -> None:
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
    spend(db, attempt=1, cost=420_000)
    spend(db, attempt=2, cost=None)
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
        "next_reset": "2026-11-30T23:00:00Z",
    }


def spend(db: Database, attempt: int, cost: int | None) -> None:
    waiting_ticket(db, "BILL", "10000") if attempt == 1 else None
    with db.write() as c:
        c.execute(ticket.update().values(key="BILL-1"))
    terms: dict[str, Any] = {"site_id": "acme", "zone": "Europe/Berlin", "project_key": "BILL"}
    terms |= {"issue_id": "10000", "run": 1, "attempt": attempt, "amount": 3_000_000}
    hold = f"hold-{attempt}"
    ledger.reserve(db, hold_id=hold, simulated=False, actor="test", now=NOW, **terms)
    if cost is not None:
        ledger.settle(db, site_id="acme", hold_id=hold, actual=cost, actor="test", now=NOW)


NO_LIMITS = [
    ("", "Say either --limit AMOUNT or --no-limit."),
    ("--limit 1 --no-limit", "Say either --limit AMOUNT or --no-limit."),
    ("--limit 1 --project BILL --per-ticket", "A limit is for one of --project, --ticket and"),
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


def test_whoever_waits_is_woken_by_what_may_help(connected: Terminal, db: Database) -> None:
    connected.run(BILL)
    waiting_ticket(db, "BILL", "1")
    waiting_ticket(db, "HELP", "2")
    assert woken(db) == []
    connected.run(f"{BILL} --slots 2")
    assert woken(db) == [("1", "signalbox:project")]
    connected.run("budget set --project BILL --limit 5")
    assert woken(db) == [("1", "signalbox:budget")]
    connected.run("budget set --limit 5")
    assert woken(db) == [("1", "signalbox:budget"), ("2", "signalbox:budget")]
    connected.run(f"role grant dispatch --project BILL --account {AUTHOR}")
    assert woken(db) == [("1", "signalbox:grant")]
    assert connected.run("pause --project bill") == (
        "Project BILL of acme is paused; 1 waiting tickets are looked at again.\n"
    )
    assert woken(db) == [("1", "signalbox:paused")]
    told = connected.json("resume --project bill")
    assert told == {"site": "acme", "project": "BILL", "paused": False, "woken": 1}
    assert woken(db) == [("1", "signalbox:resumed")]


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


def test_deliveries_are_listed_with_what_became_of_them(connected: Terminal, db: Database) -> None:
    assert connected.run("deliveries") == "Nothing has come in yet.\n"
    with db.write() as c:
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
