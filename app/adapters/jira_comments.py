"""Comments of a ticket. Ours are found again by the mark that is written in the same POST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from app.adapters import jira_reading as reading
from app.adapters.jira_auth import Waiting
from app.adapters.jira_fault import Call, Denied
from app.adapters.jira_pages import pages, part
from app.adapters.jira_reading import PROPERTY, Json
from app.adapters.jira_session import JiraSession
from app.core.adf import to_adf
from app.core.fit import fit
from app.core.text import Block
from app.core.wiki import to_wiki
from app.ports import Comment, NotFound, RateLimited, Refused, Transient

INTERNAL = {"key": "sd.public.comment", "value": {"internal": True}}
"""Keeps a comment on a service desk's ticket from its customers. Jira takes no other way to do so
in the request that makes the comment; elsewhere the property has no effect."""
OPEN = ("software", "business", "product_discovery")
"""Types of projects that have no customers. What is not known is taken for a service desk."""


class Comments:
    """me: our own account's id, asked for when it is needed. rest: where the whole text of a ticket
    can be read."""

    def __init__(
        self,
        api: JiraSession,
        me: Callable[[], str],
        rest: Callable[[str], str | None],
        *,
        cloud: bool,
        silent: bool,
    ) -> None:
        self._api = api
        self._me = me
        self._rest = rest
        self._cloud = cloud
        self._silent = silent

    def put(self, issue: str, key: str, blocks: Sequence[Block]) -> str:
        """Never posts blindly twice: after a lost answer it looks for the comment first."""
        whole = fit(blocks, address=self._rest(issue))
        body: Any = to_adf(whole) if self._cloud else to_wiki(whole)
        patience = self._api.patience()
        desk = False
        while True:
            found = self.find(issue, key)
            if found is not None:
                self._keep_internal(issue, found, desk)
                return self._edit(issue, found, body)
            desk = self._is_desk(issue)
            try:
                made = self._create(issue, key, body, desk)
            except Transient as fault:
                if patience.wait(fault):
                    continue
                if isinstance(fault, (RateLimited, Waiting)):  # nothing was written
                    raise
                lost = self.find(issue, key)
                if lost is None:
                    raise
                made = lost
            self._keep_internal(issue, made, desk)
            return str(made["id"])

    def read(self, issue: str, comment_id: str) -> Comment:
        path = f"/issue/{part(issue)}/comment/{part(comment_id)}"
        what = f"the comment {comment_id} of {issue}"
        body: Json = self._api.repeat(Call("GET", path, what, params={"expand": "properties"}))
        return reading.comment(body, self._mark(body))

    def since(self, issue: str, since: datetime) -> list[Comment]:
        """All pages are read, as an old comment can be edited: a list by time of edit there is
        none."""
        bodies = self._list(issue, "created")
        recent = [body for body in bodies if reading.moment(body["updated"]) >= since]
        return [reading.comment(body, self._mark(body)) for body in recent]

    def find(self, issue: str, key: str) -> Json | None:
        """Newest first, and only among our own comments: anybody can set a property."""
        for body in self._list(issue, "-created"):
            if self._mark(body) == key:
                return body
        return None

    def delete(self, issue: str, comment_id: str) -> None:
        """Only our own, though we may have the right to delete others."""
        try:
            if self.read(issue, comment_id).author.id != self._me():
                raise Refused(f"The comment {comment_id} of {issue} is not ours: it stays.")
            path = f"/issue/{part(issue)}/comment/{part(comment_id)}"
            what, need = f"our comment on {issue}", "Delete Own Comments"
            self._api.repeat(Call("DELETE", path, what, need, issue=issue))
        except NotFound:  # gone is what was wanted
            return

    def _create(self, issue: str, key: str, body: Any, desk: bool) -> Json:
        properties: list[Json] = [{"key": PROPERTY, "value": {"key": key}}]
        if desk:
            properties.append(INTERNAL)
        sent = {"body": body, "properties": properties}
        path, what = f"/issue/{part(issue)}/comment", f"a new comment on {issue}"
        call = Call("POST", path, what, "Add Comments", body=sent, issue=issue)
        made: Json = self._api.once(call)
        return made

    def _keep_internal(self, issue: str, made: Json, desk: bool) -> None:
        """Jira shows what an account without the right licence writes to customers all the same."""
        if desk and made.get("jsdPublic") is True:
            self.delete(issue, str(made["id"]))
            raise Refused(
                f"Jira showed our comment on {issue} to customers, so it was deleted at once: give"
                " Signalbox's account a licence as an agent of the service desk."
            )

    def _is_desk(self, issue: str) -> bool:
        """Asked before each new comment, as a ticket can be moved; edits stay as they are."""
        params = {"fields": "project"}
        call = Call(
            "GET", f"/issue/{part(issue)}", f"the ticket {issue}", "Browse Projects", params
        )
        project: Json = self._api.repeat(call)["fields"].get("project") or {}
        return project.get("projectTypeKey") not in OPEN

    def _edit(self, issue: str, found: Json, body: Any) -> str:
        if reading.same_text(found.get("body"), body):
            return str(found["id"])
        path = f"/issue/{part(issue)}/comment/{part(str(found['id']))}"
        what, need, sent = f"our comment on {issue}", "Edit Own Comments", {"body": body}
        plain = Call("PUT", path, what, need, body=sent, issue=issue)
        if not self._silent:
            self._api.repeat(plain)
            return str(found["id"])
        params = {"notifyUsers": "false"}
        try:
            self._api.repeat(Call("PUT", path, what, need, params, sent, issue))
        except Denied:  # in this project we are no administrator
            self._api.repeat(plain)
        return str(found["id"])

    def _list(self, issue: str, order: str) -> Iterator[Json]:
        path = f"/issue/{part(issue)}/comment"
        params = {"orderBy": order, "expand": "properties"}
        return pages(self._api, path, "comments", f"the ticket {issue}", params)

    def _mark(self, body: Json) -> str | None:
        """The key of our comment, asked for by itself where the list leaves properties out."""
        if reading.account(body.get("author")).id != self._me():
            return None
        if isinstance(body.get("properties"), list):
            return reading.mark(body["properties"])
        path = f"/comment/{part(str(body['id']))}/properties/{PROPERTY}"
        try:
            what = "the mark of our comment"
            return reading.mark([self._api.repeat(Call("GET", path, what))])
        except NotFound:
            return None
