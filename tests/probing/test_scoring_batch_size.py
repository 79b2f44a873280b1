"""The batch size of the scoring passes, a key of the config."""

import collections
import sys

import numpy as np
import pytest

from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, TrainingConfig
from keras_pruning.examples import Examples
from keras_pruning.models import loading
from keras_pruning.probing import work
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import completed, differing

pytestmark = pytest.mark.filterwarnings("ignore:The score .* is the same for all examples")

SCORES = ["el2n", "aum", "vog", "prediction_depth", "prototype"]


def config(fraction=1.0, size=256):
    return Config(
        dataset=DatasetConfig(fraction=0.1),
        model=ModelConfig("mlp", 8),
        probe=ProbeConfig(epochs=2, fraction=fraction, scoring_batch_size=size),
        scores=SCORES,
        training=TrainingConfig(epochs=2, batch_size=32, learning_rate=0.02),
    )


@pytest.fixture
def sizes(monkeypatch):
    """For each module that passes over examples in order, the sizes of its batches."""
    noted, batches = collections.defaultdict(set), Examples.scoring_batches

    def scoring_batches(examples, batch_size):
        module = sys._getframe(1).f_globals["__name__"].rpartition(".")[2]
        # Checks before the run embed one example
        if (module, batch_size) != ("layers", 1):
            noted[module].add(batch_size)
        return batches(examples, batch_size)

    monkeypatch.setattr(Examples, "scoring_batches", scoring_batches)
    return noted


def score(fraction, size):
    scored = work.score_with_probe(ScoringPlan.from_config(config(fraction, size)), 0)[1][0]
    return scored if fraction == 1 else scored.table


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [1.0, 0.7])
def test_every_pass_of_a_probe_has_the_batch_size(fraction, sizes):
    small = score(fraction, 37)
    for module in ("passes", "layers", "accuracy_guard"):
        assert sizes[module] == {37}
    sizes.clear()
    whole = score(fraction, 256)
    assert sizes["passes"] == sizes["layers"] == {256}
    for name in ("el2n", "aum", "vog", "prototype"):
        np.testing.assert_allclose(small[name], whole[name], 1e-3, 1e-4)


def test_every_pass_of_checkpoints_has_it(sizes, tmp_path):
    examples = ScoringPlan.from_config(config()).data.all
    paths = [tmp_path / "1.keras", tmp_path / "2.keras"]
    for path in paths:
        loading.build("mlp", examples.spec, examples.num_classes, width=8).save(path)
    work.score_with_checkpoints(ScoringPlan.from_config(config(0.7, 37), paths))
    assert sizes["passes"] == sizes["layers"] == {37}


@pytest.mark.parametrize(("size", "taken"), [(1, 32), (100, 100), (1000, 256)])
def test_the_guard_takes_batches_that_it_can_compare(size, taken, sizes):
    score(1, size)
    assert (sizes["passes"], sizes["accuracy_guard"]) == ({size}, {taken})


def test_the_batch_size_is_part_of_the_recipe(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"any")
    for checkpoints in (None, [path]):
        plans = [ScoringPlan.from_config(config(size=size), checkpoints) for size in (256, 128)]
        first, second = (plan.recipe for plan in plans)
        assert differing(first, second) == ["probe.scoring_batch_size"]
    assert completed({"epochs": 2}, "probe")["scoring_batch_size"] == 256
