"""A sweep with the policy `auto`: one pilot for each fraction, reused by the next call."""

import csv

import pytest
from support.fake_runs import pretend_to_train
from support.in_process import run_each
from support.new_policies import table
from support.small import run

from keras_pruning.comparison import sweep
from keras_pruning.pilot import plan
from keras_pruning.storage import read_json

CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
scores: [el2n, confidence]
training: {epochs: 1}
sweep:
  methods: [el2n, {by: el2n, policy: {name: auto, seeds: 2}}]
  keep_fractions: [1.0, 0.5, 0.3]
  seeds: 2
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The policy .* keeps no example")
def test_a_pilot_for_each_fraction(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.setattr(sweep, "score", lambda plan, folder: table(plan.data.all))
    monkeypatch.setattr(sweep, "run_all", pretend_to_train)
    monkeypatch.setattr(plan, "run_each", run_each)
    (tmp_path / "c.yaml").write_text(CONFIG)
    arguments = ["--config", tmp_path / "c.yaml", "--output", tmp_path / "out"]
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("sweep", *arguments) == 0
    assert caplog.text.count("Pilot for el2n at keep fraction") == 2
    shown = capsys.readouterr().out
    with open(tmp_path / "out" / "comparison" / "comparison.csv") as file:
        rows = [row["method"] for row in csv.DictReader(file)]
    assert rows == ["full", *["random", "el2n-auto-seeds=2", "el2n-hardest"] * 2]
    for fraction in ("0.50", "0.30"):
        folder = tmp_path / "out" / "el2n-auto-seeds=2" / f"keep-{fraction}"
        record = read_json(folder / "pilot.json")
        assert record["seeds"] == [0, 1]
        assert f"Pilot of el2n-auto-seeds=2 at {100 * float(fraction):g} %: " in shown
        # Two splits, on each of which five models see half of 115 examples once and 29 others.
        assert record["cost"]["examples_forward"] == 2 * 5 * 29
        assert record["cost"]["flops"] > 0
        for seed in (0, 1):
            selection = read_json(folder / f"seed-{seed}" / "metrics.json")["selection"]
            assert (selection["policy"], selection["seed"]) == (record["policy"], seed)
            assert selection["auto"] == record
    # Nothing is trained again, and a pilot of another recipe stops the command.
    monkeypatch.setattr(plan, "run_each", lambda *_: pytest.fail("the pilot ran again"))
    assert run("sweep", *arguments) == 0
    assert "incomplete" not in caplog.text
    assert run("sweep", *arguments, "--model.width", 9) == 2
    assert "pilot.json holds the result of another recipe" in capsys.readouterr().err
