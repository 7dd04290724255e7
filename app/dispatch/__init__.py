"""Stage 3: may it start, now, by this person, within the money? Then it is claimed and started."""
