"""A verified delivery becomes one inbox row; nothing is started here."""

from __future__ import annotations

import hashlib
from datetime import datetime

from app.core.events import Event, read_event
from app.store import inbox
from app.store.database import Database

LONGEST_IDENTIFIER = 200


def receive(
    db: Database, site_id: str, own_account: str, identifier: str, body: bytes, now: datetime
) -> str:
    """Store a webhook's delivery once and return its id; a repeat gets the id of the first.

    identifier: X-Atlassian-Webhook-Identifier, the same on every retry; empty where Jira is too
    old to send one: the body's own hash stands in.
    """
    event = read_event(body, own_account)
    return keep(db, site_id, event, _ident(identifier, body), body, now)


def keep(db: Database, site_id: str, event: Event, ident: str, body: bytes, now: datetime) -> str:
    """Store what came in at any door once, under `ident`. Returns the delivery's id."""
    row = {
        "id": hashlib.blake2b(f"{site_id}\n{ident}".encode(), digest_size=12).hexdigest(),
        "site_id": site_id,
        "ident": ident,
        "once_key": event.once_key,
        "event": event.name,
        "kind": event.kind,
        "issue_id": event.issue_id,
        "issue_key": event.issue_key,
        "comment_id": event.comment_id,
        "comment_version": event.comment_version,
        "body": body,
        "outcome": event.outcome or None,
        "reason": event.reason,
        "received_at": now,
    }
    return inbox.receive(db, row)


def _ident(identifier: str, body: bytes) -> str:
    """No signature covers the header: under a prefix it cannot be mistaken for a row of ours,
    such as "wake:…", nor for one of the hashes here."""
    if not identifier:
        return "body:" + hashlib.blake2b(body, digest_size=16).hexdigest()
    if len(identifier) > LONGEST_IDENTIFIER or not identifier.isprintable():
        raw = identifier.encode("utf-8", "replace")
        return "hash:" + hashlib.blake2b(raw).hexdigest()[:32]
    return "jira:" + identifier
