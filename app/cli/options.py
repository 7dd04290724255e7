"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

TRY, RUN, SET_UP = "Try it", "Run it", "Set it up"
"""Under which headings help lists the commands."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
OfSite = Annotated[
    str | None,
    typer.Option("--site", metavar="ID", help="Id of the site; not needed where there is one."),
]
OfProject = Annotated[
    str | None, typer.Option("--project", metavar="KEY", help="Key of the Jira project.")
]
