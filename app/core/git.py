"""Which repositories and branches Signalbox accepts, and the fixed way in which it calls git.

Names come from admins and tickets, trees from agents: neither may choose an option, a hook, a
helper program or a setting of a git command that runs with our rights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10",
        "GIT_ALLOW_PROTOCOL": "file:https:http:ssh:git",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_EDITOR": "/bin/false",
        "GIT_PAGER": "cat",
    }
)
INHERITED = (
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""What a git command may see of our own environment."""

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "credential.helper=",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "gc.autoDetach=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "advice.detachedHead=false",
)
_SCHEMES = frozenset({"file", "https", "http", "ssh", "git"})
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/@]*)@)?")
_BRANCH = re.compile(
    r"(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)))"
    r"[^\x00-\x20\x7f~^:?*\[\\/.-][^\x00-\x20\x7f~^:?*\[\\]*(?<![/.])",
    re.DOTALL,
)
_PASSING = re.compile(
    r"could not resolve|temporary failure|timed out|connection (?:refused|reset|closed)"
    r"|failed to connect|couldn't connect|early eof|unexpected disconnect|operation too slow"
    r"|(?:http|error:?) 5\d\d|http 429|error: 429|cannot lock ref|unable to create .*\.lock",
    re.IGNORECASE,
)


def command(*args: str) -> list[str]:
    """The command line of a git call that reads nobody else's hooks, helpers or settings."""
    return ["git", *(part for setting in _SETTINGS for part in ("-c", setting)), *args]


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a git call, from our own one."""
    return {**{name: ours[name] for name in INHERITED if name in ours}, **ENVIRONMENT}


def repository_fault(repository: str) -> str:
    """Empty when git may be called with it; else one sentence that says what is wrong."""
    if not _printable(repository) or not repository.strip():
        return "The repository's address is empty or holds characters that nobody can see."
    if repository.startswith("-"):
        return "A repository's address does not begin with a dash."
    if re.match(r"[A-Za-z0-9+.-]+::", repository):
        return "Addresses of git's helper programs (name::address) are not accepted."
    url = _URL.match(repository)
    if url and url[1].lower() not in _SCHEMES:
        return f"Repositories are reached by {', '.join(sorted(_SCHEMES))}, not by {url[1]}."
    if url and ":" in (url[2] or ""):
        return "The repository's address holds a password: give the address without it."
    return ""


def branch_fault(branch: str) -> str:
    """Empty when it can be the name of a branch; else one sentence that says so."""
    if _printable(branch) and len(branch) <= 200 and _BRANCH.fullmatch(branch):
        return ""
    return f"{branch[:200]!r} cannot be the name of a branch."


def agent_branch_fault(branch: str) -> str:
    """Like branch_fault, for the only branches that Signalbox ever writes."""
    if not branch.startswith("agent/"):
        return f"Signalbox writes to branches under agent/ only, not to {branch[:200]!r}."
    return branch_fault(branch)


def is_local(repository: str) -> bool:
    """Whether the repository is reached through this machine's files."""
    if _URL.match(repository):
        return repository.lower().startswith("file:")
    return repository.startswith("/") or not re.match(r"[^/]+:", repository)


def passing(said: str) -> bool:
    """Whether git's words tell of a fault that may be over at the next try."""
    return _PASSING.search(said) is not None


def brief(said: str) -> str:
    """Git's own words, on one line, short enough for a sentence."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return " ".join(fatal or lines)[:300]


def _printable(text: str) -> bool:
    return all(c.isprintable() for c in text)
