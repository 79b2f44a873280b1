"""The command line from end to end, and the files it leaves."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning import cli
from keras_pruning.models import loading

ROOT = Path(__file__).parents[2]


def test_help_is_fast_and_does_without_tensorflow():
    command = [sys.executable, "-X", "importtime", "cli.py", "--help"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}
    assert "jsonargparse" in imported
    assert not imported & {"tensorflow", "keras", "sklearn", "scipy", "pyarrow", "tensorboard"}
    for command in cli.COMMANDS:
        assert f"\n    {command} " in finished.stdout


def test_only_the_command_that_is_called_gets_options():
    commands = cli.make_parser(["prune", "--keep-fraction", "0.5"]).commands
    assert "--keep-fraction" in commands.pop("prune")._option_string_actions
    assert all(set(other._option_string_actions) == {"-h", "--help"} for other in commands.values())


def test_score_writes_the_table_of_the_contract(scores):
    columns = pq.read_table(scores).column_names
    assert columns == ["id", "label", "el2n", "vog", "prediction_depth", "el2n_se"]
    table = kp.ScoreTable.load(scores)
    examples = kp.load_examples("digits", fraction=0.2)
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.labels, examples.labels)
    assert table.metadata["examples"] == examples.provenance
    recipe = table.metadata["recipe"]
    part = {"fraction": 1.0, "part_seed": None, "neighbours": None, "scoring_batch_size": 256}
    assert recipe["probe"] == {"epochs": 4, **part}
    vog, depth = {"name": "vog", "every": 2}, {"name": "prediction_depth", "k": 5}
    expected = {"0": [{"name": "el2n"}, vog, depth], "1": [{"name": "el2n"}]}
    assert recipe["scores_of_each_seed"] == expected
    assert recipe["threads"] == max(1, os.cpu_count() // 2)
    assert recipe["versions"]["keras_pruning"] == kp.__version__
    with open(scores.with_suffix(".csv")) as file:
        assert [row["id"] for row in csv.DictReader(file)] == table.ids.tolist()
    costs = json.loads((scores.parent / "scoring.json").read_text())
    # The second probe is needed for EL2N alone, which is due after one of the four epochs.
    assert [probe["examples_seen"] for probe in costs["probes"]] == [4 * 287, 287]


@pytest.mark.slow
def test_the_same_config_gives_the_same_bits(workplace, scores):
    again = workplace / "again"
    assert run("score", "--config", workplace / "small.yaml", "--output", again) == 0
    assert (again / "scores.parquet").read_bytes() == scores.read_bytes()


def test_the_probes_of_an_ensemble_differ(scores):
    table = kp.ScoreTable.load(scores)
    assert (table.standard_errors["el2n"] > 0).mean() > 0.99


def test_scores_of_the_same_recipe_are_reused(workplace, scores, capsys, caplog):
    before = scores.stat().st_mtime_ns
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("score", "--config", workplace / "small.yaml", "--output", scores.parent) == 0
    assert scores.stat().st_mtime_ns == before
    assert "Reused" in caplog.text


def test_prune_and_train(workplace, scores, capsys):
    subset = workplace / "el2n-0.50.parquet"
    arguments = ["--by", "el2n", "--keep-fraction", 0.5, "--quota", "balanced", "--output", subset]
    assert run("prune", "--scores", scores, *arguments) == 0
    assert "Kept 144 of 287 examples." in capsys.readouterr().out
    kept = kp.Subset.load(subset)
    assert len(kept) == 144
    before = subset.stat().st_mtime_ns
    assert run("prune", "--scores", scores, *arguments) == 0
    assert "Reused" in capsys.readouterr().out
    assert run("prune", "--scores", scores, *arguments, "--seed", 1) == 2
    assert "selection.seed: recorded 0, requested 1" in capsys.readouterr().err
    assert subset.stat().st_mtime_ns == before
    config, output = workplace / "small.yaml", workplace / "trained"
    arguments = ["--config", config, "--subset", subset, "--seed", 3, "--output", output]
    assert run("train", *arguments) == 0
    assert "Test accuracy" in capsys.readouterr().out
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["examples_kept"] == 144 == sum(metrics["class_examples"])
    assert metrics["seed"] == 3
    assert metrics["steps"] == 2 * 9  # as many as 287 examples take in batches of 32
    assert metrics["examples_seen"] == 3 * 144 + 3 * 32
    assert metrics["config"]["training"]["epochs"] == 2
    assert metrics["selection"]["by"] == "el2n"
    assert len(metrics["class_accuracy"]) == 10
    assert {"test_loss", "seconds"} <= metrics.keys()
    assert metrics["flops"] > 3 * 2 * 64 * 8 * metrics["examples_seen"]
    assert metrics["selecting_seconds"] is None
    assert list(output.glob("events.out.tfevents.*"))
    model = loading.load(output / "model.keras")
    test = kp.load_examples("digits", "test")
    predicted = model.predict(test.stored_inputs(np.arange(len(test))), verbose=0).argmax(axis=1)
    assert (predicted == test.labels).mean() == pytest.approx(metrics["test_accuracy"])
    assert run("train", *arguments) == 0
    assert "Reused" in capsys.readouterr().out
    assert run("train", *arguments[:-3], 4, "--output", output) == 2
    assert "seed: recorded 3, requested 4" in capsys.readouterr().err


@pytest.mark.slow
def test_sweep_compares_with_random_and_the_full_data(workplace, capsys, caplog):
    output = workplace / "swept"
    arguments = ["--config", workplace / "small.yaml", "--output", output]
    arguments += ["--sweep.keep_fractions", "[0.5, 1.0]"]
    assert run("sweep", *arguments) == 0
    shown = capsys.readouterr().out
    folders = {str(path.parent.relative_to(output)) for path in output.rglob("metrics.json")}
    methods = ["random", "random-balanced", "el2n-hardest", "vog-easiest-balanced"]
    expected = {f"full/keep-1.00/seed-{seed}" for seed in (0, 1)}
    expected |= {f"{method}/keep-0.50/seed-{seed}" for method in methods for seed in (0, 1)}
    assert folders == expected
    for method in ["full", *methods]:
        assert f" {method} " in shown
    assert f"--logdir {output}" in shown
    assert "Scoring, with the training of 2 probes: " in shown
    with open(output / "comparison" / "comparison.csv") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    accuracies = [
        json.loads((output / f"random/keep-0.50/seed-{seed}/metrics.json").read_text())[
            "test_accuracy"
        ]
        for seed in (0, 1)
    ]
    assert float(rows["random"]["accuracy"]) == pytest.approx(np.mean(accuracies))
    assert rows["full"]["difference"] == ""
    against = {"el2n-hardest": "random", "vog-easiest-balanced": "random-balanced"}
    for method, baseline in against.items():
        difference = float(rows[method]["accuracy"]) - float(rows[baseline]["accuracy"])
        assert float(rows[method]["difference"]) == pytest.approx(difference)
    subsets = [
        kp.Subset.load(output / f"random/keep-0.50/seed-{seed}/subset.parquet") for seed in (0, 1)
    ]
    assert (subsets[0].mask != subsets[1].mask).any()
    before = {path: path.stat().st_mtime_ns for path in output.rglob("metrics.json")}
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("sweep", *arguments) == 0
        assert run("compare", "--runs", output) == 0
    assert "Reused 10 finished runs" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert run("sweep", *arguments, "--training.epochs", 3) == 2
    assert "training.epochs: recorded 2, requested 3" in capsys.readouterr().err
