"""Numbers as text: percentages, counts and lists of words."""

MINUS, NONE = "\u2212", "–"
_UNITS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))


def percent(fraction, half_width=None, sign=False, digits=2):
    """Returns a fraction in percent, or in points with a sign, and half of its interval.

    Args:
        fraction: float, or `None`, which gives a dash.
        half_width: float, or `None`.
        sign: whether positive numbers have a sign.
        digits: number of decimals.
    """
    if fraction is None:
        return NONE
    # Adding 0 turns -0.0 into 0.0
    text = f"{round(100 * fraction, digits) + 0.0:{'+' if sign else ''}.{digits}f}"
    text = text.replace("-", MINUS)
    return text if half_width is None else f"{text} ± {100 * half_width:.{digits}f}"


def share(fraction):
    """Returns a fraction in percent with at most four digits, and the sign of percent."""
    return f"{100 * fraction:.4g} %"


def count(number):
    """Returns a number of examples, operations or trainings, or a dash for an unknown one."""
    if number is None:
        return NONE
    for size, unit in _UNITS:
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{round(number):,}"


def listed(words, last="and"):
    """Returns words as a list in a sentence."""
    words = [str(word) for word in words]
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shares(fractions):
    """Returns percentages as a list in a sentence, `50, 30 and 10 %`."""
    return f"{listed([f'{100 * fraction:.4g}' for fraction in fractions])} %"
