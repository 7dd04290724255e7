"""What is written into tickets besides comments: a description, and tickets made from another one.
All of it is found again by a property that is written in the same request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.adapters import jira_reading as reading
from app.adapters.jira_auth import Waiting
from app.adapters.jira_fault import Call
from app.adapters.jira_pages import part
from app.adapters.jira_reading import Json
from app.adapters.jira_session import JiraSession
from app.core.adf import to_adf
from app.core.text import Block
from app.core.wiki import to_wiki
from app.ports import Changed, Child, NewTicket, NotFound, RateLimited, Refused, Transient

MOST_CANDIDATES = 100
"""Tickets around one that are looked at for our mark."""


class Tickets:
    def __init__(self, api: JiraSession, site_id: str, *, cloud: bool) -> None:
        self._api = api
        self._site_id = site_id
        self._cloud = cloud

    def property_of(self, issue: str, name: str) -> Mapping[str, Any] | None:
        path, what = f"/issue/{part(issue)}/properties/{part(name)}", f"a property of {issue}"
        try:
            value = self._api.repeat(Call("GET", path, what, "Browse Projects"))["value"]
        except NotFound:
            return None
        return value if isinstance(value, dict) else None

    # A description

    def describe(
        self, issue: str, blocks: Sequence[Block], expected: str, mark: tuple[str, str]
    ) -> None:
        """Jira knows no "only if unchanged": it is read right before, and before each repeat."""
        name, value = mark
        body = {
            "fields": {"description": self._text(blocks)},
            "properties": [{"key": name, "value": {"by": value}}],
        }
        path, what = f"/issue/{part(issue)}", f"the description of {issue}"
        patience = self._api.patience()
        while True:
            found = self._issue(issue, reading.TICKET_FIELDS)
            if reading.ticket(self._site_id, found).spec_hash() != expected:
                if (self.property_of(issue, name) or {}).get("by") == value:
                    return
                raise Changed(f"The text of {issue} has changed meanwhile.")
            try:
                self._api.once(Call("PUT", path, what, "Edit Issues", body=body, issue=issue))
            except Transient as fault:
                if not patience.wait(fault):
                    raise
            else:
                return

    def _text(self, blocks: Sequence[Block]) -> Any:
        return to_adf(tuple(blocks)) if self._cloud else to_wiki(tuple(blocks))

    # Tickets made from another one

    def children(self, issue: str, name: str) -> list[Child]:
        fields: Json = self._issue(issue, "subtasks,issuelinks")["fields"]
        ends = (link.get("inwardIssue") or link.get("outwardIssue") for link in _links(fields))
        near = [*(fields.get("subtasks") or ()), *(end for end in ends if end)]
        found = []
        for other in {str(one["id"]): one for one in near[:MOST_CANDIDATES]}.values():
            mark = self.property_of(str(other["id"]), name)
            if mark is not None:
                blockers = frozenset(self._blockers(str(other["id"])))
                found.append(Child(str(other["id"]), str(other["key"]), mark, blockers))
        return found

    def _blockers(self, issue: str) -> Iterator[str]:
        for link in _links(self._issue(issue, "issuelinks")["fields"]):
            if _blocks(link.get("type") or {}) and link.get("inwardIssue"):
                yield str(link["inwardIssue"]["id"])

    def create(self, issue: str, name: str, new: NewTicket) -> Child:
        body = self._new(issue, name, new)
        what, need = f"a new ticket from {issue}", "Create Issues"
        patience = self._api.patience()
        while True:
            try:
                made = self._api.once(Call("POST", "/issue", what, need, body=body))
                return Child(str(made["id"]), str(made["key"]), new.mark)
            except Transient as fault:
                again = patience.wait(fault)
                if isinstance(fault, (RateLimited, Waiting)):  # nothing was made
                    if again:
                        continue
                    raise
                same = (c for c in self.children(issue, name) if c.mark == new.mark)
                lost = next(same, None)
                if lost is not None:
                    return lost
                if not again:
                    raise

    def _new(self, issue: str, name: str, new: NewTicket) -> Json:
        """A sub-task where the project has them; else a ticket of the same kind, linked in the
        same request: made first and linked later, it could be lost in between."""
        whole = self._issue(issue, "project,issuetype")
        project, own = whole["fields"]["project"], whole["fields"].get("issuetype") or {}
        kinds = self._kinds(str(project["key"]))
        fields: Json = {
            "project": {"id": str(project["id"])},
            "summary": new.summary,
            "description": self._text(new.description),
        }
        body: Json = {"fields": fields, "properties": [{"key": name, "value": dict(new.mark)}]}
        sub = next((kind for kind in kinds if kind.get("subtask")), None)
        if sub and not own.get("subtask") and not own.get("hierarchyLevel"):
            body["fields"] |= {
                "issuetype": {"id": str(sub["id"])},
                "parent": {"id": str(whole["id"])},
            }
            return body
        fields["issuetype"] = {"id": str(_ordinary(own, kinds)["id"])}
        link = {
            "type": {"name": self._link_type("Relates")},
            "outwardIssue": {"key": str(whole["key"])},
        }
        return body | {"update": {"issuelinks": [{"add": link}]}}

    def _kinds(self, project_key: str) -> list[Json]:
        path, what = f"/project/{part(project_key)}", f"the project {project_key}"
        found: Json = self._api.repeat(Call("GET", path, what, "Browse Projects"))
        return list(found.get("issueTypes") or ())

    def block(self, blocker: str, blocked: str) -> None:
        if blocker in self._blockers(blocked):
            return
        body = {
            "type": {"name": self._link_type("Blocks")},
            "inwardIssue": {"id": blocker},
            "outwardIssue": {"id": blocked},
        }
        patience = self._api.patience()
        what = f"a link to the ticket {blocked}"
        while True:
            try:
                self._api.once(Call("POST", "/issueLink", what, "Link Issues", body=body))
            except Transient as fault:
                if patience.wait(fault):
                    if blocker in self._blockers(blocked):
                        return
                    continue
                raise
            else:
                return

    def _link_type(self, name: str) -> str:
        found = self._api.repeat(Call("GET", "/issueLinkType", "the kinds of links"))
        kinds: list[Json] = found.get("issueLinkTypes") or []
        wanted = _blocks if name == "Blocks" else (lambda kind: kind.get("name") == name)
        kind = next((kind for kind in kinds if wanted(kind)), None)
        if kind is None:
            raise Refused(f"This Jira has no kind of link called {name}: an admin can add it.")
        return str(kind["name"])

    def _issue(self, issue: str, fields: str) -> Json:
        path, what, params = f"/issue/{part(issue)}", f"the ticket {issue}", {"fields": fields}
        found: Json = self._api.repeat(Call("GET", path, what, "Browse Projects", params))
        return found


def _links(fields: Json) -> list[Json]:
    return list(fields.get("issuelinks") or ())


def _blocks(kind: Json) -> bool:
    return kind.get("name") == "Blocks" or kind.get("inward") == "is blocked by"


def _ordinary(own: Json, kinds: Sequence[Json]) -> Json:
    """The ticket's own kind, unless that needs a place in a hierarchy."""
    if own and not own.get("subtask") and not own.get("hierarchyLevel"):
        return own
    for kind in kinds:
        if not kind.get("subtask") and not kind.get("hierarchyLevel"):
            return kind
    raise Refused("This project has no kind of ticket that can be made here.")
