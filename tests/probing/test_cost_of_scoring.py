"""The cost of scoring, as `compare` reports it."""

import numpy as np
import pytest
from support.fake_runs import write_run

import keras_pruning as kp
from keras_pruning.comparison.report import cost_lines
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.storage import write_json


def write_scores(folder, cost):
    examples = kp.Examples.from_arrays(np.zeros((2, 3), "float32"), np.array([0, 1]))
    table = kp.ScoreTable(
        examples.ids, examples.labels, {"el2n": [1, 2]}, metadata={"examples": examples.provenance}
    )
    table.save(folder / "scores.parquet")
    write_json(folder / "scoring.json", cost)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (
            {"seconds": 9.0, "probes": [{"seconds": 4.0}, {"seconds": 3.0}]},
            "Scoring took 7.0 s of training and scoring probes, 3.5 times a training run",
        ),
        (
            {"seconds": 5.0, "probes": []},
            "Scoring took 5.0 s with checkpoints, without their training, 2.5 times a",
        ),
    ],
)
def test_the_cost_counts_the_scores_that_pruned(cost, said, tmp_path):
    """The doctor's scores, which are of wrong labels, do not count."""
    write_run(tmp_path, 0.9)
    write_scores(tmp_path, cost)
    write_scores(tmp_path / "doctor" / "noise-0.10", {"seconds": 99.0, "probes": []})
    (line,) = cost_lines(tmp_path, compare(find_runs(tmp_path)))
    assert line.startswith(said)
