"""What the sandbox remembers: users, projects, issues, comments and their history.

Plain records without rules; times are aware and UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from app.sandbox.markup import RichText

AccountType = Literal["atlassian", "app", "customer"]
ProjectType = Literal["software", "service_desk", "business"]
Deployment = Literal["cloud", "server"]

# https://support.atlassian.com/jira-cloud-administration/docs/permissions-for-company-managed-projects/
PROJECT_RIGHTS = {
    "ADMINISTER_PROJECTS": "Administer Projects",
    "BROWSE_PROJECTS": "Browse Projects",
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "DELETE_ISSUES": "Delete Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "ASSIGN_ISSUES": "Assign Issues",
    "ASSIGNABLE_USER": "Assignable User",
    "LINK_ISSUES": "Link Issues",
    "MODIFY_REPORTER": "Modify Reporter",
    "SET_ISSUE_SECURITY": "Set Issue Security",
    "ADD_COMMENTS": "Add Comments",
    "EDIT_ALL_COMMENTS": "Edit All Comments",
    "EDIT_OWN_COMMENTS": "Edit Own Comments",
    "DELETE_ALL_COMMENTS": "Delete All Comments",
    "DELETE_OWN_COMMENTS": "Delete Own Comments",
}
GLOBAL_RIGHTS = {
    "ADMINISTER": "Administer Jira",
    "BULK_CHANGE": "Make bulk changes",
    "USER_PICKER": "Browse users and groups",
}
ALL_RIGHTS = frozenset(PROJECT_RIGHTS) | frozenset(GLOBAL_RIGHTS)
MEMBER_RIGHTS = frozenset(PROJECT_RIGHTS) - {
    "ADMINISTER_PROJECTS",
    "DELETE_ISSUES",
    "MODIFY_REPORTER",
    "SET_ISSUE_SECURITY",
    "EDIT_ALL_COMMENTS",
    "DELETE_ALL_COMMENTS",
} | {"USER_PICKER"}
CUSTOMER_RIGHTS = frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS"})

ROLES = {10002: "Administrators", 10003: "Developers", 10004: "Viewers"}


@dataclass(slots=True)
class User:
    """An account. `rights` hold everywhere unless `project_rights` names the project.

    On Data Center `account_id` is the user's key, `name` what they log in with, and `token` a
    personal access token. scoped: the API token works at api.atlassian.com's address alone.
    """

    account_id: str
    display_name: str
    email: str
    token: str
    account_type: AccountType = "atlassian"
    active: bool = True
    rights: frozenset[str] = MEMBER_RIGHTS
    project_rights: dict[str, frozenset[str]] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    name: str = ""
    scoped: bool = False

    def may(self, right: str, project_key: str = "") -> bool:
        return self.active and right in self.project_rights.get(project_key, self.rights)

    def administers(self, project_key: str) -> bool:
        return self.may("ADMINISTER") or self.may("ADMINISTER_PROJECTS", project_key)


NOBODY = User("", "Nobody", "", "", active=False)


@dataclass(slots=True)
class Project:
    """members, groups: account ids and names of groups by project role. subtasks: whether there is
    a kind of issue for them."""

    id: str
    key: str
    name: str
    type: ProjectType = "software"
    lead: str = ""
    last_number: int = 0
    members: dict[int, list[str]] = field(default_factory=lambda: {role: [] for role in ROLES})
    groups: dict[int, list[str]] = field(default_factory=lambda: {role: [] for role in ROLES})
    team_managed: bool = False
    subtasks: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    id: str
    name: str
    category: Literal["new", "indeterminate", "done"]
    transition: str


STATUSES = {
    status.id: status
    for status in (
        Status("10000", "To Do", "new", "11"),
        Status("10001", "In Progress", "indeterminate", "21"),
        Status("10002", "In Review", "indeterminate", "31"),
        Status("10003", "Done", "done", "41"),
    )
}
CATEGORIES = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}
ISSUE_TYPES = {"10001": "Task", "10002": "Story", "10003": "Bug", "10004": "Epic"}
SUBTASK = "10005"
ISSUE_TYPES[SUBTASK] = "Sub-task"
PRIORITIES = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low", "5": "Lowest"}
LINK_TYPES = {
    "10000": ("Blocks", "is blocked by", "blocks"),
    "10001": ("Cloners", "is cloned by", "clones"),
    "10002": ("Duplicate", "is duplicated by", "duplicates"),
    "10003": ("Relates", "relates to", "relates to"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a changelog entry; ids where Jira has ids, else None."""

    field: str
    field_id: str
    before: str | None
    before_text: str | None
    after: str | None
    after_text: str | None


@dataclass(frozen=True, slots=True)
class History:
    id: str
    author: str
    created: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`source` blocks `target`, read with the outward name of the type."""

    id: str
    type: str
    source: str
    target: str


@dataclass(slots=True)
class Comment:
    id: str
    issue_id: str
    author: str
    body: RichText
    created: datetime
    updated: datetime
    update_author: str = ""
    visibility: dict[str, str] | None = None
    public: bool = True
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Issue:
    """`extra` keeps fields that are stored and given back without being understood."""

    id: str
    key: str
    project: str
    summary: str
    reporter: str
    creator: str
    created: datetime
    updated: datetime
    description: RichText | None = None
    issue_type: str = "10001"
    status: str = "10000"
    priority: str = "3"
    labels: list[str] = field(default_factory=list)
    assignee: str | None = None
    resolution: str | None = None
    resolved: datetime | None = None
    status_changed: datetime | None = None
    security: str | None = None
    parent: str | None = None
    comments: list[str] = field(default_factory=list)
    history: list[History] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


def stamp(when: datetime) -> str:
    """Jira's own way to write a time: milliseconds, offset without a colon."""
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
