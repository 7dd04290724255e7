"""People, projects and what a site is configured with, as Jira's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.sandbox.markup import RichText
from app.sandbox.records import (
    CATEGORIES,
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    ROLES,
    STATUSES,
    SUBTASK,
    Project,
    User,
)
from app.sandbox.state import SandboxState

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SiteFace:
    """How the sandbox shows its records to `viewer` in one API version."""

    state: SandboxState
    version: str
    viewer: User

    @property
    def cloud(self) -> bool:
        return self.state.deployment == "cloud"

    def url(self, path: str) -> str:
        return f"{self.state.base_url}/rest/api/{self.version}/{path}"

    def text(self, text: RichText | None) -> Any:
        if text is None:
            return None
        return text.adf() if self.version == "3" else text.wiki()

    # People and projects

    def user(self, account_id: str | None) -> Json | None:
        """Mail addresses are shown to their owner only, as privacy settings have it by default."""
        if account_id is None:
            return None
        user = self.state.users.get(account_id)
        if not self.cloud:
            return self._server_user(account_id, user)
        if user is None:
            return {"accountId": account_id, "displayName": "Former user", "active": False}
        out: Json = {
            "self": self.url(f"user?accountId={quote(account_id, safe='')}"),
            "accountId": account_id,
            "accountType": user.account_type,
            "displayName": user.display_name,
            "active": user.active,
            "timeZone": "Etc/UTC",
        }
        if user is self.viewer:
            out["emailAddress"] = user.email
        return out

    def _server_user(self, key: str, user: User | None) -> Json:
        """Data Center: by key and name, with the mail address, without any accountId."""
        if user is None:
            return {"key": key, "name": key, "displayName": "Former user", "active": False}
        return {
            "self": self.url(f"user?username={quote(user.name, safe='')}"),
            "name": user.name,
            "key": user.account_id,
            "emailAddress": user.email,
            "displayName": user.display_name,
            "active": user.active,
            "timeZone": "Etc/UTC",
        }

    def project(self, project: Project) -> Json:
        out = {
            "self": self.url(f"project/{project.id}"),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.type,
        }
        if not self.cloud:
            return out
        style = "next-gen" if project.team_managed else "classic"
        return out | {"simplified": project.team_managed, "style": style, "isPrivate": False}

    def project_details(self, project: Project) -> Json:
        known = [kind for kind in ISSUE_TYPES if project.subtasks or kind != SUBTASK]
        kinds = [self.issue_type(type_id) for type_id in known]
        lead = {"lead": self.user(project.lead)} if project.lead else {}
        return (
            self.project(project)
            | lead
            | {
                "description": "",
                "issueTypes": kinds,
                "components": [],
                "versions": [],
                "assigneeType": "UNASSIGNED",
                "roles": self.role_links(project),
            }
        )

    def role_links(self, project: Project) -> dict[str, str]:
        return {name: self.url(f"project/{project.id}/role/{role}") for role, name in ROLES.items()}

    def role(self, project: Project, role: int) -> Json:
        members = [self.state.users[member] for member in project.members[role]]
        actors = [*map(self._person, members), *map(self._group, project.groups[role])]
        return {
            "self": self.url(f"project/{project.id}/role/{role}"),
            "id": role,
            "name": ROLES[role],
            "description": f"{ROLES[role]} of the project",
            "actors": [{"id": 10_000 + at} | actor for at, actor in enumerate(actors)],
        }

    def _person(self, member: User) -> Json:
        named = {"actorUser": {"accountId": member.account_id}}
        out = {"displayName": member.display_name, "type": "atlassian-user-role-actor"}
        return out | (named if self.cloud else {"name": member.name})

    def _group(self, name: str) -> Json:
        out: Json = {"displayName": name, "type": "atlassian-group-role-actor", "name": name}
        return out | {"actorGroup": {"name": name, "displayName": name}}

    # Small things of an issue

    def issue_type(self, type_id: str) -> Json:
        return {
            "self": self.url(f"issuetype/{type_id}"),
            "id": type_id,
            "name": ISSUE_TYPES[type_id],
            "description": "",
            "iconUrl": "",
            "subtask": type_id == SUBTASK,
            "hierarchyLevel": {"Epic": 1, "Sub-task": -1}.get(ISSUE_TYPES[type_id], 0),
        }

    def status(self, status_id: str) -> Json:
        status = STATUSES[status_id]
        number, name, colour = CATEGORIES[status.category]
        return {
            "self": self.url(f"status/{status.id}"),
            "description": "",
            "iconUrl": f"{self.state.base_url}/",
            "name": status.name,
            "id": status.id,
            "statusCategory": {
                "self": self.url(f"statuscategory/{number}"),
                "id": number,
                "key": status.category,
                "colorName": colour,
                "name": name,
            },
        }

    def priority(self, priority: str) -> Json:
        return {
            "self": self.url(f"priority/{priority}"),
            "id": priority,
            "name": PRIORITIES[priority],
            "iconUrl": "",
        }

    def transition(self, status_id: str) -> Json:
        status = STATUSES[status_id]
        return {
            "id": status.transition,
            "name": status.name,
            "to": self.status(status_id),
            "hasScreen": False,
            "isGlobal": True,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "looped": False,
        }

    def link_type(self, type_id: str) -> Json:
        name, inward, outward = LINK_TYPES[type_id]
        return {
            "id": type_id,
            "name": name,
            "inward": inward,
            "outward": outward,
            "self": self.url(f"issueLinkType/{type_id}"),
        }
