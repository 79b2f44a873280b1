"""Statistics on arrays: rank correlations, intervals, reliability. Needs NumPy and SciPy only."""
