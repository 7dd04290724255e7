"""The durable workflows over the stages: DBOS is known here alone."""
