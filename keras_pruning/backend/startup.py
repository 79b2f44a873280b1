"""Checks that TensorFlow is installed, imports it silently and sets its threads and memory."""

import contextlib
import glob
import importlib.util
import json
import os
import platform
import sys

from keras_pruning.errors import InputError

# The settings of Keras without a file `keras.json`, and those with a few choices.
_DEFAULTS = {
    "backend": "tensorflow",
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}
_CHOICES = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}


def require_tensorflow():
    """Raises an error of one line unless Keras can run on TensorFlow.

    Raises:
        ImportError: if TensorFlow is not installed.
        InputError: if Keras was imported with another backend in this process, or else if the
            environment or the file `keras.json` names another one.
    """
    # Found without importing it, which takes seconds.
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "TensorFlow is not installed. Install one of the extras: "
            "pip install 'keras_pruning[tensorflow]', [tensorflow-cpu] or [and-cuda]."
        )
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):
        backend = keras.config.backend()
        received = f"Keras was imported with the backend {backend!r} in this process"
    else:
        settings = keras_settings()
        backend, received = settings["backend"], settings["backend_source"]
    if backend != "tensorflow":
        raise InputError(
            "keras_pruning runs on the TensorFlow backend of Keras. Expected "
            f"KERAS_BACKEND=tensorflow. Received: {received}. Set the environment variable "
            "KERAS_BACKEND=tensorflow before Keras is imported for the first time."
        )


def keras_settings():
    """Returns the settings with which Keras starts, without importing it.

    As in Keras, environment variables come before the file `keras.json`, which is in the folder
    `KERAS_HOME`, by default `~/.keras`.

    Returns:
        Dictionary of `backend`, `backend_source` (for messages), `floatx`, `epsilon` and
        `image_data_format`.

    Raises:
        InputError: if the file has values with which Keras would not start.
    """
    home = os.path.expanduser("~")
    folder = os.environ.get("KERAS_HOME")
    if folder is None:
        folder = os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    path = os.path.expanduser(os.path.join(folder, "keras.json"))
    try:
        with open(path, encoding="utf-8") as file:
            stored = json.load(file)
    except (OSError, ValueError):
        stored = {}  # Keras ignores a file that is not JSON.
    settings = dict(_DEFAULTS)
    if isinstance(stored, dict):
        settings |= {name: stored[name] for name in _DEFAULTS if name in stored}
    _require_settings(path, stored, settings)
    settings["backend_source"] = f"the backend {settings['backend']!r} in {path}"
    if os.environ.get("KERAS_BACKEND"):
        settings["backend"] = os.environ["KERAS_BACKEND"]
        settings["backend_source"] = f"KERAS_BACKEND={settings['backend']}"
    return settings


def _require_settings(path, stored, settings):
    valid = isinstance(stored, dict) and isinstance(settings["epsilon"], float)
    valid &= all(settings[name] in choices for name, choices in _CHOICES.items())
    if not valid:
        expected = ", ".join(f"{name} among {choices}" for name, choices in _CHOICES.items())
        raise InputError(
            f"Invalid settings of Keras. Expected in {path}: {expected}, epsilon as a float. "
            f"Received: {json.dumps(stored)[:200]}. Correct the file, or remove it."
        )


def device():
    """Returns the name of the device that TensorFlow computes on, without importing it.

    The name of a GPU is the one of its driver. CPUs are told apart by their architecture only.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    names = []
    for path in sorted(glob.glob("/proc/driver/nvidia/gpus/*/information")):
        with open(path) as file:
            lines = [line.partition(":")[2].strip() for line in file if line.startswith("Model:")]
        names += lines[:1]
    # A container may see the driver, but none of its devices.
    if visible in ("", "-1") or not names or not glob.glob("/dev/nvidia[0-9]*"):
        return f"CPU {platform.machine()}"
    position = int(visible) if visible.isdecimal() else 0
    return names[min(position, len(names) - 1)]


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
