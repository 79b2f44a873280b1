"""Checks of arguments: numbers of NumPy are taken, and come back as Python's."""

import inspect
import json
from fractions import Fraction

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import arguments
from keras_pruning.config import Config, DatasetConfig, ProbeConfig, SweepConfig, TrainingConfig
from keras_pruning.errors import InputError
from keras_pruning.scores import SCORES
from keras_pruning.selection import POLICIES, QUOTAS


def same(value, expected):
    """Whether two values are equal and of the same Python types."""
    return json.dumps(value) == json.dumps(expected)


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (lambda v: arguments.require_positive_integer("k", v), np.int64(3), 3),
        (lambda v: arguments.require_positive_integer("k", v), np.uint8(3), 3),
        (lambda v: arguments.require_positive_integer("k", v), None, None),
        (lambda v: arguments.require_positive("rate", v), np.float32(0.1), 0.1),
        (lambda v: arguments.require_positive("rate", v), Fraction(1, 4), 0.25),
        (lambda v: arguments.require_not_negative("decay", v), np.float16(0), 0.0),
        (lambda v: arguments.require_boolean("flag", v), np.bool_(True), True),
        (arguments.require_fraction, np.float32(0.145), 0.145),
        (arguments.require_fraction, np.int64(1), 1.0),
        (arguments.require_label_noise, np.float64(0.25), 0.25),
        (arguments.require_seed, np.int32(0), 0),
        (lambda v: arguments.require_seeds("seeds", v), np.int64(2), 2),
        (lambda v: arguments.require_seeds("seeds", v), np.arange(2), [0, 1]),
        (lambda v: arguments.require_seeds("seeds", v), [np.int64(7), 3], [7, 3]),
    ],
)
def test_numbers_of_numpy_come_back_as_python_numbers(check, value, expected):
    assert same(check(value), expected)


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (
            lambda v: arguments.require_positive_integer("k", v),
            [0, True, np.bool_(True), 2.0, "3", [3]],
        ),
        (lambda v: arguments.require_positive("k", v), [0, -1.0, float("nan"), float("inf"), "3"]),
        (lambda v: arguments.require_not_negative("k", v), [-1, float("nan"), None, "3"]),
        (lambda v: arguments.require_boolean("k", v), [0, 1, None, "true", np.int64(1)]),
        (lambda v: arguments.require_fraction(v, "k"), [0, 1.5, True, "0.5", None, [0.5]]),
        (lambda v: arguments.require_label_noise(v, "k"), [1, -0.1, False, "0"]),
        (lambda v: arguments.require_seed(v, "k"), [-1, 1.0, True, None, "0", np.arange(2)]),
        (lambda v: arguments.require_seeds("k", v), [0, [], [1, 1], [True], [-1], "2", [[1]]]),
        (lambda v: arguments.require_one_of("k", v, ("a", "b")), ["c", None, 1, ["a"], ("a",)]),
    ],
)
def test_refuses_other_values_with_the_name(check, values):
    for value in values:
        with pytest.raises(InputError, match="Invalid `k`. Expected .* Received: k="):
            check(value)


ENTRIES = {**SCORES, **POLICIES, **QUOTAS}


@pytest.mark.parametrize("name", ENTRIES)
def test_options_of_entries_may_be_numbers_of_numpy(name):
    """Every option that takes a number, a boolean or numbers, of every score, policy and quota."""
    taken = 0
    for option in inspect.signature(ENTRIES[name]).parameters:
        for value in (3, 0.5, True, [0.5]):
            try:
                expected = ENTRIES[name](**{option: value}).get_config()
            except InputError:
                continue
            values = list(np.array(value)) if isinstance(value, list) else np.array([value])[0]
            config = ENTRIES[name](**{option: values}).get_config()
            assert same(config, expected), option
            taken += 1
    assert taken or not inspect.signature(ENTRIES[name]).parameters


def test_options_of_an_own_entry_are_json():
    class Own(kp.selection.Policy):
        name = "own"

        def __init__(self, share, names):
            self.share, self.names = share, names

    config = Own(np.float32(0.1), (np.int64(1), {"a": np.bool_(False)})).get_config()
    assert same(config, {"share": 0.1, "names": [1, {"a": False}]})


def test_a_config_of_numpy_numbers_is_json():
    def config(integer, real, boolean, seeds):
        return Config(
            DatasetConfig(fraction=real(0.5), seed=integer(1)),
            probe=ProbeConfig(epochs=integer(2), seeds=seeds([0, 4])),
            scores=[{"name": "vog", "every": integer(2), "seeds": seeds([1])}],
            training=TrainingConfig(epochs=integer(3), learning_rate=real(0.1)),
            sweep=SweepConfig(keep_fractions=seeds([0.25]), save_models=boolean(True)),
            seed=integer(9),
        )

    received = config(np.int64, np.float32, np.bool_, np.array)
    assert same(received.as_dict(), config(int, float, bool, list).as_dict())


def test_a_selection_of_numpy_numbers_is_the_same_and_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    table = kp.ScoreTable(
        [f"e{row}" for row in range(60)],
        np.arange(60) % 3,
        {"el2n": rng.random(60)},
        metadata=metadata,
    )
    expected = kp.select(table, "el2n", 0.145, seed=3)
    subset = kp.select(table, "el2n", np.float32(0.145), seed=np.int64(3))
    assert subset.metadata == expected.metadata
    subset.save(tmp_path / "subset.parquet")
    assert same(kp.Subset.load(tmp_path / "subset.parquet").metadata, subset.metadata)


@pytest.mark.parametrize(
    ("value", "received"),
    [
        ((np.zeros((2, 3)), [0, 1]), "Received: a tuple of 2"),
        ({"x": 1, "y": 2}, r"Received: a dictionary with the keys \['x', 'y'\]"),
        (np.zeros((2, 3)), r"Received: an array of shape \(2, 3\)"),
        (None, "Received: None"),
        ("digits", "Received: 'digits'"),
        (kp.Examples, "Received: the class Examples"),
        (object(), "Received: an object of the type object"),
    ],
)
def test_require_examples_tells_how_to_make_them(value, received):
    with pytest.raises(InputError, match=f"Invalid `support`. Expected Examples.*{received}") as e:
        arguments.require_examples(value, "support")
    assert "Examples.from_arrays(x, y)" in str(e.value)


def test_require_examples_names_a_tf_data_set():
    import tensorflow as tf

    with pytest.raises(InputError, match="Received: a tf.data.Dataset"):
        arguments.require_examples(tf.data.Dataset.from_tensor_slices(([0.0], [1])))
    arguments.require_examples(kp.Examples.from_arrays(np.zeros((2, 3)), [0, 1]))
