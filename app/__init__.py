"""Signalbox: stands between a Jira backlog and coding agents."""

__version__ = "0.1.0"
