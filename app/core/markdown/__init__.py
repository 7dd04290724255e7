"""Markdown as GitHub reads it, to and from blocks: design documents in, text to paste out."""

from app.core.markdown.read import from_markdown, titled
from app.core.markdown.write import to_markdown

__all__ = ["from_markdown", "titled", "to_markdown"]
