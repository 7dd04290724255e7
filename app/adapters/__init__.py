"""Other people's systems behind our ports, and every port in memory."""
