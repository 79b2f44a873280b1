"""Functions that are called in turn, each in a process of its own."""

import contextlib
import multiprocessing
import time
from dataclasses import dataclass, field

from peak import peaks
from timing import seconds


@dataclass
class Turns:
    """The time and the memory of one function.

    Args:
        seconds: floats, one for each counted round.
        peak: memory of the first call in MiB, as in `peaks`.
        anonymous: memory of the first call in MiB, without the pages of mapped files.
    """

    seconds: list = field(default_factory=list)
    peak: float = 0.0
    anonymous: float = 0.0


def in_turn(contestants, repetitions, uncounted=1, pause=0.5):
    """Calls functions in turn, each in a process of its own.

    The threads, memory and settings of one library therefore cannot affect another one, and each
    process imports only its own libraries.

    Args:
        contestants: dictionary from a name to a tuple of `prepare`, a function at the top level of
            a module, and a dictionary of its arguments. `prepare` imports libraries, creates the
            data and returns the function of no arguments to call.
        repetitions: number of counted rounds.
        uncounted: number of rounds before the counted ones.
        pause: seconds before each call, in which OpenMP's threads of the last call stop spinning.

    Returns:
        Dictionary from the names to `Turns`.
    """
    turns = {name: Turns() for name in contestants}
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(_process(prepare, options))
            for name, (prepare, options) in contestants.items()
        }
        for name, process in processes.items():
            _answer(name, process)
        for number in range(uncounted + repetitions):
            for name, process in processes.items():
                time.sleep(pause)
                process.send(number)
                taken, memory = _answer(name, process)
                if memory:
                    turns[name].peak, turns[name].anonymous = memory
                if number >= uncounted:
                    turns[name].seconds.append(taken)
    return turns


def _answer(name, process):
    try:
        return process.recv()
    except EOFError as error:
        raise RuntimeError(
            f"The process of {name!r} died. See the error above. Without one, it ran out of memory"
        ) from error


@contextlib.contextmanager
def _process(prepare, options):
    """Yields the connection to a process that prepares a function and calls it on request."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, prepare, options), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    except BaseException:
        process.terminate()  # It may be in the middle of its turn.
        raise
    finally:
        here.close()
        process.join()


def _serve(connection, prepare, options):
    function = prepare(**options)
    connection.send("ready")
    while (number := _next_round(connection)) is not None:
        connection.send((seconds(function), None) if number else _first_call(function))


def _next_round(connection):
    """Returns the number of the next round, or `None` if the other end is closed."""
    try:
        return connection.recv()
    except (EOFError, ConnectionError):
        return None


def _first_call(function):
    taken = []
    memory = peaks(lambda: taken.append(seconds(function)))
    return taken[0], memory
