"""Outputs of layers, compared with calling the layers one after the other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from support.odd_models import X, dense, ending, nested, net, over_time, state_of

from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models.graph import functional_copy
from keras_pruning.models.heads import as_logits
from keras_pruning.models.layers import PENULTIMATE, layer_names, show


def seen(model, names):
    """Returns the outputs of `show` without a graph, checked to be the same in a graph."""
    shown = show(model, names)
    outputs, hidden = shown(X)
    graph_outputs, graph_hidden = tf.function(shown, autograph=False)(X)
    np.testing.assert_allclose(graph_outputs, outputs, atol=1e-5)
    assert list(graph_hidden) == list(hidden) and set(hidden) == set(names)
    for name, values in hidden.items():
        np.testing.assert_allclose(graph_hidden[name], values, atol=1e-5)
    return np.asarray(outputs), {name: np.asarray(values) for name, values in hidden.items()}


def test_layers_of_a_functional_and_a_sequential_model():
    stack = [dense("a"), layers.Dropout(0.5, name="drop"), dense("b"), dense("out", 3)]
    inputs = keras.Input((6,), name="x")
    x = inputs
    for layer in stack:
        x = layer(x)
    a, _, b, out = stack
    for model in (keras.Model(inputs, x), keras.Sequential([keras.Input((6,)), *stack])):
        outputs, hidden = seen(model, ["a", "drop", "b", "out"])
        np.testing.assert_allclose(outputs, out(b(a(X))), atol=1e-6)
        np.testing.assert_allclose(hidden["a"], a(X), atol=1e-6)
        np.testing.assert_array_equal(hidden["drop"], hidden["a"])
        np.testing.assert_allclose(hidden["b"], b(a(X)), atol=1e-6)
        np.testing.assert_array_equal(hidden["out"], outputs)


def test_operations_of_a_functional_model_are_layers_like_others():
    inputs = keras.Input((6,))
    a, b = dense("a"), dense("b")
    added = a(inputs) + b(inputs)
    mean = keras.ops.mean(layers.Reshape((2, 2))(added), axis=1)
    model = keras.Model(inputs, dense("out", 3)(mean))
    added, mean = added._keras_history.operation.name, mean._keras_history.operation.name
    _, hidden = seen(model, [added, mean, PENULTIMATE])
    expected = np.asarray(a(X) + b(X))
    np.testing.assert_allclose(hidden[added], expected, atol=1e-6)
    np.testing.assert_allclose(hidden[mean], expected.reshape(5, 2, 2).mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(hidden[PENULTIMATE], hidden[mean])


def test_layers_inside_others_by_path_and_by_name_alone():
    model, outer_a, inner_a, b, out = nested()
    add = model.get_layer("backbone").operations[-1].name
    names = ["a", "backbone/first/a", "first/a", "relu", "backbone/b", "b", add, "backbone"]
    outputs, hidden = seen(model, names)
    first = np.asarray(inner_a(outer_a(X)))
    relu = np.maximum(first, 0)
    added = np.asarray(b(relu)) + relu
    np.testing.assert_allclose(hidden["a"], outer_a(X), atol=1e-6)  # the whole path comes first
    for name in ("backbone/first/a", "first/a"):
        np.testing.assert_allclose(hidden[name], first, atol=1e-6)
    np.testing.assert_allclose(hidden["relu"], relu, atol=1e-6)
    for name in ("backbone/b", "b"):
        np.testing.assert_allclose(hidden[name], b(relu), atol=1e-6)
    for name in (add, "backbone"):
        np.testing.assert_allclose(hidden[name], added, atol=1e-6)
    np.testing.assert_allclose(outputs, out(added), atol=1e-5)


def test_a_nested_model_that_was_saved_is_the_same(tmp_path):
    model = nested()[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    names = ["a", "first/a", "backbone/b", "backbone"]
    for ours, theirs in zip(seen(model, names), seen(loaded, names), strict=True):
        keras.tree.map_structure(np.testing.assert_array_equal, ours, theirs)


def test_layers_around_a_layer_called_at_every_time_step():
    model = over_time()
    _, hidden = seen(model, ["steps", "lstm"])
    each, lstm = model.get_layer("steps").layer, model.get_layer("lstm")
    steps = np.stack([each(np.reshape(X, (5, 3, 2))[:, step]) for step in range(3)], axis=1)
    np.testing.assert_allclose(hidden["steps"], steps, atol=1e-6)
    np.testing.assert_allclose(hidden["lstm"], lstm(steps), atol=1e-6)


def test_layers_of_a_subclassed_model():
    model = net()
    zero, one = model.blocks
    names = ["a", "block0", "block0/a", "block1/b", "shared", "last", "out"]
    outputs, hidden = seen(model, names)
    a = model.a(X)
    expected = {"a": a, "block0": zero(a), "block0/a": zero.a(a), "block1/b": one.b(one.a(zero(a)))}
    expected["shared"] = one.shared(expected["block1/b"])
    expected["last"] = model.others["last"](expected["shared"])
    expected["out"] = model.out(expected["last"])
    for name, values in expected.items():
        np.testing.assert_allclose(hidden[name], values, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(outputs, hidden["out"])
    np.testing.assert_allclose(outputs, model(X), atol=1e-6)


def test_layers_of_a_subclassed_model_inside_a_functional_one():
    model = net()
    copy = functional_copy(model, ArraySpec((6,)))
    (ours, hidden), (expected, theirs) = (seen(each, ["a", "block1"]) for each in (model, copy))
    np.testing.assert_array_equal(ours, expected)
    keras.tree.map_structure(np.testing.assert_array_equal, hidden, theirs)


@pytest.mark.parametrize(
    ("build", "names"),
    [(net, ["a", "block0/b", "out"]), (lambda: nested()[0], ["a", "first/a", "b", "backbone"])],
)
def test_the_layers_are_left_as_they_were(build, names):
    model = build()
    before = state_of(model)
    show(model, names)(X)
    assert state_of(model) == before


def test_the_layers_are_left_as_they_were_after_an_error():
    def fail(block, x):
        raise RuntimeError("mine")

    model = net()
    model.run = fail
    before = state_of(model)
    with pytest.raises(RuntimeError, match="mine"):
        show(model, ["a", "block0", "out"])(X)
    assert state_of(model) == before


def test_a_call_of_a_layers_own_is_used_and_stays():
    model = net()

    def twice(x, training=None):
        return 2 * (x @ model.a.kernel + model.a.bias)

    object.__setattr__(model.a, "call", twice)
    _, hidden = show(model, ["a"])(X)
    np.testing.assert_allclose(hidden["a"], 2 * (X @ model.a.kernel + model.a.bias), atol=1e-5)
    assert vars(model.a)["call"] is twice


@pytest.mark.parametrize(
    "last",
    [
        [dense("out", 3)],
        [dense("out", 3), layers.Activation("linear", dtype="float32")],
        [dense("out", 3, activation="softmax")],
        [dense("out", 3), layers.Softmax()],
    ],
)
def test_the_penultimate_is_the_input_of_the_last_dense_layer(last):
    model = as_logits(ending(dense("hidden"), layers.ReLU(), layers.Dropout(0.5), *last))
    _, hidden = seen(model, ["hidden", PENULTIMATE])
    np.testing.assert_array_equal(hidden[PENULTIMATE], np.maximum(hidden["hidden"], 0))


def test_the_penultimate_of_one_layer_is_the_input():
    _, hidden = seen(ending(dense("out", 3)), [PENULTIMATE])
    np.testing.assert_array_equal(hidden[PENULTIMATE], X)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (None, ["a", "b"]),
        (0, []),
        (1, ["b"]),
        (2, ["a", "b"]),
        (["drop"], ["drop"]),
        (("out", "a"), ["out", "a"]),
        ([PENULTIMATE], [PENULTIMATE]),
    ],
)
def test_names_by_number_by_list_and_by_default(layers, expected):
    drop = keras.layers.Dropout(0.5, name="drop")
    model = keras.Sequential([keras.Input((6,)), dense("a"), drop, dense("b"), dense("out", 3)])
    assert layer_names(model, layers) == expected


def test_names_of_layers_inside_others():
    model = nested()[0]
    add = model.get_layer("backbone").operations[-1].name
    assert layer_names(model) == ["backbone/first/a", f"backbone/{add}"]  # the stem and the merge
    names = ["a", "first/a", "backbone"]
    assert layer_names(model, names) == names
    assert layer_names(net(), ["a", "shared"]) == ["a", "shared"]
    assert layer_names(net(), 0) == []
    one = keras.Sequential([keras.Input((6,)), dense("out", 3)])
    assert layer_names(one) == []
    inside = keras.Sequential([keras.Input((6,)), dense("a"), dense("out", 3)], name="inside")
    whole = keras.Sequential([keras.Input((6,)), inside])
    assert layer_names(whole) == ["inside/a"]
    np.testing.assert_allclose(seen(whole, ["inside/a"])[1]["inside/a"], inside.layers[0](X))
