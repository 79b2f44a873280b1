"""Claims: small files that tell the other tasks who works on a result.

A claim saves work and nothing else. Results are safe without one: of several writers the first
wins, and all of them have the same bits.
"""

import contextlib
import json
import os
import platform
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.storage import ANY, clear_leftovers
from keras_pruning.storage.files import writer
from keras_pruning.storage.processes import HOST, is_running

# Seconds between two signs of life of a task, and those after which a task without one is dead.
BEAT, PATIENCE = 5, 60


def claim_path(result):
    """Returns the path of the claim of a result, beside it."""
    return result.with_name(f"{result.name}.claim")


def take(result, watch=None):
    """Claims a result, also in the place of a task that has died.

    Partial files beside the result stay until it is finished: their task may be alive after all.

    Args:
        result: `Path` of a file or folder.
        watch: `Watch` of earlier looks at the same claims, without which no task on another machine
            counts as dead.

    Returns:
        `Claim`, or `None` if another task holds it.

    Raises:
        OSError: if the place cannot be written.
    """
    path, watch = claim_path(result), watch or Watch()
    for _ in range(3):
        # Most looks find a task that is alive, and reading is less work for a file server
        holder = find_holder(result)
        if holder is not None and not watch.is_dead(holder):
            return None
        if holder is not None:
            _set_aside(path, holder)
        made = [parent for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another task may make the claim, or remove an empty folder, at any moment
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            return Claim(path, made)
    return None


def remove(result):
    """Removes the claim of a finished result, be its holder dead or alive.

    What killed tasks have left of claims goes too.
    """
    path = claim_path(result)
    path.unlink(missing_ok=True)
    clear_leftovers(path, ANY)


class Claim:
    """A claim of this process, with a sign of life every few seconds until it is released.

    Args:
        path: path of its file.
        made: list of folders to remove with it if they are empty.

    Raises:
        FileExistsError: if there is a claim already.
    """

    def __init__(self, path, made=()):
        self._path, self._made, self._token = path, made, secrets.token_hex(8)
        # Kept open: if another task takes over, the signs of life stay with this file
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        content = {"host": HOST, "machine": platform.node(), "process": os.getpid()}
        os.write(self._file, json.dumps({**content, "token": self._token}).encode())
        _touch(self._file, path)
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def release(self):
        """Removes the file, unless another task has taken over."""
        self._released.set()
        self._thread.join()
        os.close(self._file)
        holder = _read(self._path)
        # A file system that does not answer now: the others see no sign of life any more
        with contextlib.suppress(OSError):
            if holder is not None and holder.token == self._token:
                self._path.unlink(missing_ok=True)
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _live(self):
        while not self._released.wait(BEAT):
            # A file system that does not answer for a moment
            with contextlib.suppress(OSError):
                _touch(self._file, self._path)


@dataclass(frozen=True)
class Holder:
    """The task that holds a claim, as the file of the claim tells.

    Args:
        path: path of the claim.
        host: as `keras_pruning.storage.processes.HOST`.
        machine: name of the computer, for people.
        process: number of the process.
        token: text that no other claim has.
        touched: time of the last sign of life in nanoseconds, by the clock of the file system.
    """

    path: Path
    host: str
    machine: str
    process: int
    token: str
    touched: int

    def __str__(self):
        return f"process {self.process} on {self.machine}"


class Watch:
    """Remembers the signs of life of other tasks, to tell which tasks are dead.

    One look cannot tell: the clocks of machines differ, and a network file system may show old
    times.
    """

    def __init__(self):
        self._seen = {}

    def is_dead(self, holder):
        """Returns whether a task has ended, or has given no sign of life while this one watched.

        Args:
            holder: `Holder`.
        """
        if holder.host == HOST and not is_running(holder.process):
            return True
        now, sign = time.monotonic(), (holder.token, holder.touched)
        last, since = self._seen.get(holder.path, (None, now))
        if last != sign:
            self._seen[holder.path], since = (sign, now), now
        return now - since > PATIENCE


def find_holder(result):
    """Returns the `Holder` of the claim of a result, or `None` if nobody holds it."""
    return _read(claim_path(result))


def _read(path):
    """Returns the `Holder` of the claim at a path, or `None` if there is none."""
    try:
        # Opened, because a network file system may show the times of a closed file late
        with open(path, "rb") as file:
            content, touched = file.read(), os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
    try:
        fields = json.loads(content)
        names = ("host", "machine", "process", "token")
        return Holder(path, *(fields[name] for name in names), touched)
    except (ValueError, KeyError, TypeError):
        # Its task has made the file and not written it, or was killed just then
        return Holder(path, "", "another machine", 0, "", touched)


def _set_aside(path, holder):
    """Removes the claim of a dead task. Returns whether this task was the one that removed it."""
    aside = path.with_name(f".{path.name}.{writer()}.partial")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return False
    moved = _read(aside)
    is_dead_one = moved is None or moved.token == holder.token
    if not is_dead_one:
        # Another task was faster, and this is its claim. Without links the work is done twice.
        with contextlib.suppress(OSError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)
    return is_dead_one


def _touch(file, path):
    """Sets the time of a file to now, by the clock of its file system."""
    os.utime(file if os.utime in os.supports_fd else path)
