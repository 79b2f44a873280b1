import pytest
from support import small
from support.in_process import run_each

from keras_pruning.probing import probes, scoring


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Decoded images of a test stay with the test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KERAS_PRUNING_CACHE", str(folder))
    return folder


@pytest.fixture
def in_this_process(monkeypatch):
    """Probes train and checkpoints are scored in the process of the tests."""
    for module in (scoring, probes):
        monkeypatch.setattr(module, "run_each", run_each)


CONFIG = """
model: {name: mlp, width: 16}
probe: {epochs: 4, seeds: 2, jobs: 2}
scores: [el2n, {name: vog, every: 2, seeds: 1}, {name: prediction_depth, k: 5, seeds: 1}]
training: {epochs: 2, batch_size: 32}
sweep:
  methods: [el2n, {by: vog, policy: easiest, quota: balanced}]
  seeds: 2
  baseline_seeds: 2
  jobs: 2
dataset: {name: digits, fraction: 0.2}
"""


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A folder with a config and its scores."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "small.yaml").write_text(CONFIG)
    assert small.run("score", "--config", folder / "small.yaml", "--output", folder / "out") == 0
    return folder


@pytest.fixture
def scores(workplace):
    return workplace / "out" / "scores.parquet"
