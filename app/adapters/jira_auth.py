"""How a site lets us in: one credential a kind of connection, put on each request as it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

from app.core.qsh import query_string_hash
from app.ports import Refused, Transient

if TYPE_CHECKING:
    from requests import PreparedRequest

Now = Callable[[], datetime]
LIFETIME = 180
"""Seconds that a token of ours for one request holds, as Connect's own libraries have it."""


class Waiting(Transient):
    """Nothing was sent, and a try within seconds would not be either."""


class Auth(Protocol):
    """who: whom Jira sees, for sentences. remedy: what to do where Jira does not know it."""

    @property
    def who(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    def check(self) -> None:
        """Raises Waiting or Refused where a call would be of no use."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request: the last that happens before it is sent."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Basic:
    """E-mail address and API token of an account on Cloud."""

    who: str
    token: str = field(repr=False)

    @property
    def remedy(self) -> str:
        return f"renew the token of {self.who}"

    def check(self) -> None:
        """Whether the token still holds is Jira's to say."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        from requests.auth import HTTPBasicAuth

        # Encoded here, as requests would take the text for Latin-1.
        signed: PreparedRequest = HTTPBasicAuth(self.who.encode(), self.token.encode())(request)
        return signed


@dataclass(frozen=True, slots=True)
class Bearer:
    """A personal access token of Data Center."""

    token: str = field(repr=False)
    who: str = "this account"
    remedy: str = "renew the token of this account"

    def check(self) -> None:
        """Whether the token still holds is Jira's to say."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


@dataclass(frozen=True, slots=True)
class Forge:
    """The system token that our Forge app hands over again and again, as each holds for hours.

    https://developer.atlassian.com/platform/forge/remote/calling-product-apis/
    """

    token: str = field(repr=False)
    until: datetime | None = None
    now: Now = field(default=_now, repr=False)
    who: str = "the Forge app"
    remedy: str = "wait for the Forge app's next call, or install the app again"

    def check(self) -> None:
        gone = self.until is not None and self.now() >= self.until
        if gone or not self.token:
            which = "ran out" if self.token else "has not come yet"
            raise Waiting(
                f"The Forge app's token {which}: the app's next call brings a new one. If none"
                " comes within the hour, see whether the app is still installed in Jira."
            )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


@dataclass(frozen=True, slots=True)
class Connect:
    """A token for each request, bound to it, signed with the secret of the installation."""

    app_key: str
    secret: str = field(repr=False)
    api_url: str
    now: Now = field(default=_now, repr=False)
    who: str = "the Connect app"
    remedy: str = "install the Connect app again"

    def check(self) -> None:
        """The secret holds until Jira replaces it."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        import jwt

        asked = urlsplit(str(request.url))
        path = asked.path.removeprefix(urlsplit(self.api_url).path.rstrip("/"))
        values = parse_qsl(asked.query, keep_blank_values=True)
        at = int(self.now().timestamp())
        claims = {
            "iss": self.app_key,
            "iat": at,
            "exp": at + LIFETIME,
            "qsh": query_string_hash(str(request.method), path, values),
        }
        signed = jwt.encode(claims, self.secret, algorithm="HS256")
        request.headers["Authorization"] = f"JWT {signed}"
        return request


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Jira has taken our access away: nothing is sent any more."""

    site_id: str
    who: str = "Signalbox"
    remedy: str = "install the app again"

    def check(self) -> None:
        raise Refused(
            f"Signalbox was uninstalled from the site {self.site_id}: install the app again in"
            f" Jira, or take the site away with `signalbox site remove`."
        )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        self.check()
        return request
