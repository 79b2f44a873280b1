"""Work in fresh processes, several at a time."""

import contextlib
import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from keras_pruning.errors import InputError
from keras_pruning.jobs import child

# The fork server imports these before it forks: TensorFlow without its startup messages first.
_PRELOADED = [
    "keras_pruning.jobs.preloaded",
    "keras_pruning.probing.work",
    "keras_pruning.training.work",
]


def thread_count(jobs, threads=None):
    """CPU threads of each of `jobs` processes, unless `threads` says so."""
    import joblib

    return threads or max(1, joblib.cpu_count() // jobs)


def run_each(function, calls, jobs, threads, description):
    """Calls `function(**call)` for each of `calls`, each in a process of its own.

    A process of its own, because Keras keeps memory of every model, and because its number of
    threads, on which the last bits of every result depend, is set only once.

    Args:
        function: a function at the top level of a module, or its name `"package.module:function"`
            if this process need not import that module.
        calls: list of dictionaries of keyword arguments.
        jobs: how many run at the same time.
        threads: CPU threads of each process.
        description: what the progress bar on a terminal says.

    Yields:
        Results in the order in which they finish.

    Raises:
        InputError: the first one that a call raised, or if a process died.
    """
    import joblib
    from tqdm import tqdm

    if not calls:
        return
    # joblib only counts the jobs; where `joblib.parallel_config` names a cluster, it spreads them.
    parallel = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator_unordered")
    results = parallel(joblib.delayed(_in_fresh_process)(function, call, threads) for call in calls)
    # A single call shows its own progress.
    hidden = True if len(calls) == 1 else None
    bar = tqdm(results, total=len(calls), desc=description, unit="run", disable=hidden)
    finished = 0
    try:
        for result in bar:
            finished += 1
            yield result
    finally:
        if finished < len(calls):
            _end_children()


def _end_children(quiet=0.5):
    """Ends the processes that still run, and those that are just being started.

    Left to the end of the interpreter, their pools and it wait for each other.
    """
    since = time.monotonic()
    while time.monotonic() < since + quiet:
        for process in multiprocessing.active_children():
            process.terminate()
            since = time.monotonic()
        time.sleep(0.02)


def progress(calls, jobs):
    """The `verbose` of a fit among `calls` fits: a bar where it has the terminal to itself."""
    return int(sys.stdout.isatty() and (jobs == 1 or calls == 1))


@contextlib.contextmanager
def interruptible():
    """Ends all processes of `run_each` when this one is interrupted or told to end."""

    def stop(number, frame):
        for process in multiprocessing.active_children():
            process.terminate()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, earlier, strict=True):
            signal.signal(number, handler)


def _context():
    """Returns how processes start: forked from a server that has imported TensorFlow only.

    The import takes longer than many a training run. TensorFlow starts no threads and touches no
    GPU before it is used, so that the fork is safe. A system without fork servers imports it in
    each process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _in_fresh_process(function, call, threads):
    # TensorFlow leaves temporary files behind, so each process gets a folder of its own.
    with (
        tempfile.TemporaryDirectory(prefix="keras_pruning-") as folder,
        ProcessPoolExecutor(1, mp_context=_context()) as pool,
    ):
        try:
            return pool.submit(child.run, function, call, threads, folder).result()
        except BrokenProcessPool as error:
            raise InputError(
                "A process died before it had finished. The likely cause is too little memory: "
                "lower the number of jobs or the batch size."
            ) from error
