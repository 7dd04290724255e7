"""What admins set up, deliveries, tickets, runs and their attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.BigInteger()  # microseconds since 1970, UTC
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER counts up there


def upgrade() -> None:
    _site()
    _project()
    _role_grant()
    _inbox()
    _ticket()
    _obeyed()
    _run()
    _attempt()
    _model_call()


def _site() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("api_url", sa.Text, nullable=False),
        sa.Column("browse_url", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("token_expires_at", MOMENT),
        sa.Column("webhook_secret", sa.Text),
        sa.Column("client_key", sa.Text),
        sa.Column("cloud_id", sa.Text),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("silent_edits", sa.Boolean, nullable=False),
        sa.Column("connected_at", MOMENT, nullable=False),
        sa.Column("paused_at", MOMENT),
        sa.Column("polled_at", MOMENT),
        sa.Column("uninstalled_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("client_key", name=op.f("uq_site_client_key")),
        sa.UniqueConstraint("cloud_id", name=op.f("uq_site_cloud_id")),
    )


def _project() -> None:
    op.create_table(
        "project",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("threshold", sa.Integer, nullable=False),
        sa.Column("must_haves", sa.JSON, nullable=False),
        sa.Column("repository", sa.Text),
        sa.Column("base_branch", sa.Text, nullable=False),
        sa.Column("acceptance", sa.Text),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempt_cap", sa.BigInteger, nullable=False),
        sa.Column("attempt_seconds", sa.Integer, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("open_pull_requests", sa.Integer, nullable=False),
        sa.Column("without_cage", sa.Boolean, nullable=False),
        sa.Column("costs_in_comments", sa.Boolean, nullable=False),
        sa.Column("service_desk", sa.Boolean, nullable=False),
        sa.Column("restricted_tickets", sa.Boolean, nullable=False),
        sa.Column("judge", sa.Boolean, nullable=False),
        sa.Column("operations_ticket", sa.Text),
        sa.Column("approve_above", sa.BigInteger),
        sa.Column("connected_at", MOMENT, nullable=False),
        sa.Column("paused_at", MOMENT),
        sa.PrimaryKeyConstraint("site_id", "key", name=op.f("pk_project")),
    )


def _role_grant() -> None:
    op.create_table(
        "role_grant",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("right", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "project_key", "right", "kind", "subject", name=op.f("pk_role_grant")
        ),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("ident", sa.Text, nullable=False),
        sa.Column("once_key", sa.Text),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text),
        sa.Column("issue_key", sa.Text),
        sa.Column("comment_id", sa.Text),
        sa.Column("comment_version", sa.Text),
        sa.Column("actor", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("relayed_at", MOMENT),
        sa.Column("not_before", MOMENT),
        sa.Column("workflow_id", sa.Text),
        sa.Column("relays", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_inbox")),
        sa.UniqueConstraint("id", name=op.f("uq_inbox_id")),
        sa.UniqueConstraint("site_id", "ident", name=op.f("uq_inbox_site_id_ident")),
        sa.UniqueConstraint("site_id", "once_key", name=op.f("uq_inbox_site_id_once_key")),
    )
    op.create_index(op.f("ix_inbox_waiting"), "inbox", ["relayed_at", "seq"])
    op.create_index(op.f("ix_inbox_workflow"), "inbox", ["workflow_id"])


def _ticket() -> None:
    op.create_table(
        "ticket",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("gen", sa.Integer, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("project_key", sa.Text),
        sa.Column("spec_hash", sa.Text),
        sa.Column("score", sa.Integer),
        sa.Column("verdict", sa.Text),
        sa.Column("rubric", sa.Text),
        sa.Column("decision", sa.JSON),
        sa.Column("comment_id", sa.Text),
        sa.Column("told_hash", sa.Text),
        sa.Column("told_at", MOMENT),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_hash", sa.Text),
        sa.Column("approved_at", MOMENT),
        sa.Column("wish_id", sa.Text),
        sa.Column("wish_by", sa.Text),
        sa.Column("wish_at", MOMENT),
        sa.Column("asked_at", MOMENT),
        sa.Column("assessed_at", MOMENT),
        sa.Column("look_again", sa.Boolean, nullable=False),
        sa.Column("seen_updated", MOMENT),
        sa.Column("labelled_by", sa.Text),
        sa.Column("labelled_at", MOMENT),
        sa.Column("quiet", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "issue_id", name=op.f("pk_ticket")),
    )


def _obeyed() -> None:
    op.create_table(
        "obeyed",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("comment_id", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "comment_id", "command", name=op.f("pk_obeyed")),
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("trigger_id", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("triggered_at", MOMENT, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", MOMENT),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("base_branch", sa.Text, nullable=False),
        sa.Column("base_commit", sa.Text),
        sa.Column("cage", sa.Text),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("spec_as_of", MOMENT, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("forecast", sa.JSON),
        sa.Column("spec", sa.JSON),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("doing", sa.Text),
        sa.Column("sign_at", MOMENT),
        sa.Column("comment_id", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ending", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("commit", sa.Text),
        sa.Column("change", sa.Text),
        sa.Column("pull_request", sa.Text),
        sa.Column("acceptance", sa.JSON),
        sa.Column("told_at", MOMENT),
        sa.Column("stop_by", sa.Text),
        sa.Column("stop_why", sa.Text),
        sa.PrimaryKeyConstraint("site_id", "issue_id", "number", name=op.f("pk_run")),
        sa.UniqueConstraint(
            "site_id", "issue_id", "trigger_id", name=op.f("uq_run_site_id_issue_id_trigger_id")
        ),
    )
    op.create_index(
        op.f("uq_run_active"),
        "run",
        ["site_id", "issue_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ending", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("said", sa.Text),
        sa.Column("cost", sa.BigInteger),
        sa.Column("cost_source", sa.Text),
        sa.Column("warned", sa.BigInteger),
        sa.PrimaryKeyConstraint("site_id", "issue_id", "run", "number", name=op.f("pk_attempt")),
    )


def _model_call() -> None:
    op.create_table(
        "model_call",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("cache_write_tokens", sa.BigInteger),
        sa.Column("cache_read_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("cost", sa.BigInteger),
        sa.Column("bound", sa.BigInteger, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint(
            "site_id", "issue_id", "run", "attempt", "call_id", name=op.f("pk_model_call")
        ),
    )
