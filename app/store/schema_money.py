"""The tables of the ledger: limits, balances, holds, and the journal that is never edited."""

from __future__ import annotations

import sqlalchemy as sa

from app.store.schema import Moment, Serial, metadata

bucket = sa.Table(
    "bucket",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # chain.LEVELS
    sa.Column("subject", sa.Text, primary_key=True),  # site, project, account, issue, agent; "*"
    sa.Column("period", sa.Text, primary_key=True),  # day | week | month | once
    sa.Column("limit", sa.BigInteger),  # none = no limit at this level
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)

override = sa.Table(
    "override",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # the idempotency key
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger),  # beyond the limit; none = the limit does not hold
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Index("ix_override_bucket", "site_id", "kind", "subject"),
)

balance = sa.Table(
    "balance",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("starts", Moment, primary_key=True),  # first instant of the period, site's zone
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.CheckConstraint("posted >= 0", name="posted_not_negative"),
    sa.CheckConstraint("held >= 0", name="held_not_negative"),
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # the idempotency key
    sa.Column("project_key", sa.Text, nullable=False),
    sa.Column("issue_id", sa.Text, nullable=False),
    sa.Column("person", sa.Text),  # account id of who asked for it
    sa.Column("agent", sa.Text),  # kind of agent
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("price_version", sa.Text, nullable=False),  # of the list it was worked out by
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # held | posted | void | expired
    sa.Column("actual", sa.BigInteger),
    sa.Column("refunded", sa.BigInteger, nullable=False, default=0),
    sa.Column("overrun", sa.BigInteger, nullable=False, default=0),  # cost beyond what was settled
    sa.Column("seen_at", Moment),  # when an admin had seen the overrun
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("holder", sa.Text, nullable=False),  # id of the workflow it was made for
    sa.Column("expires_at", Moment),
    sa.Column("day", Moment, nullable=False),  # starts of the periods that it counts in
    sa.Column("week", Moment, nullable=False),
    sa.Column("month", Moment, nullable=False),
    sa.CheckConstraint("refunded >= 0 AND refunded <= coalesce(actual, 0)", name="refunded"),
    sa.Index("ix_hold_ticket", "site_id", "issue_id", "run"),
    sa.Index(
        "ix_hold_open",
        "site_id",
        "made_at",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    ),
    sa.Index(
        "ix_hold_overrun",
        "site_id",
        "project_key",
        sqlite_where=sa.text("overrun > 0"),
        postgresql_where=sa.text("overrun > 0"),
    ),
)

correction = sa.Table(  # what changed the cost of a hold after its end
    "correction",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # the idempotency key
    sa.Column("hold_id", sa.Text, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),  # refund | late
    sa.Column("amount", sa.BigInteger, nullable=False),  # refund: of it; late: the cost reported
    sa.Column("at", Moment, nullable=False),
)

entry = sa.Table(  # of a hold: counts in each balance of the hold; of a limit: names its bucket
    "entry",
    metadata,
    sa.Column("seq", Serial, primary_key=True, autoincrement=True),
    sa.Column("site_id", sa.Text, nullable=False),
    sa.Column("hold_id", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("period", sa.Text),
    sa.Column("account", sa.Text, nullable=False),  # limit | available | held | spent
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),  # journal.VERBS
    sa.Column("reason", sa.Text),  # an admin's
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_entry_hold", "site_id", "hold_id"),
)

alert = sa.Table(  # a threshold that was crossed, once
    "alert",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("starts", Moment, primary_key=True),
    sa.Column("threshold", sa.Integer, primary_key=True),  # per cent of the limit
    sa.Column("basis", sa.Text, primary_key=True),  # used = spent and set aside | spent
    sa.Column("limit", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("told_at", Moment),  # when it stood on the operations tickets
    sa.Column("sent_at", Moment),  # when the webhook had it
)

digest = sa.Table(  # a week that its project's operations ticket was told of
    "digest",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("project_key", sa.Text, primary_key=True),
    sa.Column("week", Moment, primary_key=True),  # its first instant
    sa.Column("told_at", Moment, nullable=False),
)

conversion = sa.Table(  # what a vendor's own unit costs, from a date on
    "conversion",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),  # credit | ACU | seat …, as the vendor says
    sa.Column("since", Moment, primary_key=True),
    sa.Column("rate", sa.BigInteger, nullable=False),  # micro-units for one
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)

refolded = sa.Table(  # the newest daily check of the ledger, per site
    "refolded",
    metadata,
    sa.Column("site_id", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("balances", sa.Integer, nullable=False),
    sa.Column("differences", sa.JSON, nullable=False),
)
