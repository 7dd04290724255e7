"""Fixtures of the whole suite: databases, what a test may need, no way out to the network."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests import needs

if TYPE_CHECKING:  # imported where they are used: the tests of the core start without them
    from app.store.database import Database
    from tests.databases import Databases

settings.register_profile(
    "ci",
    derandomize=True,  # the same examples on every machine
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("ci"), derandomize=False, max_examples=1000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def require(name: str) -> None:
    """Go on only where `name` is there."""
    if why := needs.fault(name):
        absent(name, why)


def absent(name: str, why: str) -> NoReturn:
    """Skip the test, with the reason; fail it where `name` has to be there."""
    if name in needs.required():
        pytest.fail(f"{name} is required: {why}", pytrace=False)
    pytest.skip(why)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not walk through it again and again."""
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in needs.FAULTS:
        if item.get_closest_marker(name):
            require(name)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of contract files and samples."""
    require("shared")
    return needs.SHARED


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest) -> str:
    """Each test with a database runs on both. For one only:
    `@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)`."""
    return str(request.param)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where each test's database comes from; one per process, so workers never meet."""
    from tests.databases import Databases

    made = Databases(tmp_path_factory.mktemp("databases"))
    with made.stack:
        yield made


@pytest.fixture
def database_url(dialect: str, databases: Databases) -> Iterator[str]:
    """The URL of a fresh, migrated database, for tests that start processes."""
    from tests.databases import CannotStart

    try:
        url = databases.make(dialect)
    except CannotStart as fault:
        absent(dialect, str(fault))
    yield url
    databases.take_back(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    from app.store.database import Database

    db = Database(database_url)
    yield db
    db.close()


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    """A test may talk to this machine and to nothing else."""
    connects = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}

    def guarded(name: str) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _local(address[0]):
                raise AssertionError(f"a test tried to reach {address!r}")
            return connects[name](self, address)

        return connect

    with pytest.MonkeyPatch.context() as patch:
        for name in connects:
            patch.setattr(socket.socket, name, guarded(name))
        yield


def _local(host: str) -> bool:
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
