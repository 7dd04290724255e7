"""The ledger against its model, and the ledger with faults: each must be noticed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.store.database import Database
from tests.store.ledger_machine import play
from tests.store.ledger_mutants import MUTANTS


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_history_ends_as_the_model_says(database: Database) -> None:
    """The rules are the same on Postgres, where each costs twice as much: fewer, except in CI."""
    everything = database.sqlite or os.environ.get("CI") == "true"
    play(database, 300 if everything else 50)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_fault_is_noticed(
    database: Database,
    mutant: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutant(monkeypatch)
    # By the model, or by a table that refuses an amount below 0.
    with pytest.raises((AssertionError, sa.exc.IntegrityError)):
        play(database, 300, shrink=False)
