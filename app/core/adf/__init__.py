"""Jira Cloud's document format: read it whole, write only what its schema allows."""

from app.core.adf.read import from_adf
from app.core.adf.write import to_adf

__all__ = ["from_adf", "to_adf"]
