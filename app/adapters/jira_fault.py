"""What an answer that is no success means: whose fault it is, and what to do or to wait for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from app.adapters.jira_auth import Auth
from app.adapters.jira_pace import LONGEST_SHARED, PATIENCE, Pace
from app.ports import NotFound, PortError, RateLimited, Refused, Transient

if TYPE_CHECKING:
    from requests import Response

QUOTA_WAIT = 1800.0
LONGEST_WAIT = 86_400.0
PER_ISSUE = "jira-per-issue-on-write"
WAITS = {PER_ISSUE: 5.0, "jira-burst-based": 1.0}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. what: its object, for sentences. need: the Jira right that it takes.
    issue: the ticket that it writes to."""

    method: str
    path: str
    what: str
    need: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    issue: str = ""


class Denied(Refused):
    """401 or 403: the credential or a right is missing."""


def fault_of(call: Call, response: Response, auth: Auth) -> PortError:
    """Any answer but a 429 and a success."""
    status, said = response.status_code, _said(response)
    need = f" It takes the right “{call.need}”." if call.need else ""
    if status in (408, 425) or status >= 500:
        return Transient(f"Jira is in trouble ({status}).{said}")
    if status == 401:
        return Denied(
            f"Jira does not accept Signalbox's credentials: {auth.remedy}, or see whether"
            f" {auth.who} may use {call.what}.{need}"
        )
    if status == 403:
        return Denied(f"Jira does not let {auth.who} use {call.what}.{need}{said}")
    if status == 404:
        what = call.what[:1].upper() + call.what[1:]
        return NotFound(f"{what} is not visible: deleted or hidden from Signalbox.{need}{said}")
    if status == 413:
        return Refused(f"There is no room for {call.what}: it is full of comments.{said}")
    return Refused(f"Jira refuses {call.what} ({status}).{need}{said}")


def limit_of(call: Call, response: Response, pace: Pace) -> RateLimited:
    """A 429, noted where it stops more than this one call."""
    reason = response.headers.get("RateLimit-Reason", "")
    after = _wait_of(response)
    if reason.startswith("jira-quota"):
        after = QUOTA_WAIT if after is None else max(after, PATIENCE + 1)
        pace.site.close(after)
        if reason == "jira-quota-global-based":
            pace.app.close(min(after, LONGEST_SHARED))
    if after is None:
        after = WAITS.get(reason, 2.0)
    if reason == PER_ISSUE and call.issue:
        pace.writes.hold(call.issue, after)
    why = f" ({reason})" if reason else ""
    return RateLimited(f"Jira asks to wait {after:.0f} seconds{why}.", after)


def trouble_of(call: Call, error: Exception) -> PortError:
    """No answer came: the weather, or something that an admin has set."""
    from requests import exceptions

    text = (str(error).splitlines() or [type(error).__name__])[0][:200]
    if isinstance(error, exceptions.SSLError):
        return Refused(
            f"Jira's certificate is not accepted: {text} If it, or a proxy's, is one of your own:"
            " SIGNALBOX_CA_BUNDLE names the file with yours."
        )
    if isinstance(error, exceptions.InvalidProxyURL):  # its text may hold a password
        return Refused("The proxy's address cannot be used: see SIGNALBOX_PROXY.")
    if isinstance(error, exceptions.ProxyError):
        return Transient("The proxy of SIGNALBOX_PROXY does not answer or let us through.")
    if isinstance(error, exceptions.Timeout):
        return Transient(f"Jira did not answer in time about {call.what}.")
    if isinstance(error, exceptions.RequestException):
        if isinstance(error, ValueError):  # a malformed address
            return Refused(f"Jira's address cannot be used: {text}")
        return Transient(f"Jira cannot be reached: {text}")
    if isinstance(error, ValueError):  # its text holds the credential
        return Refused("The credential cannot be sent in a header: set it anew.")
    return Refused(f"The file of SIGNALBOX_CA_BUNDLE cannot be used: {text}")


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
    readers: tuple[Callable[[str], datetime], ...]
    readers = (parsedate_to_datetime, datetime.fromisoformat)
    for read in readers:
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
