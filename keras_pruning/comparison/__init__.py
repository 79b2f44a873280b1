"""Did it pay: sweeps over methods and fractions, their runs side by side, and the verdict."""
