"""Names of methods: how a subset was selected, as tables, charts and folders show it."""

FULL, RANDOM = "full", "random"


def method_name(selection):
    """The name of a method: `"el2n-hardest"`, `"el2n-hardest-balanced"`, `"random"`, `"full"`.

    By scores that were partly extrapolated: `"el2n-extrapolated-hardest"`.

    Args:
        selection: the `selection` of a subset's metadata, `None` for the full data.
    """
    if selection is None:
        return FULL
    extrapolated = selection.get("extrapolated") and "extrapolated"
    parts = [selection["by"], extrapolated, selection["policy"], selection["quota"]]
    return "-".join(part for part in parts if part)


def fraction_name(fraction):
    """`fraction` with two decimals, or as many as it needs."""
    return f"{fraction:.2f}" if round(fraction, 2) == fraction else f"{fraction:g}"
