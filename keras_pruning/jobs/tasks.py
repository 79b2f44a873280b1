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
from keras_pruning.storage.places import writing

logger = logging.getLogger("keras_pruning")
# Seconds until a task that waits looks again, at first and at most, and between two lines about it.
_FIRST, _LAST, _TELL = 0.5, 10, 300
# Seconds of errors of a file system, as of a server that starts again, after which they count.
_UNANSWERED = 20


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
        waiting, looks = _Waiting("file"), _Looks()
        while (claim := looks.claim(Path(result))) is None:
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
        self._waiting, self._looks = _Waiting(description), _Looks()

    @contextlib.contextmanager
    def turn(self, ended):
        """Claims an item until the block ends, and waits if the others hold all that are left.

        Each turn takes one item off the list, so that a task tries no failed item again.

        Args:
            ended: `threading.Event`, after which nothing is claimed.

        Yields:
            Tuple of the call of the item, `None` if another task has finished one, and the
            exception that keeps this task from the call, or `None`.
        """
        turn = None
        # One thread looks and waits for all. The others would read the same files.
        with self._lock:
            while turn is None and not ended.is_set():
                turn = self._next()
                if turn is None:
                    self._waiting.tell([item.result for item in self._items])
                    ended.wait(self._waiting.seconds)
                else:
                    self._waiting.seconds = _FIRST
        turn = turn or _Turn()
        try:
            yield turn.call, turn.error
        finally:
            if turn.claim is not None:
                turn.claim.release()

    def _next(self):
        """Takes an item off the list and returns its `_Turn`, `None` if other tasks hold all."""
        for item in self._items:
            try:
                turn = self._turn_of(item)
            except Exception as error:
                turn = _Turn(item.call, error)
            if turn is not None:
                self._items.remove(item)
                return turn
        return None

    def _turn_of(self, item):
        """Returns the `_Turn` of an item, or `None` if another task holds it."""
        with self._looks.at(item.result):
            if item.is_finished():
                return self._finished(item)
            claim = claims.take(item.result, self._looks.watch)
            if claim is None:
                return None
            with contextlib.ExitStack() as released:
                released.callback(claim.release)
                # Another task may have finished it, and released its claim, just before
                if not item.is_finished():
                    released.pop_all()
                    return _Turn(item.call, claim=claim)
            return self._finished(item)

    def _finished(self, item):
        # The claim of a finished result does no harm
        with contextlib.suppress(OSError):
            claims.remove(item.result)
        return _Turn()


@dataclass(frozen=True)
class _Turn:
    """An item that is this task's now, or nothing if another task has finished it.

    Args:
        call: the call of the item.
        error: exception that keeps this task from the call, such as a result of another recipe.
        claim: `keras_pruning.jobs.claims.Claim` of the item.
    """

    call: dict | None = None
    error: Exception | None = None
    claim: claims.Claim | None = None


class _Looks:
    """The looks of a task at the results of all, which a file system may refuse for a moment."""

    def __init__(self):
        self.watch, self._failing = claims.Watch(), {}

    def claim(self, result):
        """Returns the `Claim` of a result, or `None` if another task holds it.

        Raises:
            InputError: as `at`.
        """
        with self.at(result):
            return claims.take(result, self.watch)

    @contextlib.contextmanager
    def at(self, result):
        """Leaves a block that looks at a result if the file system refuses.

        Raises:
            InputError: if it has refused all looks for a while.
        """
        try:
            yield
            self._failing.pop(result, None)
        except OSError:
            now = time.monotonic()
            if now - self._failing.setdefault(result, now) >= _UNANSWERED:
                with writing(result):
                    raise


class _Waiting:
    """The patience of a task: it looks ever less often, and tells now and then what it waits for.

    Args:
        description: singular of the results.
    """

    def __init__(self, description):
        self._description, self._logged, self.seconds = description, None, _FIRST

    def tell(self, results):
        """Logs a line, unless there was one within five minutes.

        Args:
            results: paths of the results that other tasks work on.
        """
        now = time.monotonic()
        if self._logged is not None:
            self.seconds = min(_LAST, 1.2 * self.seconds)
        if self._logged is not None and now - self._logged < _TELL:
            return
        self._logged = now
        holder = claims.find_holder(results[0])
        by = "" if holder is None else f" by {holder}"
        number = f"{len(results)} {self._description}{'' if len(results) == 1 else 's'}"
        logger.info("Waiting for %s of other tasks, for example %s%s.", number, results[0], by)
