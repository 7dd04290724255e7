"""Short ways to ask the ledger for things in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.core.money import MICRO
from app.store import budgets, ledger, refold, sites
from app.store.database import Database

NOW = datetime(2026, 11, 30, 16, tzinfo=UTC)  # 1 December, 01:00 in Tokyo


def terms(hold_id: str, amount: int = 3 * MICRO, **other: Any) -> dict[str, Any]:
    """Everything that a reservation says, for ticket 10 of project BILL on site acme."""
    return {
        "hold_id": hold_id,
        "site_id": "acme",
        "zone": "Asia/Tokyo",
        "project_key": "BILL",
        "issue_id": "10",
        "person": "557:a",
        "agent": "claude",
        "run": 1,
        "attempt": 1,
        "amount": amount,
        "price_version": "list 1",
        "simulated": False,
        "actor": "signalbox",
        "now": NOW,
        **other,
    }


def ending(hold_id: str, **other: Any) -> dict[str, Any]:
    return {"site_id": "acme", "hold_id": hold_id, "actor": "signalbox", "now": NOW, **other}


def limit(
    db: Database, amount: int | None, kind: str = "project", subject: str = "*", **other: Any
) -> None:
    named = {"period": "month", "actor": "an admin", "now": NOW, **other}
    budgets.set_limit(db, "acme", kind, subject, limit=amount, **named)


def site_row(db: Database) -> None:
    sites.add_site(
        db,
        {
            "id": "acme",
            "deployment": "cloud",
            "api_url": "http://localhost",
            "browse_url": "http://localhost",
            "token": "sealed",
            "account_id": "bot",
            "label": "agent-ready",
            "zone": "Asia/Tokyo",
            "currency": "USD",
            "connected_at": NOW,
        },
    )


def made(db: Database, hold_id: str, amount: int = 3 * MICRO, **other: Any) -> ledger.Reserved:
    got = ledger.reserve(db, **terms(hold_id, amount, **other))
    assert isinstance(got, ledger.Reserved)
    return got


def refused(db: Database, hold_id: str, amount: int = 3 * MICRO, **other: Any) -> ledger.NoRoom:
    got = ledger.reserve(db, **terms(hold_id, amount, **other))
    assert isinstance(got, ledger.NoRoom)
    return got


def folded(db: Database, site_id: str = "acme") -> refold.Refold:
    return refold.refold(db, site_id)
