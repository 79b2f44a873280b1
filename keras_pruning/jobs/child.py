"""Runs one function in a child process, while the parent waits for its result."""

import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import warnings
from multiprocessing.connection import wait

from keras_pruning.backend.startup import import_tensorflow, set_up_devices


def run(function, arguments, threads, folder):
    """Calls a function in a process that has not used TensorFlow yet.

    Args:
        function: a function, or its name `"package.module:function"`.
        arguments: dictionary of its keyword arguments.
        threads: number of CPU threads for TensorFlow.
        folder: path of a folder for temporary files.

    Returns:
        Tuple of the result of the function and a list of the arguments that
        `warnings.warn_explicit` takes for each warning: the parent knows how to show them.
    """
    tempfile.tempdir = folder
    # Raise `SystemExit` on SIGTERM, so that the process removes its partial files.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # TensorFlow takes its number of threads only before its first use.
    import_tensorflow()
    set_up_devices(threads)
    if isinstance(function, str):
        module, _, name = function.partition(":")
        function = getattr(importlib.import_module(module), name)
    with warnings.catch_warnings(record=True) as caught:
        result = function(**arguments)
    return result, [(str(w.message), w.category, w.filename, w.lineno) for w in caught]


def _end_with_parent():
    """Ends this process when its parent has died, even if the parent was killed."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
