"""What the agent connector may ask of us, in the library's terms. No work is done here: a wish
becomes an inbox row, and a task is read from our records."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import structlog
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import a2a_pb2 as a2a
from a2a.utils import errors
from google.protobuf.json_format import MessageToDict
from starlette.concurrency import run_in_threadpool

from app.core.agent_message import Wish, read_message
from app.core.payload import Malformed
from app.intake.a2a_task import OVER, read_task, say
from app.intake.door import Door
from app.store import inbox, tasks
from app.store.sites import Row
from app.store.tasks import MARK

FOLLOW_EVERY, FOLLOW_TIMES = 1.0, 20
"""Seconds between two looks of a stream, and how many: then whoever wants more asks again."""
CHAT = (
    "I work on tickets: assign one to me, or set the label {label}, and I look whether its text "
    "answers what an agent has to know. Then I let an agent start, or ask what is missing, in a "
    'comment on the ticket. There "agent help" lists what I understand.'
)
Answer = TypeVar("Answer")
Stream = AsyncGenerator[a2a.Task | a2a.Message | a2a.TaskStatusUpdateEvent, None]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by Atlassian's token: a site of ours, and a person on it."""

    site: Row
    account_id: str


class Connector(RequestHandler):
    def __init__(self, door: Door) -> None:
        self.door = door

    async def on_message_send(
        self, params: a2a.SendMessageRequest, context: ServerCallContext
    ) -> a2a.Task | a2a.Message:
        caller = _caller(context)
        message = params.message
        known = await self._task(caller, message.task_id) if message.task_id else None
        wish = _wish(message)
        if wish.kind == "chat":
            return known or _chat(message, caller)
        body = context.state["body"]
        task_id = await _ask(self._keep, caller, wish, message.message_id, body)
        return known or await self._task(caller, task_id)

    async def on_message_send_stream(
        self, params: a2a.SendMessageRequest, context: ServerCallContext
    ) -> Stream:
        first = await self.on_message_send(params, context)
        yield first
        if isinstance(first, a2a.Task):
            async for event in self._follow(_caller(context), first):
                yield event

    async def on_subscribe_to_task(
        self, params: a2a.SubscribeToTaskRequest, context: ServerCallContext
    ) -> Stream:
        first = await self._task(_caller(context), params.id)
        yield first
        async for event in self._follow(_caller(context), first):
            yield event

    async def on_get_task(self, params: a2a.GetTaskRequest, context: ServerCallContext) -> a2a.Task:
        return await self._task(_caller(context), params.id)

    async def on_cancel_task(
        self, params: a2a.CancelTaskRequest, context: ServerCallContext
    ) -> a2a.Task:
        """The wish is written down; whether that person may stop a run is read live, later."""
        caller = _caller(context)
        task = await self._task(caller, params.id)
        if task.status.state != a2a.TASK_STATE_WORKING:
            raise errors.TaskNotCancelableError(
                "No run is on. To withdraw, assign the ticket to somebody else or remove the label."
            )
        await _ask(self._keep_cancel, caller, params.id, context.state["body"])
        return task

    async def on_list_tasks(
        self, params: a2a.ListTasksRequest, context: ServerCallContext
    ) -> NoReturn:
        raise errors.UnsupportedOperationError("Tasks are not listed; the project page shows them.")

    async def on_get_extended_agent_card(
        self, params: a2a.GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> NoReturn:
        raise errors.ExtendedAgentCardNotConfiguredError

    async def _no_push(self, params: Any, context: ServerCallContext) -> NoReturn:
        raise errors.PushNotificationNotSupportedError

    on_create_task_push_notification_config = _no_push
    on_get_task_push_notification_config = _no_push
    on_list_task_push_notification_configs = _no_push
    on_delete_task_push_notification_config = _no_push

    async def _task(self, caller: Caller, task_id: str) -> a2a.Task:
        task = await _ask(read_task, self.door.db, caller.site, task_id)
        if task is None:
            raise errors.TaskNotFoundError
        return task

    async def _follow(self, caller: Caller, task: a2a.Task) -> Stream:
        """Changes of its state until nothing more happens by itself, for a while."""
        for _ in range(FOLLOW_TIMES):
            if task.status.state in OVER:
                return
            await asyncio.sleep(FOLLOW_EVERY)
            now = await self._task(caller, task.id)
            if now.status != task.status:
                yield a2a.TaskStatusUpdateEvent(
                    task_id=now.id, context_id=now.context_id, status=now.status
                )
            task = now

    def _keep(self, caller: Caller, wish: Wish, message_id: str, body: bytes) -> str:
        row = {
            "event": MARK + wish.name,
            "kind": wish.kind,
            "issue_id": wish.issue_id,
            "issue_key": wish.issue_key,
            "comment_id": wish.comment_id,
        }
        return self._store(caller, message_id or _digest(body), row, body)

    def _keep_cancel(self, caller: Caller, task_id: str, body: bytes) -> str:
        """About the ticket of the task, each time that it is asked for."""
        found = tasks.find(self.door.db, caller.site["id"], task_id)
        assert found is not None, "a task does not go away"
        told = found.delivery
        row = {"issue_id": told["issue_id"], "issue_key": told["issue_key"], "kind": "cancel"}
        ident = f"{task_id} {self.door.clock.now().isoformat()}"
        return self._store(caller, ident, {**row, "event": MARK + "CancelTask"}, body)

    def _store(self, caller: Caller, ident: str, row: dict[str, Any], body: bytes) -> str:
        """Once for each message. That one assignment acts once, whichever doors it came in by, is
        seen to by its entry in the changelog (core/signals)."""
        site_id, ident = caller.site["id"], MARK + _digest(ident.encode())
        kept = {
            "id": _digest(f"{site_id}\n{ident}".encode()),
            "site_id": site_id,
            "ident": ident,
            "once_key": None,
            "actor": caller.account_id,
            "body": body,
            "reason": "",
            "received_at": self.door.clock.now(),
        }
        return inbox.receive(self.door.db, {**kept, **row})


def _caller(context: ServerCallContext) -> Caller:
    caller = context.state["caller"]
    assert isinstance(caller, Caller)
    return caller


def _wish(message: a2a.Message) -> Wish:
    parts = [MessageToDict(part.data) for part in message.parts if part.HasField("data")]
    try:
        return read_message([part for part in parts if isinstance(part, dict)])
    except Malformed as fault:
        raise errors.InvalidParamsError(str(fault)) from None


def _chat(message: a2a.Message, caller: Caller) -> a2a.Message:
    number = _digest(f"{caller.site['id']}\n{message.message_id}".encode())
    text = CHAT.format(label=f'"{caller.site["label"]}"')
    return say(text, number, message.context_id or number)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


async def _ask(call: Callable[..., Answer], *args: Any) -> Answer:
    """A store call in a thread. What fails there is nothing that the caller has to know."""
    try:
        return await run_in_threadpool(call, *args)
    except Exception as fault:  # noqa: BLE001 - it is logged here, and told without its words
        log.error("a2a request failed", fault=repr(fault)[:300])
        raise errors.InternalError("It could not be read or stored; please ask again.") from None
