"""Entropy, margin, least confidence and loss."""

import numpy as np
import pytest
from support.trajectories import begin, drive, random_logits, softmax

from keras_pruning import InputError
from keras_pruning.models.outputs import Outputs
from keras_pruning.scores import Entropy, LeastConfidence, Loss, Margin
from keras_pruning.scores.uncertainty import entropy, probability_margin

ALL = pytest.mark.parametrize("score", [Entropy, Margin, LeastConfidence, Loss])
NO_LABELS = pytest.mark.parametrize("score", [Entropy, Margin, LeastConfidence])

P = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [0.2, 0.0625, 0.7375]])


def reference(score, logits, labels):
    """By loops over examples and classes, in float64."""
    scores = []
    for p, label in zip(softmax(logits), labels, strict=True):
        second, first = sorted(p)[-2:]
        scores.append(
            {
                Entropy: -sum(q * np.log(q) for q in p),
                Margin: first - second,
                LeastConfidence: 1 - first,
                Loss: -np.log(p[label]),
            }[score]
        )
    return np.array(scores)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        # 0.5 log 2 + 2 · 0.25 log 4, then 0.2303 + 0.3065 + 0.3612, then 0.3219 + 0.1733 + 0.2246
        (Entropy, [1.5 * np.log(2), 0.89795, 0.71974]),
        # 0.5 − 0.25, 0.6 − 0.3, 0.7375 − 0.2
        (Margin, [0.25, 0.3, 0.5375]),
        (LeastConfidence, [0.5, 0.4, 0.2625]),
        # The labels are 0, 2 and 1.
        (Loss, [np.log(2), -np.log(0.3), np.log(16)]),
    ],
)
def test_by_hand(score, expected):
    observed = drive(score(), [np.log(P) + 7], [0, 2, 1])
    assert observed.dtype == np.float32
    np.testing.assert_allclose(observed, expected, atol=1e-5)


def test_the_functions_by_hand():
    np.testing.assert_allclose(
        entropy(np.log(P).astype("float32")), [1.03972, 0.89795, 0.71974], 1e-5
    )
    np.testing.assert_allclose(probability_margin(np.float32(P)), [0.25, 0.3, 0.5375], 1e-6)


@ALL
def test_against_a_loop_over_classes(score):
    logits, labels = random_logits(1, 60, 5)
    expected = reference(score, logits[0], labels)
    np.testing.assert_allclose(drive(score(), logits, labels), expected, 1e-5, 1e-6)


@NO_LABELS
def test_labels_play_no_part(score):
    logits, labels = random_logits(1, 30, 4)
    other = drive(score(), logits, (labels + 1) % 4)
    np.testing.assert_array_equal(drive(score(), logits, labels), other)


@pytest.mark.parametrize(
    ("score", "uniform", "certain"),
    [
        (Entropy, np.log(4), 0),
        (Margin, 0, 1),
        (LeastConfidence, 0.75, 0),
        # Certain and right; wrong is the test below.
        (Loss, np.log(4), 0),
    ],
)
def test_of_no_idea_and_of_certainty(score, uniform, certain):
    logits = np.array([[0, 0, 0, 0], [1000, 0, 0, -1000]])
    np.testing.assert_allclose(drive(score(), [logits], [0, 0]), [uniform, certain], atol=1e-6)


@ALL
def test_probabilities_of_exactly_0_give_finite_values(score):
    logits = np.array([[1e4, 0, -1e4], [-200, 0, 0], [0, 3e4, 3e4]])
    assert (np.asarray(Outputs(logits, np.zeros(3, int)).probabilities) == 0).any(axis=1).all()
    assert np.isfinite(drive(score(), [logits], [1, 0, 0])).all()


def test_loss_of_wrong_and_certain_is_not_cut_off():
    logits = np.array([[500, 0, 0], [0, 500, 0]])
    np.testing.assert_allclose(drive(Loss(), [logits], [1, 1]), [500, 0], 1e-6)


@ALL
def test_a_second_run_starts_clean(score):
    again = score()
    drive(again, *random_logits(3, 25, 3))
    logits, labels = random_logits(1, 8, 5, seed=1)
    expected = reference(score, logits[0], labels)
    np.testing.assert_allclose(drive(again, logits, labels), expected, 1e-5, 1e-6)
    begin(again, 1, labels, 5)
    assert not again.is_complete


@ALL
def test_is_due_at_the_end_or_at_its_epoch(score):
    logits, labels = random_logits(4, 25, 3)
    for options, epoch in (({}, 4), ({"epoch": 2}, 2)):
        expected = reference(score, logits[epoch - 1], labels)
        observed = drive(score(**options), logits, labels)
        np.testing.assert_allclose(observed, expected, 1e-5, 1e-6)


@ALL
@pytest.mark.parametrize("epoch", [0, -1, 1.5, True, "2"])
def test_refuses_an_epoch_that_is_no_positive_integer(score, epoch):
    with pytest.raises(InputError, match="Invalid `epoch`. Expected a positive integer. Received"):
        score(epoch=epoch)


@ALL
def test_refuses_a_run_that_ends_before_it_is_due(score):
    with pytest.raises(InputError, match="due after the run has ended.*epoch <= 4.*epoch=5"):
        score(epoch=5).epochs_due(4)
