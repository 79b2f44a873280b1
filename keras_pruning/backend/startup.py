"""The framework that does the work: is it there, and without its greetings."""

import contextlib
import importlib.util
import os

from keras_pruning.errors import InputError


def require_tensorflow():
    """Raises an `ImportError` of one line unless Keras can run on TensorFlow."""
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
    """Imports TensorFlow without what it prints on the way, which no setting silences."""
    with _silent_stderr():
        import tensorflow  # noqa: F401


def set_up_devices(threads):
    """Sets what TensorFlow may use, in a process that has not used it yet.

    Args:
        threads: CPU threads.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def _silent_stderr():
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
