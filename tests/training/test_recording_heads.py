"""Recorded scores of every kind of head and label, against the outputs of an eager fit."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_pruning as kp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype("float32")
SCORES = ["aum", "confidence", "correctness"]


def parts(*end):
    return [layers.Dense(8, activation="relu"), layers.Dropout(0.3), *end]


def softmax_layer():
    return parts(layers.Dense(3), layers.Softmax())


# Layers, loss, number of classes, and the labels that the loss takes.
SPARSE, ONE_HOT, BINARY = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalCrossentropy,
    keras.losses.BinaryCrossentropy,
)
CASES = {
    "logits": (lambda: parts(layers.Dense(3)), SPARSE(True), 3, lambda y: y),
    "column": (lambda: parts(layers.Dense(3)), SPARSE(True), 3, lambda y: y[:, tf.newaxis]),
    "one-hot": (lambda: parts(layers.Dense(3)), ONE_HOT(True), 3, lambda y: tf.one_hot(y, 3)),
    "smoothed": (
        lambda: parts(layers.Dense(3)),
        ONE_HOT(True, label_smoothing=0.1),
        3,
        lambda y: tf.one_hot(y, 3, 0.9, 0.05),
    ),
    "softmax": (lambda: parts(layers.Dense(3, activation="softmax")), SPARSE(), 3, lambda y: y),
    "softmax layer": (softmax_layer, ONE_HOT(), 3, lambda y: tf.one_hot(y, 3)),
    "sigmoid": (lambda: parts(layers.Dense(1, activation="sigmoid")), BINARY(), 2, lambda y: y),
    "one logit": (
        lambda: parts(layers.Dense(1)),
        BINARY(True, label_smoothing=0.1),
        2,
        lambda y: tf.cast(y, "float32")[:, tf.newaxis] * 0.9 + 0.05,
    ),
}


class Watched(keras.Model):
    """Keeps every output of an eager training step."""

    def __init__(self, model):
        super().__init__()
        self.model, self.built, self.seen = model, True, []

    def call(self, inputs, training=None):
        return self.model(inputs["x"], training=training)

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        self.seen.append((x["row"].numpy(), y_pred.numpy()))
        return super().compute_loss(x, y, y_pred, sample_weight, training)


def network(build, inputs):
    keras.utils.set_random_seed(0)
    taken = {name: keras.Input(shape, name=name) for name, shape in inputs.items()}
    joined = layers.Concatenate()(list(taken.values())) if len(taken) > 1 else taken["x"]
    single = taken if len(taken) > 1 else joined
    return keras.Model(single, keras.Sequential(build())(joined))


def examples_of(classes, nested):
    labels = np.arange(len(X)) * 7 % classes
    x = {"a": X[:, :2], "b": X[:, 2:]} if nested else X
    return kp.Examples.from_arrays(x, labels)


def fit(model, examples, labels, loss, weights, epochs=3, callbacks=(), eager=False):
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=eager)
    batches = examples.batches(16, shuffle=True, seed=1, rows=True)
    if weights:
        batches = batches.map(lambda x, y: (x, labels(y), tf.cast(x["row"] % 3, "float32")))
    else:
        batches = batches.map(lambda x, y: (x, labels(y)))
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))


def by_numpy(seen, examples, is_probability):
    """The scores from logits or probabilities, one example and presentation after another."""
    margins, confidences, right = (np.zeros((len(examples), 3)) for _ in range(3))
    times = np.zeros(len(examples), int)
    for rows, outputs in seen:
        for row, output in zip(rows, outputs.astype(float), strict=True):
            label = examples.labels[row]
            if len(output) == 1:
                z = np.log(output / (1 - output)) if is_probability else output
                output = np.concatenate([-z / 2, z / 2])
            elif is_probability:
                output = np.log(output)
            p = np.exp(output - output.max())
            time = times[row]
            margins[row, time] = output[label] - np.delete(output, label).max()
            confidences[row, time] = p[label] / p.sum()
            right[row, time] = output.argmax() == label
            times[row] += 1
    assert (times == 3).all()
    return {
        "aum": margins.mean(1),
        "confidence": confidences.mean(1),
        "correctness": right.mean(1),
    }


def cases():
    """All of them if there is time, otherwise two that differ in everything."""
    fast = [("softmax", True, True), ("one logit", False, False)]
    for case in itertools.product(CASES, [False, True], [False, True]):
        yield pytest.param(*case, marks=[] if case in fast else pytest.mark.slow)


@pytest.mark.parametrize(("case", "weights", "nested"), list(cases()))
def test_recorded_scores_are_those_of_the_outputs(case, weights, nested):
    """Within 2e-5, because a logit by way of a float32 probability is rounded."""
    build, loss, classes, labels = CASES[case]
    examples = examples_of(classes, nested)
    inputs = {"a": (2,), "b": (4,)} if nested else {"x": (6,)}
    watched = Watched(network(build, inputs))
    fit(watched, examples, labels, loss, weights, eager=True)
    is_probability = case.startswith(("softmax", "sigmoid"))
    expected = by_numpy(watched.seen, examples, is_probability)

    # `fit` without recording, on the same batches.
    class Plain(Watched):
        compute_loss = keras.Model.compute_loss

    plain = Plain(network(build, inputs))
    fit(plain, examples, labels, loss, weights)

    callback = kp.ScoreCallback(examples, SCORES)
    model = network(build, inputs)
    fit(callback.recording(model), examples, labels, loss, weights, callbacks=[callback])
    table = callback.table()
    for name in SCORES:
        assert table.metadata["scores"][name]["mode"] == "train"
        np.testing.assert_allclose(table[name], expected[name], atol=2e-5)
    for ours, theirs in zip(model.weights, plain.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
