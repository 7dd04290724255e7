"""Sites and projects set up by hand, against a sandbox Jira and a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.vault import Vault
from app.sandbox.records import MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from app.store import sites
from app.store.database import Database
from tests.cli.conftest import BILL, ME, NOW, NOWHERE, PLACE, SECRET, SITE, TOKEN, Terminal

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


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
                "connection": "token",
                "deployment": "cloud",
                "url": PLACE,
                "browse_url": PLACE,
                "email": "signalbox@sandbox.example",
                "account_id": ME,
                "token_expires_at": None,
                "webhook_secret": "set",
                "label": "agent-ready",
                "zone": "Europe/Berlin",
                "currency": "USD",
                "connected_at": "2026-11-23T09:00:00Z",
                "paused_at": None,
            }
        ]
    }


def test_secrets_are_sealed_at_rest(connected: Terminal, database: Database) -> None:
    row = sites.get_site(database, "acme")
    assert TOKEN not in str(dict(row))
    assert SECRET not in str(dict(row))
    vault = Vault(connected.env["SIGNALBOX_SECRET_KEY"])
    assert (vault.unseal(row["token"]), vault.unseal(row["webhook_secret"])) == (TOKEN, SECRET)


def test_a_token_may_come_from_stdin(terminal: Terminal, jira: SandboxJira) -> None:
    line = SITE.replace("--token-env JIRA_TOKEN", "--token-stdin")
    assert terminal.run(line, stdin=f"{TOKEN}\n").startswith("Site acme is connected")
    assert "Webhooks are closed until it has a secret" in terminal.run("site add acme")


def test_a_site_is_changed_only_where_it_is_named(connected: Terminal, database: Database) -> None:
    before = dict(sites.get_site(database, "acme"))
    connected.run("pause")
    connected.run("site add acme --label robot")
    after = dict(sites.get_site(database, "acme"))
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
    (f"{SITE} --currency EUR", "The ledger cannot be kept in 'EUR': for now it is in USD, as pric"),
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


def test_an_ordinary_account_is_warned_of(terminal: Terminal, jira: SandboxJira) -> None:
    jira.user("Signalbox").account_type = "atlassian"
    said = terminal.run(SITE).splitlines()
    assert said[1] == (
        "Mind: its account is an ordinary one. If a person uses it too, what that person does in "
        "Jira, also a command in a comment, passes for Signalbox's own and is ignored. Give "
        "Signalbox an account that nobody else uses."
    )
    assert terminal.json("site add acme")["account_id"] == ME


def test_a_cap_of_one_cent_can_be(connected: Terminal) -> None:
    assert connected.json(f"{BILL} --attempt-cap 0.01")["attempt_cap"] == "0.010000"


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
    "costs_in_comments": True,
    "judge": False,
    "service_desk": False,
    "restricted_tickets": False,
    "operations_ticket": None,
    "approve_above": None,
    "connected_at": "2026-11-23T09:00:00Z",
    "paused_at": None,
}


def test_a_project_is_connected_with_defaults_and_changed(
    connected: Terminal, tmp_path: Path
) -> None:
    assert connected.run("project add --key bill") == (
        "Project BILL of acme is connected, mode advise.\n"
        "Next: signalbox role grant dispatch --project BILL --account ID\n"
        "No budget is set, so nothing may be spent: signalbox budget start proposes one.\n"
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


def test_a_project_has_switches(connected: Terminal) -> None:
    connected.run(BILL)
    changed = connected.json(
        f"{BILL} --no-costs --service-desk --restricted --operations-ticket ops-1"
    )
    assert changed == {
        **DEFAULTS,
        "costs_in_comments": False,
        "service_desk": True,
        "restricted_tickets": True,
        "operations_ticket": "OPS-1",
    }
    back = "--costs --no-service-desk --no-restricted --operations-ticket="
    assert connected.json(f"{BILL} {back}") == DEFAULTS


NO_PROJECTS = [
    ("--operations-ticket OPS", "'OPS' is no key of a ticket: it looks like OPS-1."),
    ("--mode on", "'on' is no mode: use off, watch, advise, approve, auto."),
    ("--agent robot", "'robot' is no agent: use claude, rehearsal."),
    ("--threshold 101", "The threshold has to be from 0 to 100, not 101."),
    ("--attempts 0", "The number of attempts has to be from 1 to 10, not 0."),
    ("--attempt-minutes 0", "The time of an attempt, in seconds, has to be from 10 to"),
    ("--attempt-cap 0", "The cap of an attempt has to be $0.01 or more: with less no agent can w"),
    ("--attempt-cap 0.009999", "The cap of an attempt has to be $0.01 or more: with less no"),
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
