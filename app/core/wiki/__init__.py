"""Jira's wiki markup, as Data Center and every webhook writes it, to and from blocks."""

from app.core.wiki.read import from_wiki
from app.core.wiki.write import to_wiki

__all__ = ["from_wiki", "to_wiki"]
