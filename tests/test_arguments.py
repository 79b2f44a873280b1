"""Arguments: NumPy's numbers are taken, and options are stored as plain Python has them."""

import fractions
import json

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import arguments
from keras_pruning.config import Config, DatasetConfig, ProbeConfig, SweepConfig, TrainingConfig
from keras_pruning.errors import InputError

METADATA = {"scores": {"el2n": {"higher_is_harder": True}}}


class Window(kp.selection.Policy):
    name = "window"

    def __init__(self, sizes, offset=0.0):
        self.sizes, self.offset = sizes, offset


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float64(0.25), 0.25),
        (np.float32(0.1), 0.1),
        (np.bool_(True), True),
        ([np.int64(1), (np.float16(0.5),)], [1, (0.5,)]),
        ({"a": np.int32(1)}, {"a": 1}),
        (None, None),
    ],
)
def test_plain_values(value, expected):
    plain = arguments.plain(value)
    assert plain == expected
    assert type(plain) is type(expected)
    json.dumps(plain)


@pytest.mark.parametrize("number", [np.int64(3), np.int16(3), np.uint8(3)])
def test_numpy_integers_are_taken(number):
    for value in (
        arguments.positive_integer("k", number),
        arguments.require_seed(number),
        arguments.require_seeds("seeds", number),
        arguments.require_positive("rate", number),
    ):
        assert type(value) is int and value == 3


@pytest.mark.parametrize("number", [np.float32(0.3), np.float64(0.3), 0.3])
def test_numpy_floats_are_taken(number):
    for value in (
        arguments.require_fraction(number),
        arguments.require_label_noise(number),
        arguments.require_positive("rate", number),
        arguments.require_not_negative("rate", number),
    ):
        assert type(value) is float and value == 0.3


@pytest.mark.parametrize("number", [True, np.bool_(True), "1", 1.5, np.float32(1), [1], None])
def test_other_values_are_no_integers(number):
    with pytest.raises(InputError, match="Expected an integer >= 0. Received: seed="):
        arguments.require_seed(number)
    if number is not None:
        with pytest.raises(InputError, match="Expected a positive integer. Received: k="):
            arguments.positive_integer("k", number)


@pytest.mark.parametrize("number", [True, "0.5", np.nan, np.inf, -np.inf, [0.5], np.array([0.5])])
def test_other_values_are_no_fractions(number):
    with pytest.raises(InputError, match=r"Expected a float in \(0, 1\]. Received: keep_fraction"):
        arguments.require_fraction(number)
    with pytest.raises(InputError, match="Expected a number >= 0. Received: decay="):
        arguments.require_not_negative("decay", number)
    with pytest.raises(InputError, match="Expected a positive number. Received: rate="):
        arguments.require_positive("rate", number)


def test_fractions_of_integers_are_numbers():
    assert arguments.require_fraction(fractions.Fraction(1, 2)) == 0.5


@pytest.mark.parametrize("seeds", [np.arange(3), (0, 1, 2), [np.int64(0), 1, np.int8(2)]])
def test_lists_of_seeds(seeds):
    listed = arguments.require_seeds("seeds", seeds)
    assert listed == [0, 1, 2]
    assert {type(seed) for seed in listed} == {int}


@pytest.mark.parametrize("seeds", [True, 0, [], [1, 1], [True], [-1], "3", 2.0, None, [[1]]])
def test_wrong_seeds(seeds):
    with pytest.raises(InputError, match="Invalid `seeds`. Expected a positive number of seeds"):
        arguments.require_seeds("seeds", seeds)


def test_numpy_booleans_are_taken():
    assert arguments.require_boolean("flag", np.bool_(False)) is False
    with pytest.raises(InputError, match="Expected True or False. Received: flag=1"):
        arguments.require_boolean("flag", 1)


@pytest.mark.parametrize("name", kp.scores.SCORES)
def test_scores_store_plain_numbers(name):
    score = kp.scores.SCORES[name]
    default = score().get_config()
    values = {"epoch": 2, "epochs": 12, "every": 2, "window": 4, "k": 3, "clusters": 3, "seed": 3}
    values |= {"layers": 2, "max_dimension": 8, "decay": np.float32(0.5), "include_self": True}
    values |= {"support_fraction": np.float32(0.5)} if name == "prediction_depth" else {}
    given = {key: np.array(value)[()] for key, value in values.items() if key in default}
    if name == "prototype":
        given["centroids"] = "kmeans"
    config = score(**given).get_config()
    assert json.loads(json.dumps(config)) == config
    assert all(config[key] == value for key, value in given.items())


def test_options_of_a_policy_are_plain():
    config = Window(sizes=[np.int64(2), 3], offset=np.float32(0.2)).get_config()
    assert config == {"sizes": [2, 3], "offset": 0.2}
    json.dumps(config)


def test_selection_records_plain_numbers(score_table):
    first = kp.select(score_table, "el2n", np.float32(0.3), seed=np.int64(4))
    second = kp.select(score_table, "el2n", 0.3, seed=4)
    assert json.dumps(first.selection) == json.dumps(second.selection)
    assert first.kept_ids.tolist() == second.kept_ids.tolist()


@pytest.fixture
def score_table():
    rng = np.random.default_rng(0)
    ids, labels = np.arange(40).astype(str), np.arange(40) % 2
    return kp.ScoreTable(ids, labels, {"el2n": rng.random(40)}, metadata=METADATA)


def test_sections_of_a_config_store_plain_numbers():
    config = Config(
        DatasetConfig(fraction=np.float32(0.5), seed=np.int64(1), image_size=np.int32(8)),
        probe=ProbeConfig(epochs=np.int64(2), seeds=np.arange(2), jobs=np.int8(1)),
        scores=[{"name": "el2n", "epoch": np.int64(1), "seeds": np.int64(2)}],
        training=TrainingConfig(epochs=np.int64(3), learning_rate=np.float32(0.1)),
        sweep=SweepConfig(["el2n"], keep_fractions=[np.float32(0.5)], seeds=np.int64(2)),
        seed=np.uint8(7),
    )
    json.dumps(config.as_dict())
    assert config.training.learning_rate == 0.1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("key", ["learning_rate", "weight_decay"])
def test_rates_are_finite(key, value):
    with pytest.raises(InputError, match=f"Invalid `training.{key}`. Expected a.* number"):
        TrainingConfig(**{key: value})


@pytest.mark.parametrize(
    ("value", "received"),
    [
        ((np.zeros((2, 1)), [0, 1]), "Received: a tuple of 2 values"),
        ({"x": [1]}, "Received: a dictionary. Several inputs"),
        (np.zeros((2, 1)), "Received: ndarray"),
        (None, "Received: NoneType"),
    ],
)
def test_require_examples(value, received):
    with pytest.raises(InputError, match=f"`x`. Expected Examples.*{received}.*from_arrays"):
        arguments.require_examples(value, "x")


def test_require_examples_of_a_data_set():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensors(([1.0], 0)).batch(1)
    with pytest.raises(InputError, match="Received: a tf.data.Dataset. Collect its inputs"):
        arguments.require_examples(data)


def test_examples_are_examples():
    examples = kp.Examples.from_arrays(np.zeros((2, 1), np.float32), np.array([0, 1]))
    assert arguments.require_examples(examples) is None
