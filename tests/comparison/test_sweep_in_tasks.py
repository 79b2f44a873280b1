"""Sweeps and scorings of several tasks end as those of one."""

import json
import time

import pytest
from support.compared import contents, leftovers
from support.processes import kill, seconds_until_alone, start

CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
probe: {epochs: 2, seeds: 2, threads: 1}
scores: [el2n, {name: prediction_depth, k: 3, seeds: 1}]
training: {epochs: 2, batch_size: 32}
sweep:
  methods: [el2n, {dynamic: infobatch}]
  keep_fractions: [0.5]
  seeds: 2
  threads: 1
  save_models: true
"""


class Place:
    """A folder with a config, and the tasks that write to one output in it."""

    def __init__(self, folder):
        self.config, self.output = folder / "small.yaml", folder / "out"
        self.config.write_text(CONFIG)

    def start(self, command, *options):
        arguments = ["--config", self.config, "--output", self.output, *options]
        return start("cli.py", command, *arguments, OMP_NUM_THREADS="1")

    def task(self, command, index, number):
        return self.start(command, "--task-index", index, "--num-tasks", number)

    def holders(self):
        """Returns the numbers of the processes that have claimed something."""
        for path in self.output.rglob("*.claim"):
            try:
                yield json.loads(path.read_text())["process"]
            except (FileNotFoundError, ValueError):
                continue


def ended(*processes):
    """Waits for commands and returns their output."""
    texts = [process.communicate(timeout=500)[0] for process in processes]
    for process, text in zip(processes, texts, strict=True):
        assert process.returncode == 0, text
    return texts


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a sweep that ran alone."""
    place = Place(tmp_path_factory.mktemp("whole"))
    ended(place.start("sweep"))
    return contents(place.output)


@pytest.mark.slow
def test_two_tasks_at_once_end_as_one(whole, tmp_path):
    place = Place(tmp_path)
    texts = ended(*[place.task("sweep", index, 2) for index in range(2)])
    assert contents(place.output) == whole
    assert leftovers(tmp_path) == []
    # Both have shown the whole comparison
    assert all("comparison.csv" in text for text in texts)


@pytest.mark.slow
def test_a_killed_task_is_replaced_and_launched_again(whole, tmp_path):
    place = Place(tmp_path)
    tasks = [place.task("sweep", index, 4) for index in range(4)]
    end = time.monotonic() + 300
    while tasks[1].pid not in place.holders():
        assert time.monotonic() < end and tasks[1].poll() is None
        time.sleep(0.05)
    kill(tasks[1])
    assert seconds_until_alone(tasks[1].pid) is not None
    again = place.task("sweep", 1, 4)
    ended(again, *(task for task in tasks if task is not tasks[1]))
    assert contents(place.output) == whole
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_tasks_beyond_the_probes_read_the_scores(whole, tmp_path):
    place = Place(tmp_path)
    texts = ended(*[place.task("score", index, 3) for index in range(3)])
    found = contents(place.output)
    assert found["scores.parquet"] == whole["scores.parquet"]
    assert found["scores.csv"] == whole["scores.csv"]
    assert leftovers(tmp_path) == []
    assert all("report.html" in text for text in texts)
    # Nothing is left to do, with options and without
    ended(place.task("score", 0, 3), place.start("score"))
    assert contents(place.output) == found
