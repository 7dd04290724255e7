"""Stage 4: the workspace, the cage, the agent's attempt and what we observe of it ourselves."""
