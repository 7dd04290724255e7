"""Jira's JSON into our own words. Vendor payloads stop here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.adf import from_adf
from app.core.text import Document
from app.core.ticket import Assignment, LabelChange, Ticket, label_change
from app.core.wiki import from_wiki
from app.ports import Account, Comment, Found

Json = dict[str, Any]
PROPERTY = "signalbox"
"""The comment property by which our own comments are found again."""
TICKET_FIELDS = (
    "summary,description,labels,status,issuetype,project,reporter,assignee,updated,issuelinks,"
    "security"
)
TEXT_FIELDS = "summary,description,labels,status,issuetype,project,updated,security"
"""What a text is judged by: links alone can be larger than it."""
FOUND_FIELDS = "summary,labels,project,updated,assignee"


def account(user: Json | None) -> Account:
    """`accountId` on Cloud, `key` or `name` on Data Center; nobody is an empty id."""
    known = user or {}
    return Account(
        id=str(known.get("accountId") or known.get("key") or known.get("name") or ""),
        name=str(known.get("displayName") or ""),
        kind=str(known.get("accountType") or "unknown"),
        active=bool(known.get("active", True)),
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def document(body: Any) -> Document:
    """ADF from version 3 of the API, wiki markup from version 2."""
    return from_wiki(body) if isinstance(body, str) else from_adf(body)


def ticket(site_id: str, issue: Json) -> Ticket:
    fields: Json = issue["fields"]
    project: Json = fields.get("project") or {}
    return Ticket(
        site_id=site_id,
        id=str(issue["id"]),
        key=str(issue["key"]),
        project_key=str(project.get("key") or issue["key"].rpartition("-")[0]),
        issue_type=_name(fields.get("issuetype")),
        summary=str(fields.get("summary") or ""),
        description=document(fields.get("description")),
        labels=frozenset(fields.get("labels") or ()),
        status=_name(fields.get("status")),
        done=_is_done(fields),
        reporter=account(fields.get("reporter")).id,
        updated=moment(fields["updated"]),
        blockers=tuple(_blockers(fields.get("issuelinks") or ())),
        restricted=_restricted(fields, project),
        assignee=account(fields.get("assignee")).id,
    )


def found(issue: Json) -> Found:
    """A ticket in the answer of a search that asked for FOUND_FIELDS."""
    fields: Json = issue["fields"]
    return Found(
        id=str(issue["id"]),
        key=str(issue["key"]),
        project_key=str(
            (fields.get("project") or {}).get("key") or issue["key"].rpartition("-")[0]
        ),
        updated=moment(fields["updated"]),
        labels=frozenset(fields.get("labels") or ()),
        summary=str(fields.get("summary") or ""),
        assignee=account(fields.get("assignee")).id,
    )


def assignments(histories: Iterable[Json], issue: Json) -> list[Assignment]:
    """The changelog's entries that touch the assignee, oldest first, after whom the ticket was
    born with. `issue` must have been read before the changelog."""
    entries = []
    for history in histories:
        for item in history.get("items") or ():
            if "assignee" in (item.get("fieldId"), item.get("field")):
                at, actor = moment(history["created"]), account(history.get("author")).id
                change = Assignment(str(history["id"]), at, actor, str(item.get("to") or ""))
                entries.append((change, str(item.get("from") or "")))
    entries.sort(key=lambda entry: (entry[0].at, entry[0].id.zfill(20)))
    fields: Json = issue["fields"]
    born = entries[0][1] if entries else account(fields.get("assignee")).id
    changes = [change for change, _ in entries]
    if not born:
        return changes
    at, actor = moment(fields["created"]), account(fields.get("creator")).id
    return [Assignment("created", at, actor, born), *changes]


def label_changes(histories: Iterable[Json]) -> list[LabelChange]:
    """The changelog's entries that touch labels, oldest first."""
    changes = []
    for history in histories:
        added, removed = frozenset[str](), frozenset[str]()
        for item in history.get("items") or ():
            if "labels" in (item.get("fieldId"), item.get("field")):
                more, less = label_change(item.get("fromString"), item.get("toString"))
                added, removed = (added - less) | more, (removed - more) | less
        if added or removed:
            at, actor = moment(history["created"]), account(history.get("author")).id
            changes.append(LabelChange(str(history["id"]), at, actor, added, removed))
    return sorted(changes, key=lambda change: (change.at, change.id.zfill(20)))


def since_creation(changes: Sequence[LabelChange], issue: Json) -> list[LabelChange]:
    """With the labels that the ticket was born with: what the changelog does not explain.

    `issue` must have been read before the changelog: what is set in between is explained then.
    """
    fields: Json = issue["fields"]
    born = frozenset(fields.get("labels") or ())
    for change in reversed(changes):
        born = (born - change.added) | change.removed
    if not born:
        return list(changes)
    at, actor = moment(fields["created"]), account(fields.get("creator")).id
    return [LabelChange("created", at, actor, born, frozenset()), *changes]


def comment(body: Json, key: str | None) -> Comment:
    return Comment(
        id=str(body["id"]),
        author=account(body.get("author")),
        editor=account(body.get("updateAuthor") or body.get("author")),
        text=document(body.get("body")),
        created=moment(body["created"]),
        updated=moment(body["updated"]),
        restricted=bool(body.get("visibility")),
        key=key,
    )


def mark(properties: Iterable[Json]) -> str | None:
    """The key in our comment property, if the comment carries one."""
    for entry in properties:
        value = entry.get("value")
        if entry.get("key") == PROPERTY and isinstance(value, dict):
            return str(value.get("key") or "") or None
    return None


def same_text(present: Any, wanted: Any) -> bool:
    """Whether people would read the same: Jira adds ids and defaults of its own to a document."""
    if isinstance(present, str) and isinstance(wanted, str):
        return present.replace("\r\n", "\n").strip() == wanted.replace("\r\n", "\n").strip()
    return document(present) == document(wanted)


def _name(thing: Json | None) -> str:
    return str((thing or {}).get("name") or "")


def _is_done(fields: Json) -> bool:
    category: Json = (fields.get("status") or {}).get("statusCategory") or {}
    return category.get("key") == "done"


def _blockers(links: Iterable[Json]) -> Iterable[str]:
    for link in links:
        kind, other = link.get("type") or {}, link.get("inwardIssue")
        blocks = kind.get("name") == "Blocks" or kind.get("inward") == "is blocked by"
        if blocks and other and not _is_done(other.get("fields") or {}):
            yield str(other["key"])


def _restricted(fields: Json, project: Json) -> str:
    desk = project.get("projectTypeKey") in ("service_desk", "customer_service")
    found = {"security level": bool(fields.get("security")), "service desk": desk}
    return ", ".join(why for why, there in found.items() if there)
