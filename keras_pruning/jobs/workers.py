"""Child processes that take one call after another, or end after the first."""

import contextlib
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from keras_pruning.errors import InputError
from keras_pruning.jobs import child
from keras_pruning.storage.temporary import temporary_folder

# A process that has grown by this many bytes since its first call takes no other one. Keras does
# not free the memory of every model.
_GROWTH = 2**29


class Workers:
    """Starts child processes, and keeps those that have finished a call for the next one.

    Args:
        context: context of `multiprocessing` that starts the processes.
        keep: whether a process takes several calls. Starting TensorFlow in a new one takes longer
            than a small training run.
    """

    def __init__(self, context, keep=False):
        self._context, self._keep, self._idle = context, keep, []

    def call(self, function, arguments, threads):
        """Returns the result of `keras_pruning.jobs.child.run` in one of the processes.

        Raises:
            InputError: if the process dies.
        """
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._context)
        with contextlib.ExitStack() as end:
            end.callback(worker.end)
            result = worker.call(function, arguments, threads)
            if self._keep and not worker.has_grown():
                end.pop_all()
                self._idle.append(worker)
            return result

    def stop(self):
        """Does nothing here: `run_each` ends the processes of calls that are at work by itself."""

    def end(self):
        """Ends the processes, of which none may be at work."""
        while self._idle:
            self._idle.pop().end()


class _Worker:
    """A child process with a folder for its temporary files."""

    def __init__(self, context):
        self._memory = None
        with contextlib.ExitStack() as stack:
            # TensorFlow does not remove its temporary files
            folder = stack.enter_context(temporary_folder())
            options = {"mp_context": context, "initializer": child.start, "initargs": (folder,)}
            self._pool = stack.enter_context(ProcessPoolExecutor(1, **options))
            self._stack = stack.pop_all()

    def call(self, function, arguments, threads):
        """Returns the result of `child.run`."""
        return self._submit(child.run, function, arguments, threads)

    def has_grown(self):
        """Returns whether the process takes much more memory than after its first call."""
        try:
            memory = self._submit(child.memory)
        except InputError:  # It has died since.
            return True
        self._memory = self._memory or memory
        return memory > self._memory + _GROWTH

    def end(self):
        """Ends the process and removes its folder."""
        self._stack.close()

    def _submit(self, function, *arguments):
        try:
            future = self._pool.submit(function, *arguments)
        except (BrokenProcessPool, EOFError) as error:
            # The fork server has died before it forked the process
            raise _died() from error
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise _died() from error


def _died():
    """Returns the error of a process that has ended in the middle of its work."""
    return InputError(
        "A process died before its work was finished. The likely cause is too little memory. Lower "
        "the number of jobs or the batch size."
    )
