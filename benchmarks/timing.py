"""Paired timings: ours and the reference in turn, in one process. Import it before the libraries.

`turns.py` does the same with a process for each.
"""

import os
import statistics
import sys
import time

from peak import peaks

FASHION_MNIST = "idx:/usr/share/datasets/fashion-mnist"
THREADS = len(os.sched_getaffinity(0))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The same number for every library, in this process and in those that it starts.
for _variable in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ[_variable] = str(THREADS)


def paired(ours, reference, repetitions):
    """The seconds of two functions and their ratio, called in turn after a first call of each.

    Args:
        ours: function of no arguments.
        reference: function of no arguments.
        repetitions: number of counted pairs.

    Returns:
        What `ratios` gives, and `peak`, the MiB that the first call of `ours` took.
    """
    peak, _ = peaks(ours)
    reference()
    pairs = [(seconds(ours), seconds(reference)) for _ in range(repetitions)]
    return {**ratios(*zip(*pairs, strict=True)), "peak": peak}


def ratios(ours, reference):
    """Medians and ratios of seconds that were taken in pairs.

    Args:
        ours: floats, seconds.
        reference: floats, as many, each taken right after or before that of ours.

    Returns:
        Dictionary of the medians `ours` and `reference`, in seconds, of `ratio`, `lowest` and
        `highest`, median and range of the ratios pair by pair, and of the number of `pairs`.
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
    """TensorFlow, imported without what it prints on the way."""
    from keras_pruning.backend.startup import import_tensorflow

    import_tensorflow()
    return sys.modules["tensorflow"]


def seconds(function):
    """How long a function of no arguments takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
