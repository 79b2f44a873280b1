"""Work in fresh processes."""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pytest
from support.processes import kill, members, seconds_until_alone, start

from keras_pruning.cli import main
from keras_pruning.errors import InputError
from keras_pruning.jobs import child
from keras_pruning.jobs.local import run_each
from keras_pruning.storage.processes import HOST
from keras_pruning.storage.temporary import temporary_folder

SCRIPT = """
import time
from keras_pruning import InputError
from keras_pruning.jobs.local import run_each

def work(number):
    time.sleep(0.5 * number)
    raise InputError(f"wrong in {number}")

if __name__ == "__main__":
    try:
        list(run_each(work, [{"number": number} for number in range(6)], 2, 1, "work"))
    except InputError as error:
        print(error)
"""
LONG_WORK = """
import sys, time
from pathlib import Path
from keras_pruning.jobs.local import interruptible, run_each
from keras_pruning.storage import new_folder

def work(number):
    with new_folder(Path(sys.argv[1], str(number))) as folder:
        for part in range(2000):
            (folder / str(part)).touch()
        (Path(sys.argv[1]) / f"running-{number}").touch()
        time.sleep(300)

if __name__ == "__main__":
    with interruptible():
        list(run_each(work, [{"number": number} for number in range(2)], 2, 1, "work"))
"""


IN_THREADS = """
import os, threading
from keras_pruning.jobs.local import run_each

def work():
    return os.getppid()

def collect():
    servers.extend(run_each(work, [{}, {}], 1, 1, "work"))

if __name__ == "__main__":
    servers = []
    for _ in range(2):
        thread = threading.Thread(target=collect)
        thread.start()
        thread.join()
    print(len(servers), len(set(servers)))
"""


def script_of(tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(text)
    return script


@pytest.mark.slow
def test_an_error_in_one_of_two_jobs_ends_them_all(tmp_path):
    """Not only the generator: the interpreter, which waits for the processes of both."""
    root = Path(__file__).parents[2]
    finished = subprocess.run(
        [sys.executable, script_of(tmp_path, SCRIPT)],
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert finished.stdout == "wrong in 0\n"
    assert finished.stderr == ""


WARNING = """
import warnings
from keras_pruning.jobs.local import run_each

def work(number):
    warnings.warn("The column is constant.")
    return number

if __name__ == "__main__":
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        print(sorted(run_each(work, [{"number": number} for number in range(3)], 1, 1, "work")))
    print([(str(warning.message), warning.category.__name__) for warning in caught])
"""


@pytest.mark.slow
def test_warnings_of_children_are_given_once_by_the_parent(tmp_path):
    (tmp_path / "script.py").write_text(WARNING)
    finished = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    warning = "[('The column is constant.', 'UserWarning')]"
    assert finished.stdout == f"[0, 1, 2]\n{warning}\n"
    assert finished.stderr == ""


def _wait_for(folder, pattern, count):
    until = time.monotonic() + 120
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < until, f"no {pattern}"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["server starts", "children start", "children work"])
def test_children_end_when_the_parent_is_killed(moment, tmp_path):
    process = start(script_of(tmp_path, LONG_WORK), tmp_path, TMPDIR=str(tmp_path))
    _wait_for(tmp_path, "keras_pruning-*" if "server" in moment else "*.partial", 1)
    if moment == "children work":
        _wait_for(tmp_path, "running-*", 2)
    # The first folder may be there before any other process is.
    while len(members(process.pid)) < 2:
        assert process.poll() is None
    # The first one checks the room, and is gone before the server starts.
    _wait_for(tmp_path, f"keras_pruning-{HOST}-{process.pid}-*", 1)
    kill(process)
    assert seconds_until_alone(process.pid, limit=3) is not None
    # The next run clears the temporary folders of this one.
    assert list(tmp_path.glob(f"keras_pruning-{HOST}-{process.pid}-*"))
    tempfile.tempdir, before = str(tmp_path), tempfile.tempdir
    try:
        with temporary_folder() as folder:
            assert list(tmp_path.glob("keras_pruning-*")) == [Path(folder)]
    finally:
        tempfile.tempdir = before
    assert list(tmp_path.glob("keras_pruning-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("receiver", ["parent", "group"])
def test_an_interrupted_run_leaves_no_partial_folder(receiver, tmp_path):
    """Ctrl-C reaches the whole group of processes, and the parent then ends its children."""
    process = start(script_of(tmp_path, LONG_WORK), tmp_path, TMPDIR=str(tmp_path))
    _wait_for(tmp_path, "running-*", 2)
    assert len(list(tmp_path.glob("*.partial"))) == 2
    send = os.kill if receiver == "parent" else os.killpg
    send(process.pid, 2)
    shown, _ = process.communicate(timeout=30)
    assert seconds_until_alone(process.pid, limit=3) is not None
    assert list(tmp_path.glob("*.partial")) == []
    assert list(tmp_path.glob("keras_pruning-*")) == []
    # Of one process: the children say nothing.
    assert shown.count("Traceback") == 1


@pytest.mark.slow
def test_the_fork_server_outlives_the_thread_that_needs_it(tmp_path):
    """Linux kills it with the thread that started it, and the children of other threads too."""
    shown, _ = start(script_of(tmp_path, IN_THREADS)).communicate(timeout=60)
    assert shown == "4 1\n"


@pytest.mark.parametrize("by", ["the next folder", "a command without any"])
def test_only_folders_of_dead_processes_are_cleared(by, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = {
        f"keras_pruning-{HOST}-{dead.pid}-abcd_012": False,
        f"keras_pruning-{HOST}-{os.getpid()}-abcd_012": True,
        f"keras_pruning-elsewhere-{dead.pid}-abcd_012": True,
        f"keras_pruning-{HOST}-mine": True,
        # A folder of the user, named by a date
        f"keras_pruning-{HOST}-2024-11-26": True,
        "keras_pruning-notes": True,
    }
    for name in names:
        (tmp_path / name / "file").mkdir(parents=True)
    if by == "the next folder":
        with temporary_folder() as folder:
            assert Path(folder).parent == tmp_path
    else:
        assert main(["cache"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {name for name in names if names[name]}


def test_no_room_for_temporary_files_is_found_first(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(InputError, match="Cannot write temporary files to .*missing.*set TMPDIR"):
        list(run_each("no:work", [{}], 1, 1, "work"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", _full)
    with pytest.raises(InputError, match=f"to {tmp_path}: No space left on device. Expected room"):
        list(run_each("no:work", [{}], 1, 1, "work"))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tempfile, "gettempdir", lambda: _raise(FileNotFoundError("none")))
    with pytest.raises(InputError, match="no folder for temporary files.*Set TMPDIR"):
        list(run_each("no:work", [{}], 1, 1, "work"))


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (OSError(28, "No space left on device", "/full/model.keras"), "/full/model.keras"),
        # As h5py and pyarrow word it, without a number.
        (OSError("Can't write data (errno = 28, 'No space left on device')"), "the output, or"),
        (RuntimeError("Disk quota exceeded; /full/events"), "the output, or"),
    ],
)
def test_a_full_disk_is_one_message_of_the_child(error, place, monkeypatch):
    monkeypatch.setattr(child, "set_up_devices", lambda threads: None)
    with pytest.raises(InputError, match=f"The disk is full. Expected room for {place}"):
        child.run(_raise, {"error": error}, None)


def test_other_errors_of_the_child_stay(monkeypatch):
    monkeypatch.setattr(child, "set_up_devices", lambda threads: None)
    with pytest.raises(OSError, match="Permission denied"):
        child.run(_raise, {"error": OSError(13, "Permission denied")}, None)
    with pytest.raises(InputError, match="^No space left on device: mine$"):
        child.run(_raise, {"error": InputError("No space left on device: mine")}, None)


def _full(*_):
    raise OSError(28, "No space left on device")


def _raise(error):
    raise error


class Odd(UserWarning):
    """A warning of a module that the parent cannot import."""


def test_a_warning_of_a_class_of_the_user_reaches_the_parent(monkeypatch):
    monkeypatch.setattr(child, "set_up_devices", lambda threads: None)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _, ((text, category, *_),), _ = child.run(_warn, {}, None)
    assert (text, category) == ("odd", UserWarning)


def _warn():
    warnings.warn("odd", Odd, stacklevel=1)


ONE_FAILS = """
from keras_pruning import InputError
from keras_pruning.jobs.local import run_each

def work(number):
    if number == 1:
        raise InputError("wrong in 1")
    if number == 2:
        return 1 / 0
    return number

if __name__ == "__main__":
    def failed(call, error):
        print(call, type(error).__name__, error)

    calls = [{"number": number} for number in range(4)]
    print(sorted(run_each(work, calls, 1, 1, "work", failed)))
"""


@pytest.mark.slow
def test_a_call_that_fails_leaves_the_others(tmp_path):
    done = subprocess.run(
        [sys.executable, script_of(tmp_path, ONE_FAILS)],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "{'number': 1} InputError wrong in 1",
        "{'number': 2} ZeroDivisionError division by zero",
        "[0, 3]",
    ]
