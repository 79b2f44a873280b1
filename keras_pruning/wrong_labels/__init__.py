"""Measures how well each score detects labels that were flipped on purpose."""
