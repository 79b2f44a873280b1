"""Runs functions in child processes on this machine, several at a time."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from multiprocessing import forkserver

from keras_pruning.jobs.progress import with_progress
from keras_pruning.jobs.workers import Workers
from keras_pruning.storage.temporary import require_room

logger = logging.getLogger("keras_pruning")
# Name of the thread that the fork server belongs to.
_SERVER = "keras_pruning fork server"
# Modules that the fork server imports before it forks. The first silences TensorFlow's messages.
_PRELOADED = [
    "keras_pruning.jobs.preloaded",
    "keras_pruning.probing.work",
    "keras_pruning.training.work",
]


def thread_count(jobs, threads=None):
    """Returns `threads`, or the CPU cores divided by the number of `jobs` if it is `None`."""
    import joblib

    return threads or max(1, joblib.cpu_count() // jobs)


def run_each(function, calls, jobs, threads, description, failed=None, keep=False, workers=None):
    """Calls `function(**call)` for each of `calls`, each in a fresh process or with `keep` in few.

    Keras does not free the memory of every model. TensorFlow sets its number of threads only once,
    and the last bits of every result depend on it. Other processes than this one solve both.

    Args:
        function: a function at the top level of a module, or its name `"package.module:function"`
            if this process does not need to import that module.
        calls: list of dictionaries of keyword arguments, or of `keras_pruning.jobs.tasks.Tasks`.
            The result of a call that another task has made is `None`.
        jobs: number of processes at the same time.
        threads: number of CPU threads of each process.
        description: singular of the calls in the lines that tell the progress.
        failed: function that is called with a call and the exception that it raised. The other
            calls go on. Without it the first exception is raised.
        keep: whether a process that has finished a call takes another one, without what Keras has
            kept of the first. What code of the user keeps would remain. A process that has raised
            an exception ends.
        workers: where the calls run, in the place of processes on this machine: an object with the
            methods of `keras_pruning.jobs.workers.Workers`.

    Yields:
        Results in the order in which they finish.

    Raises:
        InputError: the first one that a call raises, or if a process dies, both without `failed`.
            If temporary files cannot be written.
    """
    import joblib

    if not calls:
        return
    require_room()
    if workers is None:
        _start_server()
    # joblib limits the number of jobs. Within `joblib.parallel_config` it can use a cluster.
    parallel = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator_unordered")
    # Shared by all calls, so that a warning or a line that several give is shown once.
    shown = {}, set()
    # Set when no further call may begin.
    ended = threading.Event()
    workers = workers or Workers(_context(), keep)
    options = (workers, threads, shown, failed is not None, ended)
    results = parallel(joblib.delayed(_attempt)(function, call, *options) for call in calls)
    finished = 0
    try:
        for call, result, error in with_progress(results, len(calls), description):
            if error is None:
                finished += 1
                yield result
            else:
                failed(call, error)
                finished += 1
    finally:
        if finished < len(calls):
            ended.set()
            workers.stop()
            _end_children()
            # joblib warns of results that nobody reads.
            with warnings.catch_warnings(action="ignore"):
                results.close()
        workers.end()


def _end_children(quiet=0.5, patience=10):
    """Ends the child processes, including those that are about to start.

    Otherwise the interpreter and their pools wait for each other at exit.

    Args:
        quiet: seconds without a running child after which no more are expected.
        patience: seconds after which children are killed that do not end by themselves.
    """
    start = since = time.monotonic()
    while time.monotonic() < since + quiet:
        late = time.monotonic() > start + patience
        for process in multiprocessing.active_children():
            process.kill() if late else process.terminate()
            since = time.monotonic()
        time.sleep(0.02)


def progress(calls):
    """Returns the `verbose` of a fit: 1 if it is the only one on a terminal, else 0.

    Args:
        calls: number of fits in all.
    """
    return int(sys.stdout.isatty() and calls == 1)


@contextlib.contextmanager
def interruptible():
    """Ends all processes of `run_each` when this process receives SIGINT or SIGTERM."""

    def stop(number, frame):
        for process in multiprocessing.active_children():
            process.terminate()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread handles signals.
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, earlier, strict=True):
            signal.signal(number, handler)


def _context():
    """Returns the context of `multiprocessing` that starts the processes.

    Processes are forked from a server that has imported TensorFlow but not used it. The import can
    take longer than a training run. TensorFlow starts no threads and uses no GPU before its first
    use, so the fork is safe. On a system without fork servers, every process imports TensorFlow.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # The server skips names that are no modules, and its first module reads this one.
    context.set_forkserver_preload([*_PRELOADED, f"parent={os.getpid()}"])
    return context


def _start_server():
    """Starts the fork server from a thread that lasts as long as this process.

    Linux kills the server when the thread that started it ends.
    """
    context = _context()
    if context.get_start_method() != "forkserver":
        return
    if threading.current_thread() is threading.main_thread():
        forkserver.ensure_running()
    elif all(thread.name != _SERVER for thread in threading.enumerate()):
        running = threading.Event()

        def start_and_stay():
            forkserver.ensure_running()
            running.set()
            threading.Event().wait()

        threading.Thread(target=start_and_stay, name=_SERVER, daemon=True).start()
        running.wait(60)


def _attempt(function, call, workers, threads, shown, is_caught, ended):
    """Returns a tuple of the arguments, the result and the exception that it raised, or `None`.

    Args:
        function, threads: as for `run_each`.
        call: dictionary, or function that yields one when it is claimed, with an exception if that
            went wrong.
        workers: `Workers` that call it.
        shown: registry of the warnings that this process has given, and set of the lines that it
            has logged. It gives each only once.
        is_caught: whether an exception is returned. If not, it ends all calls.
        ended: `threading.Event`, after which nothing is called.
    """
    turn = call(ended) if callable(call) else contextlib.nullcontext((call, None))
    with turn as (arguments, failure):
        if arguments is None or ended.is_set():
            return arguments, None, None
        try:
            if failure is not None:
                raise failure
            result, caught, lines = workers.call(function, arguments, threads)
            registry, logged = shown
            for warning in caught:
                warnings.warn_explicit(*warning, registry=registry)
            for line in lines:
                if line not in logged:
                    logged.add(line)
                    logger.log(*line)
            return arguments, result, None
        except Exception as error:
            if not is_caught:
                raise
            return arguments, None, error
