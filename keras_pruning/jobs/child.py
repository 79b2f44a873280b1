"""Runs one function in a child process, while the parent waits for its result."""

import contextlib
import errno
import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import warnings
from multiprocessing.connection import wait

from keras_pruning.backend.startup import import_tensorflow, set_up_devices
from keras_pruning.errors import InputError

# Whether this process has worked before
_begun = False
# Several libraries report a full disk by these words only.
_DISK_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


def start(folder):
    """Sets up the process before it waits for its work.

    Args:
        folder: path of a folder for temporary files.
    """
    # Leave the objects of the imported libraries out of every search for garbage
    gc.freeze()
    # The parent can die before it has sent the work.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = folder
    # Ctrl-C reaches parent and children. The parent decides, and sends SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)


def run(function, arguments, threads):
    """Calls a function in a process that works for one call or for several in turn.

    The first call sets the number of threads, because TensorFlow takes it only before its first
    use. Every later one begins without the state that Keras has kept of the models before.

    Args:
        function: a function, or its name `"package.module:function"`.
        arguments: dictionary of its keyword arguments.
        threads: number of CPU threads for TensorFlow.

    Returns:
        Tuple of the result of the function; a list of the arguments that `warnings.warn_explicit`
        takes for each warning; and a list of the level and the text of each line that it logged.
        The parent knows how to show them.

    Raises:
        InputError: if the disk is full, or if the function raises it.
    """
    import_tensorflow()
    _begin(threads)
    if isinstance(function, str):
        module, _, name = function.partition(":")
        function = getattr(importlib.import_module(module), name)
    try:
        with warnings.catch_warnings(record=True) as caught, _logged() as lines:
            result = function(**arguments)
        caught = [(str(w.message), _builtin(w), w.filename, w.lineno) for w in caught]
        return result, caught, lines
    except SystemExit:
        # The pool would catch it and wait for more work.
        os._exit(1)
    except InputError:
        raise
    except Exception as error:
        if any(text in str(error) for text in _DISK_FULL):
            raise _disk_full(error) from error
        raise


def _begin(threads):
    global _begun
    if _begun:
        import keras

        keras.utils.clear_session()
    else:
        set_up_devices(threads)
    _begun = True


@contextlib.contextmanager
def _logged():
    """Yields a list that gets the level and the text of each line that the package logs."""
    lines, logger = [], logging.getLogger("keras_pruning")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append((record.levelno, record.getMessage()))
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def memory():
    """Returns the memory of this process in bytes."""
    import psutil

    return psutil.Process().memory_info().rss


def _builtin(warning):
    """Returns the category of a warning, or the base of it that the parent knows."""
    return next(kind for kind in warning.category.__mro__ if kind.__module__ == "builtins")


def _stop(number, frame):
    """Raises `SystemExit`, so that the process removes its partial files."""
    # A second signal would interrupt the removal.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(1)


def _disk_full(error):
    """Returns the `InputError` of a full disk."""
    place = getattr(error, "filename", None) or f"the output, or temporary files in {_folder()}"
    return InputError(
        f"The disk is full. Expected room for {place}. Received: {error}. Remove other files, or "
        "choose another --output or TMPDIR, and repeat the command: finished work is kept."
    )


def _folder():
    return os.path.dirname(tempfile.gettempdir())


def _end_with_parent():
    """Ends this process when its parent has died, even if the parent was killed."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
