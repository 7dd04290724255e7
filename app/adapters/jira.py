"""One site's Jira, Cloud (API version 3, ADF) or Data Center (version 2, wiki markup)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from app.adapters import jira_reading as reading
from app.adapters.jira_reading import PROPERTY, Json
from app.adapters.jira_session import Auth, Call, Denied, JiraSession, Pause
from app.core.adf import fit, to_adf
from app.core.text import Block
from app.core.ticket import Assignment, LabelChange, Ticket
from app.core.wiki import to_wiki
from app.ports import Account, Comment, Found, NotFound, RateLimited, Refused, Transient

Deployment = Literal["cloud", "server"]
PAGE = 100
MOST_PAGES = 100


class JiraTracker:
    """`auth`: e-mail address and API token, or a bearer token (a personal access token).

    Nothing is sent before the first call.
    """

    def __init__(
        self,
        site_id: str,
        api_url: str,
        auth: Auth,
        deployment: Deployment = "cloud",
        pause: Pause = time.sleep,
    ) -> None:
        self._site_id = site_id
        self._cloud = deployment == "cloud"
        self._api = JiraSession(api_url, auth, "3" if self._cloud else "2", pause)
        self._me: Account | None = None

    # Reading

    def myself(self) -> Account:
        if self._me is None:
            self._me = reading.account(self._api.repeat(Call("GET", "/myself", "its own account")))
        return self._me

    def rights(self, project_key: str, names: Sequence[str]) -> Mapping[str, bool]:
        params = {"projectKey": project_key, "permissions": ",".join(names)}
        what = f"the project {project_key}"
        found = self._api.repeat(Call("GET", "/mypermissions", what, params=params))
        known: Json = found["permissions"]
        return {name: bool(known.get(name, {}).get("havePermission")) for name in names}

    def ticket(self, issue: str) -> Ticket:
        return reading.ticket(self._site_id, self._issue(issue, fields=reading.TICKET_FIELDS))

    def label_history(self, issue: str) -> Sequence[LabelChange]:
        """The labels a ticket was created with come first, as an entry with the id "created"."""
        present, histories = self._history(issue, "labels,created,creator")
        return reading.since_creation(reading.label_changes(histories), present)

    def assignments(self, issue: str) -> Sequence[Assignment]:
        return reading.assignments(self._history(issue, "created")[1])

    def search(self, jql: str, most: int) -> Sequence[Found]:
        return [reading.found(issue) for issue in self._search(jql, reading.FOUND_FIELDS, most)]

    def comments_since(self, issue: str, since: datetime) -> Sequence[Comment]:
        """All pages are read, as an old comment can be edited: a list by time of edit there is
        none."""
        path, params = f"/issue/{_part(issue)}/comment", {"expand": "properties"}
        bodies = self._pages(path, "comments", f"the ticket {issue}", params)
        recent = [body for body in bodies if reading.moment(body["updated"]) >= since]
        return [reading.comment(body, self._mark(body)) for body in recent]

    def account(self, account_id: str) -> Account:
        return reading.account(self._user(account_id))

    def roles(self, project_key: str, account_id: str) -> frozenset[str]:
        """Held as a person or through a group. Reading roles takes the right to administer."""
        path, what = f"/project/{_part(project_key)}/role", f"the role list of {project_key}"
        links: Json = self._api.repeat(Call("GET", path, what, "Administer Projects"))
        direct, by_group = set[str](), dict[str, set[str]]()
        names = {account_id}
        if not self._cloud:
            names.add(str(self._user(account_id).get("name")))
        for name, address in links.items():
            one = f"{path}/{_part(str(address).rstrip('/').rpartition('/')[2])}"
            role = self._api.repeat(Call("GET", one, what, "Administer Projects"))
            people, groups = _actors(role.get("actors") or ())
            if names & people:
                direct.add(name)
            elif groups:
                by_group[name] = groups
        if not by_group:
            return frozenset(direct)
        try:
            mine = self._groups(account_id)
        except Refused:
            if direct:
                return frozenset(direct)
            raise
        return frozenset(direct | {name for name, groups in by_group.items() if groups & mine})

    def comment(self, issue: str, comment_id: str) -> Comment:
        body = self._comment(issue, comment_id)
        return reading.comment(body, self._mark(body))

    def find_comment(self, issue: str, key: str) -> str | None:
        found = self._find(issue, key)
        return None if found is None else str(found["id"])

    # Writing

    def put_comment(self, issue: str, key: str, blocks: Sequence[Block]) -> str:
        """Never posts blindly twice: after a lost answer it looks for the comment first."""
        body: Any = to_adf(fit(blocks)) if self._cloud else to_wiki(fit(blocks))
        patience = self._api.patience()
        while True:
            found = self._find(issue, key)
            if found is not None:
                return self._edit(issue, found, body)
            try:
                return self._create(issue, key, body)
            except Transient as fault:
                if patience.wait(fault):
                    continue
                lost = None if isinstance(fault, RateLimited) else self._find(issue, key)
                if lost is None:
                    raise
                return str(lost["id"])

    def delete_comment(self, issue: str, comment_id: str) -> None:
        path = f"/issue/{_part(issue)}/comment/{_part(comment_id)}"
        self._delete(path, f"our comment on {issue}", "Delete Own Comments")

    def set_property(self, issue: str, name: str, value: Mapping[str, Any]) -> None:
        path = f"/issue/{_part(issue)}/properties/{_part(name)}"
        self._api.repeat(Call("PUT", path, f"the ticket {issue}", "Edit Issues", body=dict(value)))

    def delete_property(self, issue: str, name: str) -> None:
        path = f"/issue/{_part(issue)}/properties/{_part(name)}"
        self._delete(path, f"a property of {issue}", "Edit Issues")

    # Parts

    def _create(self, issue: str, key: str, body: Any) -> str:
        sent = {"body": body, "properties": [{"key": PROPERTY, "value": {"key": key}}]}
        path = f"/issue/{_part(issue)}/comment"
        made = self._api.once(
            Call("POST", path, f"a new comment on {issue}", "Add Comments", body=sent)
        )
        return str(made["id"])

    def _delete(self, path: str, what: str, need: str) -> None:
        try:
            self._api.repeat(Call("DELETE", path, what, need))
        except NotFound:  # gone is what was wanted
            return

    def _history(self, issue: str, fields: str) -> tuple[Json, list[Json]]:
        """The ticket with these fields, and its changelog, read in this order."""
        if not self._cloud:
            present = self._issue(issue, fields=fields, expand="changelog")
            return present, list(present["changelog"]["histories"])
        present = self._issue(issue, fields=fields)
        path = f"/issue/{_part(issue)}/changelog"
        return present, list(self._pages(path, "values", f"the ticket {issue}"))

    def _search(self, jql: str, fields: str, most: int) -> Iterator[Json]:
        """Cloud pages by token and tells no total; Data Center counts."""
        need, what, left, token = "Browse Projects", "the search for tickets", most, ""
        path = "/search/jql" if self._cloud else "/search"
        while left > 0:
            params: dict[str, str | int] = {"jql": jql, "fields": fields}
            params["maxResults"] = min(PAGE, left)
            if self._cloud and token:
                params["nextPageToken"] = token
            if not self._cloud:
                params["startAt"] = most - left
            page: Json = self._api.repeat(Call("GET", path, what, need, params))
            yield from page["issues"][:left]
            left -= len(page["issues"])
            token = page.get("nextPageToken") or ""
            more = token if self._cloud else most - left < page.get("total", 0)
            if not more or not page["issues"]:
                return

    def _edit(self, issue: str, found: Json, body: Any) -> str:
        if reading.same_text(found.get("body"), body):
            return str(found["id"])
        path = f"/issue/{_part(issue)}/comment/{_part(str(found['id']))}"
        what, need = f"our comment on {issue}", "Edit Own Comments"
        silently = Call("PUT", path, what, need, {"notifyUsers": "false"}, {"body": body})
        try:
            self._api.repeat(silently)
        except Denied:  # a silent edit may be kept for administrators
            self._api.repeat(Call("PUT", path, what, need, body={"body": body}))
        return str(found["id"])

    def _find(self, issue: str, key: str) -> Json | None:
        """Newest first, and only among our own comments: anybody can set a property."""
        path = f"/issue/{_part(issue)}/comment"
        params = {"orderBy": "-created", "expand": "properties"}
        mine = self.myself().id
        for body in self._pages(path, "comments", f"the ticket {issue}", params):
            if reading.account(body.get("author")).id == mine and self._mark(body) == key:
                return body
        return None

    def _mark(self, body: Json) -> str | None:
        """The key of our comment, asked for by itself where the list leaves properties out."""
        if reading.account(body.get("author")).id != self.myself().id:
            return None
        if isinstance(body.get("properties"), list):
            return reading.mark(body["properties"])
        path = f"/comment/{_part(str(body['id']))}/properties/{PROPERTY}"
        try:
            return reading.mark([self._api.repeat(Call("GET", path, "the mark of our comment"))])
        except NotFound:
            return None

    def _comment(self, issue: str, comment_id: str) -> Json:
        path = f"/issue/{_part(issue)}/comment/{_part(comment_id)}"
        what = f"the comment {comment_id} of {issue}"
        found: Json = self._api.repeat(Call("GET", path, what, params={"expand": "properties"}))
        return found

    def _issue(self, issue: str, **params: str) -> Json:
        what = f"the ticket {issue}"
        path = f"/issue/{_part(issue)}"
        found: Json = self._api.repeat(Call("GET", path, what, "Browse Projects", params))
        return found

    def _user(self, account_id: str, **params: str) -> Json:
        params["accountId" if self._cloud else "key"] = account_id
        need, what = "Browse users and groups", f"the account {account_id}"
        found: Json = self._api.repeat(Call("GET", "/user", what, need, params))
        return found

    def _groups(self, account_id: str) -> set[str]:
        """Names and ids of the account's groups."""
        if not self._cloud:
            items = self._user(account_id, expand="groups").get("groups", {}).get("items") or ()
            return {str(group["name"]) for group in items}
        need, what = "Browse users and groups", f"the group list of {account_id}"
        params = {"accountId": account_id}
        found = self._api.repeat(Call("GET", "/user/groups", what, need, params))
        return {
            str(group[name]) for group in found for name in ("name", "groupId") if name in group
        }

    def _pages(
        self, path: str, key: str, what: str, params: Mapping[str, str | int] | None = None
    ) -> Iterator[Json]:
        start = 0
        for _ in range(MOST_PAGES):
            asked = {**(params or {}), "startAt": start, "maxResults": PAGE}
            page: Json = self._api.repeat(Call("GET", path, what, "Browse Projects", asked))
            yield from page[key]
            start += len(page[key])
            if not page[key] or page.get("isLast") or start >= page.get("total", math.inf):
                return
        raise Refused(f"There is more about {what} than Signalbox reads.")


def _actors(actors: Sequence[Json]) -> tuple[set[str], set[str]]:
    """The people and the groups in a role, by every name that Jira gives them."""
    people, groups = set[str](), set[str]()
    for actor in actors:
        is_group = actor.get("type") == "atlassian-group-role-actor"
        about: Json = actor.get("actorGroup" if is_group else "actorUser") or {}
        names = (about.get(name) for name in ("accountId", "key", "name", "groupId"))
        wanted = groups if is_group else people
        wanted.update(str(name) for name in (*names, actor.get("name")) if name)
    return people, groups


def _part(text: str) -> str:
    """One part of an address, whatever the text is."""
    if text in (".", ".."):
        raise Refused(f"There is nothing called {text!r} in Jira.")
    return quote(text, safe="")
