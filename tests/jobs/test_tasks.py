"""Work that is divided among tasks, here threads with work that takes no process."""

import errno
import os
import re
import threading
import time

import pytest
from support.claims import a_dead_process, leave_claim

from keras_pruning.errors import InputError
from keras_pruning.jobs import claims, tasks
from keras_pruning.jobs.local import run_each
from keras_pruning.jobs.tasks import ALONE, Item, Tasks


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(tasks, "_FIRST", 0.01)


class InThisProcess:
    """Makes calls where processes of `run_each` would make them."""

    def call(self, function, arguments, threads):
        return function(**arguments), [], []

    def stop(self):
        pass

    def end(self):
        pass


class Place:
    """Results in a folder, and who made them."""

    def __init__(self, folder, count=6):
        self.folder, self.made, self.fail, self.other_recipe = folder, [], set(), None
        self.paths = [folder / f"{number}" for number in range(count)]

    def run(self, task, jobs=1, failed=None, work=None):
        """Runs one task to its end."""
        items = [
            Item(path, {"path": path, "task": task.index}, lambda path=path: self.is_finished(path))
            for path in self.paths
        ]
        calls = task.calls(items, "result")
        workers = InThisProcess()
        list(run_each(work or self.work, calls, jobs, 1, "result", failed, workers=workers))

    def is_finished(self, path):
        if path == self.other_recipe:
            raise InputError("other recipe")
        return path.exists()

    def work(self, path, task):
        if path.name in self.fail:
            self.made.append((path.name, task))
            raise InputError(f"wrong in {path.name}")
        time.sleep(0.01)
        self.made.append((path.name, task))
        path.write_text("done")

    @property
    def names(self):
        return sorted(name for name, _ in self.made)

    @property
    def left(self):
        return [path.name for path in self.folder.iterdir() if path not in self.paths]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def at_once(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [1, 2, 9])
def test_each_result_is_made_once(number, jobs, place):
    at_once(*[lambda index=index: place.run(Tasks(index, number), jobs) for index in range(number)])
    assert place.names == list("012345")
    assert place.left == []


def test_tasks_begin_at_different_places(place):
    for index, first in ((0, "0"), (1, "3")):
        calls = Tasks(index, 2).calls(
            [Item(path, {"path": path}, path.exists) for path in place.paths], "result"
        )
        with calls[0](threading.Event()) as (call, _):
            assert call["path"].name == first


def test_one_task_of_many_makes_everything(place):
    """Schedulers may start the others later, or never."""
    place.run(Tasks(3, 4))
    assert [name for name, _ in place.made] == ["4", "5", "0", "1", "2", "3"]


def test_a_task_alone_claims_nothing(place):
    items = [Item(path, {"path": path}, path.exists) for path in place.paths]
    assert ALONE.calls(items, "result") == [item.call for item in items]
    with ALONE.alone(place.paths[0]):
        assert place.left == []


def test_all_wait_for_what_others_do(place, caplog):
    claim, ended = claims.take(place.paths[2]), []
    caplog.set_level("INFO", "keras_pruning")

    def other():
        place.run(Tasks(1, 2))
        ended.append(place.paths[2].exists())

    def finish():
        while len(place.made) < 5:
            time.sleep(0.01)
        time.sleep(0.1)
        assert ended == []
        place.paths[2].write_text("done")
        claim.release()

    at_once(other, finish)
    assert ended == [True]
    assert place.names == list("01345")
    assert caplog.text.count("Waiting for 1 result of other tasks, for example") == 1
    assert f"{place.paths[2]} by process" in caplog.text


def test_work_of_a_dead_task_is_done_by_another(place, monkeypatch):
    leave_claim(place.paths[2], process=a_dead_process())
    # One was killed after it had finished, another one elsewhere
    leave_claim(place.paths[3], "elsewhere-1", 7)
    place.paths[3].write_text("done")
    leave_claim(place.paths[4], "elsewhere-1", 7)
    monkeypatch.setattr(claims, "PATIENCE", 0.1)
    place.run(Tasks(0, 2))
    assert place.names == list("01245")
    assert place.left == []


def test_each_task_tries_a_failing_call_once(place):
    place.fail = {"1", "4"}
    failures = []
    at_once(
        *[
            lambda index=index: place.run(
                Tasks(index, 3),
                failed=lambda call, error: failures.append((call["path"].name, index)),
            )
            for index in range(3)
        ]
    )
    assert len(failures) == 6
    assert set(failures) == {(name, index) for name in "14" for index in range(3)}
    assert sorted(set(place.names)) == list("012345")
    assert place.left == []


class Refusing:
    """A file system that refuses some looks at one path, as a server that starts again does."""

    def __init__(self, monkeypatch, path, times):
        self.path, self.times, self.take = path, times, claims.take
        monkeypatch.setattr(claims, "take", self)

    def __call__(self, path, *watch):
        if path == self.path and self.times > 0:
            self.times -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return self.take(path, *watch)


def test_a_look_that_fails_is_repeated(place, monkeypatch):
    refusing = Refusing(monkeypatch, place.paths[1], 5)
    place.run(Tasks(0, 2))
    refusing.times = 2
    with Tasks(0, 2).alone(place.paths[1]):
        assert len(place.left) == 1
    assert [name for name, _ in place.made] == list("023451")
    assert (refusing.times, place.left) == (0, [])


@pytest.mark.parametrize("kind", ["take", "is_finished"])
def test_an_error_of_one_look_is_that_of_its_call(kind, place, monkeypatch):
    """The other calls of the task go on."""
    monkeypatch.setattr(tasks, "_UNANSWERED", 0.05)
    if kind == "take":
        Refusing(monkeypatch, place.paths[1], 10**6)
        message = "Cannot write .*1: Stale file handle"
    else:
        place.other_recipe = place.paths[1]
        message = "other recipe"
    failures = []
    place.run(Tasks(0, 2), 2, lambda call, error: failures.append((call["path"], str(error))))
    ((path, text),) = failures
    assert path == place.paths[1]
    assert re.match(message, text)
    assert (place.names, place.left) == (list("02345"), [])
    with pytest.raises(InputError, match=message):
        place.run(Tasks(0, 2))


def test_one_thread_of_a_task_looks_for_all(place, monkeypatch):
    held, looks, seen = [claims.take(path) for path in place.paths[:4]], [], []
    take = claims.take

    def looked(*arguments):
        looks.append(threading.get_ident())
        return take(*arguments)

    monkeypatch.setattr(claims, "take", looked)

    def finish():
        while len(place.made) < 2 or len(looks) < 40:
            time.sleep(0.01)
        seen.extend(looks[-20:])
        for path, claim in zip(place.paths, held, strict=False):
            path.write_text("done")
            claim.release()

    at_once(lambda: place.run(Tasks(0, 1), jobs=4), finish)
    assert len(set(seen)) == 1
    assert (place.names, place.left) == (list("45"), [])


def test_a_failure_ends_a_task_that_waits(place):
    """Its other thread waits for a task that goes on."""
    place.paths, place.fail = place.paths[:2], {"1"}
    claim = claims.take(place.paths[0])
    with pytest.raises(InputError, match="wrong in 1"):
        place.run(Tasks(0, 2), jobs=2)
    claim.release()
    assert place.left == []


def test_one_task_at_a_time_is_alone(place):
    inside, most = [], []

    def enter():
        with Tasks(0, 3).alone(place.paths[0]):
            inside.append(None)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    at_once(enter, enter, enter)
    assert most == [1, 1, 1]
    assert place.left == []


@pytest.mark.parametrize(("index", "number"), [(-1, 2), (2, 2), (1, None), (0, 0), (0, -1)])
def test_there_must_be_such_a_task(index, number):
    with pytest.raises(InputError, match="Expected an integer .* Received: "):
        Tasks(index, number)
