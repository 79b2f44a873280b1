"""TDDS, dynamic uncertainty and DUAL."""

from itertools import pairwise

import numpy as np
import pytest
from support.trajectories import drive, drive_scattered, logits_of_label, random_logits, softmax

from keras_pruning import InputError
from keras_pruning.scores import DUAL, TDDS, DynamicUncertainty
from keras_pruning.scores.tdds import prediction_change

ALL = pytest.mark.parametrize("score", [TDDS, DynamicUncertainty, DUAL])

# Four epochs of three examples: the probability of the label 0.
P = [[0.2, 0.5, 0.4], [0.4, 0.5, 0.8], [0.9, 0.5, 0.6], [0.5, 0.5, 0.4]]


def tdds(p, window, decay=0.9):
    """p `(epochs, classes)` of one example: J epochs have J − 1 changes among them."""
    change = [sum(abs(b * np.log(b / a))) for a, b in pairwise(p)]
    last = len(p) - window
    total = 0
    for k in range(last + 1):
        within = np.array(change[k : k + window - 1])
        unevenness = sum((within - sum(within) / len(within)) ** 2) ** 0.5
        total += decay * (1 - decay) ** (last - k) * unevenness
    return total


def label_windows(p, window, of_window):
    values = []
    for k in range(len(p) - window + 1):
        mean = sum(p[k : k + window]) / window
        squares = sum((q - mean) ** 2 for q in p[k : k + window])
        values.append(of_window((squares / (window - 1)) ** 0.5, mean))
    return sum(values) / len(values)


def reference(score, logits, labels, window):
    p = softmax(logits)
    if score is TDDS:
        return np.array([tdds(p[:, row], window) for row in range(len(labels))])
    of_window = (lambda std, mean: std * (1 - mean)) if score is DUAL else lambda std, mean: std
    ways = [p[:, row, label] for row, label in enumerate(labels)]
    return np.array([label_windows(way, window, of_window) for way in ways])


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        # Windows of two: |Δ| / √2 each. (0.2 + 0.5 + 0.4) / 3, 0, (0.4 + 0.2 + 0.2) / 3
        (DynamicUncertainty, [1.1 / 3 / 2**0.5, 0, 0.8 / 3 / 2**0.5]),
        # (0.2 · 0.7 + 0.5 · 0.35 + 0.4 · 0.3) / 3, 0, (0.4 · 0.4 + 0.2 · 0.3 + 0.2 · 0.5) / 3
        (DUAL, [0.435 / 3 / 2**0.5, 0, 0.32 / 3 / 2**0.5]),
    ],
)
def test_by_hand(score, expected):
    observed = drive(score(window=2, epochs=4), logits_of_label(P), [0, 0, 0])
    assert observed.dtype == np.float32
    np.testing.assert_allclose(observed, expected, atol=1e-6)


def test_tdds_by_hand():
    # KD_t = |p' log(p' / p)| + |(1 − p') log((1 − p') / (1 − p))| of the p of the label:
    # 0.44987, 0.90901, 1.09861; 0, 0, 0; 0.77424, 0.44987, 0.40547.
    # Windows of three epochs have two changes, whose distance from their mean is |Δ| / √2;
    # the newest window weighs 0.9, the one before it 0.09.
    first = 0.9 * (1.09861 - 0.90901) + 0.09 * (0.90901 - 0.44987)
    third = 0.9 * (0.44987 - 0.40547) + 0.09 * (0.77424 - 0.44987)
    observed = drive(TDDS(window=3), logits_of_label(P), [0, 0, 0])
    np.testing.assert_allclose(observed, np.array([first, 0, third]) / 2**0.5, atol=1e-5)


def test_the_change_of_a_prediction_by_hand():
    earlier = np.log([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    later = np.log([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]])
    # 0, then 0.25 log 2 + 0.5 log 2 both ways; a Kullback-Leibler divergence would be 0.25 log 2.
    np.testing.assert_allclose(prediction_change(later, earlier), [0, *[0.75 * np.log(2)] * 2])


@ALL
@pytest.mark.parametrize("window", [3, 4, 12])
def test_against_loops_over_windows(score, window):
    logits, labels = random_logits(12, 40, 4)
    expected = reference(score, logits, labels, window)
    observed = drive(score(window=window, epochs=12), logits, labels)
    np.testing.assert_allclose(observed, expected, 1e-4, 1e-6)
    assert np.ptp(expected) > 0.1


@ALL
def test_examples_may_come_in_any_order(score):
    logits, labels = random_logits(9, 25, 3)
    observed = drive_scattered(score(window=4, epochs=9), logits, labels)
    np.testing.assert_allclose(observed, reference(score, logits, labels, 4), 1e-4, 1e-6)


@ALL
def test_windows_slide(score):
    """The last window alone, or windows side by side, would not see all of the epochs."""
    p = np.full((8, 8), 0.5)
    p[np.arange(8), np.arange(8)] = 0.9
    observed = drive(score(window=3, epochs=8), logits_of_label(p), np.zeros(8, int))
    assert (observed > 0).all()


def test_the_mean_over_windows_weights_epochs_by_their_windows():
    p = np.full((6, 6), 0.5)
    p[np.arange(6), np.arange(6)] = 0.9
    observed = drive(DynamicUncertainty(window=3), logits_of_label(p), np.zeros(6, int))
    np.testing.assert_allclose(observed / observed[0], [1, 2, 3, 3, 2, 1], 1e-5)


def test_the_newest_window_of_tdds_weighs_most():
    p = np.full((9, 3), 0.5)
    p[2, 0] = p[5, 1] = p[8, 2] = 0.9
    observed = drive(TDDS(window=3), logits_of_label(p), np.zeros(3, int))
    assert observed[2] > 5 * observed[1] > 500 * observed[0] > 0


def test_decay():
    logits, labels = random_logits(7, 5, 3)
    for decay in (0.3, 1):
        expected = [tdds(softmax(logits)[:, row], 4, decay) for row in range(5)]
        observed = drive(TDDS(window=4, decay=decay), logits, labels)
        np.testing.assert_allclose(observed, expected, 1e-4)


def test_tdds_of_probabilities_of_exactly_0_is_finite():
    logits = np.random.default_rng(0).normal(size=(12, 30, 3)) * 1000
    assert np.isfinite(drive(TDDS(window=3), logits, np.zeros(30, int))).all()


@pytest.mark.parametrize("rows", [1, 3, 24])
def test_tdds_in_blocks_has_the_same_bits(rows, monkeypatch):
    logits, labels = random_logits(9, 25, 4)
    expected = drive_scattered(TDDS(window=5), logits, labels)
    monkeypatch.setattr("keras_pruning.scores.tdds._BLOCK", 4 * rows)
    np.testing.assert_array_equal(drive_scattered(TDDS(window=5), logits, labels), expected)


def test_labels_play_no_part_in_tdds():
    logits, labels = random_logits(9, 25, 3)
    other = drive(TDDS(), logits, (labels + 1) % 3)
    np.testing.assert_array_equal(drive(TDDS(), logits, labels), other)


@ALL
@pytest.mark.parametrize(("epochs", "window"), [(4, 4), (10, 10), (13, 10)])
def test_a_window_is_10_epochs_or_all_of_a_shorter_run(score, epochs, window):
    logits, labels = random_logits(epochs, 6, 3)
    due = score().epochs_due(epochs)
    assert len(due) == (min(epochs, 10) if score is DUAL else epochs)
    expected = reference(score, logits[: len(due)], labels, window)
    np.testing.assert_allclose(drive(score(), logits, labels), expected, 1e-4, 1e-6)


@pytest.mark.parametrize(("epochs", "due"), [(5, 5), (20, 10), (40, 12), (100, 30), (200, 60)])
def test_dual_sees_30_percent_and_at_least_one_window(epochs, due):
    assert DUAL().epochs_due(epochs) == list(range(1, due + 1))
    assert DUAL(window=3).epochs_due(10) == [1, 2, 3]
    assert DUAL(epochs=5).epochs_due(epochs) == [1, 2, 3, 4, 5]


@ALL
def test_a_second_run_starts_clean(score):
    """A shorter one, too: nothing of the first run's window is left."""
    again = score()
    drive(again, *random_logits(12, 25, 3))
    logits, labels = random_logits(4, 8, 5, seed=1)
    expected = reference(score, logits, labels, 4)
    np.testing.assert_allclose(drive(again, logits, labels), expected, 1e-4, 1e-6)


@ALL
def test_a_run_shorter_than_the_window_is_refused(score):
    with pytest.raises(InputError, match="as its window has. Expected window <= 5.*window=6"):
        score(window=6).epochs_due(5)
    with pytest.raises(InputError, match="Expected window <= epochs.*window=6, epochs=5"):
        score(window=6, epochs=5)
    with pytest.raises(InputError, match="more epochs than the run.*epochs <= 4.*epochs=5"):
        score(epochs=5).epochs_due(4)


@ALL
@pytest.mark.parametrize("name", ["window", "epochs"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_refuses_all_but_positive_integers(score, name, value):
    with pytest.raises(InputError, match=f"Invalid `{name}`. Expected a positive integer. Receive"):
        score(**{name: value})


@pytest.mark.parametrize(("score", "fewest"), [(TDDS, 3), (DynamicUncertainty, 2), (DUAL, 2)])
def test_refuses_windows_without_a_spread(score, fewest):
    """Two epochs have one change, and the TDDS of one change is 0 for all examples."""
    with pytest.raises(InputError, match=f"Invalid `window`. Expected at least {fewest} epochs. R"):
        score(window=fewest - 1)
    with pytest.raises(InputError, match=f"at least {fewest} epochs. Received: epochs="):
        score().epochs_due(fewest - 1)


@pytest.mark.parametrize("decay", [0, -0.1, 1.1, True, "0.9", None, float("nan")])
def test_refuses_a_decay_outside_0_and_1(decay):
    with pytest.raises(InputError, match=r"Invalid `decay`. Expected a float in \(0, 1\]. Receiv"):
        TDDS(decay=decay)
