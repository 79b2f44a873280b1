from itertools import pairwise

import numpy as np
import pytest
from support.trajectories import begin, drive, drive_scattered, random_logits

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import Forgetting


def of_correct(correct, classes=3):
    """Forgetting of trajectories of right and wrong, `(examples, epochs)`; the label is 0."""
    predicted = np.where(np.array(correct).T, 0, classes - 1)
    return drive(Forgetting(), np.eye(classes)[predicted], np.zeros(len(correct), int))


def forgetting(logits, labels):
    """By a loop over each example's way."""
    counts = []
    for row, label in enumerate(labels):
        right = [int(np.argmax(epoch[row])) == label for epoch in logits]
        events = sum(a and not b for a, b in pairwise(right))
        counts.append(events if any(right) else len(right))
    return np.array(counts)


def test_by_hand():
    # Logits of two epochs. Right, then wrong; wrong, then right; never right: T = 2.
    logits = [[[2, 1, 0], [0, 1, 2], [0, 3, 1]], [[1, 0, 2], [0, 4, 1], [3, 1, 0]]]
    np.testing.assert_array_equal(drive(Forgetting(), logits, [0, 1, 2]), [1, 0, 2])


def test_trajectories_by_hand():
    ways = [[1, 0, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(of_correct(ways), [2, 0, 0, 0, 1, 4])


@pytest.mark.parametrize("epochs", [2, 3, 7])
def test_never_learned_is_the_number_of_presentations(epochs):
    most_forgotten = [epoch % 2 == 0 for epoch in range(epochs)]
    scores = of_correct([[False] * epochs, most_forgotten])
    np.testing.assert_array_equal(scores, [epochs, epochs // 2])
    assert scores[0] > scores[1]


def test_nothing_can_be_forgotten_in_one_epoch():
    with pytest.raises(InputError, match="`forgetting` needs at least 2 epochs. Received.*=1"):
        Forgetting().epochs_due(1)


def test_never_learned_counts_each_examples_own_presentations():
    score = Forgetting()
    begin(score, 3, np.zeros(2, int), 3)
    for rows in ([1, 0], [1], [1]):
        score.update(np.zeros(len(rows), "float32"), np.array(rows))
    np.testing.assert_array_equal(score.result(), [1, 3])


def test_against_a_loop_over_each_examples_way():
    logits, labels = random_logits(12, 60, 3)
    expected = forgetting(logits, labels)
    assert len(np.unique(expected)) > 3
    assert (expected == 12).any()
    np.testing.assert_array_equal(drive(Forgetting(), logits, labels), expected)


def test_examples_may_come_in_any_order():
    logits, labels = random_logits(9, 25, 3)
    expected = forgetting(logits, labels)
    np.testing.assert_array_equal(drive_scattered(Forgetting(), logits, labels), expected)


def test_epochs_are_the_first_ones():
    logits, labels = random_logits(9, 25, 3)
    expected = forgetting(logits[:4], labels)
    np.testing.assert_array_equal(drive(Forgetting(epochs=4), logits, labels), expected)


def test_a_second_run_starts_clean():
    score = Forgetting()
    drive(score, *random_logits(9, 25, 3))
    logits, labels = random_logits(4, 8, 5, seed=1)
    np.testing.assert_array_equal(drive(score, logits, labels), forgetting(logits, labels))


def test_over_several_probes_events_are_summed():
    examples = kp.Examples.from_arrays(np.zeros((3, 1), "float32"), np.zeros(3, int))
    assert Forgetting.over_seeds == "sum"
    metadata = {"scores": {"forgetting": {"over_seeds": Forgetting.over_seeds}}}
    tables = [
        kp.ScoreTable(examples.ids, examples.labels, {"forgetting": events}, metadata=metadata)
        for events in ([0, 1, 4], [1, 1, 4], [0, 2, 4])
    ]
    np.testing.assert_array_equal(kp.ScoreTable.over_seeds(tables)["forgetting"], [1, 4, 12])


@pytest.mark.parametrize("epochs", [0, -1, 1.5, True, "2"])
def test_refuses_epochs_that_are_no_positive_integer(epochs):
    with pytest.raises(InputError, match="Invalid `epochs`. Expected a positive integer. Received"):
        Forgetting(epochs=epochs)


def test_refuses_a_run_that_is_too_short():
    with pytest.raises(InputError, match="more epochs than the run.*epochs <= 4.*epochs=5"):
        Forgetting(epochs=5).epochs_due(4)
