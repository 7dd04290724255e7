"""`signalbox secrets`: what is stored sealed, and the key that seals it."""

from __future__ import annotations

import typer

from app.cli import show
from app.cli.options import SET_UP, AsJson
from app.cli.place import opened

commands = typer.Typer(no_args_is_help=True, help="Look after the secrets that are stored.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="secrets", rich_help_panel=SET_UP)


@commands.command("rotate")
def rotate(as_json: AsJson = False) -> None:
    """Seal all stored secrets anew, with the first key of SIGNALBOX_SECRET_KEY.

    Put the new key before the old one, separated by a comma, start every process again, then
    rotate; after that the old key can go. A repeat is harmless.

    Example:

    \b
    SIGNALBOX_SECRET_KEY=NEW,OLD signalbox secrets rotate
    """
    from app.admin import rotation

    with opened() as desk:
        done = rotation.rotate(desk)
    if as_json:
        show.document({"sealed_anew": done})
        return
    typer.echo(f"Secrets sealed anew with the first key: {done}. Older keys can be taken out.")
