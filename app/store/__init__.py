"""The only SQL. One module a subject; each function is one short transaction."""
