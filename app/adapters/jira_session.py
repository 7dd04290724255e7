"""Calls to one Jira's REST API through the `jira` library's session, with its traps closed.

The library's own retry is off: it repeats POSTs, sleeps for minutes and trips over dates. What may
be repeated is repeated here, a few times and within seconds; longer waits belong to the engine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app import __version__
from app.adapters.jira_auth import Auth
from app.adapters.jira_fault import Call, fault_of, limit_of, trouble_of
from app.adapters.jira_pace import PATIENCE, Pace, Patience, Pause
from app.ports import Refused, Transient

if TYPE_CHECKING:
    from jira.resilientsession import ResilientSession
    from requests import Response

TIMEOUT = (5.0, 20.0)
HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "User-Agent": f"Signalbox/{__version__}",
    "X-Atlassian-Token": "no-check",
}


@dataclass(frozen=True, slots=True)
class Way:
    """How calls get to a Jira. silent: edits may be made without a mail to anybody. ca_bundle:
    file with the certificates to trust. pace: kept while the site is the same. pages:
    address of our own pages, where the rest of a comment is shown that Jira has no room for."""

    silent: bool = False
    proxy: str = ""
    ca_bundle: str = ""
    pages: str = ""
    pace: Pace = field(default_factory=Pace)
    pause: Pause = time.sleep


class JiraSession:
    """Safe to use from several threads: each call borrows a session of its own."""

    def __init__(self, api_url: str, auth: Auth, version: str, way: Way) -> None:
        self._root = f"{api_url.rstrip('/')}/rest/api/{version}"
        self._auth = auth
        self._way = way
        self._pace = way.pace
        self._idle: list[ResilientSession] = []

    def patience(self) -> Patience:
        return Patience(self._way.pause, self._pace.now)

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
        self._auth.check()
        self._pace.check()
        if call.issue and (wait := self._pace.writes.book(call.issue, PATIENCE)) > 0:
            self._way.pause(wait)
        with self._pace.breaker.call():
            return self._answer(call, self._send(call))

    def _answer(self, call: Call, response: Response) -> Any:
        if response.status_code == 429:
            raise limit_of(call, response, self._pace)
        if not response.ok:
            raise fault_of(call, response, self._auth)
        if response.status_code >= 300:
            where = response.headers.get("Location", "elsewhere")[:200]
            raise Refused(f"Jira's address leads to {where}: set the address that it leads to.")
        if not response.content and (
            response.status_code == 204 or call.method in ("PUT", "DELETE")
        ):
            return None
        try:
            return json.loads(response.content)
        except ValueError:
            raise Transient(f"Jira's answer about {call.what} was cut off or no JSON.") from None

    def _send(self, call: Call) -> Response:
        from jira.exceptions import JIRAError
        from requests.exceptions import RequestException

        with self._session() as session:
            try:
                return self._request(session, call)
            except JIRAError as error:
                if error.response is None:
                    raise Transient("Jira gave no answer.") from error
                return error.response
            except (RequestException, ValueError, OSError) as error:
                # Not "from error": what is below may show a credential.
                raise trouble_of(call, error) from None

    def _request(self, session: ResilientSession, call: Call) -> Response:
        return session.request(
            call.method,
            self._root + call.path,
            params=dict(call.params),
            data=None if call.body is None else json.dumps(call.body),
            auth=self._auth,
            allow_redirects=False,
        )

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
        """Nothing of this machine's user comes along: no .netrc, no proxy of the environment, and
        no cookie, which could outlive a token that was revoked."""
        from http.cookiejar import DefaultCookiePolicy

        from jira.resilientsession import ResilientSession

        session = ResilientSession(timeout=TIMEOUT, max_retries=0)
        session.trust_env = False
        session.verify = self._way.ca_bundle or True
        if self._way.proxy:
            session.proxies = {"http": self._way.proxy, "https": self._way.proxy}
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update(HEADERS)
        return session
