"""The option `--plan` of `score` and `sweep`: its output, its exit code and what it leaves."""

import pytest
from support.small import run

CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
probe: {epochs: 1, seeds: 1}
scores: [el2n]
training: {epochs: 1, batch_size: 32}
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 1}
"""


@pytest.mark.parametrize("command, kinds", [("score", 1), ("sweep", 4)])
def test_a_plan_is_printed_and_writes_nothing(command, kinds, tmp_path, monkeypatch, capsys):
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    options = ["--config", config, "--output", place / "out"]
    assert run(command, "--plan", *options) == 0
    shown = capsys.readouterr().out
    assert f"Plan of `{command}`" in shown
    work = ["probes", "full data", "random pruning", "methods"][:kinds]
    assert [shown.count(f"│ {kind} ") for kind in work] == [1] * kinds
    assert "Time: about " in shown
    assert list(place.iterdir()) == []
