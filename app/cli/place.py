"""Where a command works: settings, database and vault of this installation, opened for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.faults import Mistake

if TYPE_CHECKING:
    from app.admin.setup import Desk


@contextmanager
def opened() -> Iterator[Desk]:
    """Raises config.MissingSetting, vault.BadKeyError, main.SchemaBehind."""
    from app import config, main
    from app.adapters.clock import SystemClock
    from app.adapters.vault import Vault
    from app.admin.setup import Desk

    settings = config.load()
    vault = Vault(settings.secret_key)
    db = main.open_database(settings)
    try:
        yield Desk(db, vault, main.tracker_factory(settings, vault), SystemClock().now())
    finally:
        db.close()


def chosen_site(desk: Desk, site_id: str | None) -> str:
    """The named site, else the only one there is. Raises Mistake or sites.Unknown."""
    from app.store import sites

    if site_id is not None:
        return str(sites.get_site(desk.db, site_id)["id"])
    found = [str(row["id"]) for row in sites.list_sites(desk.db)]
    if not found:
        raise Mistake("There is no site yet: add one with `signalbox site add`.")
    if len(found) > 1:
        raise Mistake(f"There are several sites: name one with --site ({', '.join(found)}).")
    return found[0]
