"""Compares methods: sweeps over methods and fractions, their runs, and the verdict."""
