"""Each row belongs to one site, and each function of the store that asks for rows names the site.

What looks across all sites is listed with its reason; anything else has to be narrowed down.
"""

from __future__ import annotations

import ast
from pathlib import Path

import sqlalchemy as sa

from app.store import schema
from app.store.schema import metadata

STORE = Path(schema.__file__).parent
OF_NO_SITE = {"site", "executor"}
TABLES = set(metadata.tables)
VERBS = {"select", "update", "delete"}
ACROSS = {
    "inbox.under_way": "the sweep that looks for lost workflows",
    "inbox.settle": "by workflow id, which names the site",
    "inbox._wait_again": "by workflow id, which names the site",
    "inbox.park_first": "the relay serves all sites",
    "inbox.erase_bodies": "the sweep of old texts",
    "inbox.found": "by the number of a delivery, from its workflow",
    "inbox.pressed": "by the number of a delivery, from its workflow",
    "tasks.delivery": "by the number of a delivery, from its workflow",
    "tasks.heard": "by the number of a delivery, from its workflow",
    "storms.notice": "by the number of a delivery, from its workflow",
    "runs.active": "the sweep that looks for lost workflows",
    "runs.erase_texts": "the sweep of old texts",
    "judgements.erase": "the sweep of old texts",
    "sites.remove_grant": "by the whole key",
    "spending._sums": "by the condition of its caller",
    "spending.totals": "the sum of the demo and of tests",
    "surfaces._stamp": "by the condition of its caller",
    "tasks._of": "by the key of its caller",
    "installs.by_identity": "by Jira's own name for the site",
}


def test_every_key_names_the_site() -> None:
    for table in metadata.sorted_tables:
        if table.name in OF_NO_SITE:
            assert "site_id" not in table.c
            continue
        assert table.c.site_id.nullable is False, table.name
        own = [column.name for column in table.primary_key.columns]
        assert own == ["seq"] or own[0] == "site_id", table.name
        for index in table.indexes:
            assert not index.unique or index.columns.keys()[0] == "site_id", index.name
        for constraint in table.constraints:
            if isinstance(constraint, sa.UniqueConstraint) and constraint.columns.keys() != ["id"]:
                assert constraint.columns.keys()[0] == "site_id", constraint.name


def _asks(function: ast.FunctionDef) -> bool:
    """Whether it selects, changes or deletes rows of a table."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if node.func.attr in VERBS and isinstance(of, ast.Name) and of.id in TABLES | {"sa"}:
                return True
    return False


def test_every_query_names_the_site() -> None:
    loose = set()
    for path in sorted(STORE.glob("*.py")):
        if path.stem in ("fence", "migrate", "database", "schema"):
            continue  # of the database as a whole
        source = path.read_text()
        functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
        text = {each.name: ast.get_source_segment(source, each) or "" for each in functions}
        naming = {name for name, body in text.items() if "site_id" in body or "site.c.id" in body}
        for function in functions:
            helped = any(f"{name}(" in text[function.name] for name in naming)
            if _asks(function) and function.name not in naming and not helped:
                loose.add(f"{path.stem}.{function.name}")
    assert loose == ACROSS.keys()
