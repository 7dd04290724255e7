"""The tables of scoring: what the judge said, what people objected to, what a scan found."""

from __future__ import annotations
