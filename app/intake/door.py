"""What every door has in common: limits before a body is read, and refusals in one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.core.connection import KINDS
from app.intake.signature import BadSignature
from app.ports import Clock, Secrets
from app.store.database import Database
from app.store.sites import Row

LONGEST = 20.0
"""Seconds that a body may take to come in."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """What a door works with. limit: largest body in bytes. url: our own address, without a
    slash at its end."""

    db: Database
    secrets: Secrets
    clock: Clock
    limit: int
    url: str


class TurnedAway(Exception):
    """Verified, and yet not taken. status: of the answer. The message is one sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class TooLarge(Exception):
    """The body is over the limit."""


class TooSlow(Exception):
    """The body did not come in within its time."""


async def take(
    door: Door, request: Request, accept: Callable[[bytes], str], said: str = "delivery"
) -> JSONResponse:
    """Read the body, let `accept` verify and store it (in a thread), answer with what it returns.

    Answers 200 {said: …} after the commit, else 401, 408, 413, 503, or as TurnedAway says.
    """
    where = request.url.path
    try:
        body = await read_body(request, door.limit)
        stored = await run_in_threadpool(accept, body)
    except TooLarge:
        return refuse(413, f"the body is larger than {door.limit} bytes")
    except TooSlow:  # Jira sends it again after a 408
        return refuse(408, f"the body did not come in within {LONGEST:.0f} seconds")
    except ClientDisconnect:  # its own affair; nobody is there to read the answer
        log.info("sender went away", door=where)
        return refuse(400, "the body was cut off")
    except BadSignature as fault:
        return stranger(request, fault)
    except TurnedAway as fault:
        log.warning("turned away", door=where, why=str(fault))
        return refuse(fault.status, str(fault))
    except Exception as fault:  # noqa: BLE001 - Jira sends it again after a 503: nothing is lost
        log.error("delivery not stored", door=where, fault=repr(fault))
        return refuse(503, "the delivery could not be stored; send it again")
    return JSONResponse({said: stored})


async def read_body(request: Request, limit: int) -> bytes:
    """Raises TooLarge, TooSlow or ClientDisconnect."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(LONGEST):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    return bytes(body)


def secret_of(door: Door, site: Row, kind: str) -> str | None:
    """What deliveries at this kind of door are signed with. None closes it: the site is connected
    in another way, or has left."""
    sealed = site["webhook_secret"]
    shut = KINDS[site["connection"]].door != kind or site["uninstalled_at"] is not None
    return None if shut or not sealed else door.secrets.unseal(sealed)


def stranger(request: Request, fault: BadSignature) -> JSONResponse:
    """Every refusal looks alike from outside; only our log says which it was."""
    log.info("refused", door=request.url.path, why=str(fault))
    return refuse(401, "missing or wrong signature")


def refuse(status: int, why: str) -> JSONResponse:
    """The connection ends with it, as the body may not have been read to its end."""
    return JSONResponse({"error": why}, status_code=status, headers={"connection": "close"})
