"""The table of contents is complete: every durable step stands in a workflow, in one place."""

from __future__ import annotations

import ast
from pathlib import Path

STEPS = ("steps", "run_steps", "sweep_steps", "money_steps")
ENGINE = Path(__file__).resolve().parent.parent / "app" / "engine"


def durable_steps() -> set[str]:
    return {
        node.name
        for name in STEPS
        for node in ast.parse((ENGINE / f"{name}.py").read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("DBOS.step" in ast.unparse(mark) for mark in node.decorator_list)
    }


def test_every_step_is_called_by_a_workflow() -> None:
    called: set[str] = set()
    for name in ("journey.py", "sweeps.py"):
        for node in ast.walk(ast.parse((ENGINE / name).read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in STEPS:
                called.add(node.attr)
    steps = durable_steps()
    assert len(steps) > 10
    assert steps - called == set()


def test_the_journey_holds_no_rule() -> None:
    """It calls steps, and compares nothing but endings and outcomes."""
    imports = [
        ast.unparse(node)
        for node in ast.parse((ENGINE / "journey.py").read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not [line for line in imports if "app.store" in line or "app.ports" in line]
