import keras
import numpy as np
import pytest
from support import small
from support.trajectories import drive, drive_scattered, random_logits

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import AUM
from keras_pruning.scores.aum import label_margin


def aum(logits, labels):
    """By a loop over examples and epochs, in float64."""
    means = []
    for row, label in enumerate(labels):
        ways = np.float64(logits[:, row])
        others = np.delete(ways, label, axis=1)
        means.append(np.mean(ways[:, label] - others.max(axis=1)))
    return np.array(means)


def test_the_margin_by_hand():
    logits = np.array([[3, 1, -2], [3, 1, -2], [-4, -1, -2]], "float32")
    # 3 − 1, −2 − 3, −1 − (−2)
    np.testing.assert_array_equal(label_margin(logits, np.array([0, 2, 1])), [2, -5, 1])


def test_by_hand():
    logits = [[[3, 1, -2], [3, 1, -2], [-4, -1, -2]], [[1, 5, 0], [0, 0, 0], [-4, -1, -5]]]
    # (2 − 4) / 2, (−5 + 0) / 2, (1 + 3) / 2
    np.testing.assert_array_equal(drive(AUM(), logits, [0, 2, 1]), [-1, -2.5, 2])


def test_is_on_logits_and_low_is_hard():
    assert not AUM().higher_is_harder
    # The same probabilities to float32, another margin.
    margins = drive(AUM(), [[[100, 0, 0], [200, 0, 0], [0, 200, 0]]], [0, 0, 0])
    np.testing.assert_array_equal(margins, [100, 200, -200])


def test_two_classes():
    logits, labels = random_logits(5, 20, 2)
    rows = np.arange(20)
    expected = (logits[:, rows, labels] - logits[:, rows, 1 - labels]).mean(axis=0)
    np.testing.assert_allclose(drive(AUM(), logits, labels), expected, 1e-4)


def test_a_constant_added_to_all_logits_changes_nothing():
    logits, labels = random_logits(5, 20, 4)
    shifted = logits + np.random.default_rng(1).integers(-9, 9, size=(5, 20, 1))
    np.testing.assert_allclose(
        drive(AUM(), shifted, labels), drive(AUM(), logits, labels), atol=1e-5
    )


def test_against_a_loop_over_each_examples_way():
    logits, labels = random_logits(12, 40, 5)
    expected = aum(logits, labels)
    np.testing.assert_allclose(drive(AUM(), logits, labels), expected, 1e-4, 1e-5)
    np.testing.assert_allclose(drive_scattered(AUM(), logits, labels), expected, 1e-4, 1e-5)
    observed = drive(AUM(epochs=3), logits, labels)
    np.testing.assert_allclose(observed, aum(logits[:3], labels), 1e-4, 1e-5)


def test_a_second_run_starts_clean():
    score = AUM()
    drive(score, *random_logits(9, 25, 3))
    logits, labels = random_logits(4, 8, 5, seed=1)
    np.testing.assert_allclose(drive(score, logits, labels), aum(logits, labels), 1e-4, 1e-5)


class Script(keras.callbacks.Callback):
    """Weights set by hand: epoch k ends with the logits (k² + 1, 1)."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.layers[-1].bias.assign([(epoch + 1.0) ** 2 + 1, 1.0])
        self.model.layers[-1].kernel.assign([[0.0, 0.0]])


def scripted(score, rates, first="scheduler"):
    """AUM and its epochs of a run with these learning rates."""
    two = kp.Examples.from_arrays(np.zeros((2, 1), "float32"), np.array([0, 1]))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rates[0]), loss)
    callback = kp.ScoreCallback(two, [score])
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    order = [callback, scheduler] if first == "scores" else [scheduler, callback]
    small.fit(model, two, len(rates), [Script(), *order])
    table = callback.table()
    return table["aum"], table.metadata["scores"]["aum"]["epochs"]


@pytest.mark.parametrize("first", ["scheduler", "scores"])
def test_stops_at_the_first_drop_of_the_learning_rate(first):
    """Whichever callback comes first."""
    values, epochs = scripted(AUM(), [0.1, 0.1, 0.01, 0.01], first)
    assert epochs == [1, 2]
    # (1 + 4) / 2
    np.testing.assert_allclose(values, [2.5, -2.5], 1e-6)


@pytest.mark.parametrize(
    ("rates", "epochs"),
    [
        ([0.1, 0.05, 0.05], [1]),
        ([0.1, 0.06, 0.04], [1, 2]),
        ([0.1, 0.1, 0.1], [1, 2, 3]),
        ([0.02, 0.06, 0.1, 0.01], [1, 2, 3]),
        ([0.1, 0.01, 0.1], [1]),
        ([0.0, 0.1, 0.1, 0.01], [1, 2, 3]),
    ],
)
def test_a_drop_is_to_half_of_the_highest_so_far(rates, epochs):
    """A warm-up is no drop, even from 0. Nothing counts after a drop."""
    assert scripted(AUM(), rates)[1] == epochs


def test_epochs_override_the_learning_rate():
    values, epochs = scripted(AUM(epochs=3), [0.1, 0.1, 0.01, 0.01])
    assert epochs == [1, 2, 3]
    # (1 + 4 + 9) / 3
    np.testing.assert_allclose(values, [14 / 3, -14 / 3], 1e-6)


@pytest.mark.parametrize("epochs", [0, -1, 1.5, True, "2"])
def test_refuses_epochs_that_are_no_positive_integer(epochs):
    with pytest.raises(InputError, match="Invalid `epochs`. Expected a positive integer. Received"):
        AUM(epochs=epochs)


def test_refuses_a_run_that_is_too_short():
    with pytest.raises(InputError, match="`aum` looks at more epochs.*epochs <= 4.*epochs=5"):
        AUM(epochs=5).epochs_due(4)
