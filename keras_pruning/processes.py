"""Work in fresh processes, several at a time."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from keras_pruning.backend import import_tensorflow
from keras_pruning.errors import InputError


def thread_count(jobs, threads=None):
    """CPU threads of each of `jobs` processes, unless `threads` says so."""
    return threads or max(1, (os.cpu_count() or 1) // jobs)


def run_each(function, calls, jobs, threads, description):
    """Calls `function(**call)` for each of `calls`, each in a process of its own.

    A process of its own, because Keras keeps memory of every model, and because its number of
    threads, on which the last bits of every result depend, is set only once.

    Args:
        function: a function at the top level of a module.
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
    yield from tqdm(results, total=len(calls), desc=description, unit="run", disable=None)


def _context():
    """How processes start: split off from one that has imported TensorFlow, and nothing more.

    The import takes longer than many a training run. TensorFlow starts no threads before it is
    used, so that the split is safe. Where the system cannot do that, each process imports anew.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["keras_pruning.preloaded"])
    return context


def _in_fresh_process(function, call, threads):
    with ProcessPoolExecutor(1, mp_context=_context()) as pool:
        try:
            return pool.submit(_call, function, call, threads).result()
        except BrokenProcessPool as error:
            raise InputError(
                "A process died before it had finished. The likely cause is too little memory: "
                "lower the number of jobs or the batch size."
            ) from error


def _call(function, call, threads):
    import_tensorflow(threads)
    return function(**call)
