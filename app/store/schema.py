"""All tables. Every key carries `site_id`; money is integer micro-units; times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, kept as microseconds since 1970: the same on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # only INTEGER counts up on SQLite

site = sa.Table(
    "site",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, nullable=False, default="token"),  # core.connection.KINDS
    sa.Column("deployment", sa.Text, nullable=False),  # cloud | server
    sa.Column("api_url", sa.Text, nullable=False),
    sa.Column("browse_url", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("token", sa.Text, nullable=False),  # sealed; Connect: the shared secret
    sa.Column("token_expires_at", Moment),  # none = not known
    sa.Column("webhook_secret", sa.Text),  # sealed; of the door that its kind has; none = closed
    sa.Column("client_key", sa.Text, unique=True),  # Connect: who Jira is in its tokens
    sa.Column("cloud_id", sa.Text, unique=True),  # Forge: the same
    sa.Column("account_id", sa.Text, nullable=False),  # our own
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),  # IANA
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("silent_edits", sa.Boolean, nullable=False, default=False),  # doctor found so
    sa.Column("connected_at", Moment, nullable=False),
    sa.Column("paused_at", Moment),
    sa.Column("polled_at", Moment),  # all that changed before was looked for
    sa.Column("uninstalled_at", Moment),  # Jira has taken our access away
)

project = sa.Table(
    "project",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("threshold", sa.Integer, nullable=False),
    sa.Column("must_haves", sa.JSON, nullable=False),
    sa.Column("repository", sa.Text),
    sa.Column("base_branch", sa.Text, nullable=False),
    sa.Column("acceptance", sa.Text),  # the command that we run on the agent's tree
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("attempt_cap", sa.BigInteger, nullable=False),  # micro-units set aside an attempt
    sa.Column("attempt_seconds", sa.Integer, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("open_pull_requests", sa.Integer, nullable=False),
    sa.Column("without_cage", sa.Boolean, nullable=False),
    sa.Column("costs_in_comments", sa.Boolean, nullable=False, default=True),
    sa.Column("service_desk", sa.Boolean, nullable=False, default=False),  # JSM tickets too
    sa.Column("restricted_tickets", sa.Boolean, nullable=False, default=False),
    sa.Column("judge", sa.Boolean, nullable=False, default=False),  # may an LLM read the texts
    sa.Column("operations_ticket", sa.Text),  # key of the ticket that alerts go to
    sa.Column("approve_above", sa.BigInteger),  # a p90 forecast above it needs approval; none = no
    sa.Column("connected_at", Moment, nullable=False),
    sa.Column("paused_at", Moment),
)

grant = sa.Table(
    "role_grant",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("project_key", sa.Text, primary_key=True),  # "*" = all of the site
    sa.Column("right", sa.Text, primary_key=True),  # rights.GRANTABLE
    sa.Column("kind", sa.Text, primary_key=True),  # account | jira_role
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("granted_at", Moment, nullable=False),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", Serial, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),  # the delivery's
    sa.Column("site_id", sa.Text, nullable=False),
    sa.Column("ident", sa.Text, nullable=False),
    sa.Column("once_key", sa.Text),  # changelog id, or comment id + updated
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # ticket | comment | both | none | mention | cancel
    sa.Column("issue_id", sa.Text),
    sa.Column("issue_key", sa.Text),  # all that is known of the ticket until it is looked up
    sa.Column("comment_id", sa.Text),
    sa.Column("comment_version", sa.Text),
    sa.Column("actor", sa.Text),  # A2A: who asked, by Atlassian's token
    sa.Column("body", sa.LargeBinary),
    sa.Column("outcome", sa.Text),  # handled | ignored | unsupported | malformed
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("relayed_at", Moment),
    sa.Column("not_before", Moment),  # after bad weather
    sa.Column("workflow_id", sa.Text),
    sa.Column("relays", sa.Integer, nullable=False, default=0),  # more than 1 after bad weather
    sa.UniqueConstraint("site_id", "ident"),
    sa.UniqueConstraint("site_id", "once_key"),
    sa.Index("ix_inbox_waiting", "relayed_at", "seq"),
    sa.Index("ix_inbox_workflow", "workflow_id"),
)

ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("gen", sa.Integer, nullable=False),  # names the newest assessment
    sa.Column("taken", sa.Integer, nullable=False),  # the newest one that has begun
    sa.Column("key", sa.Text),
    sa.Column("project_key", sa.Text),
    sa.Column("spec_hash", sa.Text),
    sa.Column("score", sa.Integer),
    sa.Column("verdict", sa.Text),
    sa.Column("rubric", sa.Text),
    sa.Column("decision", sa.JSON),  # {"decision": admit|defer|none, "reasons": [...]}
    sa.Column("comment_id", sa.Text),
    sa.Column("told_hash", sa.Text),  # the text that the readiness comment is about
    sa.Column("told_at", Moment),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_hash", sa.Text),
    sa.Column("approved_at", Moment),
    sa.Column("wish_id", sa.Text),  # eligibility.Trigger.id of "agent run" or "agent retry"
    sa.Column("wish_by", sa.Text),
    sa.Column("wish_at", Moment),
    sa.Column("asked_at", Moment),  # when a command last had it looked at, label or not
    sa.Column("assessed_at", Moment),
    sa.Column("look_again", sa.Boolean, nullable=False, default=False),  # deferred, not withdrawn
    sa.Column("seen_updated", Moment),  # Jira's own time of the state that was assessed
    sa.Column("labelled_by", sa.Text),  # who set the label as it stands
    sa.Column("labelled_at", Moment),
    sa.Column("quiet", sa.Boolean, nullable=False, default=False),  # one of a storm: no comment
)

obeyed = sa.Table(  # a comment is one command, however often it is delivered or touched
    "obeyed",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("comment_id", sa.Text, primary_key=True),
    sa.Column("command", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("project_key", sa.Text, nullable=False),
    sa.Column("trigger_id", sa.Text, nullable=False),  # eligibility.Trigger.id
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("triggered_at", Moment, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Moment),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("base_branch", sa.Text, nullable=False),
    sa.Column("base_commit", sa.Text),
    sa.Column("cage", sa.Text),
    sa.Column("spec_hash", sa.Text, nullable=False),
    sa.Column("spec_as_of", Moment, nullable=False),
    sa.Column("size", sa.Integer, nullable=False, default=0),  # characters of the text
    sa.Column("forecast", sa.JSON),  # core.forecast.Forecast as it was when the run began
    sa.Column("spec", sa.JSON),  # the frozen text; erased at the end
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("doing", sa.Text),  # the agent's last line of progress
    sa.Column("sign_at", Moment),
    sa.Column("comment_id", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("ending", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("commit", sa.Text),
    sa.Column("change", sa.Text),  # one line on what the commit changes
    sa.Column("pull_request", sa.Text),
    sa.Column("acceptance", sa.JSON),
    sa.Column("told_at", Moment),  # when the result stood in the ticket
    sa.Column("stop_by", sa.Text),
    sa.Column("stop_why", sa.Text),
    sa.UniqueConstraint("site_id", "issue_id", "trigger_id"),
    # at most one active run a ticket, held by the database itself
    sa.Index(
        "uq_run_active",
        "site_id",
        "issue_id",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("ending", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("session", sa.Text),
    sa.Column("said", sa.Text),
    sa.Column("cost", sa.BigInteger),
    sa.Column("cost_source", sa.Text),  # meter | agent | transcript | full hold
    sa.Column("warned", sa.BigInteger),  # set aside when the comment said that it is nearly used
)

model_call = sa.Table(
    "model_call",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("message_id", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("input_tokens", sa.BigInteger),
    sa.Column("cache_write_tokens", sa.BigInteger),
    sa.Column("cache_read_tokens", sa.BigInteger),
    sa.Column("output_tokens", sa.BigInteger),
    sa.Column("cost", sa.BigInteger),
    sa.Column("bound", sa.BigInteger, nullable=False),  # what it can cost at most while open
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
)

executor = sa.Table(  # Postgres only in use: who works, by the database's own clock
    "executor",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("beat_at", sa.Double, nullable=False),
    sa.Column("dead_at", sa.Double),
)
