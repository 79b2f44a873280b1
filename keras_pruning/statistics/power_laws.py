"""Power laws: how fast the test error falls as examples are added."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.statistics.welch import CONFIDENCE

# Fewest sizes that a slope is fitted to.
FEWEST = 4


@dataclass(frozen=True)
class PowerLaw:
    """error = factor · examples^slope.

    Args:
        slope: float, negative if more examples lower the error.
        half_width: half the width of the 95 % interval of the slope.
        factor: float.
    """

    slope: float
    half_width: float
    factor: float

    def __call__(self, examples):
        """Returns the fitted error at numbers of examples."""
        return self.factor * np.asarray(examples, np.float64) ** self.slope


def power_law(examples, errors):
    """Fits a straight line to the logarithms of errors and of numbers of examples.

    The interval is Student's t of least squares: it holds what the points show about each other,
    the deviation from a straight line too.

    Args:
        examples: numbers of examples, floats `(sizes,)`, at least four different ones.
        errors: mean test error at each, floats `(sizes,)`. Zeros have no logarithm and are left
            out.

    Returns:
        `PowerLaw`, or `None` if fewer than four sizes have an error above 0.

    Reference:
        Sorscher et al., Beyond neural scaling laws, 2022 (arXiv 2206.14486).
    """
    # SciPy takes a while to load, and most commands need no fit.
    from scipy.special import stdtrit

    examples, errors = np.asarray(examples, np.float64), np.asarray(errors, np.float64)
    if examples.shape != errors.shape or examples.ndim != 1:
        raise InputError(
            "Expected an error for each number of examples. "
            f"Received: {examples.shape} numbers, {errors.shape} errors"
        )
    fits = (examples > 0) & (errors > 0)
    x, y = np.log(examples[fits]), np.log(errors[fits])
    if len(np.unique(x)) < FEWEST:
        return None
    centred = x - x.mean()
    slope = centred @ y / (centred @ centred)
    residuals = y - y.mean() - slope * centred
    freedom = len(x) - 2
    error = np.sqrt(residuals @ residuals / freedom / (centred @ centred))
    half_width = stdtrit(freedom, (1 + CONFIDENCE) / 2) * error
    return PowerLaw(float(slope), float(half_width), float(np.exp(y.mean() - slope * x.mean())))
