"""The spending gate: an agent's only way to a model, and the only place that holds the key."""
