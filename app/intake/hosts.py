"""Which addresses may be a Jira that installs us: what an install call names is called later."""

from __future__ import annotations

import re

SITE = re.compile(r"https://([a-z0-9-]+)\.(?:atlassian\.net|jira\.com)/?")
FORGE_API = re.compile(r"https://api\.atlassian\.com/ex/jira/([0-9A-Za-z-]{1,64})/?")
LOOPBACK_SITE = re.compile(r"http://(?:127\.0\.0\.1|localhost):[0-9]{1,5}/?")
LOOPBACK_API = re.compile(
    r"http://(?:127\.0\.0\.1|localhost):[0-9]{1,5}/ex/jira/([0-9A-Za-z-]{1,64})/?"
)


def site_address(url: object, *, loopback: bool) -> str | None:
    """The address without a slash at its end; None for one that is no Jira Cloud site's."""
    if not isinstance(url, str):
        return None
    right = SITE.fullmatch(url) or (loopback and LOOPBACK_SITE.fullmatch(url))
    return url.rstrip("/") if right else None


def forge_api(url: object, *, loopback: bool) -> tuple[str, str] | None:
    """The address at which a Forge app reaches its site, and the site's cloud id."""
    if not isinstance(url, str):
        return None
    found = FORGE_API.fullmatch(url)
    if found is None and loopback:
        found = LOOPBACK_API.fullmatch(url)
    return (url.rstrip("/"), found[1]) if found else None


def site_name(address: str) -> str:
    """What a site is called here: the first label of its host."""
    found = SITE.fullmatch(address)
    return found[1] if found else "jira"
