"""Runs functions in fresh child processes, several at a time. `child` runs inside of them."""
