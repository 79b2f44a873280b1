"""How many processes a plan measures, with the measurements replaced."""

import dataclasses

import numpy as np
import pytest
from support.measured import FIT

from keras_pruning.comparison import sweep as comparison_sweep
from keras_pruning.comparison.sweep import SweepPlan
from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, SweepConfig
from keras_pruning.jobs.tasks import Tasks
from keras_pruning.preflight import scoring, sweep
from keras_pruning.probing.part_files import PartFiles
from keras_pruning.probing.plan import ScoringPlan

GIB = 2**30
SIZES = {
    "resident": GIB,
    "peak": 2 * GIB,
    "server": GIB,
    "server_seconds": 4.0,
    "save": 0.1,
    "checkpoint_bytes": 1000,
}
WORK = {
    "seconds": 8.0,
    "examples_seen": 1,
    "examples_forward": 1,
    "examples_with_gradients": 1,
    "flops": 1,
}
SCORING = {"embedded": 0, "embedded_files": 0, "checkpoints": 0, "values": 0, "checking": 1.0}
TRAINING = {
    **FIT,
    "shares": [],
    "every": 1.0,
    "model_bytes": 50_000,
}


@pytest.fixture
def measured(monkeypatch):
    """A list of the kind of each measurement and its number of processes."""
    calls = []

    def run_each(function, arguments, jobs, threads, description):
        kind = function.rpartition("_")[2]
        calls.append((kind, jobs))
        assert len(arguments) == jobs
        if kind == "training":
            return [{**SIZES, **TRAINING}] * jobs
        seeds = arguments[0]["seeds"]
        return [[{**SIZES, **SCORING, "works": [WORK] * len(part)} for part in seeds]] * jobs

    for module in (scoring, sweep):
        monkeypatch.setattr(module, "run_each", run_each)
    return calls


def config(**options):
    grid = SweepConfig(methods=["el2n"], keep_fractions=[0.5], **options)
    probe = ProbeConfig(epochs=2, seeds=16, jobs=16, threads=1)
    data = DatasetConfig("digits", fraction=0.2)
    return Config(data, model=ModelConfig("mlp"), probe=probe, scores=["el2n"], sweep=grid)


def swept(**options):
    return SweepPlan.from_config(config(threads=1, **options))


def test_all_data_fractions_are_counted_before(measured, tmp_path, monkeypatch):
    plan = swept(jobs=8, seeds=4, data_fractions=[1.0, 0.5])
    static_counts = sweep.planned.static_counts

    def counts(plan, training):
        runs = static_counts(plan, training)
        if len(training.data.train) < 1437:
            return runs
        # One run is left of the whole data
        done = [dataclasses.replace(run, is_finished=True) for run in runs[1:]]
        return runs[:1] + done

    monkeypatch.setattr(sweep.planned, "static_counts", counts)
    forecast = sweep.forecast_sweep(plan, tmp_path / "out")
    unfinished = sum(row.number for row in forecast.rows if row.what != "probes")
    assert unfinished > 8
    assert measured == [("scoring", 16), ("training", 8)]
    assert forecast.memories[-1].jobs == 8


def test_a_cluster_is_measured_by_one_process(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison_sweep, "require_ray", lambda: None)
    here = sweep.forecast_sweep(swept(jobs=16, seeds=16), tmp_path / "out")
    assert measured == [("scoring", 16), ("training", 16)]
    assert here.notes == []
    measured.clear()
    there = sweep.forecast_sweep(swept(jobs=16, seeds=16, backend="ray"), tmp_path / "out")
    assert measured == [("scoring", 1), ("training", 1)]
    assert [memory.together for memory in there.memories] == [GIB, GIB]
    assert [note[:4] for note in there.notes] == ["Ray:"]
    # As many at a time, but each in a process of its own
    runs = sum(row.number for row in there.rows if row.what != "probes")
    rounds = -(-runs // 16)
    assert there.seconds == pytest.approx(here.seconds + 5 * rounds - 5)


def test_the_plan_of_several_tasks_says_whose_it_is(measured, tmp_path):
    plan = ScoringPlan.from_config(config(), tasks=Tasks(1, 4))
    (note,) = scoring.forecast_scoring([plan], [tmp_path]).notes
    assert note.startswith("Tasks: the plan is that of the work of all 4 tasks")


def test_finished_parts_are_mentioned(measured, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"model")
    plan = ScoringPlan.from_config(config(), [path], Tasks(0, 3))
    assert len(scoring.forecast_scoring([plan], [tmp_path]).notes) == 1
    files = PartFiles(tmp_path / "probes", plan.recipe)
    files.write("shard-0-of-3", np.array(["a"]), {"el2n": np.ones(1)}, {})
    note = scoring.forecast_scoring([plan], [tmp_path]).notes[-1]
    assert note == "Finished parts of the scoring: 1. The plan does not take off their work."
