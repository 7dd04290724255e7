"""One acceptance check for each open ticket."""
