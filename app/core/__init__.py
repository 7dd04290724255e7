"""Rules and words: standard library only, no I/O, no clock, no randomness."""
