import numpy as np
import pytest

from keras_pruning import InputError
from keras_pruning.models.outputs import Outputs
from keras_pruning.scores import EL2N
from keras_pruning.scores.el2n import error_l2_norm


def test_by_hand():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], "float32")
    # √(0.5² + 0.3² + 0.2²), √(0.5² + 0.3² + 0.8²), √(0.1² + 0.1² + 0.2²)
    expected = [0.38**0.5, 0.98**0.5, 0.06**0.5]
    np.testing.assert_allclose(error_l2_norm(probabilities, np.array([0, 2, 2])), expected, 1e-6)


def test_certain_answers_score_zero_or_the_root_of_two():
    probabilities = np.eye(3, dtype="float32")[[1, 1]]
    norms = error_l2_norm(probabilities, np.array([1, 2]))
    np.testing.assert_allclose(norms, [0, 2**0.5], 1e-6)


def test_takes_the_softmax_of_logits():
    logits = np.log(np.array([[0.5, 0.3, 0.2]], "float32")) + 7
    observed = EL2N().observe(Outputs(logits, np.array([0])))
    np.testing.assert_allclose(observed, [0.38**0.5], 1e-5)


@pytest.mark.parametrize(("epochs", "due"), [(1, 1), (10, 1), (20, 2), (200, 20)])
def test_is_due_after_a_tenth_of_the_run(epochs, due):
    assert EL2N().epochs_due(epochs) == [due]
    assert EL2N(epoch=1).epochs_due(epochs) == [1]


@pytest.mark.parametrize("epoch", [0, -1, 1.5, True, "2"])
def test_refuses_an_epoch_that_is_no_positive_integer(epoch):
    with pytest.raises(InputError, match="Invalid `epoch`. Expected a positive integer. Received"):
        EL2N(epoch=epoch)


def test_refuses_a_run_that_ends_before_it_is_due():
    with pytest.raises(InputError, match="due after the run has ended.*epoch=5"):
        EL2N(epoch=5).epochs_due(4)
