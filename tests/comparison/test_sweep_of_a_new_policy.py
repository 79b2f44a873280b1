"""A sweep over a policy that nobody but its registry knows."""

import csv
import json

import numpy as np
import pytest
from support.fake_runs import pretend_to_train
from support.new_policies import OPTIONS, Floor, Outer, table
from support.small import run

import keras_pruning as kp
from keras_pruning.comparison import sweep
from keras_pruning.selection import POLICIES, QUOTAS
from keras_pruning.selection.policies import BASELINE


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(POLICIES, "outer", Outer)
    monkeypatch.setitem(QUOTAS, "floor", Floor)


@pytest.fixture
def file(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(144, 5)).astype("float32")
    np.save(tmp_path / "vectors.npy", vectors)
    return tmp_path / "vectors.npy"


CONFIG = """
dataset: {{name: digits, fraction: 0.1}}
model: {{name: mlp}}
scores: [el2n, confidence]
sweep:
  methods:
    - el2n
    - {{by: el2n, policy: {{name: outer, weight: 2}}, embedding: {file}}}
    - {{by: el2n, policy: {{name: outer, weight: 3}}, embedding: {file}}}
    - {{by: el2n, policy: outer, quota: {{name: floor, least: 2}}, embedding: {file}}}
  keep_fractions: [0.5]
  seeds: 2
  baseline_seeds: 2
"""


@pytest.fixture
def swept(tmp_path, monkeypatch):
    """A folder for a sweep whose scores and training runs are made up."""
    monkeypatch.setattr(sweep, "score", lambda plan, folder: table(plan.data.all))
    monkeypatch.setattr(sweep, "run_all", pretend_to_train)
    return tmp_path / "swept"


def test_a_new_policy_in_a_sweep(swept, file, tmp_path, capsys):
    (tmp_path / "sweep.yaml").write_text(CONFIG.format(file=file))
    assert run("sweep", "--config", tmp_path / "sweep.yaml", "--output", swept) == 0
    shown = capsys.readouterr().out
    with open(swept / "comparison" / "comparison.csv") as opened:
        rows = {row["method"]: row for row in csv.DictReader(opened)}
    assert list(rows) == [
        "full",
        BASELINE,
        "random-floor-least=2",
        "el2n-hardest",
        "el2n-outer-floor-least=2",
        "el2n-outer-weight=2",
        "el2n-outer-weight=3",
    ]
    for method in rows:
        assert f" {method} " in shown
        assert (swept / method).is_dir()
    assert float(rows["el2n-outer-weight=2"]["difference"]) == pytest.approx(0.2)
    # A method under a quota is compared with the baseline under the same quota and options.
    assert float(rows["el2n-outer-floor-least=2"]["difference"]) == pytest.approx(0.15)
    assert run("sweep", "--config", tmp_path / "sweep.yaml", "--output", swept) == 0


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("[{by: el2n, policy: outer}]", "'outer' needs an embedding"),
        ("[{policy: outer}]", "not taken. Expected `by` among `scores`"),
        ("[{by: el2n, policy: {name: outer, wait: 1}}]", "Invalid options of the policy 'outer'"),
        ("[{by: el2n, policy: outer, embedding: no.npy}]", "Missing embedding file"),
        ("[{by: el2n, policy: outer, embedding: 3}]", "Invalid `embedding`"),
        ("[el2n, {by: el2n, policy: {name: hardest}}]", "Expected each once"),
    ],
)
def test_a_sweep_checks_needs_before_anything_is_scored(
    methods, message, swept, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(sweep, "score", None)
    (tmp_path / "sweep.yaml").write_text(CONFIG.format(file="x.npy"))
    arguments = ["--config", tmp_path / "sweep.yaml", "--output", swept]
    try:
        code = run("sweep", *arguments, "--sweep.methods", methods)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_a_sweep_checks_fractions_before_anything_is_scored(swept, file, tmp_path, capsys):
    (tmp_path / "sweep.yaml").write_text(CONFIG.format(file=file))
    arguments = ["--config", tmp_path / "sweep.yaml", "--output", swept]
    assert run("sweep", *arguments, "--sweep.keep_fractions", "[0.95]") == 2
    assert "Expected at most 0.9" in capsys.readouterr().err
    assert not swept.exists()


def test_an_embedding_of_the_whole_source_serves_every_part(swept, tmp_path):
    whole = kp.load_examples("digits")
    vectors = np.random.default_rng(1).normal(size=(len(whole), 5)).astype("float32")
    np.save(tmp_path / "whole.npy", vectors)
    (tmp_path / "sweep.yaml").write_text(CONFIG.format(file=tmp_path / "whole.npy"))
    assert run("sweep", "--config", tmp_path / "sweep.yaml", "--output", swept) == 0
    part = kp.load_examples("digits", fraction=0.1)
    expected = kp.select(
        table(part), "el2n", 0.5, OPTIONS, seed=1, embedding=vectors[part.stored_rows]
    )
    metrics = swept / "el2n-outer-weight=2" / "keep-0.50" / "seed-1" / "metrics.json"
    assert json.loads(metrics.read_text())["selection"] == expected.selection
