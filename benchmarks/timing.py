"""Paired timings: ours and the reference in turn, in one process. Import it before the libraries.

`turns.py` gives each function a process of its own.
"""

import os
import statistics
import sys
import time

from peak import peaks

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


def paired(ours, reference, repetitions):
    """Measures two functions, called in turn after a first call of each.

    Args:
        ours: function of no arguments.
        reference: function of no arguments.
        repetitions: number of counted pairs.

    Returns:
        The dictionary of `ratios`, and `peak`, the memory of the first call of `ours` in MiB.
    """
    peak, _ = peaks(ours)
    reference()
    pairs = [(seconds(ours), seconds(reference)) for _ in range(repetitions)]
    return {**ratios(*zip(*pairs, strict=True)), "peak": peak}


def ratios(ours, reference):
    """Returns medians and ratios of times that were measured in pairs.

    Args:
        ours: floats, seconds.
        reference: floats, seconds, each measured right after or before the one of ours.

    Returns:
        Dictionary of `ours` and `reference`, the medians in seconds; `ratio`, `lowest` and
        `highest`, the median and the range of the ratios pair by pair; and the number of `pairs`.
    """
    each = [mine / other for mine, other in zip(ours, reference, strict=True)]
    return {
        "ours": statistics.median(ours),
        "reference": statistics.median(reference),
        "ratio": statistics.median(each),
        "lowest": min(each),
        "highest": max(each),
        "pairs": len(each),
    }


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
