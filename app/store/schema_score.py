"""The tables of scoring: what the judge said, what people objected to, what a scan found."""

from __future__ import annotations

import sqlalchemy as sa

from app.store.schema import Moment, metadata

scan = sa.Table(
    "scan",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("project_key", sa.Text, nullable=False),  # "" = the query alone says which
    sa.Column("jql", sa.Text, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),  # core.shards.Part, each with where it is
    sa.Column("rubric", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index("ix_scan_site_id_started_at", "site_id", "started_at"),
)

scan_row = sa.Table(
    "scan_row",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("scan_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("project_key", sa.Text, nullable=False),
    sa.Column("group", sa.Text, nullable=False),  # core.backlog.GROUPS | apart
    sa.Column("verdict", sa.Text),  # none where it was kept apart
    sa.Column("score", sa.Integer),  # none where it could not be judged
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("top", sa.Text, nullable=False),  # criterion of the first question
)

judgement = sa.Table(  # a ticket's words stand in `words` alone, and only for a while
    "judgement",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # of all that the answer depends on
    sa.Column("project_key", sa.Text, nullable=False),
    sa.Column("issue_id", sa.Text, nullable=False),  # the ticket that it was asked for
    sa.Column("spec_hash", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),  # its version
    sa.Column("state", sa.Text, nullable=False),  # open | answered | failed | not_asked
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),  # calls that were begun
    sa.Column("hold_id", sa.Text),  # of the last one
    sa.Column("ratings", sa.JSON),
    sa.Column("words", sa.JSON),
    sa.Column("usage", sa.JSON),
    sa.Column("cost", sa.BigInteger, nullable=False),  # micro-units of all calls
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),  # when its state last changed
    sa.Column("ends_at", Moment),  # when an open call counts as lost
    sa.Index("ix_judgement_text", "site_id", "project_key", "spec_hash"),
    sa.Index("ix_judgement_issue", "site_id", "issue_id"),
)

shown = sa.Table(  # the questions of a readiness comment, in its order, from when they stood there
    "shown",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("shown_at", Moment, primary_key=True),  # by Jira's clock
    sa.Column("rubric", sa.Text, nullable=False),
    sa.Column("spec_hash", sa.Text, nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),  # [[criterion, core.objections.mark], …]
)

objection = sa.Table(  # "agent wrong", one a finding and text
    "objection",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("criterion", sa.Text, primary_key=True),
    sa.Column("spec_hash", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),  # core.objections.mark
    sa.Column("rubric", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role_holder", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)

split_up = sa.Table(  # "agent split": the tickets that were made from one
    "split_up",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("issue_id", sa.Text, primary_key=True),
    sa.Column("spec_hash", sa.Text, nullable=False),
    sa.Column("keys", sa.JSON, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)
