"""Faults that are expected: one sentence on stderr and an exit code, no traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

WRONG = 2
"""Exit code: the command, a setting or what was asked for cannot be. Trying again won't help."""
FAILED = 1
"""Exit code: the far side did not answer, or not everything is well."""
EXPECTED = {
    "app.cli.faults.Mistake": WRONG,
    "app.config.MissingSetting": WRONG,
    "app.main.SchemaBehind": WRONG,
    "app.admin.setup.Invalid": WRONG,
    "app.admin.removal.StillActive": FAILED,
    "app.core.money.InvalidAmount": WRONG,
    "app.store.budgets.InvalidBudget": WRONG,
    "app.store.sites.Unknown": WRONG,
    "app.adapters.vault.BadKeyError": WRONG,
    "app.engine.liveness.Taken": WRONG,
    "app.ports.Refused": WRONG,
    "app.ports.Transient": FAILED,
    "sqlalchemy.exc.ArgumentError": WRONG,
    "sqlalchemy.exc.NoSuchModuleError": WRONG,
    "sqlalchemy.exc.DatabaseError": FAILED,
    "sqlalchemy.exc.OperationalError": FAILED,
}
"""By name, as importing the classes here would load half of the program for `--help`."""


class Mistake(Exception):
    """What was typed cannot be done. The message is one sentence."""


class Commands(TyperGroup):
    """The outermost group: turns an expected fault of any command into one sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as fault:
            code = exit_code(fault)
            if code is None:
                raise
            typer.echo(f"signalbox: {sentence(fault)}", err=True)
            raise typer.Exit(code) from None


def exit_code(fault: Exception) -> int | None:
    """None for a fault of ours, which deserves its traceback; a broken constraint is one too."""
    kinds = type(fault).__mro__ if not _of_database(fault) else (type(fault),)
    for kind in kinds:
        code = EXPECTED.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return None


def sentence(fault: Exception) -> str:
    if _of_database(fault):
        return f"The database cannot be used: {str(fault).splitlines()[0]}"
    text = str(fault).strip()
    return text[:1].upper() + text[1:]


def _of_database(fault: Exception) -> bool:
    return type(fault).__module__ == "sqlalchemy.exc"
