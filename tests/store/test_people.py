"""Account ids in our rows: all of them are found, and none outlives its account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.store import people
from app.store.database import Database
from app.store.schema import grant, inbox, metadata
from app.store.schema_money import bucket
from tests.store.rows import AT, fill

LATER = datetime(2026, 11, 2, tzinfo=UTC)
HELD = [who.table.name + "." + who.name for who, _ in people.HELD]


def everything(db: Database, site_id: str) -> dict[str, Any]:
    """All columns of all rows of the site, by name."""
    found: dict[str, Any] = {}
    with db.read() as c:
        for table in metadata.sorted_tables:
            if "site_id" in table.c:
                for row in c.execute(sa.select(table).where(table.c.site_id == site_id)).mappings():
                    found |= {f"{table.name}.{name}": value for name, value in row.items()}
    return found


@pytest.mark.parametrize("column", HELD)
def test_every_column_is_looked_through_and_erased(database: Database, column: str) -> None:
    table, _, name = column.partition(".")
    for site_id in ("acme", "twin"):
        fill(database, site_id)
        with database.write() as c:
            where = metadata.tables[table].c.site_id == site_id
            change = sa.update(metadata.tables[table]).where(where)
            c.execute(change.values({name: f"person-{column}"}))
    assert people.accounts(database, "acme") == {f"person-{column}": AT}, "all else is our own"
    other = everything(database, "twin")
    people.erase(database, "acme", f"person-{column}")
    mine = everything(database, "acme")
    assert mine[column] == people.ERASED
    assert f"person-{column}" not in str(mine)
    assert people.accounts(database, "acme") == {}
    assert everything(database, "twin") == other


def test_the_newest_time_counts_and_nobody_is_no_person(database: Database) -> None:
    fill(database, "acme", account_id="own", labelled_by="own", actor="admin", approved_by=None)
    fill(database, "twin", labelled_by="of the twin")
    with database.write() as c:
        granted = {"site_id": "acme", "project_key": "*", "right": "approve", "granted_at": LATER}
        c.execute(grant.insert().values(**granted, kind="account", subject="1"))
        c.execute(grant.insert().values(**granted, kind="jira_role", subject="Developers"))
    assert people.accounts(database, "acme") == {"1": LATER}


def test_rights_bodies_and_notices_go_too(database: Database) -> None:
    fill(database, "acme", kind="account", subject="gone", changed_by="gone", outcome="handled")
    storm: dict[str, Any] = {
        "id": "own-storm",
        "site_id": "acme",
        "ident": "storm:BILL:gone:2026",
        "body": b"gone",
    }
    storm |= {"event": "signalbox:storm", "kind": "notice", "reason": "", "received_at": AT}
    with database.write() as c:
        c.execute(inbox.insert().values(storm))
        c.execute(inbox.update().where(inbox.c.id != "own-storm").values(body=b"by gone"))
    people.erase(database, "acme", "gone")
    with database.read() as c:
        assert c.execute(sa.select(grant)).first() is None
        assert c.execute(sa.select(inbox.c.id, inbox.c.body)).all() == [("acme's id", None)]
        assert c.execute(sa.select(bucket.c.changed_by)).scalar_one() == people.ERASED
