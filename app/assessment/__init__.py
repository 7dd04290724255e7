"""Stage 2: the ticket is read afresh and judged; one comment, edited in place, tells the author."""
