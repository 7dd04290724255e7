"""What the judge said, what people objected to, what a scan found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.BigInteger()  # microseconds since 1970, UTC


def upgrade() -> None:
    _scan()
    _scan_row()
    _shown()
    _objection()
    _split_up()
    _judgement()


def _scan() -> None:
    op.create_table(
        "scan",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("jql", sa.Text, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("rubric", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_scan")),
    )
    op.create_index("ix_scan_site_id_started_at", "scan", ["site_id", "started_at"])


def _scan_row() -> None:
    op.create_table(
        "scan_row",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("scan_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("score", sa.Integer),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("top", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "scan_id", "issue_id", name=op.f("pk_scan_row")),
    )


def _judgement() -> None:
    op.create_table(
        "judgement",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("hold_id", sa.Text),
        sa.Column("ratings", sa.JSON),
        sa.Column("words", sa.JSON),
        sa.Column("usage", sa.JSON),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT),
        sa.PrimaryKeyConstraint("site_id", "key", name=op.f("pk_judgement")),
    )
    op.create_index("ix_judgement_text", "judgement", ["site_id", "project_key", "spec_hash"])
    op.create_index("ix_judgement_issue", "judgement", ["site_id", "issue_id"])


def _shown() -> None:
    op.create_table(
        "shown",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("shown_at", MOMENT, nullable=False),
        sa.Column("rubric", sa.Text, nullable=False),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "issue_id", "shown_at", name=op.f("pk_shown")),
    )


def _objection() -> None:
    op.create_table(
        "objection",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("criterion", sa.Text, nullable=False),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("rubric", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("role_holder", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "issue_id", "criterion", "spec_hash", name=op.f("pk_objection")
        ),
    )


def _split_up() -> None:
    op.create_table(
        "split_up",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("keys", sa.JSON, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "issue_id", name=op.f("pk_split_up")),
    )
