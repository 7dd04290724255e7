"""The way into the sandbox from Python.

jira = SandboxJira.seeded()
with jira.serve() as base_url:
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Unpack

from app.sandbox import comments, issues, serving
from app.sandbox.comments import Draft
from app.sandbox.connections import Connections
from app.sandbox.faults import Faults
from app.sandbox.issue_input import FieldReader
from app.sandbox.journal import Journal
from app.sandbox.outbox import Outbox
from app.sandbox.records import (
    Comment,
    Deployment,
    History,
    Issue,
    Project,
    ProjectType,
    User,
)
from app.sandbox.seeding import IssueOptions, Seeder, Text, UserOptions, text
from app.sandbox.state import SandboxState


class SandboxJira(Connections):
    """One sandbox, with the face of Cloud or of Data Center (`server`).

    Users are named by display name, e-mail address or account id.
    """

    def __init__(self, deployment: Deployment = "cloud") -> None:
        self.state = SandboxState(deployment)
        self._seed = Seeder(self.state)

    @classmethod
    def seeded(cls, deployment: Deployment = "cloud") -> SandboxJira:
        """With example users, projects and issues."""
        jira = cls(deployment)
        jira._seed.examples()
        return jira

    # Looking

    @property
    def base_url(self) -> str:
        return self.state.base_url

    @property
    def faults(self) -> Faults:
        return self.state.faults

    @property
    def journal(self) -> Journal:
        return self.state.journal

    @property
    def webhooks(self) -> Outbox:
        """Deliveries, delays, and `drain`."""
        return self.state.outbox

    def user(self, who: str | User) -> User:
        return self.state.person(who)

    def credentials(self, who: str | User) -> tuple[str, str]:
        """E-mail address and API token, for basic authentication."""
        user = self.state.person(who)
        return user.email, user.token

    def issue(self, key: str) -> Issue:
        return self.state.issue(key)

    def comments(self, key: str) -> list[Comment]:
        """All comments of an issue, oldest first, whoever may see them."""
        with self.state.lock:
            issue = self.state.issue(key)
            return [self.state.comments[comment_id] for comment_id in issue.comments]

    # Setting up

    def add_user(self, name: str, **options: Unpack[UserOptions]) -> User:
        return self._seed.user(name, **options)

    def add_project(
        self,
        key: str,
        name: str = "",
        project_type: ProjectType = "software",
        team_managed: bool = False,
    ) -> Project:
        return self._seed.project(key, name, project_type, team_managed)

    def grant_role(self, who: str | User, project_key: str, role: str) -> None:
        self._seed.grant(self.state.person(who), project_key, role)

    def grant_group(self, group: str, project_key: str, role: str) -> None:
        """Put a group of users into a project role."""
        self._seed.grant_group(group, project_key, role)

    def limit_writes(self) -> None:
        """Hold Jira's limit of writes to one issue: 20 in 2 seconds, 100 in 30."""
        self.state.limits.on = True

    # Doing what people do

    def create_issue(self, project: str, summary: str, **options: Unpack[IssueOptions]) -> Issue:
        return self._seed.issue(project, summary, **options)

    def edit(
        self, key: str, fields: Mapping[str, Any], as_user: str | User | None = None
    ) -> History | None:
        """Set fields by Jira's names; a description is wiki markup or a document."""
        return self._change(key, {"fields": dict(fields)}, as_user)

    def add_label(self, key: str, label: str, as_user: str | User | None = None) -> History | None:
        return self._change(key, {"update": {"labels": [{"add": label}]}}, as_user)

    def remove_label(
        self, key: str, label: str, as_user: str | User | None = None
    ) -> History | None:
        return self._change(key, {"update": {"labels": [{"remove": label}]}}, as_user)

    def _change(
        self, key: str, body: Mapping[str, Any], as_user: str | User | None
    ) -> History | None:
        with self.state.lock:
            actor, issue = self._seed.actor(as_user), self.state.issue(key)
            text_given = body.get("fields", {}).get("description")
            version = "3" if isinstance(text_given, Mapping) else "2"
            values = FieldReader(self.state, version, actor).read(body, issue)
            return issues.edit(self.state, issue, values, actor)

    def comment(self, key: str, body: Text, as_user: str | User | None = None) -> Comment:
        return self._seed.comment(key, body, as_user)

    def edit_comment(self, comment_id: str, body: Text, as_user: str | User | None = None) -> None:
        with self.state.lock:
            known = self.state.comments[comment_id]
            comments.edit(self.state, known, Draft(text(body)), self._seed.actor(as_user))

    def transition(self, key: str, status: str, as_user: str | User | None = None) -> None:
        """To a status by its name."""
        with self.state.lock:
            issue = self.state.issue(key)
            actor = self._seed.actor(as_user)
            issues.transition(self.state, issue, issues.transition_to(status), {}, actor)

    def link(self, blocker: str, blocked: str, as_user: str | User | None = None) -> None:
        """`blocker` blocks `blocked`."""
        with self.state.lock:
            ends = self.state.issue(blocker), self.state.issue(blocked)
            issues.link(self.state, "10000", *ends, self._seed.actor(as_user))

    def delete_issue(self, key: str, as_user: str | User | None = None) -> None:
        with self.state.lock:
            issues.delete(self.state, self.state.issue(key), self._seed.actor(as_user))

    # Serving

    def serve(self, port: int = 0) -> AbstractContextManager[str]:
        """Answer HTTP on this machine in a thread; yields the base URL."""
        return serving.serve(self.state, port)


def run(port: int, jira: SandboxJira | None = None) -> None:
    """Serve the examples (or a given sandbox) until interrupted."""
    serving.serve_forever((jira or SandboxJira.seeded()).state, port)
