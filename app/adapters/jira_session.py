"""Calls to one Jira's REST API through the `jira` library's session, with its traps closed.

The library's own retry is off: it repeats POSTs, sleeps for minutes and trips over dates. What may
be repeated is repeated here, a few times and within seconds; longer waits belong to the engine.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from app import __version__
from app.ports import NotFound, RateLimited, Refused, Transient

if TYPE_CHECKING:
    from jira.resilientsession import ResilientSession
    from requests import Response

Pause = Callable[[float], None]
Auth = tuple[str, str] | str
"""E-mail address and API token, or a bearer token alone."""

TIMEOUT = (5.0, 20.0)
TRIES = 4
PATIENCE = 3.0
"""Seconds that all waits of one call may take together."""
LATE = 5.0
"""Seconds after which a call is not tried again, however it went."""
QUOTA_WAIT = 1800.0
LONGEST_WAIT = 86_400.0
WAITS = {"jira-per-issue-on-write": 5.0, "jira-burst-based": 1.0}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. what: its object, for sentences. need: the Jira right that it takes."""

    method: str
    path: str
    what: str
    need: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None


class Denied(Refused):
    """401 or 403: the credential or a right is missing."""


class Patience:
    """How often and how long one call may still be tried."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._began = time.monotonic()
        self._tries = 1
        self._left = PATIENCE

    def wait(self, fault: Transient) -> bool:
        """Wait before another try; False when there is none."""
        wanted = fault.after if isinstance(fault, RateLimited) else 0.15 * 2**self._tries
        seconds = wanted * random.uniform(0.7, 1.3)
        spent = self._tries == TRIES or time.monotonic() - self._began > LATE
        if spent or max(wanted, seconds) > self._left:
            return False
        self._tries += 1
        self._left -= seconds
        self._pause(seconds)
        return True


class JiraSession:
    """Safe to use from several threads: each call borrows a session of its own."""

    def __init__(self, api_url: str, auth: Auth, version: str, pause: Pause) -> None:
        self._root = f"{api_url.rstrip('/')}/rest/api/{version}"
        self._auth = auth
        self._pause = pause
        self._idle: list[ResilientSession] = []
        self._closed_until = 0.0

    def patience(self) -> Patience:
        return Patience(self._pause)

    def repeat(self, call: Call) -> Any:
        """A call that does the same when it is made twice."""
        patience = self.patience()
        while True:
            try:
                return self.once(call)
            except Transient as fault:
                if not patience.wait(fault):
                    raise

    def once(self, call: Call) -> Any:
        """The JSON of the answer, None where there is no content."""
        closed = self._closed_until - time.monotonic()
        if closed > 0:
            raise RateLimited("Jira's hourly quota is used up.", closed)
        response = self._send(call)
        if response.is_redirect:
            where = response.headers.get("Location", "elsewhere")[:200]
            raise Refused(f"Jira's address leads to {where}: set the address that it leads to.")
        if not response.content:
            return None
        try:
            return json.loads(response.content)
        except ValueError:
            raise Transient(f"Jira's answer about {call.what} was cut off or no JSON.") from None

    def _send(self, call: Call) -> Response:
        from jira.exceptions import JIRAError
        from requests import exceptions

        body = None if call.body is None else json.dumps(call.body)
        with self._session() as session:
            try:
                return session.request(
                    call.method,
                    self._root + call.path,
                    params=dict(call.params),
                    data=body,
                    allow_redirects=False,
                )
            except JIRAError as error:
                if error.response is None:
                    raise Transient("Jira gave no answer.") from error
                raise self._fault(call, error.response) from None
            except exceptions.SSLError as error:
                raise Refused(f"Jira's certificate is not accepted: {_first(error)}") from error
            except exceptions.Timeout as error:
                raise Transient(f"Jira did not answer in time about {call.what}.") from error
            except exceptions.RequestException as error:
                if isinstance(error, ValueError):  # a malformed address or header
                    raise Refused(f"Jira's address cannot be used: {_first(error)}") from error
                raise Transient(f"Jira cannot be reached: {_first(error)}") from error

    @contextmanager
    def _session(self) -> Iterator[ResilientSession]:
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._open()
        try:
            yield session
        finally:
            self._idle.append(session)

    def _open(self) -> ResilientSession:
        from jira.client import TokenAuth
        from jira.resilientsession import ResilientSession

        session = ResilientSession(timeout=TIMEOUT, max_retries=0)
        session.auth = TokenAuth(self._auth) if isinstance(self._auth, str) else self._auth
        session.headers.update(
            {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"Signalbox/{__version__}",
                "X-Atlassian-Token": "no-check",
            }
        )
        return session

    def _fault(self, call: Call, response: Response) -> Exception:
        status, said = response.status_code, _said(response)
        need = f" It takes the right “{call.need}”." if call.need else ""
        if status == 429:
            return self._limit(response)
        if status in (408, 425) or status >= 500:
            return Transient(f"Jira is in trouble ({status}).{said}")
        if status == 401:
            return Denied(
                f"Jira does not accept Signalbox's credentials: renew the token of"
                f" {self._who()}, or see whether that account may use {call.what}.{need}"
            )
        if status == 403:
            return Denied(f"Jira does not let {self._who()} use {call.what}.{need}{said}")
        if status == 404:
            return NotFound(
                f"{_start(call.what)} is not visible: deleted or hidden from Signalbox.{need}{said}"
            )
        if status == 413:
            return Refused(f"There is no room for {call.what}: it is full of comments.{said}")
        return Refused(f"Jira refuses {call.what} ({status}).{need}{said}")

    def _limit(self, response: Response) -> RateLimited:
        reason = response.headers.get("RateLimit-Reason", "")
        after = _wait_of(response)
        if reason.startswith("jira-quota"):
            after = QUOTA_WAIT if after is None else max(after, PATIENCE + 1)
            self._closed_until = time.monotonic() + after
        if after is None:
            after = WAITS.get(reason, 2.0)
        why = f" ({reason})" if reason else ""
        return RateLimited(f"Jira asks to wait {after:.0f} seconds{why}.", after)

    def _who(self) -> str:
        return "this account" if isinstance(self._auth, str) else self._auth[0]


def _wait_of(response: Response) -> float | None:
    """Seconds from Retry-After in either of its forms, else from X-RateLimit-Reset."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        text = response.headers.get(name, "").strip()
        seconds = _seconds(text, response.headers.get("Date", "")) if text else None
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str, now: str) -> float | None:
    try:
        number = float(text)
        return min(max(number, 0.0), LONGEST_WAIT) if math.isfinite(number) else None
    except ValueError:
        until = _moment(text)
    if until is None:
        return None
    start = _moment(now) or datetime.now(UTC)  # their clock, where they tell it
    return min(max((until - start).total_seconds(), 0.0), LONGEST_WAIT)


def _moment(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _said(response: Response) -> str:
    """Jira's own words, with a blank before them. Pages of a proxy are left out."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    messages = body.get("errorMessages") or []
    errors = body.get("errors") or {}
    parts = [*messages] if isinstance(messages, list) else [messages]
    if isinstance(errors, dict):
        parts += [f"{name}: {text}" for name, text in errors.items()]
    parts += [body[name] for name in ("message", "errorMessage") if body.get(name)]
    text = " ".join(str(part).strip() for part in parts)[:500]
    return f" Jira says: {text}" if text else ""


def _start(what: str) -> str:
    return what[:1].upper() + what[1:]


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
