"""Checks that TensorFlow is installed, imports it silently and sets its threads and memory."""

import contextlib
import importlib.util
import os

from keras_pruning.errors import InputError


def require_tensorflow():
    """Raises an error of one line unless Keras can run on TensorFlow.

    Raises:
        ImportError: if TensorFlow is not installed.
        InputError: if the environment names another backend of Keras.
    """
    # Found without importing it, which takes seconds.
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "TensorFlow is not installed. Install one of the extras: "
            "pip install 'keras_pruning[tensorflow]', [tensorflow-cpu] or [and-cuda]."
        )
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise InputError(
            "keras_pruning runs on the TensorFlow backend of Keras. "
            f"Expected KERAS_BACKEND=tensorflow. Received: KERAS_BACKEND={backend}"
        )


def import_tensorflow():
    """Imports TensorFlow without its startup messages, which no setting turns off."""
    with _silent_stderr():
        import tensorflow  # noqa: F401


def set_up_devices(threads):
    """Sets the threads and the GPU memory of TensorFlow, in a process that has not used it yet.

    Args:
        threads: number of CPU threads.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    # By default TensorFlow takes all memory of a GPU, and the next process finds none.
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def _silent_stderr():
    # The file descriptor, because the messages come from C++ and pass by `sys.stderr`.
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
