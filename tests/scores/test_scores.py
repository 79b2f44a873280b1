"""Common checks of every score in the registry."""

import functools
import inspect

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import SCORES, Score, get

EVERY = pytest.mark.parametrize("name", SCORES)
EPOCHS = 3


def one_of_each_kind():
    """Returns every score, all but the first of each signal and mode marked as slow."""
    kinds, names = set(), []
    for name, score in SCORES.items():
        kind = (score.signal, score.mode)
        names.append(pytest.param(name, marks=[pytest.mark.slow] if kind in kinds else []))
        kinds.add(kind)
    return pytest.mark.parametrize("name", names)


EVERY_FITTED = one_of_each_kind()


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


@pytest.fixture(scope="module")
def checkpoints(examples):
    """Three moments of one training run."""
    models = []
    for epochs in (1, 2, 4):
        model = small.network(examples)
        small.fit(model, examples, epochs=epochs)
        models.append(model)
    return models


@pytest.fixture(scope="module")
def alone(examples, checkpoints):
    """A function that scores with one score and a batch size, each pair once."""

    @functools.cache
    def table(name, batch_size=256):
        return kp.score_checkpoints(checkpoints, examples, [name], batch_size=batch_size)

    return table


@pytest.fixture(scope="module")
def together(examples, checkpoints):
    """The table of all scores in one pass."""
    return kp.score_checkpoints(checkpoints, examples, list(SCORES))


@pytest.fixture(scope="module")
def plain(examples):
    """The variables that a fit without scores leaves, and the next random number."""
    model = small.network(examples)
    small.fit(model, examples, EPOCHS)
    draw = float(keras.random.uniform(()))
    variables = [np.array(variable) for variable in model.variables]
    return variables, [np.array(variable) for variable in model.optimizer.variables], draw


def reordered(examples, order):
    return kp.Examples.from_arrays(
        examples.stored_inputs(order), examples.labels[order], examples.ids[order], 10
    )


@EVERY
def test_registered_under_its_own_name(name):
    score = get(name)
    assert isinstance(score, SCORES[name])
    assert score.name == name
    assert isinstance(score.higher_is_harder, bool)
    assert isinstance(score.sees_wrong_labels, bool)
    assert inspect.getdoc(SCORES[name]).count("Formula:") == 1
    assert "Reference:" in inspect.getdoc(SCORES[name])


@EVERY
def test_its_config_makes_it_again(name):
    config = get(name).get_config()
    assert get({"name": name, **config}).get_config() == config


@EVERY_FITTED
def test_one_finite_float32_for_each_example(name, examples, alone):
    table = alone(name)
    assert table[name].shape == (130,)
    assert table[name].dtype == np.float32
    assert np.isfinite(table[name]).all()
    assert len(np.unique(table[name])) > 2
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.labels, examples.labels)


@pytest.mark.slow
@EVERY_FITTED
def test_order_of_the_examples_changes_nothing(name, examples, checkpoints, alone):
    order = np.random.default_rng(1).permutation(len(examples))
    table = alone(name)
    other = kp.score_checkpoints(checkpoints, reordered(examples, order), [name])
    np.testing.assert_allclose(other[name], table[name][order], atol=1e-4)


@EVERY_FITTED
@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 129, 1000])
def test_batch_size_changes_nothing(name, batch_size, alone):
    table, other = alone(name, 64), alone(name, batch_size)
    np.testing.assert_allclose(other[name], table[name], atol=1e-4)


@EVERY_FITTED
def test_together_with_others_it_is_the_same(name, alone, together):
    np.testing.assert_array_equal(together[name], alone(name)[name])


@pytest.mark.slow
@EVERY_FITTED
def test_the_same_seed_repeats_and_a_second_fit_starts_clean(name, examples):
    callback = kp.ScoreCallback(examples, [name])
    tables = []
    for _ in range(2):
        small.fit(small.network(examples), examples, EPOCHS, [callback])
        tables.append(callback.table()[name])
    np.testing.assert_array_equal(tables[0], tables[1])


@pytest.mark.slow
@EVERY_FITTED
def test_scoring_leaves_training_as_it_was(name, examples, plain):
    """Weights, moving statistics, optimiser and random streams: one difference would show here."""
    variables, optimizer_variables, draw = plain
    scored = small.network(examples)
    small.fit(scored, examples, EPOCHS, [kp.ScoreCallback(examples, [name])])
    scored_draw = float(keras.random.uniform(()))
    for ours, theirs in zip(scored.variables, variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(scored.optimizer.variables, optimizer_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert scored_draw == draw


def test_every_score_takes_eval_mode_without_recording(together):
    recorded = together.metadata["scores"]
    assert list(recorded) == list(SCORES)
    for name, score in SCORES.items():
        assert recorded[name]["higher_is_harder"] is score.higher_is_harder
        assert recorded[name]["over_seeds"] == score.over_seeds
        assert recorded[name]["mode"] == "eval"


@EVERY
def test_unknown_options_are_an_error(name):
    with pytest.raises(InputError, match=f"Invalid options of the score '{name}'.*nonsense"):
        get({"name": name, "nonsense": 1})


# Against the label, because a network that has not memorised them calls flipped ones easy.
OPTIONS = {"prediction_depth": {"against": "label"}}


def those_that_see_wrong_labels():
    """Returns new scores that claim to rank wrong labels as hard."""
    scores = [get({"name": name, **OPTIONS.get(name, {})}) for name in SCORES]
    return [score for score in scores if score.sees_wrong_labels or score.name in OPTIONS]


FLIPPED = np.random.default_rng(0).permutation(600)[:60]


@pytest.fixture(scope="module")
def scored_with_wrong_labels():
    """The scores of one fit in which the labels at `FLIPPED` are wrong."""
    examples = small.digits(600)
    labels, flipped = examples.labels.copy(), FLIPPED
    labels[flipped] = (labels[flipped] + 1 + flipped % 9) % 10
    noisy = kp.Examples.from_arrays(examples.stored_inputs(np.arange(600)), labels)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(examples.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
    callback = kp.ScoreCallback(noisy, those_that_see_wrong_labels())
    small.fit(model, noisy, 10, [callback])
    return callback.table()


@pytest.mark.slow
@pytest.mark.parametrize("name", [score.name for score in those_that_see_wrong_labels()])
def test_flipped_labels_score_harder_than_the_median(name, scored_with_wrong_labels):
    difficulty = scored_with_wrong_labels.difficulty(name)
    clean = np.delete(difficulty, FLIPPED)
    assert (difficulty[FLIPPED] > np.median(clean)).mean() > 0.7
    assert difficulty[FLIPPED].mean() > clean.mean() + 0.5 * clean.std()


def test_unknown_scores_are_an_error():
    for wrong in ("el3n", {"name": "el3n"}, {"epoch": 3}, 7, None):
        with pytest.raises(InputError, match="Unknown score. Expected one of .*el2n.*Received"):
            get(wrong)


def test_an_instance_is_itself():
    score = kp.scores.VoG(every=2)
    assert get(score) is score


def test_a_score_of_ones_own(examples, checkpoints):
    class Confidence(Score):
        name = "own_confidence"
        higher_is_harder = False

        def observe(self, signal):
            return keras.ops.max(signal.probabilities, axis=-1)

    table = kp.score_checkpoints(checkpoints, examples, [Confidence()])
    logits = checkpoints[-1](examples.stored_inputs(np.arange(130)), training=False).numpy()
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = 1 / exponents.sum(axis=1)
    np.testing.assert_allclose(table["own_confidence"], expected, atol=1e-5)
    np.testing.assert_array_equal(table.difficulty("own_confidence"), -table["own_confidence"])


def test_drivers_keep_their_earlier_public_names():
    assert kp.scores.ScoreCallback is kp.ScoreCallback
    assert kp.scores.score_checkpoints is kp.score_checkpoints
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        kp.scores.nothing  # noqa: B018


@EVERY
def test_its_class_is_at_most_three_deep(name):
    assert len([base for base in SCORES[name].__mro__ if issubclass(base, Score)]) <= 3
