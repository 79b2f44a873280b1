"""Runs functions as tasks of a Ray cluster. Its own settings, such as RAY_ADDRESS, say which."""

import contextlib
import importlib.util
import logging
import os
import re
import signal
import socket
import threading
from pathlib import Path

from keras_pruning.backend.startup import device
from keras_pruning.errors import InputError
from keras_pruning.jobs import ray_worker
from keras_pruning.storage import clear_leftovers
from keras_pruning.storage.files import writer

# How often a call is made again whose worker or machine has died.
_RETRIES = 3
# Seconds between two looks whether all calls are to end, and those that an answer may take.
_LOOK, _PATIENCE = 1, 10
_MARK = "seen-by-ray"
# Seconds after which a mark is of no command that still runs: each call of one renews its mark.
_OLD = 24 * 3600


def require_ray():
    """Raises an `InputError` unless Ray is installed and the machine at RAY_ADDRESS answers."""
    if importlib.util.find_spec("ray") is None:
        raise InputError(
            "sweep.backend: ray needs Ray, which is not installed. Expected the extra: "
            "pip install 'keras_pruning[ray]'. Received: none. Or choose sweep.backend: local."
        )
    address = os.environ.get("RAY_ADDRESS", "")
    place = re.fullmatch(r"(?:ray://)?\[?([^/\]]+?)\]?:(\d+)", address)
    if place:
        # Ray itself would go on trying for many minutes
        try:
            socket.create_connection((place[1], int(place[2])), _PATIENCE).close()
        except (OSError, OverflowError) as error:
            raise _no_cluster(error) from error


def workers_of(backend, folder, threads, setting):
    """Returns the `workers` for `keras_pruning.jobs.local.run_each`.

    Args:
        backend: `"local"` or `"ray"`.
        folder: folder of the results, which all machines share, `None` for calls that write none.
        threads: number of CPU threads of each call.
        setting: name of the setting of `threads`, for example `"sweep.threads"`.

    Raises:
        InputError: as `RayWorkers`.
    """
    return RayWorkers(folder, threads, setting) if backend == "ray" else None


class RayWorkers:
    """Makes each call a task of Ray, in a fresh process. It has the methods of `Workers`.

    Args:
        folder, threads, setting: as for `workers_of`.

    Raises:
        InputError: if Ray is not installed, if the cluster does not answer, or if no machine of it
            is large enough.
    """

    def __init__(self, folder=None, threads=1, setting="sweep.threads"):
        require_ray()
        with _own_signals():
            import ray

        self._ended = threading.Event()
        self._end = contextlib.ExitStack()
        if not ray.is_initialized():
            _connect()
        self._gpus = 0 if device().startswith("CPU") else 1
        _require_machine(ray.nodes(), threads, self._gpus, setting)
        mark = None if folder is None else self._end.enter_context(_mark(Path(folder)))
        self._surroundings = ray_worker.Surroundings.here(mark)

    def call(self, function, arguments, threads):
        """Returns the result of `keras_pruning.jobs.child.run` in a worker of Ray.

        Raises:
            InputError: if the worker dies again and again, or Ray cannot run it.
        """
        import ray

        options = {"num_cpus": threads, "num_gpus": self._gpus, "max_calls": 1}
        task = ray.remote(max_retries=_RETRIES, **options)(ray_worker.run)
        if self._surroundings.mark is not None:
            with contextlib.suppress(OSError):
                Path(self._surroundings.mark).touch()
        result = task.remote(self._surroundings, function, arguments, threads)
        while not ray.wait([result], timeout=_LOOK)[0]:
            if self._ended.is_set():
                ray.cancel(result)
                ray.wait([result], timeout=_PATIENCE)
                raise InputError("The call was ended with all others.")
        try:
            return ray.get(result)
        except ray.exceptions.RayTaskError as error:
            # The exception that the function raised, without the words of Ray around it
            raise error.cause from (None if isinstance(error.cause, InputError) else error)
        except ray.exceptions.RayError as error:
            raise _failure(error) from error

    def stop(self):
        """Ends the calls that are at work."""
        self._ended.set()

    def end(self):
        """Removes what the calls needed."""
        self._end.close()


def _failure(error):
    """Returns the `InputError` that explains an error of Ray itself."""
    from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

    if isinstance(error, (WorkerCrashedError, OutOfMemoryError, NodeDiedError)):
        return InputError(
            f"A worker of Ray died before its work was finished, {_RETRIES + 1} times. The "
            "likely cause is too little memory. Lower the batch size, or raise sweep.threads, "
            f"so that fewer share a machine. Ray says: {error}"
        )
    return InputError(
        "Ray could not run a call to its end. Expected its result. "
        f"Received: {type(error).__name__}: {error}"
    )


def _require_machine(machines, threads, gpus, setting):
    """Raises an `InputError` if a call fits on no machine: Ray would wait for a larger one.

    Args:
        machines: list of dictionaries, as `ray.nodes` returns it.
        threads: number of CPUs of a call.
        gpus: number of GPUs of a call.
        setting: name of the setting of `threads`.
    """
    resources = [machine["Resources"] for machine in machines if machine["Alive"]]
    large = [part for part in resources if part.get("GPU", 0) >= gpus]
    if gpus and not large:
        raise InputError(
            "The command sees a GPU, and no machine of the Ray cluster offers one. Expected a "
            "machine with a GPU. Received: none. Start one with --num-gpus, or hide the GPU by "
            "CUDA_VISIBLE_DEVICES=-1 to train on CPUs."
        )
    most = int(max((part.get("CPU", 0) for part in large), default=0))
    if threads > most:
        raise InputError(
            f"{setting}: no machine of the Ray cluster has so many CPUs. Expected an integer <= "
            f"{most}, the CPUs of its largest machine{' with a GPU' if gpus else ''}. "
            f"Received: {threads}. Set {setting}: the default follows from the CPU cores of the "
            "machine of this command."
        )


def _connect():
    """Connects to the cluster that the settings of Ray name."""
    import ray

    try:
        with _own_signals():
            ray.init(logging_level=logging.WARNING, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(error) from error


def _no_cluster(error):
    return InputError(
        "Cannot connect to the Ray cluster. Expected a running one at RAY_ADDRESS. Received: "
        f"{os.environ.get('RAY_ADDRESS', 'none')} ({error}). Start it, or correct the variable."
    )


@contextlib.contextmanager
def _own_signals():
    """Keeps the handler of SIGTERM, in the place of which Ray puts its own."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def _mark(folder):
    """Yields the path of a file by which workers know that they see the folder."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    # Marks of killed commands. That of a command that runs elsewhere is in use.
    clear_leftovers(folder / _MARK)
    path = folder.absolute() / f".{_MARK}.{writer()}.partial"
    path.touch()
    try:
        now = path.stat().st_mtime
        for other in path.parent.glob(f".{_MARK}.*.partial"):
            with contextlib.suppress(OSError):
                if now - other.stat().st_mtime > _OLD:
                    other.unlink()
        yield str(path)
    finally:
        path.unlink(missing_ok=True)
        for place in made:
            with contextlib.suppress(OSError):
                place.rmdir()
