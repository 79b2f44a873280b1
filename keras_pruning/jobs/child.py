"""Runs one function in a child process, while the parent waits for its result."""

import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
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
        The result of the function.
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
    return function(**arguments)


def _end_with_parent():
    """Ends this process when its parent has died, even if the parent was killed."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
