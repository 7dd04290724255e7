"""Changes of our tables, in order. Run by `signalbox db upgrade`."""
