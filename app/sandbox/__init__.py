"""A Jira on this machine, for demo, tests and trying out, and the agent that rehearses on it.

Everything is kept in memory. `server.SandboxJira` is the way in.
"""
