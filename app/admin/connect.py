"""Connecting a site: the kinds that an admin sets up with a credential of their own. Connect and
Forge apps hand theirs over in their install call (app/intake)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Literal, TypedDict
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.admin.setup import Desk, Invalid
from app.core.connection import KINDS
from app.ports import Secrets
from app.store import sites
from app.store.database import Database

LEAST_SECRET = 16
BY_HAND = tuple(kind for kind, connection in KINDS.items() if not connection.handed)
CURRENCY = "USD"
"""The models' prices are in dollars and nothing is exchanged."""


class SiteWish(TypedDict, total=False):
    """token and webhook_secret as they are; they are sealed here. email "" = a bearer token.
    token_ends: the day on which the token ends, None = it does not or is not known."""

    connection: str
    token_ends: date | None
    deployment: Literal["cloud", "server"]
    url: str
    browse_url: str
    email: str
    token: str
    webhook_secret: str
    label: str
    zone: str
    currency: str


def connect_site(desk: Desk, site_id: str, wish: SiteWish) -> sites.Row:
    """Add the site or change it, after Jira has told who we are there.

    Raises Invalid, or what the tracker raises: then nothing is stored."""
    if not sites.SITE_ID.fullmatch(site_id):
        raise Invalid(f"{site_id!r} cannot be a site's id: use a-z, 0-9 and -, such as acme.")
    old = _known_site(desk.db, site_id)
    values = _site_values(desk, site_id, wish, old)
    account = desk.tracker(values).myself()
    sites.add_site(desk.db, {**values, "account_id": account.id})
    return sites.get_site(desk.db, site_id)


def _known_site(db: Database, site_id: str) -> Mapping[str, Any]:
    try:
        return dict(sites.get_site(db, site_id))
    except sites.Unknown:
        return {}


def _site_values(
    desk: Desk, site_id: str, wish: SiteWish, old: Mapping[str, Any]
) -> dict[str, Any]:
    connection = _connection(wish.get("connection") or old.get("connection", "token"))
    url = _address("url", wish.get("url") or old.get("api_url", ""))
    email = wish.get("email", old.get("email") or "")
    moved = bool(old) and (url, email) != (old["api_url"], old["email"] or "")
    deployment = wish.get("deployment") or old.get("deployment", "cloud")
    if connection == "server":
        deployment = "server"
    elif connection != "poll" and deployment == "server":
        raise Invalid("Data Center is connected by webhook (server) or by polling (poll).")
    if deployment == "cloud" and not email:
        raise Invalid("Jira Cloud takes an e-mail address with its API token: name it (email).")
    return {
        "id": site_id,
        "connection": connection,
        "deployment": deployment,
        "api_url": url,
        "browse_url": _address("browse url", wish.get("browse_url") or _shown_at(url, old)),
        "email": email or None,
        "token": _token(desk.secrets, wish.get("token"), old.get("token"), moved=moved),
        "token_expires_at": _end(wish, old),
        "webhook_secret": _webhook_secret(desk.secrets, wish, old),
        "label": _label(wish.get("label") or old.get("label", "agent-ready")),
        "zone": _zone(wish.get("zone") or old.get("zone", "UTC")),
        "currency": _currency(wish.get("currency"), old.get("currency")),
        "connected_at": desk.now,
        "polled_at": old.get("polled_at") or desk.now,
    }


def _connection(kind: str) -> str:
    if kind not in KINDS:
        raise Invalid(f"{kind!r} is no kind of connection: use {', '.join(BY_HAND)}.")
    if KINDS[kind].handed:
        raise Invalid(f"A {kind} app connects itself when it is installed in Jira: see the guide.")
    return kind


def _end(wish: SiteWish, old: Mapping[str, Any]) -> datetime | None:
    """The first moment at which the token may not work any more. Another token has another end."""
    if "token_ends" in wish:
        day = wish["token_ends"]
        return None if day is None else datetime.combine(day, time(0), UTC)
    return None if "token" in wish else old.get("token_expires_at")


def _shown_at(url: str, old: Mapping[str, Any]) -> str:
    """Where people open tickets: as it was, unless it was the address that has just changed."""
    return str(old["browse_url"]) if old and old["browse_url"] != old["api_url"] else url


def _address(name: str, url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not url.isascii() or any(c.isspace() for c in url.strip()):
        raise Invalid(f"{url!r} is no {name}: give one such as https://acme.atlassian.net.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid(f"The {name} has to be plain: no user, password, question mark or hash.")
    return url.strip().rstrip("/")


def _token(secrets: Secrets, given: str | None, sealed: str | None, *, moved: bool) -> str:
    if given is None:
        if sealed is None:
            raise Invalid("A site needs a token: an API token or a personal access token of Jira.")
        if moved:
            raise Invalid("For another address or e-mail the token has to be given once more.")
        return sealed
    if not given.strip() or not given.strip().isascii() or not given.strip().isprintable():
        raise Invalid("The token is empty or holds characters that no token has.")
    return secrets.seal(given.strip())


def _webhook_secret(secrets: Secrets, wish: SiteWish, old: Mapping[str, Any]) -> str | None:
    if "webhook_secret" not in wish:
        return old.get("webhook_secret")
    secret = wish["webhook_secret"].strip()
    if len(secret) < LEAST_SECRET:
        raise Invalid(f"The webhook secret is too short: use {LEAST_SECRET} characters or more.")
    return secrets.seal(secret)


def _label(label: str) -> str:
    if not label or len(label) > 255 or not label.isprintable() or " " in label:
        raise Invalid(f"{label!r} cannot be a label in Jira: it holds no blank.")
    return label


def _zone(zone: str) -> str:
    try:
        return ZoneInfo(zone).key
    except (ValueError, OSError, LookupError):
        raise Invalid(f"{zone!r} is no time zone: use a name such as Europe/Berlin.") from None


def _currency(wanted: str | None, old: str | None) -> str:
    if old and wanted and wanted != old:
        raise Invalid(f"The ledger of this site is kept in {old}: that cannot be changed.")
    if wanted and wanted != CURRENCY:
        raise Invalid(f"The ledger cannot be kept in {wanted!r}: for now it is in USD, as prices.")
    return wanted or old or CURRENCY
