"""Where to click: what an admin of Jira has to do for each kind of connection, in one place for
the command, the page and the how-to's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

EVENTS = "Issue: created, updated, deleted. Comment: created, updated."
RULE_BODY = """{
  "webhookEvent": "jira:issue_updated",
  "issue": {"id": "{{issue.id}}", "key": "{{issue.key}}"},
  "comment": {"id": "{{comment.id}}"}
}"""
SECRET = "(the secret)"  # noqa: S105 - stands for it where it must not be shown


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. fields: what to put where."""

    do: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What the steps are filled with. ours: our own address. jira: where people open Jira."""

    ours: str
    jira: str
    site_id: str
    secret: str = SECRET


def steps(kind: str, place: Place) -> tuple[Step, ...]:
    """Before the credential is given: the account. After it: the door."""
    return ACCOUNT[kind](place) + DOORS[kind](place)


def _cloud_account(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            "Make an account that nobody else uses: admin.atlassian.com, Directory, Service "
            "accounts, and let it into Jira as a user."
        ),
        Step(
            "Give it an API token with these scopes. A token with scopes is taken at the address "
            "below and not at the site's own.",
            (
                ("Scopes", "read:jira-work, write:jira-work, read:jira-user"),
                ("API address", "https://api.atlassian.com/ex/jira/<cloud id>"),
                ("Cloud id, shown by", f"{place.jira}/_edge/tenant_info"),
            ),
        ),
        _project_rights(),
    )


def _project_rights() -> Step:
    return Step(
        "In each project that Signalbox shall look after, give the account these rights (in a "
        "team-managed project: Project settings, Access, role Administrator).",
        (
            ("Needed", "Browse Projects, Add Comments, Edit Own Comments, Edit Issues"),
            ("For sub-tasks (agent split)", "Create Issues, Link Issues"),
            ("For starts and silent edits", "Administer Projects, Browse users and groups"),
        ),
    )


def _server_account(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            f"Make a user that nobody else uses, log in as it at {place.jira}, open Profile, "
            "Personal Access Tokens, and create one."
        ),
        _project_rights(),
    )


def _handed(_place: Place) -> tuple[Step, ...]:
    return ()


def _webhook(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            f"As a Jira admin open {place.jira}/plugins/servlet/webhooks (Settings, System, "
            "WebHooks) and create a webhook.",
            (
                ("URL", f"{place.ours}/webhooks/jira/{place.site_id}"),
                ("Secret", place.secret),
                ("Events", EVENTS),
            ),
        ),
    )


def _automation(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            "As a project admin open Project settings, Automation, and create a rule: when "
            '"Field value changed" (Labels, Summary, Description) or "Issue commented", then "Send '
            'web request".',
            (
                ("Web request URL", f"{place.ours}/webhooks/automation/{place.site_id}"),
                ("Header", f"X-Signalbox-Token: {place.secret}"),
                ("HTTP method", "POST"),
                ("Web request body", f"Custom data:\n{RULE_BODY}"),
            ),
        ),
        Step(
            'In the rule\'s details tick "Allow rule trigger", so that changes by rules count too.'
        ),
    )


def _connect_app(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            "Connect is near its end: ordinary sites take no new private app. Where yours still "
            "does, open Settings, Apps, Manage apps, allow development mode and upload the app.",
            (("App descriptor URL", f"{place.ours}/atlassian-connect.json"),),
        ),
        Step("The site then stands in `signalbox site list`; nobody types a token."),
    )


def _forge_app(place: Place) -> tuple[Step, ...]:
    return (
        Step(
            "On a machine with Node.js 20 or newer, in this repository, make the packages and "
            "Forge's command line ready.",
            (("Commands", "make forge && npm install --global @forge/cli && forge login"),),
        ),
        Step(
            "In forge/manifest.yml put our address at baseUrl, then register the app.",
            (("baseUrl", place.ours), ("Commands", "cd forge && forge register signalbox")),
        ),
        Step(
            "Start Signalbox anew with the id that this wrote into the manifest.",
            (("SIGNALBOX_FORGE_APP_ID", "ari:cloud:ecosystem::app/<id>"),),
        ),
        Step(
            "Build, deploy and install it.",
            (
                ("Deploy", "npm run build && forge deploy --environment production"),
                ("Install", f"forge install --environment production --site {_host(place.jira)}"),
            ),
        ),
        Step("The site then stands in `signalbox site list`; nobody types a token."),
    )


def _host(address: str) -> str:
    return address.partition("://")[2]


def _no_door(_place: Place) -> tuple[Step, ...]:
    return (
        Step(
            "Nothing has to be set up in Jira: Signalbox asks for what changed every "
            "SIGNALBOX_POLL_SECONDS, and needs no address that Jira can reach."
        ),
    )


Steps = Callable[[Place], tuple[Step, ...]]
ACCOUNT: Mapping[str, Steps] = {
    "token": _cloud_account,
    "automation": _cloud_account,
    "connect": _handed,
    "forge": _handed,
    "server": _server_account,
    "poll": _cloud_account,
}
DOORS: Mapping[str, Steps] = {
    "token": _webhook,
    "automation": _automation,
    "connect": _connect_app,
    "forge": _forge_app,
    "server": _webhook,
    "poll": _no_door,
}
