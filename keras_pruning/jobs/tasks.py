"""One command in several tasks, on one machine or many, that share a folder and divide its work."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs import claims

logger = logging.getLogger("keras_pruning")
# Seconds until a task that waits looks again, at first and at most, and between two lines about it.
_FIRST, _LAST, _TELL = 0.5, 10, 300


@dataclass(frozen=True, eq=False)
class Item:
    """A piece of work that one of several tasks does.

    Args:
        result: path of the file or folder that it writes. The claim is a file beside it.
        call: dictionary of the keyword arguments of the function that does the work.
        is_finished: function without arguments that returns whether the result is there.
    """

    result: Path
    call: dict
    is_finished: Callable


@dataclass(frozen=True)
class Tasks:
    """This task among those that run the same command with the same output.

    Each takes the next work that is neither finished nor claimed, and waits for the others where
    what follows needs all of it. Work of a task that was killed goes to another one. Any number of
    the tasks may run at the same time.

    Args:
        index: number of this task, from 0. Tasks begin at different places of the work.
        number: number of tasks, `None` for a command that runs alone and claims nothing.

    Raises:
        InputError: if there is no such task.
    """

    index: int = 0
    number: int | None = None

    def __post_init__(self):
        if self.number is not None and self.number < 1:
            raise InputError(
                f"Invalid number of tasks. Expected an integer >= 1. Received: {self.number}"
            )
        if not 0 <= self.index < (self.number or 1):
            raise InputError(
                "Invalid index of a task. Expected an integer from 0 to the number of tasks minus "
                f"1, that is {(self.number or 1) - 1}. Received: {self.index}"
            )

    @property
    def are_shared(self):
        """Whether there may be other tasks."""
        return self.number is not None

    def calls(self, items, description):
        """Returns the `calls` for `keras_pruning.jobs.local.run_each`.

        Args:
            items: list of `Item`.
            description: singular of the items, for example `"training run"`.
        """
        if not self.are_shared:
            return [item.call for item in items]
        start = len(items) * self.index // self.number
        shared = _Shared([*items[start:], *items[:start]], description)
        return [shared.turn] * len(items)

    @contextlib.contextmanager
    def alone(self, result):
        """Makes the other tasks wait while this one runs the block.

        The block looks first whether another task has done its work. The result is finished at the
        end of the block.

        Args:
            result: path that the block writes.
        """
        if not self.are_shared:
            yield
            # A task of an earlier call may have been killed
            claims.remove(Path(result))
            return
        waiting = _Waiting("file")
        while (claim := claims.take(Path(result))) is None:
            waiting.tell([Path(result)])
            time.sleep(waiting.seconds)
        try:
            yield
        finally:
            claim.release()


ALONE = Tasks()


class _Shared:
    """Work that several tasks divide among them, and the threads of each.

    Args:
        items: list of `Item`, in the order in which this task tries them.
        description: singular of the items.
    """

    def __init__(self, items, description):
        self._items, self._lock = list(items), threading.Lock()
        self._waiting = _Waiting(description)

    @contextlib.contextmanager
    def turn(self, ended):
        """Claims an item until the block ends, and waits if the others hold all that are left.

        Each turn takes one item off the list, so that a task tries no failed item again.

        Args:
            ended: `threading.Event`, after which nothing is claimed.

        Yields:
            The call of the item, or `None` if another task has finished one.

        Raises:
            InputError: if there is a result of another recipe.
        """
        claim, call = None, None
        while not ended.is_set():
            with self._lock:
                found = self._next()
                if found is not None:
                    self._waiting.seconds = _FIRST
                    claim, call = found
                    break
                self._waiting.tell([item.result for item in self._items])
            ended.wait(self._waiting.seconds)
        try:
            yield call
        finally:
            if claim is not None:
                claim.release()

    def _next(self):
        """Takes an item off the list.

        Returns:
            Tuple of a claim and a call, both `None` for an item that another task has finished. Or
            `None` if other tasks hold all.
        """
        for item in self._items:
            if item.is_finished():
                return self._finished(item)
            claim = claims.take(item.result)
            if claim is None:
                continue
            with contextlib.ExitStack() as released:
                released.callback(claim.release)
                # Another task may have finished it, and released its claim, just before
                if not item.is_finished():
                    released.pop_all()
                    self._items.remove(item)
                    return claim, item.call
            return self._finished(item)
        return None

    def _finished(self, item):
        claims.remove(item.result)
        self._items.remove(item)
        return None, None


class _Waiting:
    """The patience of a task: it looks ever less often, and tells now and then what it waits for.

    Args:
        description: singular of the results.
    """

    def __init__(self, description):
        self._description, self._told, self.seconds = description, None, _FIRST

    def tell(self, results):
        """Logs a line, unless there was one within five minutes.

        Args:
            results: paths of the results that other tasks work on.
        """
        now = time.monotonic()
        if self._told is not None:
            self.seconds = min(_LAST, 1.2 * self.seconds)
        if self._told is not None and now - self._told < _TELL:
            return
        self._told = now
        holder = claims.find_holder(results[0])
        by = "" if holder is None else f" by {holder}"
        number = f"{len(results)} {self._description}{'' if len(results) == 1 else 's'}"
        logger.info("Waiting for %s of other tasks, for example %s%s.", number, results[0], by)
