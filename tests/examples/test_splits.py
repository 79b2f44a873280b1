"""The splits of a data set: loaded and hashed once a process, and not part of a pickle."""

import dataclasses
import pickle

import numpy as np
import pytest
from support import in_process

from keras_pruning import InputError
from keras_pruning.comparison.sweep import SweepPlan, sweep
from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, SweepConfig
from keras_pruning.examples.inputs import Inputs
from keras_pruning.examples.sources import SOURCES
from keras_pruning.examples.splits import Splits
from keras_pruning.probing import probes, scoring
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.training import run as training_run

CONFIG = Config(
    dataset=DatasetConfig(fraction=0.1),
    model=ModelConfig("mlp", 4),
    probe=ProbeConfig(epochs=1),
    scores=["loss"],
    sweep=SweepConfig([{"policy": "random"}], [1.0], [0.05, 0.1], seeds=1),
)


@pytest.fixture
def counts(monkeypatch):
    """How often this process loads each split and hashes its inputs, children not counted."""
    counts = {"train": 0, "test": 0, "hashed": 0, "in a child": False}
    digits, digest = SOURCES["digits"], Inputs.digest.func

    def count(name):
        counts[name] += not counts["in a child"]

    def load(location, split, *rest):
        count(split)
        return digits.load(location, split, *rest)

    def hash_inputs(inputs):
        if "hash" not in inputs.__dict__:
            count("hashed")
            inputs.__dict__["hash"] = digest(inputs)
        return inputs.__dict__["hash"]

    def run_each(function, calls, *rest, **options):
        counts["in a child"] = True
        results = in_process.run_each(function, pickle.loads(pickle.dumps(calls)), *rest)
        counts["in a child"] = False
        return results

    monkeypatch.setitem(SOURCES, "digits", dataclasses.replace(digits, load=load))
    monkeypatch.setattr(Inputs, "digest", property(hash_inputs))
    for module in (scoring, probes, training_run):
        monkeypatch.setattr(module, "run_each", run_each)
    return counts


@pytest.mark.slow
def test_a_sweep_loads_and_hashes_each_split_once(counts, tmp_path):
    """The sweep has two data fractions, so that four results depend on the same inputs."""
    found, _ = sweep(SweepPlan.from_config(CONFIG), tmp_path / "out")
    assert {row.data_fraction for row in found.rows} == {0.05, 0.1}
    assert counts == {"train": 1, "test": 1, "hashed": 2, "in a child": False}


def test_a_plan_loads_nothing_before_it_is_asked(counts):
    plan = SweepPlan.from_config(CONFIG)
    assert counts["train"] == counts["test"] == counts["hashed"] == 0
    _, training = plan.parts[0]
    assert training.recipe == training.recipe
    assert counts == {"train": 1, "test": 1, "hashed": 2, "in a child": False}


def test_a_pickle_of_splits_leaves_the_examples_out():
    splits = Splits("digits", fraction=0.5, seed=3, label_noise=0.1)
    empty = pickle.dumps(splits)
    assert len(splits.train) > len(splits.test) == 360
    assert pickle.dumps(splits) == empty
    again = pickle.loads(empty)
    assert again.train is not splits.train
    assert again.train.provenance == splits.train.provenance
    assert again.test.provenance == splits.test.provenance


def test_a_pickle_of_a_plan_leaves_the_examples_out():
    plan = ScoringPlan.from_config(dataclasses.replace(CONFIG, probe=ProbeConfig(fraction=0.5)))
    empty = len(pickle.dumps(plan))
    assert len(plan.data.scored) == 72
    assert len(pickle.dumps(plan)) == empty < 4000


def test_changed_splits_share_the_loaded_examples(counts):
    splits = Splits("digits")
    assert len(splits.train) == 1437
    assert len(splits.with_fraction(0.1).train) == 144
    noisy = splits.with_fraction(0.1).with_label_noise(0.5)
    assert (noisy.train.labels != splits.with_fraction(0.1).train.labels).sum() == 72
    assert noisy.label_noise == 0.5
    assert counts["train"] == 1


def test_options_go_to_the_source():
    with pytest.raises(InputError, match="Invalid `image_size`. Expected none"):
        Splits("digits", image_size=8).train  # noqa: B018


def test_children_do_not_repeat_warnings(tmp_path):
    y = [0] * 200 + [1] * 2
    x = np.zeros((202, 1), "float32")
    np.savez(tmp_path / "rare.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    splits = Splits(f"npz:{tmp_path / 'rare.npz'}", fraction=0.2)
    with pytest.warns(UserWarning, match="none of the class '1'"):
        assert len(splits.train) == 40
    with pytest.warns(UserWarning, match="none of the class '1'"):
        assert len(splits.with_fraction(0.1).train) == 20
    # The test suite turns warnings into errors.
    assert len(pickle.loads(pickle.dumps(splits)).train) == 40


def test_a_process_loads_the_data_of_equal_pickles_once():
    pickles = [pickle.dumps(Splits("digits", fraction=fraction)) for fraction in (0.5, 0.2)]
    half, fifth = map(pickle.loads, pickles)
    assert len(half.train) > len(fifth.train)
    assert half._whole["train"] is fifth._whole["train"]
    other = pickle.loads(pickle.dumps(Splits("npz:missing.npz")))
    with pytest.raises(InputError):
        other.train  # noqa: B018
