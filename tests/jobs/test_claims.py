"""Claims of live, dead and silent tasks."""

import os
import time

import pytest
from support.claims import a_dead_process, leave_claim

from keras_pruning.jobs import claims
from keras_pruning.storage.processes import HOST


def test_a_claim_holds_until_it_is_released(tmp_path):
    result = tmp_path / "made" / "result"
    claim = claims.take(result)
    assert claims.take(result) is None
    holder = claims.find_holder(result)
    assert (holder.process, claims.Watch().is_dead(holder)) == (os.getpid(), False)
    claim.release()
    # The folder that it has made goes with it
    assert list(tmp_path.iterdir()) == []


def test_signs_of_life_renew_a_claim(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "BEAT", 0.01)
    claim = claims.take(tmp_path / "result")
    path = claims.claim_path(tmp_path / "result")
    os.utime(path, (0, 0))
    end = time.monotonic() + 20
    while path.stat().st_mtime == 0 and time.monotonic() < end:
        time.sleep(0.01)
    assert path.stat().st_mtime > time.time() - 60
    claim.release()


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock of this machine, as a list of its one time."""
    times = [1000.0]
    monkeypatch.setattr(claims.time, "monotonic", lambda: times[0])
    return times


@pytest.mark.parametrize(
    ("host", "is_running", "seconds", "is_free"),
    [
        (HOST, True, 0, False),
        (HOST, False, 0, True),
        # A process of the same number may have begun since
        (HOST, True, 2 * claims.PATIENCE, True),
        ("elsewhere-1", False, claims.PATIENCE / 2, False),
        ("elsewhere-1", True, 2 * claims.PATIENCE, True),
    ],
)
def test_only_the_claim_of_a_dead_task_is_free(host, is_running, seconds, is_free, tmp_path, clock):
    process = os.getpid() if is_running else a_dead_process()
    path, watch = leave_claim(tmp_path / "result", host, process), claims.Watch()
    claim = claims.take(tmp_path / "result", watch)
    if seconds:
        assert claim is None
        clock[0] += seconds
        claim = claims.take(tmp_path / "result", watch)
    assert (claim is not None) == is_free
    if is_free:
        claim.release()
    assert path.exists() != is_free
    assert set(tmp_path.iterdir()) <= {path}


def test_one_look_takes_no_task_for_dead(tmp_path):
    """The clocks of two machines may be hours apart."""
    leave_claim(tmp_path / "result", "elsewhere-1", 1, seconds=7200)
    assert claims.take(tmp_path / "result", claims.Watch()) is None


def test_a_held_claim_is_only_read(tmp_path, monkeypatch):
    """Tasks that wait look often, and attempts to make files are work for a file server."""
    leave_claim(tmp_path / "result", "elsewhere-1", 1)
    attempts = []
    monkeypatch.setattr(claims, "Claim", lambda *arguments: attempts.append(arguments))
    assert claims.take(tmp_path / "result") is None
    assert attempts == []


@pytest.mark.parametrize("renewed", ["time", "token"])
def test_any_sign_of_life_counts(renewed, tmp_path, clock):
    path, watch = leave_claim(tmp_path / "result", "elsewhere-1", 1), claims.Watch()
    for _ in range(3):
        assert claims.take(tmp_path / "result", watch) is None
        clock[0] += 0.9 * claims.PATIENCE
        times = path.stat().st_atime_ns, path.stat().st_mtime_ns
        if renewed == "token":
            path.write_text(path.read_text().replace("theirs", "theirs, again"))
            os.utime(path, ns=times)
        else:
            os.utime(path, ns=(times[0], times[1] + 1))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": "x"}'])
def test_a_claim_that_tells_nothing_counts_by_its_age(content, tmp_path, clock):
    path, watch = claims.claim_path(tmp_path / "result"), claims.Watch()
    path.write_bytes(content)
    assert claims.take(tmp_path / "result", watch) is None
    clock[0] += 2 * claims.PATIENCE
    claims.take(tmp_path / "result", watch).release()
    assert list(tmp_path.iterdir()) == []


def test_a_takeover_leaves_the_partial_files_of_others(tmp_path, clock):
    """A task without signs of life may be slow, and another one on its machine may write too."""
    (tmp_path / "result.elsewhere-1-7-ab.partial").mkdir()
    leave_claim(tmp_path / "result", "elsewhere-1", 7)
    watch = claims.Watch()
    assert claims.take(tmp_path / "result", watch) is None
    clock[0] += 2 * claims.PATIENCE
    claims.take(tmp_path / "result", watch).release()
    assert [path.name for path in tmp_path.iterdir()] == ["result.elsewhere-1-7-ab.partial"]


def test_a_task_that_was_taken_for_dead_leaves_the_new_claim(tmp_path):
    first = claims.take(tmp_path / "result")
    path = claims.claim_path(tmp_path / "result")
    os.rename(path, tmp_path / "aside")
    second = claims.take(tmp_path / "result")
    first.release()
    assert path.exists()
    second.release()
    assert not path.exists()


def test_a_claim_that_was_renewed_is_put_back(tmp_path):
    """Two tasks see a dead claim. The slower one must not take that of the faster one."""
    leave_claim(tmp_path / "result", HOST, a_dead_process())
    path, seen = claims.claim_path(tmp_path / "result"), claims.find_holder(tmp_path / "result")
    faster = claims.take(tmp_path / "result")
    assert not claims._set_aside(path, seen)
    assert claims.find_holder(tmp_path / "result").process == os.getpid()
    faster.release()
    assert list(tmp_path.iterdir()) == []


def test_a_finished_result_needs_no_claim(tmp_path):
    leave_claim(tmp_path / "result", "elsewhere-1", 7)
    # Those of tasks that were killed while they took over
    for host in ("elsewhere-1", "third-2"):
        (tmp_path / f".result.claim.{host}-7-ab.partial").touch()
    claims.remove(tmp_path / "result")
    assert list(tmp_path.iterdir()) == []
