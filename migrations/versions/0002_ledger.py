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
    _balance()
    _hold()
    _entry()
    _executor()


def _bucket() -> None:
    op.create_table(
        "bucket",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("limit", sa.BigInteger),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "subject", "period", name=op.f("pk_bucket")),
    )


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
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actual", sa.BigInteger),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_ticket"), "hold", ["site_id", "issue_id", "run"])


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("hold_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("starts", MOMENT, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_hold"), "entry", ["site_id", "hold_id"])
    op.create_index(op.f("ix_entry_verb"), "entry", ["site_id", "verb"])


def _executor() -> None:
    op.create_table(
        "executor",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.Column("dead_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executor")),
    )
