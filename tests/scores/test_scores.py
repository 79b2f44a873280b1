"""What holds for every score in the registry."""

import inspect

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import SCORES, PredictionDepth, Score, get

EVERY = pytest.mark.parametrize("name", SCORES)
EPOCHS = 3


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


@EVERY
def test_one_finite_float32_for_each_example(name, examples, checkpoints):
    table = kp.score_checkpoints(checkpoints, examples, [name])
    assert table[name].shape == (130,)
    assert table[name].dtype == np.float32
    assert np.isfinite(table[name]).all()
    assert len(np.unique(table[name])) > 2
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.labels, examples.labels)


@EVERY
def test_order_of_the_examples_changes_nothing(name, examples, checkpoints):
    order = np.random.default_rng(1).permutation(len(examples))
    table = kp.score_checkpoints(checkpoints, examples, [name])
    other = kp.score_checkpoints(checkpoints, reordered(examples, order), [name])
    np.testing.assert_allclose(other[name], table[name][order], atol=1e-4)


@EVERY
@pytest.mark.parametrize("batch_size", [1, 129, 1000])
def test_batch_size_changes_nothing(name, batch_size, examples, checkpoints):
    table = kp.score_checkpoints(checkpoints, examples, [name], batch_size=64)
    other = kp.score_checkpoints(checkpoints, examples, [name], batch_size=batch_size)
    np.testing.assert_allclose(other[name], table[name], atol=1e-4)


@EVERY
def test_together_with_others_it_is_the_same(name, examples, checkpoints):
    alone = kp.score_checkpoints(checkpoints, examples, [name])
    together = kp.score_checkpoints(checkpoints, examples, list(SCORES))
    np.testing.assert_array_equal(together[name], alone[name])


@EVERY
def test_the_same_seed_repeats_and_a_second_fit_starts_clean(name, examples):
    callback = kp.ScoreCallback(examples, [name])
    tables = []
    for _ in range(2):
        small.fit(small.network(examples), examples, EPOCHS, [callback])
        tables.append(callback.table()[name])
    np.testing.assert_array_equal(tables[0], tables[1])


@EVERY
def test_scoring_leaves_training_as_it_was(name, examples):
    """Weights, moving statistics, optimiser and random streams: one difference would show here."""
    plain, scored = small.network(examples), None
    small.fit(plain, examples, EPOCHS)
    plain_draw = float(keras.random.uniform(()))
    scored = small.network(examples)
    small.fit(scored, examples, EPOCHS, [kp.ScoreCallback(examples, [name])])
    scored_draw = float(keras.random.uniform(()))
    for ours, theirs in zip(scored.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(scored.optimizer.variables, plain.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert scored_draw == plain_draw


def test_without_recorded_training_steps_every_score_is_one_of_eval_mode(examples, checkpoints):
    recorded = kp.score_checkpoints(checkpoints, examples, list(SCORES)).metadata["scores"]
    assert list(recorded) == list(SCORES)
    for name, score in SCORES.items():
        assert recorded[name]["higher_is_harder"] is score.higher_is_harder
        assert recorded[name]["over_seeds"] == score.over_seeds
        assert recorded[name]["mode"] == "eval"


@EVERY
def test_unknown_options_are_an_error(name):
    with pytest.raises(InputError, match=f"Invalid options of the score '{name}'.*nonsense"):
        get({"name": name, "nonsense": 1})


SEE_WRONG_LABELS = [score() for score in SCORES.values() if score.sees_wrong_labels]
SEE_WRONG_LABELS.append(PredictionDepth(against="label"))


@pytest.mark.parametrize("score", SEE_WRONG_LABELS, ids=lambda score: score.name)
def test_flipped_labels_score_harder_than_the_median(score):
    examples = small.digits(600)
    labels = examples.labels.copy()
    flipped = np.random.default_rng(0).permutation(600)[:60]
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
    assert score.sees_wrong_labels
    callback = kp.ScoreCallback(noisy, [score])
    small.fit(model, noisy, 10, [callback])
    difficulty = callback.table().difficulty(score.name)
    clean = np.delete(difficulty, flipped)
    assert (difficulty[flipped] > np.median(clean)).mean() > 0.7
    assert difficulty[flipped].mean() > clean.mean() + 0.5 * clean.std()


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
