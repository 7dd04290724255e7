"""What the judge said, what people objected to, what a scan found."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    pass
