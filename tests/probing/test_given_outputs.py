"""Scores of outputs that were computed elsewhere."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import SCORES
from keras_pruning.scores.score import OUTPUTS

EPOCHS = 12
NAMES = [
    name
    for name, kind in SCORES.items()
    if kind.signal == OUTPUTS and not kind.needs_gradients and name != "prototype"
]


@pytest.fixture(scope="module")
def run():
    """Returns examples, checkpoints and their logits `(epochs, examples, classes)`."""
    examples = small.random_images(30, shape=(6,))
    models = []
    for seed in range(EPOCHS):
        keras.utils.set_random_seed(seed)
        models.append(keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)]))
    x = examples.stored_inputs(np.arange(30))
    return examples, models, np.stack([model.predict(x, verbose=0) for model in models])


def softmax(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def test_scores_are_those_of_the_checkpoints(run):
    examples, models, logits = run
    expected = kp.score_checkpoints(models, examples, NAMES)
    ours = kp.scores_from_probabilities(logits, examples.labels, are_logits=True)
    assert set(ours.names) == set(NAMES)
    for name in NAMES:
        np.testing.assert_allclose(ours[name], expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
        theirs = expected.metadata["scores"][name]
        assert ours.metadata["scores"][name] == theirs | {"mode": "given"}


def test_probabilities_give_all_scores_but_aum(run):
    examples, _, logits = run
    expected = kp.scores_from_probabilities(logits, examples.labels, are_logits=True)
    ours = kp.scores_from_probabilities(softmax(logits), examples.labels)
    assert set(ours.names) == set(NAMES) - {"aum"}
    for name in ours.names:
        np.testing.assert_allclose(ours[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_numbers_by_hand():
    p = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    table = kp.scores_from_probabilities(p, ["a", "c"], ids=[7, 5], class_names=list("abc"))
    assert table.ids.tolist() == ["7", "5"]
    np.testing.assert_allclose(table["el2n"], [np.sqrt(0.09 + 0.04 + 0.01), np.sqrt(2)], rtol=1e-6)
    np.testing.assert_allclose(table["loss"], [-np.log(0.7), 87.34], rtol=1e-4)
    assert table.to_pandas().index.tolist() == [7, 5]
    assert "forgetting" not in table.names


@pytest.mark.parametrize(
    ("outputs", "options", "message"),
    [
        (np.ones((3, 3)), {}, "do not sum to 1. Pass are_logits=True"),
        (np.full((3, 3), np.nan), {}, "NaN or infinity"),
        (np.ones(3), {}, r"Received: shape \(3,\)"),
        ("abc", {}, "no array of numbers"),
        (np.eye(3)[:2], {}, "Lengths differ"),
        (np.eye(3), {"scores": ["aum"]}, "`aum` is defined on logits"),
        (np.eye(3), {"scores": ["grand"]}, "`grand` cannot be computed from outputs"),
        (np.eye(3), {"scores": ["vog"]}, "`vog` cannot be computed from outputs"),
        (np.eye(3), {"scores": ["forgetting"]}, "forgetting"),
        (np.eye(3), {"ids": [1, 1, 2]}, "Expected unique ids"),
    ],
)
def test_refuses_outputs(outputs, options, message):
    with pytest.raises(InputError, match=message):
        kp.scores_from_probabilities(outputs, [0, 1, 2], **options)


def test_a_data_frame_of_a_table():
    table = kp.ScoreTable(["a", "7"], [0, 1], {"el2n": [0.5, 1.0]}, {"el2n": [0.1, 0.2]})
    frame = table.to_pandas()
    assert frame.index.tolist() == ["a", "7"]
    assert frame.columns.tolist() == ["label", "el2n", "el2n_se"]
    np.testing.assert_array_equal(frame["el2n"], table["el2n"])
    leading = kp.ScoreTable(["07", "8"], [0, 1], {"el2n": [0.5, 1.0]}).to_pandas()
    assert leading.index.tolist() == ["07", "8"]
    long = kp.ScoreTable(["9" * 25, "8"], [0, 1], {"el2n": [0.5, 1.0]}).to_pandas()
    assert long.index.tolist() == ["9" * 25, "8"]
