"""Wrong labels on purpose: how many, which classes, and that everything else stays."""

import numpy as np
import pytest
from support.fake_runs import write_run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.comparison.runs import find_runs
from keras_pruning.config import DatasetConfig
from keras_pruning.examples.label_noise import symmetric_noise
from keras_pruning.examples.splits import Splits
from keras_pruning.storage import write_json


def changed(labels, *arguments):
    noisy = symmetric_noise(labels, *arguments)
    return np.flatnonzero(noisy != labels), noisy


@pytest.mark.parametrize(
    ("fraction", "examples", "count"),
    [(0.1, 50, 5), (0.145, 100, 15), (0.5, 5, 3), (0.3, 1, 0), (0.99, 100, 99), (0.0, 7, 0)],
)
def test_exactly_round_half_up_labels_become_wrong(fraction, examples, count):
    labels = np.arange(examples) % 4
    if fraction and not count:
        with pytest.raises(InputError, match="at least one label of 1. Received: label_noise=0.3"):
            symmetric_noise(labels, fraction, 0)
    else:
        assert len(changed(labels, fraction, 0)[0]) == count


def test_wrong_labels_are_uniform_over_the_other_classes():
    labels = np.repeat(np.arange(4), 5000)
    rows, noisy = changed(labels, 0.6, 3)
    pairs = np.zeros((4, 4), int)
    np.add.at(pairs, (labels[rows], noisy[rows]), 1)
    assert (np.diag(pairs) == 0).all()
    # 1,000 expected in each cell, 27 the standard deviation.
    assert (abs(pairs[~np.eye(4, dtype=bool)] - 1000) < 5 * 27).all()


def test_wrong_labels_are_drawn_over_all_examples():
    rows, _ = changed(np.repeat([0, 1], 5000), 0.5, 0)
    assert abs(np.sum(rows < 5000) - 2500) < 5 * 25


def test_the_same_seed_changes_the_same_labels():
    labels = np.arange(100) % 5
    first = symmetric_noise(labels, 0.2, 1)
    np.testing.assert_array_equal(first, symmetric_noise(labels.copy(), 0.2, 1))
    assert (first != symmetric_noise(labels, 0.2, 2)).any()
    np.testing.assert_array_equal(labels, np.arange(100) % 5)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, np.nan, True, None])
def test_refuses_a_fraction(fraction):
    with pytest.raises(InputError, match=r"Invalid `label_noise`. Expected a float in \[0, 1\)"):
        symmetric_noise([0, 1], fraction, 0)
    with pytest.raises(InputError, match=r"Invalid `dataset.label_noise`. Expected a float"):
        DatasetConfig(label_noise=fraction)


def test_a_class_without_examples_gets_no_wrong_labels():
    labels = np.array([1, 2, 5] * 100)
    rows, noisy = changed(labels, 0.5, 0)
    assert len(rows) == 150
    assert set(noisy) == {1, 2, 5}
    # The same steps as with classes that are numbered without gaps.
    numbers = np.searchsorted([1, 2, 5], labels)
    np.testing.assert_array_equal(noisy, np.array([1, 2, 5])[symmetric_noise(numbers, 0.5, 0)])


def test_wrong_labels_stay_those_of_version_0_2():
    labels = np.arange(12) % 4
    assert symmetric_noise(labels, 0.5, 7).tolist() == [0, 0, 0, 3, 0, 1, 3, 0, 2, 1, 2, 2]


def test_refuses_one_class_and_a_bad_seed():
    with pytest.raises(InputError, match="at least 2 classes. Received: 1"):
        symmetric_noise([0, 0], 0.5, 0)
    with pytest.raises(InputError, match="Invalid `seed`"):
        symmetric_noise([0, 1], 0.5, -1)


def test_only_labels_change():
    clean = kp.load_examples("digits", fraction=0.2, seed=3)
    noisy = kp.load_examples("digits", fraction=0.2, seed=3, label_noise=0.1)
    np.testing.assert_array_equal(noisy.ids, clean.ids)
    assert np.sum(noisy.labels != clean.labels) == 29
    np.testing.assert_array_equal(noisy.labels, clean.with_label_noise(0.1, seed=3).labels)
    rows = np.arange(len(clean))
    np.testing.assert_array_equal(noisy.stored_inputs(rows), clean.stored_inputs(rows))
    _, y = next(iter(noisy.batches(len(noisy))))
    np.testing.assert_array_equal(y, noisy.labels)
    assert noisy.class_names == clean.class_names
    again = kp.load_examples("digits", fraction=0.2, seed=3)
    np.testing.assert_array_equal(clean.labels, again.labels)


def test_provenance_names_the_noise():
    clean = kp.load_examples("digits", fraction=0.2)
    assert (clean.provenance["label_noise"], clean.provenance["label_noise_seed"]) == (0.0, 0)
    assert clean.fingerprint  # and not handed on to the copy
    noisy = clean.with_label_noise(0.1, seed=5)
    assert noisy.provenance.keys() == clean.provenance.keys()
    assert (noisy.provenance["label_noise"], noisy.provenance["label_noise_seed"]) == (0.1, 5)
    assert noisy.draw(0.5, seed=7).provenance["label_noise_seed"] == 5
    assert noisy.fingerprint != clean.fingerprint
    assert clean.with_label_noise(0.0, seed=5) is clean


def test_noise_is_planted_once():
    noisy = kp.load_examples("digits", fraction=0.2, label_noise=0.1)
    with pytest.raises(InputError, match="only once.*Received: .*label_noise=0.1"):
        noisy.with_label_noise(0.1)
    assert noisy.draw(0.5).label_noise == 0.1


def test_test_labels_stay():
    clean = kp.load_examples("digits", "test")
    assert kp.load_examples("digits", "test", label_noise=0.3).fingerprint == clean.fingerprint
    splits = Splits("digits", label_noise=0.3)
    assert splits.train.label_noise == 0.3
    assert splits.test.provenance == clean.provenance
    with pytest.raises(InputError, match="Invalid `label_noise`"):
        kp.load_examples("digits", "test", label_noise=2)


def test_subsets_of_noisy_and_clean_labels_do_not_mix():
    clean = kp.load_examples("digits", fraction=0.2)
    noisy = kp.load_examples("digits", fraction=0.2, label_noise=0.1)
    for examples, other, said in (
        (clean, noisy, "label_noise=0.0.*label_noise=0.1"),
        (noisy, clean, "label_noise=0.1.*label_noise=0.0"),
    ):
        mask = np.ones(len(other), bool)
        subset = kp.Subset(other.ids, other.labels, mask, {"examples": other.provenance})
        with pytest.raises(InputError, match=f"other examples. Expected {said} in the subset"):
            examples.keep(subset)
        subset = kp.Subset(examples.ids, examples.labels, mask, {"examples": examples.provenance})
        assert len(examples.keep(subset)) == len(examples)


def test_runs_on_noisy_and_clean_labels_are_not_compared(tmp_path):
    write_run(tmp_path, 0.9)
    metrics = write_run(tmp_path, 0.8, seed=1)
    assert len(find_runs(tmp_path)) == 2
    for noise in (0.0, 0.1):
        metrics["config"]["dataset"]["label_noise"] = noise
        (path,) = tmp_path.rglob("seed-1/metrics.json")
        write_json(path, metrics)
        if noise:
            with pytest.raises(InputError, match="different recipes.*same dataset.label_noise"):
                find_runs(tmp_path)
        else:
            assert len(find_runs(tmp_path)) == 2
