"""One site's Jira, Cloud (API version 3, ADF) or Data Center (version 2, wiki markup)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from app.adapters import jira_reading as reading
from app.adapters.jira_auth import Auth
from app.adapters.jira_comments import Comments
from app.adapters.jira_fault import Call
from app.adapters.jira_pages import Search, pages, part
from app.adapters.jira_people import People
from app.adapters.jira_reading import Json
from app.adapters.jira_session import JiraSession, Way
from app.adapters.jira_tickets import Tickets
from app.adapters.personal_data import report
from app.core.text import Block
from app.core.ticket import Assignment, LabelChange, Ticket
from app.ports import Account, Child, Comment, Found, NewTicket, NotFound, Shard

Deployment = Literal["cloud", "server"]


class JiraTracker:
    """Nothing is sent before the first call."""

    def __init__(
        self,
        site_id: str,
        api_url: str,
        auth: Auth,
        deployment: Deployment = "cloud",
        way: Way | None = None,
    ) -> None:
        way = way or Way()
        self._site_id = site_id
        self._cloud = deployment == "cloud"
        self._app = (api_url, auth, way)
        self._api = JiraSession(api_url, auth, "3" if self._cloud else "2", way)
        self._search = Search(self._api, cloud=self._cloud)
        self._people = People(self._api, cloud=self._cloud)
        self._tickets = Tickets(self._api, site_id, cloud=self._cloud)
        self._pages = way.pages.rstrip("/")
        self._comments = Comments(
            self._api, lambda: self.myself().id, self._page, cloud=self._cloud, silent=way.silent
        )
        self._me: Account | None = None

    def _page(self, issue: str) -> str | None:
        """The ticket's page with us, where the whole of a comment is shown."""
        if not self._pages:
            return None
        return f"{self._pages}/surfaces/panel?site={part(self._site_id)}&issue={part(issue)}"

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
        """Whom a ticket was created for comes first, as an entry with the id "created"."""
        present, histories = self._history(issue, "assignee,created,creator")
        return reading.assignments(histories, present)

    def search(self, jql: str, most: int) -> Sequence[Found]:
        found = self._search.all(jql, reading.FOUND_FIELDS, most)
        return [reading.found(issue) for issue in found]

    def count(self, jql: str) -> int:
        return self._search.count(jql)

    def scan(self, jql: str, at: str = "") -> Shard:
        issues, following = self._search.page(jql, reading.TEXT_FIELDS, at)
        return Shard(tuple(reading.ticket(self._site_id, issue) for issue in issues), following)

    def account(self, account_id: str) -> Account:
        return reading.account(self._people.user(account_id))

    def roles(self, project_key: str, account_id: str) -> frozenset[str]:
        return self._people.roles(project_key, account_id)

    def may_edit(self, issue: str, account_id: str) -> bool:
        key = str(self._issue(issue, fields="summary")["key"])
        return self._people.may(account_id, "EDIT_ISSUES", key)

    def comment(self, issue: str, comment_id: str) -> Comment:
        return self._comments.read(issue, comment_id)

    def comments_since(self, issue: str, since: datetime) -> Sequence[Comment]:
        return self._comments.since(issue, since)

    def find_comment(self, issue: str, key: str) -> str | None:
        found = self._comments.find(issue, key)
        return None if found is None else str(found["id"])

    def get_property(self, issue: str, name: str) -> Mapping[str, Any] | None:
        return self._tickets.property_of(issue, name)

    def children(self, issue: str, name: str) -> Sequence[Child]:
        return self._tickets.children(issue, name)

    # Writing

    def put_comment(self, issue: str, key: str, blocks: Sequence[Block]) -> str:
        return self._comments.put(issue, key, blocks)

    def delete_comment(self, issue: str, comment_id: str) -> None:
        self._comments.delete(issue, comment_id)

    def set_property(self, issue: str, name: str, value: Mapping[str, Any]) -> None:
        path, what = f"/issue/{part(issue)}/properties/{part(name)}", f"the ticket {issue}"
        self._api.repeat(Call("PUT", path, what, "Edit Issues", body=dict(value), issue=issue))

    def delete_property(self, issue: str, name: str) -> None:
        path, what = f"/issue/{part(issue)}/properties/{part(name)}", f"a property of {issue}"
        try:
            self._api.repeat(Call("DELETE", path, what, "Edit Issues", issue=issue))
        except NotFound:  # gone is what was wanted
            return

    def set_description(
        self, issue: str, blocks: Sequence[Block], expected: str, name: str, mark: str
    ) -> None:
        self._tickets.describe(issue, blocks, expected, (name, mark))

    def create_child(self, issue: str, name: str, new: NewTicket) -> Child:
        return self._tickets.create(issue, name, new)

    def block(self, blocker: str, blocked: str) -> None:
        self._tickets.block(blocker, blocked)

    def report_accounts(self, stored: Mapping[str, datetime]) -> frozenset[str]:
        return report(*self._app, stored)

    # Parts

    def _history(self, issue: str, fields: str) -> tuple[Json, list[Json]]:
        """The ticket with these fields, and its changelog, read in this order."""
        if not self._cloud:
            present = self._issue(issue, fields=fields, expand="changelog")
            return present, list(present["changelog"]["histories"])
        present = self._issue(issue, fields=fields)
        path = f"/issue/{part(issue)}/changelog"
        return present, list(pages(self._api, path, "values", f"the ticket {issue}", {}))

    def _issue(self, issue: str, **params: str) -> Json:
        path, what = f"/issue/{part(issue)}", f"the ticket {issue}"
        found: Json = self._api.repeat(Call("GET", path, what, "Browse Projects", params))
        return found
