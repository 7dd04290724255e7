"""All that one sandbox holds, behind one lock, and how records are found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.sandbox.connect import ConnectApp
from app.sandbox.faults import Faults
from app.sandbox.forge import ForgeApp
from app.sandbox.journal import Journal
from app.sandbox.limits import WriteLimits
from app.sandbox.outbox import Outbox
from app.sandbox.records import (
    ROLES,
    Change,
    Comment,
    Deployment,
    History,
    Issue,
    Link,
    Project,
    User,
)
from app.sandbox.refusals import Refusal, no_comment, no_issue, no_project

TITLE = "Sandbox Jira (not a real site)"
CONTEXT = "/jira"
"""The path below which Data Center answers; Cloud has none."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail that Jira would have sent to the watchers: tests count these."""

    event: str
    issue_key: str
    actor: str


class SandboxState:
    """Take `lock` around reading or writing several records.

    required: the one kind of connection whose credential is taken; empty = all that the
    deployment knows. origin: scheme, host and port that this machine serves it on.
    """

    def __init__(self, deployment: Deployment = "cloud") -> None:
        self.lock = threading.RLock()
        self.deployment: Deployment = deployment
        self.context = CONTEXT if deployment == "server" else ""
        self.cloud_id = str(uuid4())
        self.client_key = str(uuid4())
        self.required = ""
        self.origin = "http://127.0.0.1"
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.faults = Faults()
        self.journal = Journal()
        self.outbox = Outbox(retries=deployment == "cloud")
        self.limits = WriteLimits()
        self.stopping = False
        self.clear()

    def clear(self) -> None:
        """Forget every record, webhook, fault and request."""
        with self.lock:
            self.users: dict[str, User] = {}
            self.projects: dict[str, Project] = {}
            self.issues: dict[str, Issue] = {}
            self.comments: dict[str, Comment] = {}
            self.links: dict[str, Link] = {}
            self.notices: list[Notice] = []
            self.connect_apps: list[ConnectApp] = []
            self.forge_apps: list[ForgeApp] = []
            self.version = 0
            self.searches: dict[tuple[str, str], tuple[int, list[Issue]]] = {}
            self._keys: dict[str, str] = {}
            self._parts: dict[str, list[str]] = {}
            self._numbers: dict[str, int] = {}
            self._last = datetime(2000, 1, 1, tzinfo=UTC)
            self.outbox.clear()
            self.faults.clear()
            self.journal.clear()

    @property
    def base_url(self) -> str:
        """Where people and clients find the site."""
        return self.origin + self.context

    @property
    def platform_url(self) -> str:
        """Stands for https://api.atlassian.com/ex/jira/<cloudId>."""
        return f"{self.origin}/ex/jira/{self.cloud_id}"

    # Numbers and time

    def number(self, kind: str, first: int = 10_000) -> str:
        """The next id of a kind. Jira's ids are numbers written as text."""
        value = self._numbers.get(kind, first - 1) + 1
        self._numbers[kind] = value
        return str(value)

    def tick(self) -> datetime:
        """Now, in whole milliseconds as Jira keeps it, and later than every time before."""
        now = self.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        self.version += 1
        return self._last

    # People

    def person(self, who: str | User) -> User:
        """A user by record, account id, e-mail address or display name."""
        if isinstance(who, User):
            return who
        for user in self.users.values():
            named = (user.account_id, user.email, user.name)
            if (who and who in named) or who.lower() == user.display_name.lower():
                return user
        raise KeyError(f"no user {who!r} in the sandbox")

    def name_of(self, account_id: str | None) -> str | None:
        user = self.users.get(account_id or "")
        return user.display_name if user else account_id

    def roles_of(self, user: User, project: Project) -> frozenset[str]:
        return frozenset(
            ROLES[role]
            for role, members in project.members.items()
            if user.account_id in members or user.groups.intersection(project.groups[role])
        )

    # Projects, issues, comments

    def project(self, id_or_key: str, viewer: User | None = None) -> Project:
        found = self.projects.get(id_or_key.upper())
        if found is None:
            found = next((p for p in self.projects.values() if p.id == id_or_key), None)
        if found is None or (viewer and not viewer.may("BROWSE_PROJECTS", found.key)):
            raise no_project(id_or_key)
        return found

    def add_issue(self, issue: Issue) -> None:
        self.version += 1
        self.issues[issue.id] = issue
        self._keys[issue.key] = issue.id
        if issue.parent is not None:
            self._parts.setdefault(issue.parent, []).append(issue.id)

    def remove_issue(self, issue: Issue) -> None:
        del self.issues[issue.id], self._keys[issue.key]
        for comment_id in issue.comments:
            del self.comments[comment_id]
        for link in self.links_of(issue):
            del self.links[link.id]
        for child in self.below(issue):
            self.remove_issue(child)
        if issue.parent is not None:
            self._parts[issue.parent].remove(issue.id)
        self.version += 1

    def issue(self, id_or_key: str, viewer: User | None = None) -> Issue:
        """By id or key. Without a viewer nothing is hidden."""
        found = self.issues.get(self._keys.get(id_or_key.upper(), id_or_key))
        if found is None or (viewer and not self.visible(found, viewer)):
            raise no_issue()
        return found

    def visible(self, issue: Issue, viewer: User) -> bool:
        return viewer.may("BROWSE_PROJECTS", issue.project) and (
            issue.security is None or viewer.may("SET_ISSUE_SECURITY", issue.project)
        )

    def links_of(self, issue: Issue) -> list[Link]:
        return [link for link in self.links.values() if issue.id in (link.source, link.target)]

    def below(self, issue: Issue) -> list[Issue]:
        """Its sub-tasks."""
        return [self.issues[child] for child in self._parts.get(issue.id, ())]

    def comment(self, comment_id: str, viewer: User, issue: Issue | None = None) -> Comment:
        found = self.comments.get(comment_id)
        if found is None or (issue is not None and found.issue_id != issue.id):
            raise no_comment(comment_id)
        if not self.readable(found, viewer):
            raise no_comment(comment_id)
        return found

    def readable(self, comment: Comment, viewer: User) -> bool:
        """Role, group and internal (service desk) restrictions hold for everybody."""
        issue = self.issues[comment.issue_id]
        if not self.visible(issue, viewer):
            return False
        if not comment.public and viewer.account_type == "customer":
            return False
        return comment.visibility is None or self.belongs(viewer, issue.project, comment.visibility)

    def belongs(self, user: User, project_key: str, visibility: dict[str, str]) -> bool:
        value = visibility.get("value") or visibility.get("identifier") or ""
        if visibility.get("type") == "role":
            return value in self.roles_of(user, self.projects[project_key])
        return value in user.groups

    def comments_of(self, issue: Issue, viewer: User) -> list[Comment]:
        found = (self.comments[comment_id] for comment_id in issue.comments)
        return [comment for comment in found if self.readable(comment, viewer)]

    # What writes have in common

    def require(self, user: User, right: str, project_key: str, status: int, message: str) -> None:
        if not user.may(right, project_key):
            raise Refusal(status, message)

    def record(self, issue: Issue, actor: User, changes: Iterable[Change]) -> History:
        """Put a changelog entry on an issue; this is also its time of update."""
        history = History(self.number("history"), actor.account_id, self.tick(), tuple(changes))
        issue.history.append(history)
        issue.updated = history.created
        return history

    def notify(self, event: str, issue: Issue, actor: User, wanted: bool = True) -> None:
        """Remember a mail to the watchers unless it was not wanted."""
        if wanted:
            self.notices.append(Notice(event, issue.key, actor.account_id))
