"""Which scores can be trusted on the user's own data, told by labels that are wrong on purpose."""
