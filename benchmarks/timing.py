"""Paired timings: ours and the reference in turn, in one process. Import it before the libraries.

`turns.py` gives each function a process of its own.
"""

import os
import statistics
import sys
import time

from peak import peaks

# Of fewer pairs than these there is no 95 % interval.
FEWEST = 6
FASHION_MNIST = "idx:/usr/share/datasets/fashion-mnist"
THREADS = len(os.sched_getaffinity(0))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The same number of threads for every library, in this process and in its children.
for _variable in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ[_variable] = str(THREADS)


def paired(ours, reference, repetitions, seconds_at_most=60):
    """Measures two functions, called in turn after a first call of each.

    A pair calls ours, the reference, the reference and ours, so that a machine that becomes slower
    slows both. Further pairs follow until the ratio is known to 5 %, or the time is over.

    Args:
        ours: function of no arguments. Short calls, of a second at most, give the best ratios.
        reference: function of no arguments.
        repetitions: smallest number of counted pairs.
        seconds_at_most: seconds after which no further pair begins.

    Returns:
        The dictionary of `ratios`, and `peak`, the memory of the first call of `ours` in MiB.
    """
    peak, _ = peaks(ours)
    reference()
    start, pairs = time.perf_counter(), []
    while len(pairs) < repetitions or (
        not is_known(pairs) and time.perf_counter() < start + seconds_at_most
    ):
        first, *others = (seconds(function) for function in (ours, reference, reference, ours))
        pairs.append(((first + others[2]) / 2, (others[0] + others[1]) / 2))
    return {**ratios(*zip(*pairs, strict=True)), "peak": peak}


def is_known(pairs, tolerance=0.05):
    """Returns whether the interval of the ratio of some pairs is within a fraction of it."""
    known = ratios(*zip(*pairs, strict=True))
    width = max(known["highest"] - known["ratio"], known["ratio"] - known["lowest"])
    return len(pairs) >= FEWEST and width <= tolerance * known["ratio"]


def ratios(ours, reference):
    """Returns medians and ratios of times that were measured in pairs.

    Args:
        ours: floats, seconds.
        reference: floats, seconds, each measured right after or before the one of ours.

    Returns:
        Dictionary of `ours` and `reference`, the medians in seconds; `ratio`, the median of the
        ratios pair by pair; `lowest` and `highest`, its 95 % interval by order statistics, or the
        range of fewer than six pairs; and the number of `pairs`. The interval is nominal if pairs
        were added until it was narrow.
    """
    each = sorted(mine / other for mine, other in zip(ours, reference, strict=True))
    outside = _outside(len(each))
    return {
        "ours": statistics.median(ours),
        "reference": statistics.median(reference),
        "ratio": statistics.median(each),
        "lowest": each[outside],
        "highest": each[-1 - outside],
        "pairs": len(each),
    }


def _outside(count):
    """Returns how many of `count` sorted values are left out below a 95 % interval of the median.

    The number of values below the median of their distribution is that of heads of `count` coins.
    """
    from scipy.stats import binom

    return max(0, int(binom.ppf(0.025, count, 0.5)) - 1)


def tensorflow():
    """Returns TensorFlow, imported without its startup messages."""
    from keras_pruning.backend.startup import import_tensorflow

    import_tensorflow()
    return sys.modules["tensorflow"]


def seconds(function):
    """Returns the seconds that a function of no arguments takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
