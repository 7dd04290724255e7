"""Sealing all stored secrets anew, with the first of the keys in the settings."""

from __future__ import annotations

from app.admin.setup import Desk
from app.ports import Refused
from app.store import sealed, sites


def rotate(desk: Desk) -> int:
    """How many secrets were sealed anew. A repeat is harmless.

    Raises Refused at its end where some cannot be opened with the present keys."""
    done, lost = 0, []
    for row in sites.list_sites(desk.db):
        for column in sealed.SEALED:
            old = row[column]
            if not old:
                continue
            try:
                new = desk.secrets.seal(desk.secrets.unseal(old))
            except Refused:
                lost.append(f"{row['id']} ({column.replace('_', ' ')})")
                continue
            done += sealed.replace(desk.db, row["id"], column, old, new)
    if lost:
        raise Refused(
            f"Secrets sealed anew: {done}. These cannot be opened: {', '.join(lost)}. Add"
            " the key that they were sealed with at the end of SIGNALBOX_SECRET_KEY, or store them"
            " again with `signalbox site add`."
        )
    return done
