"""The ledger of money, and who works."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.BigInteger()  # microseconds since 1970, UTC
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER counts up there


def upgrade() -> None:
    _bucket()
    _override()
    _balance()
    _hold()
    _correction()
    _entry()
    _alert()
    _digest()
    _conversion()
    _refolded()
    _executor()


def _bucket() -> None:
    op.create_table(
        "bucket",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("limit", sa.BigInteger),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "subject", "period", name=op.f("pk_bucket")),
    )


def _override() -> None:
    op.create_table(
        "override",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_override")),
    )
    op.create_index(op.f("ix_override_bucket"), "override", ["site_id", "kind", "subject"])


def _balance() -> None:
    op.create_table(
        "balance",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("starts", MOMENT, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "kind", "subject", "period", "starts", name=op.f("pk_balance")
        ),
        sa.CheckConstraint("held >= 0", name=op.f("ck_balance_held_not_negative")),
        sa.CheckConstraint("posted >= 0", name=op.f("ck_balance_posted_not_negative")),
    )


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("price_version", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actual", sa.BigInteger),
        sa.Column("refunded", sa.BigInteger, nullable=False),
        sa.Column("overrun", sa.BigInteger, nullable=False),
        sa.Column("seen_at", MOMENT),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("day", MOMENT, nullable=False),
        sa.Column("week", MOMENT, nullable=False),
        sa.Column("month", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_hold")),
        sa.CheckConstraint(
            "refunded >= 0 AND refunded <= coalesce(actual, 0)",
            name=op.f("ck_hold_refunded"),
        ),
    )
    op.create_index(
        op.f("ix_hold_open"),
        "hold",
        ["site_id", "made_at"],
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index(
        op.f("ix_hold_overrun"),
        "hold",
        ["site_id", "project_key"],
        sqlite_where=sa.text("overrun > 0"),
        postgresql_where=sa.text("overrun > 0"),
    )
    op.create_index(op.f("ix_hold_ticket"), "hold", ["site_id", "issue_id", "run"])


def _correction() -> None:
    op.create_table(
        "correction",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("hold_id", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_correction")),
    )


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("hold_id", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("period", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_hold"), "entry", ["site_id", "hold_id"])


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("starts", MOMENT, nullable=False),
        sa.Column("threshold", sa.Integer, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("limit", sa.BigInteger, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.PrimaryKeyConstraint(
            "site_id",
            "kind",
            "subject",
            "period",
            "starts",
            "threshold",
            "basis",
            name=op.f("pk_alert"),
        ),
    )


def _digest() -> None:
    op.create_table(
        "digest",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("week", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "project_key", "week", name=op.f("pk_digest")),
    )


def _conversion() -> None:
    op.create_table(
        "conversion",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("rate", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "unit", "since", name=op.f("pk_conversion")),
    )


def _refolded() -> None:
    op.create_table(
        "refolded",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("balances", sa.Integer, nullable=False),
        sa.Column("differences", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_refolded")),
    )


def _executor() -> None:
    op.create_table(
        "executor",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.Column("dead_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executor")),
    )
