"""Puts users, projects and issues into a sandbox, and a set of examples to try things on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from app.sandbox import comments, issues
from app.sandbox.comments import Draft
from app.sandbox.issue_input import label
from app.sandbox.markup import RichText
from app.sandbox.records import (
    ALL_RIGHTS,
    CUSTOMER_RIGHTS,
    ISSUE_TYPES,
    MEMBER_RIGHTS,
    ROLES,
    AccountType,
    Change,
    Comment,
    History,
    Issue,
    Project,
    ProjectType,
    User,
)
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

Text = str | Mapping[str, Any]
_ROLE_IDS = {name: role for role, name in ROLES.items()}
_RIGHTS = {"member": MEMBER_RIGHTS, "admin": ALL_RIGHTS, "customer": CUSTOMER_RIGHTS}


class UserOptions(TypedDict, total=False):
    """rights: "member", "admin", "customer", or names of rights. roles: project key → roles."""

    email: str
    token: str
    account_type: AccountType
    account_id: str
    rights: str | Sequence[str]
    roles: Mapping[str, Sequence[str]]
    groups: Sequence[str]
    active: bool
    scoped: bool


class IssueOptions(TypedDict, total=False):
    description: Text
    issue_type: str
    labels: Sequence[str]
    reporter: str
    assignee: str
    security: str


class Seeder:
    """Writes like a person would (webhooks go out), only with fewer words."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def user(self, name: str, **options: Unpack[UserOptions]) -> User:
        """Mail address, token and account id follow from the name unless given."""
        _known(options, UserOptions)
        slug = name.lower().replace(" ", ".")
        rights = options.get("rights", "member")
        chosen = _RIGHTS[rights] if isinstance(rights, str) else frozenset(rights)
        unknown = chosen - ALL_RIGHTS
        if unknown:
            raise ValueError(f"unknown rights: {', '.join(sorted(unknown))}")
        user = User(
            account_id=options.get("account_id") or self._account_id(slug),
            display_name=name,
            email=options.get("email") or f"{slug}@sandbox.example",
            token=options.get("token") or f"token-of-{slug}",
            account_type=options.get("account_type", "atlassian"),
            active=options.get("active", True),
            rights=chosen,
            groups=frozenset(options.get("groups", ())),
            name=slug if self._state.deployment == "server" else "",
            scoped=options.get("scoped", False),
        )
        with self._state.lock:
            self._state.users[user.account_id] = user
            for key, roles in options.get("roles", {}).items():
                for role in roles:
                    self.grant(user, key, role)
        return user

    def _account_id(self, slug: str) -> str:
        """On Data Center this is the user's key, which says nothing of the name."""
        if self._state.deployment == "server":
            return f"JIRAUSER{self._state.number('user', 10_100)}"
        return hashlib.sha256(slug.encode()).hexdigest()[:24]

    def grant(self, user: User, project_key: str, role: str) -> None:
        """Make a user a member of a project role, by the role's name."""
        with self._state.lock:
            members = self._state.project(project_key).members[_ROLE_IDS[role]]
            if user.account_id not in members:
                members.append(user.account_id)

    def grant_group(self, group: str, project_key: str, role: str) -> None:
        with self._state.lock:
            self._state.project(project_key).groups[_ROLE_IDS[role]].append(group)

    def project(
        self,
        key: str,
        name: str = "",
        type: ProjectType = "software",  # noqa: A002
        team_managed: bool = False,
    ) -> Project:
        with self._state.lock:
            project = Project(self._state.number("project"), key.upper(), name or key.title(), type)
            project.team_managed = team_managed
            self._state.projects[project.key] = project
        return project

    def issue(self, project: str, summary: str, **options: Unpack[IssueOptions]) -> Issue:
        _known(options, IssueOptions)
        kind = options.get("issue_type", "Task")
        by_name = {name.lower(): type_id for type_id, name in ISSUE_TYPES.items()}
        if kind.lower() not in by_name:
            raise ValueError(f"unknown issue type {kind!r}; known: {', '.join(by_name)}")
        description = options.get("description", "")
        values = {
            "summary": summary,
            "description": text(description) if description else None,
            "issue_type": by_name[kind.lower()],
            "labels": sorted({label(entry) for entry in options.get("labels", ())}),
            "security": options.get("security"),
        }
        with self._state.lock:
            if options.get("assignee"):
                values["assignee"] = self._state.person(options["assignee"]).account_id
            actor = self.actor(options.get("reporter"))
            return issues.create(self._state, self._state.project(project), values, actor)

    def old_backlog(self, project: str, count: int, label_name: str, days: int) -> list[Issue]:
        """Labelled an hour apart, the last of them `days` days ago. Nobody is told of it."""
        with self._state.lock:
            actor, home = self.actor(None), self._state.project(project)
            first = self._state.now() - timedelta(days=days, hours=count)
            return [
                self._old_issue(home, actor, label(label_name), first + timedelta(hours=number))
                for number in range(count)
            ]

    def _old_issue(self, home: Project, actor: User, label_name: str, born: datetime) -> Issue:
        home.last_number += 1
        issue = Issue(
            id=self._state.number("issue"),
            key=f"{home.key}-{home.last_number}",
            project=home.key,
            summary=f"Something old, number {home.last_number}",
            reporter=actor.account_id,
            creator=actor.account_id,
            created=born,
            updated=born + timedelta(minutes=10),
            description=text("It was wanted once. See the mail."),
            labels=[label_name],
        )
        change = Change("labels", "labels", None, "", None, label_name)
        number = self._state.number("history")
        issue.history.append(History(number, actor.account_id, issue.updated, (change,)))
        self._state.add_issue(issue)
        return issue

    def comment(self, key: str, body: Text, author: str | User | None = None) -> Comment:
        with self._state.lock:
            actor = self.actor(author)
            return comments.add(self._state, self._state.issue(key), Draft(text(body)), actor)

    def actor(self, who: str | User | None) -> User:
        """The named user, else the first one there is."""
        if who is not None:
            return self._state.person(who)
        for user in self._state.users.values():
            return user
        raise Refusal(400, "The sandbox has no user yet.")

    def examples(self) -> None:
        """Two projects, five accounts and a few issues of different quality."""
        self.project("BILL", "Billing")
        self.project("HELP", "Help desk", "service_desk")
        everywhere: dict[str, Sequence[str]] = {"BILL": ["Developers"], "HELP": ["Developers"]}
        lead: dict[str, Sequence[str]] = {"BILL": ["Administrators"], "HELP": ["Administrators"]}
        self.user("Author", roles=everywhere)
        self.user("Reviewer", roles=everywhere)
        self.user("Admin", rights="admin", roles=lead)
        self.user("Signalbox", account_type="app", rights=SERVICE_RIGHTS)
        self.user("Portal customer", account_type="customer", rights="customer")
        for example in EXAMPLES:
            self.issue(**example)


def text(value: Text) -> RichText:
    """A string is wiki markup, a mapping is an Atlassian document."""
    return RichText(value if isinstance(value, str) else dict(value))


def _known(options: Mapping[str, Any], kind: type) -> None:
    """A misspelt option is an error, so that nobody relies on it."""
    unknown = set(options) - set(kind.__annotations__)
    if unknown:
        raise ValueError(f"unknown options: {', '.join(sorted(unknown))}")


SERVICE_RIGHTS = (
    "BROWSE_PROJECTS",
    "EDIT_ISSUES",
    "CREATE_ISSUES",
    "LINK_ISSUES",
    "ADD_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_OWN_COMMENTS",
    "TRANSITION_ISSUES",
    "ADMINISTER_PROJECTS",
    "USER_PICKER",
)
"""What a service account needs, and nothing more. Who is in a project role is shown to the
project's administrators alone."""


class Example(IssueOptions):
    project: str
    summary: str


EXAMPLES: list[Example] = [
    {
        "project": "BILL",
        "issue_type": "Story",
        "summary": "CSV export is slow",
        "description": "The export is too slow for big customers, please make it better. "
        "Maybe in the background? See Slack thread.",
    },
    {
        "project": "BILL",
        "issue_type": "Bug",
        "summary": "Invoice total drops the last cent for three line items",
        "description": "h3. What happens\n"
        "{{total()}} in {{app/invoice/total.py}} adds rounded lines, so 3 x 0.335 EUR gives 1.00.\n"
        "h3. What should happen\n"
        "It adds exact amounts and rounds once, half up: 3 x 0.335 EUR gives 1.01.\n"
        "h3. Acceptance\n"
        "* {{pytest tests/test_total.py}} passes, with a new case for this\n"
        "* no other file than {{total.py}} and its test changes\n",
    },
    {
        "project": "BILL",
        "summary": "Write down how refunds are rounded",
        "description": "||Case||Today||\n|one item|half up|\n|many items|unclear|\n",
    },
    {
        "project": "HELP",
        "summary": "Cannot open my invoice",
        "description": "The link in the mail leads to an empty page.",
        "reporter": "Portal customer",
    },
]
