"""Scoring with saved models in several tasks at once, each a process of its own."""

import time

import pytest
from support import small
from support.compared import contents, leftovers
from support.processes import kill, start

import keras_pruning as kp

CONFIG = """
dataset: {name: digits, fraction: 0.5}
probe: {threads: 1, scoring_batch_size: 32}
scores: [el2n, vog, aum, grand, {name: prediction_depth, k: 3}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a config, saved models and the scores of a command that ran alone."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "small.yaml").write_text(CONFIG)
    for number in range(4):
        small.network(kp.load_examples("digits"), number).save(folder / f"epoch-{number}.keras")
    ended(score(folder, folder / "whole"))
    return folder


def score(folder, output, *options):
    arguments = ["--config", folder / "small.yaml", "--checkpoints", folder / "*.keras"]
    return start("cli.py", "score", *arguments, "--output", output, *options, OMP_NUM_THREADS="1")


def task(folder, output, index):
    return score(folder, output, "--task-index", index, "--num-tasks", 3)


def ended(command):
    text, _ = command.communicate(timeout=300)
    assert command.returncode == 0, text


def assert_as_one(folder, output):
    found, whole = contents(output), contents(folder / "whole")
    assert found.keys() == whole.keys()
    for name in ("scores.parquet", "scores.csv"):
        assert found[name] == whole[name], name
    assert leftovers(output) == []


@pytest.mark.slow
def test_tasks_end_with_the_scores_of_one(folder, tmp_path):
    for started in [task(folder, tmp_path, index) for index in range(3)]:
        ended(started)
    assert_as_one(folder, tmp_path)


@pytest.mark.slow
def test_a_killed_task_goes_on_with_what_is_missing(folder, tmp_path):
    first = task(folder, tmp_path, 0)
    while not list(tmp_path.rglob("part-*.parquet")):
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.01)
    kill(first)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*.parquet")}
    assert 0 < len(kept) < 4
    again = task(folder, tmp_path, 0)
    while again.poll() is None and not (tmp_path / "scores.parquet").exists():
        changed = [path for path in kept if path.exists() and path.stat().st_mtime_ns != kept[path]]
        assert changed == []
        time.sleep(0.01)
    ended(again)
    assert_as_one(folder, tmp_path)
