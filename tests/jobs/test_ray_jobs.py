"""Calls that a Ray cluster makes, and the checks of its workers."""

import contextlib
import dataclasses
import importlib.util
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from support import on_ray
from support.compared import contents, leftovers
from support.processes import ROOT, start
from support.small import run

from keras_pruning.config import Config, SweepConfig
from keras_pruning.errors import InputError
from keras_pruning.jobs import ray_jobs
from keras_pruning.jobs.ray_worker import Surroundings
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.storage.processes import HOST
from keras_pruning.training.run import TrainingPlan

CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
probe: {epochs: 2, seeds: 1, threads: 1}
scores: [el2n]
training: {epochs: 2, batch_size: 32}
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 1, threads: 1, jobs: 2}
"""


@pytest.fixture
def own_process(monkeypatch):
    """What a worker sets stays with the test."""
    monkeypatch.setattr("os.environ", dict(os.environ))
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.chdir(".")


def test_a_worker_takes_the_surroundings_of_the_command(own_process, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.environ["XLA_FLAGS"] = "--xla_dump_to="
    os.environ.pop("OMP_NUM_THREADS", None)
    os.environ["KERAS_PRUNING_CACHE"] = "/shared/cache"
    sys.path.append("/of/the/command")
    there = Surroundings.here()
    monkeypatch.chdir("/")
    del os.environ["XLA_FLAGS"]
    os.environ["OMP_NUM_THREADS"] = "7"
    os.environ |= {"KERAS_PRUNING_CACHE": "/own", "KERAS_PRUNING_CACHE_LIMIT": "9"}
    sys.path.remove("/of/the/command")
    there.set_up()
    assert Path.cwd() == tmp_path
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to="
    assert "OMP_NUM_THREADS" not in os.environ
    # What the command does not say about the cache is up to the worker
    assert os.environ["KERAS_PRUNING_CACHE"] == "/shared/cache"
    assert os.environ["KERAS_PRUNING_CACHE_LIMIT"] == "9"
    assert sys.path[-1] == "/of/the/command"


def test_a_worker_must_see_the_folders(own_process, tmp_path):
    with ray_jobs._mark(tmp_path / "new" / "out") as mark:
        here = Surroundings.here(mark)
        here.set_up()
        with pytest.raises(InputError, match="all machines share.* without /not/here"):
            dataclasses.replace(here, folder="/not/here").set_up()
    # The folder that it made goes again
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=f"all machines share.* without {tmp_path}/new/out"):
        here.set_up()


def test_only_old_marks_of_other_commands_are_removed(tmp_path):
    new, old = (tmp_path / f".seen-by-ray.elsewhere-1-{number}-ab.partial" for number in (7, 8))
    for path in (new, old):
        path.touch()
    os.utime(old, (0, 0))
    with ray_jobs._mark(tmp_path):
        assert new.exists()
    assert list(tmp_path.iterdir()) == [new]


def machine(cpus, gpus=0, alive=True):
    return {"Alive": alive, "Resources": {"CPU": float(cpus), "GPU": float(gpus), "memory": 1e9}}


@pytest.mark.parametrize(
    ("threads", "gpus", "message"),
    [
        (8, 0, None),
        (9, 0, "probe.threads: .* Expected an integer <= 8, .* machine. Received: 9"),
        (4, 1, None),
        (5, 1, "probe.threads: .* <= 4, the CPUs of its largest machine with a GPU"),
        (1, 2, "Expected a machine with a GPU. Received: none"),
    ],
)
def test_a_call_must_fit_on_a_machine(threads, gpus, message):
    machines = [machine(8), machine(4, 1), machine(64, 8, alive=False), machine(2)]
    expected = pytest.raises(InputError, match=message) if message else contextlib.nullcontext()
    with expected:
        ray_jobs._require_machine(machines, threads, gpus, "probe.threads")


def test_the_handler_of_signals_comes_back_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.suppress(ConnectionError), ray_jobs._own_signals():
            signal.signal(signal.SIGTERM, lambda *_: None)
            raise ConnectionError
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)


def test_only_the_death_of_a_worker_is_told_as_one():
    errors = pytest.importorskip("ray.exceptions")
    for error in (errors.WorkerCrashedError(), errors.OutOfMemoryError("full")):
        assert "died before its work was finished, 4 times" in str(ray_jobs._failure(error))
    text = str(ray_jobs._failure(errors.OutOfDiskError("no room at /tmp/ray")))
    assert "died" not in text
    assert "Received: OutOfDiskError" in text
    assert "no room at /tmp/ray" in text


def test_a_worker_must_give_the_same_bits(own_process):
    here = Surroundings.here()
    other = {**here.recipe, "keras": "2.0"}
    with pytest.raises(InputError, match=r"Expected \['2.0'\] for keras. Received: \['3"):
        dataclasses.replace(here, recipe=other).set_up()


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", _without_ray(importlib.util.find_spec))
    output = ["--dataset.fraction", 0.1, "--output", tmp_path / "out"]
    assert run("sweep", "--sweep.backend", "ray", *output) == 2
    assert "pip install 'keras_pruning[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_named(address, tmp_path, monkeypatch, capsys):
    # As if Ray was installed
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: "a module")
    monkeypatch.setenv("RAY_ADDRESS", address)
    output = ["--dataset.fraction", 0.1, "--output", tmp_path / "out"]
    assert run("sweep", "--sweep.backend", "ray", *output) == 2
    shown = capsys.readouterr().err
    assert f"Expected a running one at RAY_ADDRESS. Received: {address} (" in shown
    assert not (tmp_path / "out").exists()


def _without_ray(find_spec):
    return lambda name, *rest: None if name == "ray" else find_spec(name, *rest)


def test_the_backend_is_no_part_of_a_recipe():
    configs = [Config(sweep=SweepConfig(backend=name)) for name in ("local", "ray")]
    for plan in (TrainingPlan, ScoringPlan):
        local, ray = (plan.from_config(config).recipe for config in configs)
        assert local == ray


def test_only_known_backends(capsys):
    with pytest.raises(SystemExit):
        run("sweep", "--sweep.backend", "dask")
    assert "Invalid `sweep.backend`" in capsys.readouterr().err


def sweep(folder, *options, script="cli.py"):
    """Starts a sweep into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "small.yaml").write_text(CONFIG)
    arguments = ["--config", folder / "small.yaml", "--output", folder / "out", *options]
    paths = [str(ROOT), *sys.path]
    return start(script, "sweep", *arguments, PYTHONPATH=os.pathsep.join(paths))


def found(folder):
    """The contents of results, without the backend that the config names."""
    values = contents(folder / "out")
    for name in values:
        if name.endswith("metrics.json"):
            del values[name]["config"]["sweep"]["backend"]
    return values


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("local")
    process = sweep(folder)
    text, _ = process.communicate(timeout=500)
    assert process.returncode == 0, text
    return found(folder)


@pytest.mark.slow
def test_ray_gives_the_same_bits(local, tmp_path):
    process = sweep(tmp_path, "--sweep.backend", "ray", script=on_ray.__file__)
    text, _ = process.communicate(timeout=500)
    assert process.returncode == 0, text
    assert found(tmp_path) == local
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_a_run_of_a_killed_worker_is_repeated(local, tmp_path):
    process = sweep(tmp_path, "--sweep.backend", "ray", script=on_ray.__file__)
    end, name = time.monotonic() + 300, rf"seed-0\.{re.escape(HOST)}-(\d+)-\w+\.partial"
    killed = None
    while killed is None:
        assert time.monotonic() < end and process.poll() is None
        for path in (tmp_path / "out").glob("*/keep-*/*.partial"):
            match = re.fullmatch(name, path.name)
            # The command itself is no worker
            if match and int(match[1]) != process.pid:
                killed = int(match[1])
        time.sleep(0.02)
    os.kill(killed, signal.SIGKILL)
    text, _ = process.communicate(timeout=500)
    assert process.returncode == 0, text
    assert found(tmp_path) == local
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_errors_of_a_call_come_back_as_they_are(tmp_path):
    pytest.importorskip("ray")
    script = tmp_path / "errors_on_ray.py"
    script.write_text(ERRORS)
    process = start(script, tmp_path / "out", PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path]))
    text, _ = process.communicate(timeout=300)
    lines = text.splitlines()
    assert "InputError wrong in 1" in lines, text
    assert "ZeroDivisionError integer division or modulo by zero" in lines
    assert [line for line in lines if "died before its work was finished, 4 times" in line]
    assert "result 3" in lines
    assert not (tmp_path / "out").exists()


ERRORS = """
import os, sys
from pathlib import Path
from keras_pruning import InputError
from keras_pruning.jobs.local import run_each
from keras_pruning.jobs.ray_jobs import RayWorkers

def work(number):
    if number == 1:
        raise InputError("wrong in 1")
    if number == 2:
        os._exit(1)
    return number // (number - 4) * -1

def failed(call, error):
    print(type(error).__name__, error)

if __name__ == "__main__":
    import ray
    ray.init("local", num_cpus=2, include_dashboard=False, logging_level="error")
    calls = [{"number": number} for number in (1, 2, 3, 4)]
    workers = RayWorkers(Path(sys.argv[1]))
    for result in run_each(work, calls, 2, 1, "work", failed, workers=workers):
        print("result", result)
"""
