"""The site that a Forge call comes from: met for the first time, or known; its tokens kept fresh.

https://developer.atlassian.com/platform/forge/remote/calling-product-apis/
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from app.intake.door import Door
from app.intake.fit import Invocation
from app.intake.hosts import site_name
from app.intake.signature import BadSignature
from app.intake.tokens import expiry_claimed
from app.store import installs
from app.store.sites import Row

log = structlog.get_logger()


def site_of(door: Door, call: Invocation, *, revive: bool = False) -> Row:
    """The call's site, made where this is the first that we hear of it. Raises BadSignature for
    one that has uninstalled us, unless `revive`: a late event must not bring it back.

    A system token that lasts longer than ours takes its place: it came with a verified call.
    """
    site = installs.by_identity(door.db, "forge", call.cloud_id)
    left = site["uninstalled_at"] if site is not None else None
    if left is not None and not (revive and call.issued_at > left):
        raise BadSignature("no such installation")
    if site is None or left is not None:
        return _install(door, call)
    ends = _usable_until(door, call)
    if ends is not None:
        sealed = door.secrets.seal(call.system_token)
        installs.keep_token(door.db, site["id"], sealed, ends)
    if call.site_url and site["browse_url"] == site["api_url"]:
        installs.learn_address(door.db, site["id"], call.site_url)
    return site


def _install(door: Door, call: Invocation) -> Row:
    ends = _usable_until(door, call)
    new = installs.Install(
        connection="forge",
        identity=call.cloud_id,
        api_url=call.api_url,
        browse_url=call.site_url or call.api_url,
        token=door.secrets.seal(call.system_token) if ends else "",
        name=site_name(call.site_url),
        token_expires_at=ends,
    )
    try:
        site = installs.install(door.db, new, door.clock.now())
    except installs.Moved:  # the cloud id is a part of the address: only its host can differ
        raise BadSignature("the site is known under another address") from None
    log.info("installed", site=site["id"], kind="forge", address=call.site_url or call.api_url)
    return site


def _usable_until(door: Door, call: Invocation) -> datetime | None:
    """When the system token ends; None where there is none that is still good."""
    ends = expiry_claimed(call.system_token) if call.system_token else None
    if ends is None or ends <= door.clock.now().timestamp():
        return None
    return datetime.fromtimestamp(ends, UTC)
