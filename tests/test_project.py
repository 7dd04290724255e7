"""Rules of the project that no linter sees: what core imports, who commits, what a lock holds."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted(ROOT.glob("requirements*.lock"))

# Importing one of these costs between 0.1 and 1.5 s; help has to be there at once.
HEAVY = {
    *(
        "a2a",
        "alembic",
        "anthropic",
        "claude_agent_sdk",
        "cryptography",
        "dbos",
        "fastapi",
        "genai_prices",
    ),
    *("httpx", "httpx2", "jinja2", "jira", "jwt", "psycopg", "pydantic", "requests", "sqlalchemy"),
    *("starlette", "uvicorn"),
}
# The libraries the product was designed on. Every other one has its reason in docs/decisions.
DESIGNED_ON = {
    *("alembic", "anthropic", "claude-agent-sdk", "dbos", "fastapi", "genai-prices", "httptools"),
    *("httpx", "hypothesis", "import-linter", "inline-snapshot", "jinja2", "jira", "psycopg"),
    *("pydantic-settings", "pyjwt", "pytest", "rich", "ruff", "sqlalchemy", "structlog", "typer"),
    *("uvicorn", "uvloop"),
}


def sources(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(), str(path))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def called(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call with its last name: `a.b.begin()` gives `begin`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield node, name


def requirements(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Name → (version, hashes) of every requirement in a lock file."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"(?<!\\)\n", lock.read_text().strip()):
        name, version = re.split(r"==|[ ;\\]", entry, maxsplit=2)[:2]
        found[name] = (version, re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    return found


def declared() -> set[str]:
    """Every library that pyproject.toml names, by its normal name."""
    groups = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    lines = [line for group in groups for line in group if isinstance(line, str)]
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in lines}


def test_core_imports_the_standard_library_and_itself() -> None:
    strangers = [
        f"{path}: {name}"
        for path, tree in sources("app/core")
        for name in imported(tree)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and name != "app.core"
        and not name.startswith("app.core.")
    ]
    assert strangers == []


def test_core_reads_no_clock_and_draws_no_id() -> None:
    # `datetime.time(…)` is a value; `time.time()` needs an import that the contract refuses.
    clock = {"now", "utcnow", "today", "uuid1", "uuid4", "time_ns", "monotonic"}
    found = [
        f"{path}:{call.lineno} {name}()"
        for path, tree in sources("app/core")
        for call, name in called(tree)
        if name in clock
    ]
    assert found == []


def test_transactions_begin_and_end_in_the_store_alone() -> None:
    # Those of a connection take no argument; `runs.begin(db, run)` is a store function.
    found = [
        f"{path}:{call.lineno} .{name}()"
        for path, tree in sources("app")
        if path.parts[1] != "store"
        for call, name in called(tree)
        if name in {"begin", "begin_nested", "commit"} and not call.args
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ ?file|/simple", text)
    # No name of a host, of a package registry or any other.
    assert re.findall(r"\b[a-z0-9-]+\.(?:org|com|net|io|dev|cloud)\b", text) == []
    without = [name for name, (_, hashes) in requirements(lock).items() if not hashes]
    assert without == []


def test_locks_agree_and_cover_what_is_declared() -> None:
    seen: dict[str, str] = {}
    for lock in LOCKS:
        for name, (version, _) in requirements(lock).items():
            assert seen.setdefault(name, version) == version, f"{name} differs in {lock.name}"
    assert declared() - set(seen) == set()
    runtime = set(requirements(ROOT / "requirements.lock"))
    for extra in PROJECT["project"]["optional-dependencies"]:
        assert runtime <= set(requirements(ROOT / f"requirements-{extra}.lock"))
    assert runtime <= set(requirements(ROOT / "requirements-dev.lock"))


def test_every_further_library_has_its_reason() -> None:
    notes = " ".join(note.read_text() for note in (ROOT / "docs/decisions").glob("*.md")).lower()
    assert [name for name in sorted(declared() - DESIGNED_ON) if f"`{name}`" not in notes] == []


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import json, sys\n"
        "sys.argv = ['signalbox', '--help']\n"
        "from app.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "serve" in done.stdout
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert loaded & HEAVY == set()


@pytest.mark.shared
def test_the_connect_descriptor_fits_its_schema() -> None:
    shared = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
    schema = json.loads((shared / "contracts/connect/jira-global-schema.json").read_text())
    descriptor = json.loads((ROOT / "atlassian-connect.json").read_text())
    # Of 2019: it refuses what descriptors declare since (../shared/contracts/README.md).
    later = {"signed-install", "context-qsh"}
    assert set(descriptor["apiMigrations"]) == {"gdpr", *later}
    old = {name: on for name, on in descriptor["apiMigrations"].items() if name not in later}
    jsonschema.Draft4Validator(schema).validate(descriptor | {"apiMigrations": old})
    # The schema lets unknown properties and events pass, so their names are checked here.
    assert set(descriptor) <= set(schema["properties"])
    assert set(descriptor["modules"]) <= set(schema["properties"]["modules"]["properties"])
    assert {hook["event"] for hook in descriptor["modules"]["webhooks"]} <= {
        *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted"),
        *("comment_created", "comment_updated"),
    }
