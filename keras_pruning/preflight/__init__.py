"""The preflight: the cost of a command in time, memory and disk, before it begins."""
