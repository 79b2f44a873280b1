"""Confidence, variability, correctness and first learned."""

import numpy as np
import pytest
from support.trajectories import (
    begin,
    drive,
    drive_scattered,
    logits_of_label,
    random_logits,
    softmax,
)

from keras_pruning import InputError
from keras_pruning.scores import Confidence, Correctness, FirstLearned, Variability

ALL = pytest.mark.parametrize("score", [Confidence, Variability, Correctness, FirstLearned])

# Three epochs of three examples: the probability of the label 0.
P = [[0.2, 0.9, 0.5], [0.5, 0.9, 0.1], [0.8, 0.9, 0.3]]


def first_learned(right):
    """The first t from which all of `right` is true; its length if there is none."""
    return next((t for t in range(len(right)) if all(right[t:])), len(right))


def reference(score, logits, labels):
    """By a loop over each example's way, in float64."""
    p = softmax(logits)
    scores = []
    for row, label in enumerate(labels):
        of_label = [p[epoch, row, label] for epoch in range(len(p))]
        right = [max(p[epoch, row]) == p[epoch, row, label] for epoch in range(len(p))]
        mean = sum(of_label) / len(p)
        scores.append(
            {
                Confidence: mean,
                Variability: (sum((q - mean) ** 2 for q in of_label) / len(p)) ** 0.5,
                Correctness: sum(right) / len(p),
                FirstLearned: first_learned(right),
            }[score]
        )
    return np.array(scores)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        # 1.5 / 3, 2.7 / 3, 0.9 / 3
        (Confidence, [0.5, 0.9, 0.3]),
        # √((0.09 + 0 + 0.09) / 3), 0, √((0.04 + 0.04 + 0) / 3)
        (Variability, [0.06**0.5, 0, (0.08 / 3) ** 0.5]),
        # 0.2 is less than the 0.4 of the other two, 0.3 than their 0.35.
        (Correctness, [2 / 3, 1, 1 / 3]),
        (FirstLearned, [1, 0, 3]),
    ],
)
def test_by_hand(score, expected):
    observed = drive(score(), logits_of_label(P), [0, 0, 0])
    assert observed.dtype == np.float32
    np.testing.assert_allclose(observed, expected, atol=1e-6)


@ALL
def test_against_a_loop_over_each_examples_way(score):
    logits, labels = random_logits(12, 60, 4)
    expected = reference(score, logits, labels)
    assert len(np.unique(expected)) > 5
    np.testing.assert_allclose(drive(score(), logits, labels), expected, atol=1e-6)


@ALL
def test_examples_may_come_in_any_order(score):
    logits, labels = random_logits(9, 25, 3)
    expected = reference(score, logits, labels)
    np.testing.assert_allclose(drive_scattered(score(), logits, labels), expected, atol=1e-6)


@ALL
def test_epochs_are_the_first_ones(score):
    logits, labels = random_logits(9, 25, 3)
    expected = reference(score, logits[:4], labels)
    np.testing.assert_allclose(drive(score(epochs=4), logits, labels), expected, atol=1e-6)


@ALL
def test_a_second_run_starts_clean(score):
    score_again = score()
    drive(score_again, *random_logits(9, 25, 3))
    logits, labels = random_logits(4, 8, 5, seed=1)
    expected = reference(score, logits, labels)
    np.testing.assert_allclose(drive(score_again, logits, labels), expected, atol=1e-6)


@ALL
def test_another_label_changes_the_score(score):
    logits, labels = random_logits(9, 25, 3)
    other = drive(score(), logits, (labels + 1) % 3)
    assert (other != drive(score(), logits, labels)).mean() > 0.5


@pytest.mark.parametrize(
    ("right", "expected"),
    [([0, 1, 1], 1), ([1, 1, 1], 0), ([1, 0, 1], 2), ([1, 1, 0], 3), ([0, 0, 0], 3), ([1], 0)],
)
def test_first_learned_by_hand(right, expected):
    logits = np.eye(3)[[[0 if each else 1] for each in right]]
    np.testing.assert_array_equal(drive(FirstLearned(), logits, [0]), [expected])


def test_first_learned_counts_each_examples_own_presentations():
    score = FirstLearned()
    begin(score, 4, np.zeros(2, int), 3)
    for rows, right in (([1, 0], [0, 1]), ([1], [0]), ([0, 1], [0, 1]), ([1], [1])):
        score.update(np.float32(right), np.array(rows))
    np.testing.assert_array_equal(score.result(), [2, 2])


def test_variability_is_a_population_deviation_by_hand():
    logits, labels = logits_of_label(np.array(P)[:2]), [0, 0, 0]
    np.testing.assert_allclose(drive(Variability(), logits, labels), [0.15, 0, 0.2], atol=1e-6)
    np.testing.assert_allclose(drive(Confidence(), logits, labels), [0.35, 0.9, 0.3], atol=1e-6)


def test_variability_keeps_its_digits_and_is_zero_if_constant():
    """The mean of the squares minus the square of the mean would have none left."""
    p = np.full((400, 2), 0.7)
    p[::2, 1] += 1e-5
    observed = drive(Variability(), logits_of_label(p), [0, 0])
    assert observed[0] == 0
    np.testing.assert_allclose(observed[1], 5e-6, 0.02)


def test_variability_needs_two_epochs():
    message = "`variability` needs at least 2 epochs. Received: epochs=1"
    with pytest.raises(InputError, match=message):
        Variability().epochs_due(1)
    with pytest.raises(InputError, match=message):
        Variability(epochs=1).epochs_due(9)


@ALL
@pytest.mark.parametrize("epochs", [0, -1, 1.5, True, "2"])
def test_refuses_epochs_that_are_no_positive_integer(score, epochs):
    with pytest.raises(InputError, match="Invalid `epochs`. Expected a positive integer. Received"):
        score(epochs=epochs)


@ALL
def test_refuses_a_run_that_is_too_short(score):
    with pytest.raises(InputError, match="more epochs than the run.*epochs <= 4.*epochs=5"):
        score(epochs=5).epochs_due(4)
