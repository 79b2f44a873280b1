"""Trains models on all examples or on a subset. `fit` compiles and fits for every caller."""
