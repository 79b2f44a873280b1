"""Which way is hard: a sign flipped anywhere in a score fails here."""

import keras
import numpy as np
import pytest
from support.trajectories import begin, logits_of_label

import keras_pruning as kp
from keras_pruning.embeddings.layers import Embeddings
from keras_pruning.embeddings.requests import OUTPUT, SOFTMAX
from keras_pruning.models.outputs import EvalOutputs
from keras_pruning.scores import SCORES, Forgetting, GraNd, get
from keras_pruning.scores.score import EMBEDDINGS, INPUT_GRADIENTS

# The label's probability. Easy: right and certain from the first epoch to the last.
# Hard: to and fro, and in the end wrong and undecided.
EASY = [0.98] * 10
HARD = [0.8, 0.1, 0.7, 0.2, 0.8, 0.1, 0.9, 0.2, 0.6, 0.3]


def from_outputs(score):
    """Values of the easy and the hard example, in this order."""
    labels = np.array([0, 0])
    logits = logits_of_label(np.stack([EASY, HARD], axis=1)).astype("float32")
    for epoch in begin(score, len(EASY), labels, 3):
        outputs = EvalOutputs(
            logits[epoch - 1], labels, np.ones((2, 4)), lambda: np.array([0.1, 2], "float32")
        )
        score.update(np.asarray(score.observe(outputs)))
    return score.result()


def from_input_gradients(score):
    """The gradient of the easy example stays, the gradient of the hard one turns round."""
    begin(score, 2, np.array([0, 0]), 3)
    gradients = np.array([[[1, -1], [1, -1]], [[1, -1], [-1, 1]]], "float32")
    score.update(np.asarray(score.observe(gradients)))
    return score.result()


def from_embeddings(score):
    """The hard example lies among another class until the last layers, the easy one never."""
    labels = np.repeat([0, 1], 50)
    after = np.r_[np.linspace(0, 4, 50), np.linspace(10, 14, 50)].astype("float32")[:, np.newaxis]
    before = after.copy()
    before[1] = 12
    begin(score, 1, labels, 2)
    logits = np.stack([-after[:, 0], after[:, 0] - 10], axis=1)
    model = keras.Sequential([keras.Input((1,)), *map(keras.layers.Dense, (1, 2))])
    values = {SOFTMAX: logits, OUTPUT: logits}
    embeddings = score.embeddings(model)
    features = {embedding: values.get(embedding.layer, before) for embedding in embeddings}
    score.update(score.observe(Embeddings(labels, features)))
    return score.result()[:2]


def difficulty(score):
    drivers = {INPUT_GRADIENTS: from_input_gradients, EMBEDDINGS: from_embeddings}
    values = drivers.get(score.signal, from_outputs)(score)
    metadata = {"scores": {score.name: {"higher_is_harder": score.higher_is_harder}}}
    return kp.ScoreTable(["easy", "hard"], [0, 0], {score.name: values}, None, metadata).difficulty(
        score.name
    )


@pytest.mark.parametrize("name", SCORES)
def test_hard_ranks_above_easy(name):
    easy, hard = difficulty(get(name))
    assert hard > easy


def test_hard_ranks_above_easy_by_the_gradient_of_the_last_layer():
    easy, hard = difficulty(GraNd(weights="last_layer"))
    assert hard > easy


@pytest.mark.parametrize("name", SCORES)
def test_counts_of_events_are_summed_over_probes(name):
    """Only forgetting counts events. Any other score of several probes is their mean."""
    assert get(name).over_seeds == ("sum" if SCORES[name] is Forgetting else "mean")
