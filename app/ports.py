"""What we do not own, as Protocols, and the three ways in which it can fail.

Adapters live in `app/adapters`; `adapters/memory.py` answers every port in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from app.core.judge_request import JudgeRequest
from app.core.run import CallUsage, Ending
from app.core.text import Block, Document
from app.core.ticket import Assignment, LabelChange, Ticket


class PortError(Exception):
    """Something outside of us failed. The message is one sentence that a person can act on."""


class Transient(PortError):
    """The far side is down or slow: the same call may work later."""


class RateLimited(Transient):
    """The far side asks us to wait. `after` is in seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after

    def __reduce__(self) -> tuple[type[RateLimited], tuple[str, float]]:
        """The engine keeps a step's errors pickled, and by default pickle forgets `after`."""
        return type(self), (str(self), self.after)


class Refused(PortError):
    """The far side will not do it, now or later: a right is missing or the request is wrong."""


class NotFound(Refused):
    """It is gone, or hidden from us; the far side does not tell which."""


class NoJudgement(PortError):
    """The judge was asked and gave nothing that can be used. The message is half a sentence for
    people ("it timed out"). cost: micro-units that it took all the same; None = nobody knows."""

    def __init__(self, message: str, cost: int | None, usage: CallUsage | None = None) -> None:
        super().__init__(message)
        self.cost = cost
        self.usage = usage

    def __reduce__(self) -> tuple[type[NoJudgement], tuple[str, int | None, CallUsage | None]]:
        return type(self), (str(self), self.cost, self.usage)


class Changed(Refused):
    """The text is another one by now, so nothing was written."""


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    kind: str  # atlassian | app | customer | unknown
    active: bool = True


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as read. `key` is our own mark when the comment is ours. The text is that of
    `editor`, who may be somebody else than its author."""

    id: str
    author: Account
    editor: Account
    text: Document
    created: datetime
    updated: datetime
    restricted: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One ticket as a search shows it: enough to know whether it is worth a look."""

    id: str
    key: str
    project_key: str
    updated: datetime
    labels: frozenset[str]
    summary: str
    assignee: str


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a bulk read. following: where the next one begins; empty = that was all."""

    tickets: tuple[Ticket, ...]
    following: str


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to make. mark: by which it is found again, kept as a property of it."""

    summary: str
    description: tuple[Block, ...]
    mark: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Child:
    """A ticket that was made from another one. blockers: ids of those that block it."""

    id: str
    key: str
    mark: Mapping[str, Any]
    blockers: frozenset[str] = frozenset()


class Tracker(Protocol):
    """One site's Jira. Every method may raise Transient, RateLimited, Refused or NotFound."""

    def myself(self) -> Account: ...
    def rights(self, project_key: str, names: Sequence[str]) -> Mapping[str, bool]: ...
    def ticket(self, issue: str) -> Ticket: ...
    def label_history(self, issue: str) -> Sequence[LabelChange]: ...
    def assignments(self, issue: str) -> Sequence[Assignment]:
        """Who was given the ticket when, by whom, oldest first, from the changelog."""

    def search(self, jql: str, most: int) -> Sequence[Found]:
        """Tickets by a bounded query, in its order, `most` of them at the most."""

    def count(self, jql: str) -> int:
        """About how many tickets a bounded query finds: for progress, never for a decision."""

    def scan(self, jql: str, at: str = "") -> Shard:
        """Tickets by a bounded query, about a hundred a call: one call is one short step. Without
        what a text is not judged by: people, links (blockers)."""

    def comments_since(self, issue: str, since: datetime) -> Sequence[Comment]:
        """Comments written or edited at `since` or later, ours too, oldest first."""

    def account(self, account_id: str) -> Account: ...
    def roles(self, project_key: str, account_id: str) -> frozenset[str]:
        """Names of the Jira project roles that the account holds in the project, read live."""

    def may_edit(self, issue: str, account_id: str) -> bool:
        """Whether Jira itself lets the account edit the ticket, read live."""

    def comment(self, issue: str, comment_id: str) -> Comment: ...
    def find_comment(self, issue: str, key: str) -> str | None:
        """Id of our comment that carries `key` in its property; text is never searched."""

    def put_comment(self, issue: str, key: str, blocks: Sequence[Block]) -> str:
        """Create the comment that carries `key`, or edit it silently where it exists. Its id."""

    def delete_comment(self, issue: str, comment_id: str) -> None:
        """Delete our own comment; one that is gone already is fine."""

    def set_property(self, issue: str, name: str, value: Mapping[str, Any]) -> None: ...
    def get_property(self, issue: str, name: str) -> Mapping[str, Any] | None: ...
    def delete_property(self, issue: str, name: str) -> None:
        """One that is not there is fine."""

    def set_description(
        self, issue: str, blocks: Sequence[Block], expected: str, name: str, mark: str
    ) -> None:
        """Write the description, with `mark` in the property `name`, where the text is the one of
        the spec hash `expected`. A repeat with the same mark is fine. Raises Changed."""

    def children(self, issue: str, name: str) -> Sequence[Child]:
        """Tickets below this one or linked to it that carry our property `name`."""

    def create_child(self, issue: str, name: str, new: NewTicket) -> Child:
        """A sub-task; where there can be none, a ticket that is linked. After a lost answer it
        looks for the mark first; otherwise the caller has looked."""

    def block(self, blocker: str, blocked: str) -> None:
        """Link two tickets, by id; where they are linked so already that is fine."""

    def report_accounts(self, stored: Mapping[str, datetime]) -> frozenset[str]:
        """Tell Atlassian whose account ids we keep, and as of when, as an app has to; those whose
        account was closed: they have to be erased."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    branch: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Outline:
    """names: of all files. guidelines: what it tells agents, by file; may be empty."""

    names: tuple[str, ...] = ()
    guidelines: str = ""


class CodeHost(Protocol):
    """Where the repository lives."""

    def open_agent_pull_requests(self, repository: str, base: str) -> Sequence[PullRequest]: ...
    def hand_over(
        self, repository: str, base: str, branch: str, title: str, body: str
    ) -> str | None:
        """Find or open the pull request of the branch; its address, None where there are none."""

    def outline(self, repository: str, base: str) -> Outline:
        """What the repository says of itself on its base branch."""


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """The judge's own words, not yet checked against the text, and what they used."""

    body: Any
    usage: CallUsage


class SpecJudge(Protocol):
    """An LLM that reads a ticket. It decides nothing: see app/core/judge.py."""

    model: str  # as pinned in the settings
    prices: str  # version of the list that its costs are worked out by; simulated: ""
    simulated: bool

    def worst_case(self, request: JudgeRequest) -> int | None:
        """Micro-units that one call can cost at most; None = the model's price is not known."""

    def judge(self, request: JudgeRequest) -> JudgeAnswer:
        """One call, within two minutes. Raises NoJudgement and nothing else."""

    def forecast(self, requests: Sequence[JudgeRequest]) -> tuple[int, int] | None:
        """Micro-units that `judge_many` will cost: probably, and at most. None = price unknown."""

    def judge_many(
        self, requests: Sequence[JudgeRequest]
    ) -> Iterator[tuple[int, JudgeAnswer | NoJudgement]]:
        """All of them at half the price, within a day: each with its place, as they come. Raises
        NoJudgement where nothing was begun, or nothing can be known any more."""


@dataclass(frozen=True, slots=True)
class ModelGate:
    """An attempt's only way to the model: a unix socket and the token that the gate expects."""

    socket: Path
    token: str


@dataclass(frozen=True, slots=True)
class AgentTask:
    """All that an agent is given. Paths are outside ones; `cage` shows them inside.

    budget: micro-units this attempt may spend. seconds: wall clock until it is stopped.
    resume: session of an earlier, interrupted attempt. feedback: why the last attempt failed.
    """

    key: str
    run: int
    attempt: int
    prompt: str
    guidelines: str
    worktree: Path
    home: Path
    budget: int
    seconds: float
    gate: ModelGate | None
    resume: str | None = None
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What an agent says of its attempt. None of it is evidence.

    ending: Succeeded means "it stopped by itself and claims to be done".
    usage: one row an API message id, absolute; empty where a gate counts instead.
    """

    ending: Ending
    cause: str
    said: str
    session: str | None
    usage: tuple[CallUsage, ...]
    denied: tuple[str, ...] = ()


class Cage(Protocol):
    """A place to run a command that we do not trust."""

    name: str  # "bubblewrap" | "none"

    def available(self) -> str:
        """Empty when it works here, tried live; else one sentence: what is missing, what to do."""

    def wrap(
        self,
        argv: Sequence[str],
        *,
        worktree: Path,
        home: Path,
        env: Mapping[str, str],
        gate: Path | None = None,
        readable: Sequence[Path] = (),
    ) -> list[str]:
        """The command line that runs argv in the cage: cwd = worktree, nothing inherited."""


Progress = Callable[[str], None]
"""Called with one short line whenever the agent begins something new."""


class CodingAgent(Protocol):
    """A client that edits a worktree. It never commits, pushes or sees a secret of ours."""

    name: str  # for settings and rows, e.g. "claude", "rehearsal"
    title: str  # for people, e.g. "Claude Code"
    simulated: bool
    needs_gate: bool
    prices: str  # version of the list that its costs are worked out by; simulated: ""

    async def work(
        self, task: AgentTask, cage: Cage, stop: asyncio.Event, progress: Progress
    ) -> AgentReport:
        """Run until done, stopped (`stop` is set) or out of budget or time.

        Leaves no process behind, also when cancelled."""

    def recovered_usage(self, task: AgentTask) -> tuple[CallUsage, ...] | None:
        """What a killed attempt used, from its transcript; None when that cannot be told."""

    def session_of(self, task: AgentTask) -> str | None:
        """The session that a killed attempt left behind, when the agent can resume one."""


class Notifier(Protocol):
    """A channel that people who run Signalbox read, outside of Jira."""

    def notify(self, text: str) -> None:
        """Post it, as plain text. May raise Transient, RateLimited or Refused."""


class Secrets(Protocol):
    """Seals what is stored at rest."""

    def seal(self, plain: str) -> str: ...
    def unseal(self, sealed: str) -> str: ...


class SigningKeys(Protocol):
    """Public keys with which Atlassian signs what it sends us, in PEM. May raise Transient, or
    NotFound for a key id that it does not know."""

    def connect_install(self, kid: str) -> str:
        """The key of a signed Connect install call."""

    def forge(self, kid: str) -> str:
        """The key of a Forge Invocation Token."""


class Clock(Protocol):
    def now(self) -> datetime: ...
