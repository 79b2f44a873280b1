"""Runs one function in a child process, on which the parent waits."""

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
        threads: CPU threads that TensorFlow may use.
        folder: folder for temporary files.
    """
    tempfile.tempdir = folder
    # A process that is told to end raises `SystemExit`, so that partial files are removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import_tensorflow()
    set_up_devices(threads)
    if isinstance(function, str):
        module, _, name = function.partition(":")
        function = getattr(importlib.import_module(module), name)
    return function(**arguments)


def _end_with_parent():
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
