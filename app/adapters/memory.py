"""Jira, code host, secrets and clock in memory (agent and cage: memory_agent.py), for the tests of
the stages and for trying out.

Each twin records its calls and fails on demand (memory_calls.py).
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.adapters.memory_calls import Calls, Guard, no_guard
from app.adapters.memory_tickets import MemoryTickets
from app.core.text import Block, Document, from_plain
from app.core.ticket import Assignment, LabelChange, Ticket
from app.ports import Account, Clock, Comment, Found, NotFound, Outline, PullRequest, Refused, Shard

SOME_MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SIGNALBOX = Account("signalbox", "Signalbox", "app")


@dataclass
class FixedClock:
    """Stands still until it is told to go on."""

    at: datetime = SOME_MORNING

    def now(self) -> datetime:
        return self.at

    def tick(self, seconds: float = 1.0) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


class MemoryTracker(MemoryTickets):
    """One site's Jira. Issues are found by id and by key, as in Jira."""

    def __init__(
        self, *, me: Account = SIGNALBOX, clock: Clock | None = None, guard: Guard = no_guard
    ) -> None:
        super().__init__()
        self.me = me
        self.clock: Clock = clock or FixedClock()
        self.calls = Calls(guard)
        self.tickets: dict[str, Ticket] = {}
        self.histories: dict[str, list[LabelChange]] = defaultdict(list)
        self.given: dict[str, list[Assignment]] = defaultdict(list)
        self.accounts: dict[str, Account] = {me.id: me}
        self.role_names: dict[tuple[str, str], frozenset[str]] = {}
        self.missing_rights: set[str] = set()
        self.comments: dict[str, list[Comment]] = defaultdict(list)
        self.properties: dict[tuple[str, str], Mapping[str, Any]] = {}

    # what people do there

    def add(self, ticket: Ticket) -> Ticket:
        self.tickets[ticket.id] = ticket
        self.accounts.setdefault(ticket.reporter, _person(ticket.reporter))
        return ticket

    def edit(self, issue: str, **fields: Any) -> Ticket:
        """Change fields of a ticket; a description may be plain text."""
        if isinstance(fields.get("description"), str):
            fields["description"] = from_plain(fields["description"])
        ticket = self._find(issue)
        return self.add(replace(ticket, **{"updated": self.clock.now(), **fields}))

    def label(self, issue: str, labels: Iterable[str], actor: str) -> LabelChange:
        """Set the ticket's labels to these, as that person, with a changelog entry."""
        ticket, new = self._find(issue), frozenset(labels)
        number = str(10_000 + sum(len(changes) for changes in self.histories.values()))
        added, gone = new - ticket.labels, ticket.labels - new
        change = LabelChange(number, self.clock.now(), actor, added, gone)
        self.histories[ticket.id].append(change)
        self.accounts.setdefault(actor, _person(actor))
        self.edit(issue, labels=new)
        return change

    def assign(self, issue: str, to: str, actor: str) -> Assignment:
        """Give the ticket to an account, as that person, with a changelog entry."""
        ticket = self._find(issue)
        number = str(15_000 + sum(len(entries) for entries in self.given.values()))
        entry = Assignment(number, self.clock.now(), actor, to)
        self.given[ticket.id].append(entry)
        self.accounts.setdefault(actor, _person(actor))
        self.edit(issue, assignee=to)
        return entry

    def say(self, issue: str, author: str, text: str, *, restricted: bool = False) -> Comment:
        """A person writes a comment."""
        person = self.accounts.setdefault(author, _person(author))
        return self._write(self._find(issue).id, person, from_plain(text), None, restricted)

    def reword(self, issue: str, comment_id: str, editor: str, text: str) -> Comment:
        """Somebody, the author or another, gives a comment another text."""
        listed = self.comments[self._find(issue).id]
        (old,) = (comment for comment in listed if comment.id == comment_id)
        person, now = self.accounts.setdefault(editor, _person(editor)), self.clock.now()
        new = replace(old, editor=person, text=from_plain(text), updated=now)
        listed[listed.index(old)] = new
        return new

    def give(self, project_key: str, account_id: str, *names: str) -> None:
        """The account holds exactly these roles in the project."""
        self.role_names[(project_key, account_id)] = frozenset(names)
        self.accounts.setdefault(account_id, _person(account_id))

    def ours(self, issue: str) -> dict[str, Comment]:
        """Our own comments of a ticket, by key."""
        return {c.key: c for c in self.comments[self._find(issue).id] if c.key is not None}

    # the port

    def myself(self) -> Account:
        self.calls.begin("myself")
        return self.me

    def rights(self, project_key: str, names: Sequence[str]) -> Mapping[str, bool]:
        self.calls.begin("rights", project_key, tuple(names))
        return {name: name not in self.missing_rights for name in names}

    def ticket(self, issue: str) -> Ticket:
        self.calls.begin("ticket", issue)
        return self._find(issue)

    def label_history(self, issue: str) -> Sequence[LabelChange]:
        self.calls.begin("label_history", issue)
        return list(self.histories[self._find(issue).id])

    def assignments(self, issue: str) -> Sequence[Assignment]:
        self.calls.begin("assignments", issue)
        return list(self.given[self._find(issue).id])

    def search(self, jql: str, most: int) -> Sequence[Found]:
        """Every ticket, whatever the query is: the real search is tested on the sandbox."""
        self.calls.begin("search", jql, most)
        found = sorted(self.tickets.values(), key=lambda ticket: ticket.updated)
        return [
            Found(t.id, t.key, t.project_key, t.updated, t.labels, t.summary, t.assignee)
            for t in found[:most]
        ]

    def count(self, jql: str) -> int:
        self.calls.begin("count", jql)
        return len(self.tickets)

    def scan(self, jql: str, at: str = "") -> Shard:
        """Every ticket, as in `search`, a hundred a call."""
        self.calls.begin("scan", jql, at)
        start, rest = int(at or 0), list(self.tickets.values())[int(at or 0) :]
        return Shard(tuple(rest[:100]), str(start + 100) if len(rest) > 100 else "")

    def comments_since(self, issue: str, since: datetime) -> Sequence[Comment]:
        self.calls.begin("comments_since", issue, since)
        return [c for c in self.comments[self._find(issue).id] if c.updated >= since]

    def account(self, account_id: str) -> Account:
        self.calls.begin("account", account_id)
        if account_id not in self.accounts:
            raise NotFound(f"The account {account_id} is not visible: deleted or hidden.")
        return self.accounts[account_id]

    def roles(self, project_key: str, account_id: str) -> frozenset[str]:
        self.calls.begin("roles", project_key, account_id)
        return self.role_names.get((project_key, account_id), frozenset())

    def comment(self, issue: str, comment_id: str) -> Comment:
        self.calls.begin("comment", issue, comment_id)
        for comment in self.comments[self._find(issue).id]:
            if comment.id == comment_id:
                return comment
        raise NotFound(f"The comment {comment_id} of {issue} is not visible: deleted or hidden.")

    def find_comment(self, issue: str, key: str) -> str | None:
        self.calls.begin("find_comment", issue, key)
        found = self.ours(issue).get(key)
        return found.id if found else None

    def put_comment(self, issue: str, key: str, blocks: Sequence[Block]) -> str:
        self.calls.begin("put_comment", issue, key, tuple(blocks))
        ticket, text = self._find(issue), Document(tuple(blocks))
        present = self.ours(issue).get(key)
        if present is None:
            present = self._write(ticket.id, self.me, text, key, restricted=False)
        elif present.text != text:
            edited = replace(present, editor=self.me, text=text, updated=self.clock.now())
            listed = self.comments[ticket.id]
            listed[listed.index(present)] = edited
        self.calls.end("put_comment")
        return present.id

    def set_property(self, issue: str, name: str, value: Mapping[str, Any]) -> None:
        self.calls.begin("set_property", issue, name, value)
        self.properties[(self._find(issue).id, name)] = dict(value)
        self.calls.end("set_property")

    def delete_comment(self, issue: str, comment_id: str) -> None:
        self.calls.begin("delete_comment", issue, comment_id)
        listed = self.comments[self._find(issue).id]
        listed[:] = [comment for comment in listed if comment.id != comment_id]
        self.calls.end("delete_comment")

    def delete_property(self, issue: str, name: str) -> None:
        self.calls.begin("delete_property", issue, name)
        self.properties.pop((self._find(issue).id, name), None)
        self.calls.end("delete_property")

    def report_accounts(self, stored: Mapping[str, datetime]) -> frozenset[str]:
        self.calls.begin("report_accounts", stored)
        return frozenset(name for name in stored if name not in self.accounts)

    def _find(self, issue: str) -> Ticket:
        for ticket in self.tickets.values():
            if issue in (ticket.id, ticket.key):
                return ticket
        raise NotFound(f"{issue} is not visible: deleted or hidden from Signalbox.")

    def _write(
        self, issue_id: str, author: Account, text: Document, key: str | None, restricted: bool
    ) -> Comment:
        number = str(20_000 + sum(len(listed) for listed in self.comments.values()))
        now = self.clock.now()
        comment = Comment(number, author, author, text, now, now, restricted, key)
        self.comments[issue_id].append(comment)
        return comment


class MemoryCodeHost:
    """`forge`: base address of pull requests; without one the branch is the handoff."""

    def __init__(self, forge: str | None = None, *, guard: Guard = no_guard) -> None:
        self.forge = forge
        self.calls = Calls(guard)
        self.open: dict[str, list[PullRequest]] = defaultdict(list)
        self.outlines: dict[str, Outline] = {}

    def open_agent_pull_requests(self, repository: str, base: str) -> Sequence[PullRequest]:
        self.calls.begin("open_agent_pull_requests", repository, base)
        return list(self.open[repository])

    def hand_over(
        self, repository: str, base: str, branch: str, title: str, body: str
    ) -> str | None:
        self.calls.begin("hand_over", repository, base, branch, title, body)
        known = [pull for pull in self.open[repository] if pull.branch == branch]
        url = f"{self.forge}/{len(self.open[repository]) + 1}" if self.forge else None
        pull = known[0] if known else PullRequest(branch, url)
        self.open[repository] += [] if known else [pull]
        self.calls.end("hand_over")
        return pull.url

    def outline(self, repository: str, base: str) -> Outline:
        self.calls.begin("outline", repository, base)
        return self.outlines.get(repository, Outline())


class MemorySecrets:
    """Hides nothing; shows which values were sealed."""

    def seal(self, plain: str) -> str:
        return "sealed:" + base64.b64encode(plain.encode()).decode()

    def unseal(self, sealed: str) -> str:
        if not sealed.startswith("sealed:"):
            raise Refused("A stored secret cannot be opened: it was not sealed here.")
        return base64.b64decode(sealed.removeprefix("sealed:")).decode()


def _person(account_id: str) -> Account:
    return Account(account_id, account_id, "atlassian")
