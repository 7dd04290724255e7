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

from app.intake.signature import BadSignature
from app.ports import Clock, Secrets
from app.store.database import Database

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


class TooLarge(Exception):
    """The body is over the limit."""


class TooSlow(Exception):
    """The body did not come in within its time."""


async def take(door: Door, request: Request, accept: Callable[[bytes], str]) -> JSONResponse:
    """Read the body, let `accept` verify and store it (in a thread), answer with the delivery's id.

    Answers 200 {"delivery": id} after the commit, else 401, 408, 413 or 503.
    """
    where = request.url.path
    try:
        body = await read_body(request, door.limit)
        delivery = await run_in_threadpool(accept, body)
    except TooLarge:
        return refuse(413, f"the body is larger than {door.limit} bytes")
    except TooSlow:  # Jira sends it again after a 408
        return refuse(408, f"the body did not come in within {LONGEST:.0f} seconds")
    except ClientDisconnect:  # its own affair; nobody is there to read the answer
        log.info("sender went away", door=where)
        return refuse(400, "the body was cut off")
    except BadSignature:
        return refuse(401, "missing or wrong signature")
    except Exception as fault:  # noqa: BLE001 - Jira sends it again after a 503: nothing is lost
        log.error("delivery not stored", door=where, fault=repr(fault))
        return refuse(503, "the delivery could not be stored; send it again")
    return JSONResponse({"delivery": delivery})


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


def refuse(status: int, why: str) -> JSONResponse:
    """The connection ends with it, as the body may not have been read to its end."""
    return JSONResponse({"error": why}, status_code=status, headers={"connection": "close"})
