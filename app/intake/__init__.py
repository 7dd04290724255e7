"""Stage 1: a delivery is verified on its raw bytes, stored once, and only then answered."""
