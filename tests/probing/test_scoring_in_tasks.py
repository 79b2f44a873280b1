"""Scorings that several tasks share, here threads whose probes nobody trains."""

import contextlib
import dataclasses
import shutil
import threading
import time

import numpy as np
import pytest
from support.compared import leftovers
from support.killed_inside import plan_of, scored

from keras_pruning.config import Config, DatasetConfig
from keras_pruning.jobs import claims, tasks
from keras_pruning.jobs.tasks import Tasks
from keras_pruning.probing import probes, scoring
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.probing.probe_files import FOLDER


def write_part(plan, files, name):
    time.sleep(0.1)
    files.write(name, plan.data.all.ids, {"el2n": np.zeros(len(plan.data.all))}, {})


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """The seeds of the probes that were trained, and the parts that saved models have scored."""
    made = []

    def run_each(function, calls, *rest, **options):
        for call in calls:
            ready = (
                call(threading.Event()) if callable(call) else contextlib.nullcontext((call, None))
            )
            with ready as (arguments, _):
                if arguments is None:
                    yield None
                elif "check_scores" in function:
                    yield 3
                elif "keep_probe" in function:
                    made.append(arguments["seed"])
                    table = scored(arguments["plan"], arguments["seed"])
                    arguments["files"].write(arguments["seed"], table, {"seconds": 1})
                    yield None
                elif "part_names" in function:
                    yield ["shard-0-of-2", "shard-1-of-2", "together"]
                elif "score_part" in function:
                    made.append(arguments["name"])
                    write_part(**arguments)
                    yield None
                else:
                    made.append(arguments["names"])
                    yield scored(arguments["plan"], 0), [{"seconds": 1}]

    for module in (scoring, probes):
        monkeypatch.setattr(module, "run_each", run_each)
    monkeypatch.setattr(tasks, "_FIRST", 0.01)
    return made


def in_tasks(plan, output, number):
    """Scores in so many threads at once and returns their tables."""
    plan.recipe, plan.data.all, plan.data.scored  # noqa: B018
    tables = []

    def score(index):
        shared = dataclasses.replace(plan, tasks=Tasks(index, number))
        tables.append(scoring.score(shared, output))

    threads = [threading.Thread(target=score, args=[index]) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(tables) == number
    return tables


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_tasks_divide_the_probes(fraction, made, tmp_path):
    scoring.score(plan_of(fraction), tmp_path / "whole")
    made.clear()
    # Of a task elsewhere that was killed
    for name in (f"{FOLDER}/.seed-1.parquet", f"{FOLDER}/.seed-1.parquet.claim", ".scores.csv"):
        path = tmp_path / "out" / f"{name}.elsewhere-1-7-ab.partial"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    tables = in_tasks(plan_of(fraction), tmp_path / "out", 4)
    assert sorted(made) == [0, 1, 2]
    assert len({table.digest for table in tables}) == 1
    for name in ("scores.parquet", "scores.csv"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() == whole
    assert leftovers(tmp_path) == []


def test_a_task_that_waits_takes_the_scores_of_a_faster_one(made, tmp_path):
    """The faster one removes the probes, so that none seems to be finished."""
    scoring.score(plan_of(1.0), tmp_path / "whole")
    made.clear()
    claim = claims.take(tmp_path / "out" / FOLDER / "seed-1.parquet")

    def finish():
        while len(made) < 2:
            time.sleep(0.01)
        time.sleep(0.1)
        for name in ("scores.csv", "scoring.json", "scores.parquet"):
            shutil.copy(tmp_path / "whole" / name, tmp_path / "out" / name)
        for path in (tmp_path / "out" / FOLDER).glob("*.parquet"):
            path.unlink()
        claim.release()

    other = threading.Thread(target=finish)
    other.start()
    (table,) = in_tasks(plan_of(1.0), tmp_path / "out", 1)
    other.join()
    assert sorted(made) == [0, 2]
    assert table.names == ["el2n", "prediction_depth"]
    assert leftovers(tmp_path) == []


def test_tasks_divide_the_examples_of_saved_models(made, tmp_path):
    (tmp_path / "1.keras").write_text("a model")
    scores = ["el2n", "prediction_depth"]
    config = Config(dataset=DatasetConfig("digits", fraction=0.05), scores=scores)
    plan = ScoringPlan.from_config(config, [tmp_path / "1.keras"])
    tables = in_tasks(plan, tmp_path / "out", 3)
    *parts, merged = made
    assert sorted(parts) == merged == ["shard-0-of-2", "shard-1-of-2", "together"]
    assert len({table.digest for table in tables}) == 1
    assert leftovers(tmp_path) == []
