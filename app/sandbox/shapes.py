"""Issues, comments and history as Jira's JSON: version 3 speaks ADF, version 2 wiki markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.records import (
    STATUSES,
    Comment,
    Deployment,
    History,
    Issue,
    Link,
    stamp,
)
from app.sandbox.render import to_html
from app.sandbox.site_shapes import Json, SiteFace

CHANGELOG_IN_ISSUE = 100
COMMENTS_IN_ISSUE = 100


@dataclass(frozen=True, slots=True)
class Fields:
    """Which issue fields were asked for: names, `*all`, `*navigable`, and `-name` to leave out."""

    names: frozenset[str]

    @classmethod
    def of(cls, names: Iterable[str], default: str) -> Fields:
        return cls(frozenset(names) or frozenset({default}))

    def __contains__(self, name: str) -> bool:
        if f"-{name}" in self.names:
            return False
        if name in self.names or "*all" in self.names:
            return True
        only_excluded = all(known.startswith("-") for known in self.names)
        return only_excluded or ("*navigable" in self.names and name != "comment")


@dataclass(frozen=True, slots=True)
class Face(SiteFace):
    """How the sandbox shows its records to `viewer` in one API version."""

    def linked(self, issue_id: str) -> Json:
        issue = self.state.issues[issue_id]
        return {
            "id": issue.id,
            "key": issue.key,
            "self": self.url(f"issue/{issue.id}"),
            "fields": {
                "summary": issue.summary,
                "status": self.status(issue.status),
                "priority": self.priority(issue.priority),
                "issuetype": self.issue_type(issue.issue_type),
            },
        }

    def link(self, link: Link, seen_from: str = "") -> Json:
        """Seen from an issue only its other end is shown."""
        out: Json = {
            "id": link.id,
            "self": self.url(f"issueLink/{link.id}"),
            "type": self.link_type(link.type),
        }
        if seen_from != link.source:
            out["inwardIssue"] = self.linked(link.source)
        if seen_from != link.target:
            out["outwardIssue"] = self.linked(link.target)
        return out

    # Comments and history

    def comment(self, comment: Comment, expand: Sequence[str] = ()) -> Json:
        out: Json = {
            "self": self.url(f"issue/{comment.issue_id}/comment/{comment.id}"),
            "id": comment.id,
            "author": self.user(comment.author),
            "body": self.text(comment.body),
            "updateAuthor": self.user(comment.update_author or comment.author),
            "created": stamp(comment.created),
            "updated": stamp(comment.updated),
        }
        if self.cloud:
            out["jsdPublic"] = comment.public
        if comment.visibility:
            out["visibility"] = comment.visibility
        if "properties" in expand and self.cloud:  # Data Center names no such expand
            out["properties"] = [
                {"key": key, "value": value} for key, value in comment.properties.items()
            ]
        if "renderedBody" in expand:
            out["renderedBody"] = str(to_html(comment.body.adf()))
        return out

    def comment_page(self, issue: Issue) -> Json:
        comments = self.state.comments_of(issue, self.viewer)
        return {
            "comments": [self.comment(comment) for comment in comments[:COMMENTS_IN_ISSUE]],
            "self": self.url(f"issue/{issue.id}/comment"),
            "maxResults": len(comments[:COMMENTS_IN_ISSUE]),
            "total": len(comments),
            "startAt": 0,
        }

    def history(self, history: History) -> Json:
        return {
            "id": history.id,
            "author": self.user(history.author),
            "created": stamp(history.created),
            "items": changes_as_json(history, self.state.deployment),
        }

    # The issue itself

    def fields(self, issue: Issue, wanted: Fields) -> Json:
        made: dict[str, Callable[[], Any]] = {
            "summary": lambda: issue.summary,
            "description": lambda: self.text(issue.description),
            "issuetype": lambda: self.issue_type(issue.issue_type),
            "project": lambda: self.project(self.state.projects[issue.project]),
            "status": lambda: self.status(issue.status),
            "priority": lambda: self.priority(issue.priority),
            "labels": lambda: list(issue.labels),
            "reporter": lambda: self.user(issue.reporter),
            "creator": lambda: self.user(issue.creator),
            "assignee": lambda: self.user(issue.assignee),
            "created": lambda: stamp(issue.created),
            "updated": lambda: stamp(issue.updated),
            "statuscategorychangedate": lambda: stamp(issue.status_changed or issue.created),
            "resolution": lambda: _resolution(self, issue),
            "resolutiondate": lambda: stamp(issue.resolved) if issue.resolved else None,
            "security": lambda: _security(self, issue),
            "issuelinks": lambda: [
                self.link(link, issue.id) for link in self.state.links_of(issue)
            ],
            "comment": lambda: self.comment_page(issue),
            "subtasks": lambda: [self.linked(child.id) for child in self.state.below(issue)],
        }
        if issue.parent is not None:
            above = issue.parent
            made["parent"] = lambda: self.linked(above)
        out = {name: make() for name, make in made.items() if name in wanted}
        out |= {name: value for name, value in _EMPTY.items() if name in wanted}
        return out | {name: value for name, value in issue.extra.items() if name in wanted}

    def issue(self, issue: Issue, wanted: Fields, expand: Sequence[str] = ()) -> Json:
        out: Json = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,transitions",
            "id": issue.id,
            "self": self.url(f"issue/{issue.id}"),
            "key": issue.key,
            "fields": self.fields(issue, wanted),
        }
        if "changelog" in expand:
            out["changelog"] = self._changelog(issue)
        if "renderedFields" in expand:
            html = to_html(issue.description.adf()) if issue.description else ""
            out["renderedFields"] = {"description": str(html)}
        if "transitions" in expand:
            out["transitions"] = [self.transition(status) for status in STATUSES]
        return out

    def _changelog(self, issue: Issue) -> Json:
        """Cloud shows the newest entries, newest first; Data Center all of them, oldest first."""
        entries = list(issue.history)
        if self.cloud:
            entries = entries[::-1][:CHANGELOG_IN_ISSUE]
        return {
            "startAt": 0,
            "maxResults": len(entries),
            "total": len(issue.history),
            "histories": [self.history(history) for history in entries],
        }


_EMPTY: Json = {
    "components": [],
    "fixVersions": [],
    "versions": [],
    "attachment": [],
    "environment": None,
    "duedate": None,
    "workratio": -1,
}


def changes_as_json(history: History, deployment: Deployment) -> list[Json]:
    """Data Center knows no `fieldId`."""
    named = deployment == "cloud"
    return [
        {
            "field": change.field,
            "fieldtype": "jira",
            **({"fieldId": change.field_id} if named else {}),
            "from": change.before,
            "fromString": change.before_text,
            "to": change.after,
            "toString": change.after_text,
        }
        for change in history.changes
    ]


def _resolution(face: Face, issue: Issue) -> Json | None:
    if issue.resolution is None:
        return None
    return {
        "self": face.url("resolution/10000"),
        "id": "10000",
        "name": issue.resolution,
        "description": "",
    }


def _security(face: Face, issue: Issue) -> Json | None:
    if issue.security is None:
        return None
    return {
        "self": face.url("securitylevel/10000"),
        "id": "10000",
        "name": issue.security,
        "description": "",
    }
