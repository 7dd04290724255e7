"""Descriptions that are written and tickets that are made, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.text import Block, Document
from app.core.ticket import Ticket
from app.ports import Changed, Child, Clock, NewTicket

if TYPE_CHECKING:
    from app.adapters.memory_calls import Calls


class MemoryTickets:
    """A part of MemoryTracker. cannot_edit: accounts that Jira lets edit nothing."""

    if TYPE_CHECKING:
        calls: Calls
        clock: Clock
        tickets: dict[str, Ticket]
        properties: dict[tuple[str, str], Mapping[str, Any]]

        def _find(self, issue: str) -> Ticket: ...

    def __init__(self) -> None:
        self.cannot_edit: set[str] = set()
        self.born_of: dict[str, str] = {}

    def may_edit(self, issue: str, account_id: str) -> bool:
        self.calls.begin("may_edit", issue, account_id)
        return account_id not in self.cannot_edit

    def get_property(self, issue: str, name: str) -> Mapping[str, Any] | None:
        self.calls.begin("get_property", issue, name)
        return self.properties.get((self._find(issue).id, name))

    def set_description(
        self, issue: str, blocks: Sequence[Block], expected: str, name: str, mark: str
    ) -> None:
        self.calls.begin("set_description", issue, tuple(blocks), expected, name, mark)
        ticket = self._find(issue)
        if self.properties.get((ticket.id, name)) == {"by": mark}:
            return
        if ticket.spec_hash() != expected:
            raise Changed(f"The text of {issue} has changed meanwhile.")
        text = Document(tuple(blocks))
        self.tickets[ticket.id] = replace(ticket, description=text, updated=self.clock.now())
        self.properties[(ticket.id, name)] = {"by": mark}
        self.calls.end("set_description")

    def children(self, issue: str, name: str) -> Sequence[Child]:
        self.calls.begin("children", issue, name)
        born = [self.tickets[child] for child, of in self.born_of.items() if of == issue]
        return [
            Child(t.id, t.key, self.properties[(t.id, name)], self._blocking(t))
            for t in born
            if (t.id, name) in self.properties
        ]

    def create_child(self, issue: str, name: str, new: NewTicket) -> Child:
        self.calls.begin("create_child", issue, name, new)
        above, number = self._find(issue), 900 + len(self.tickets)
        key = f"{above.project_key}-{number}"
        made = replace(
            above,
            id=str(number),
            key=key,
            issue_type="Sub-task",
            summary=new.summary,
            description=Document(new.description),
            labels=frozenset(),
            updated=self.clock.now(),
            blockers=(),
            assignee="",
        )
        self.tickets[made.id] = made
        self.born_of[made.id] = above.id
        self.properties[(made.id, name)] = dict(new.mark)
        self.calls.end("create_child")
        return Child(made.id, made.key, new.mark)

    def block(self, blocker: str, blocked: str) -> None:
        self.calls.begin("block", blocker, blocked)
        before, after = self._find(blocker), self._find(blocked)
        if before.key not in after.blockers:
            self.tickets[after.id] = replace(after, blockers=(*after.blockers, before.key))
        self.calls.end("block")

    def _blocking(self, ticket: Ticket) -> frozenset[str]:
        return frozenset(self._find(key).id for key in ticket.blockers)
