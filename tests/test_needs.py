"""The suite's own rules: nothing leaves this machine, and what is absent is said or demanded."""

from __future__ import annotations

import socket

import pytest
import sqlalchemy as sa

from app.store.database import Database
from tests import needs
from tests.databases import Databases


def test_no_test_reaches_the_network() -> None:
    with socket.socket() as far, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        far.connect(("192.0.2.1", 80))
    with socket.socket() as far, pytest.raises(AssertionError, match="example"):
        far.connect_ex(("example.org", 80))


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as near:
        near.connect(server.getsockname())


@pytest.mark.parametrize("value", ["claude,shared", "claude shared", " shared, claude "])
def test_required_things_are_listed_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("SIGNALBOX_REQUIRE", value)
    assert needs.required() == {"claude", "shared"}


def test_ci_demands_the_contract_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALBOX_REQUIRE", raising=False)
    monkeypatch.setenv("CI", "true")
    assert needs.required() == {"shared"}


def test_what_is_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert needs.FAULTS["bwrap"]() == "bubblewrap is not installed"
    assert needs.FAULTS["chromium"]() == "Chromium is not installed"


def test_each_test_has_a_database_of_its_own(dialect: str, databases: Databases) -> None:
    first, second = databases.make(dialect), databases.make(dialect)
    assert first != second
    for url in (first, second):
        db = Database(url)
        with db.write() as c:
            c.execute(sa.text("create table mine (id integer)"))
        db.close()


@pytest.mark.parametrize(
    "change",
    [
        "insert into obeyed values ('s', '1', 'stop', 1)",
        "create table mine (id integer)",
        "update alembic_version set version_num = 'none'",
        "delete from alembic_version",
        "drop table hold",
        "alter table hold add more text",
    ],
)
def test_no_database_brings_anything_along(dialect: str, databases: Databases, change: str) -> None:
    def found(url: str) -> tuple[object, ...]:
        with sa.create_engine(url).connect() as c:
            tables = sa.inspect(c).get_table_names()
            columns = [column["name"] for column in sa.inspect(c).get_columns("hold")]
            rows = c.execute(sa.text("select count(*) from obeyed")).scalar()
            version = c.execute(sa.text("select * from alembic_version")).all()
        return sorted(tables), columns, rows, version

    first = databases.make(dialect)
    before = found(first)
    with sa.create_engine(first).begin() as c:
        c.execute(sa.text(change))
    databases.take_back(first)
    second = databases.make(dialect)
    assert second != first
    assert found(second) == before
    databases.take_back(second)
