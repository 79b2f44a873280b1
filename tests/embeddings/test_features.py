"""Embeddings of all examples, compared with the outputs of the model."""

import os

import keras
import numpy as np
import pytest
from keras import layers
from support import small
from support.odd_models import state_of

from keras_pruning import InputError
from keras_pruning.embeddings.layers import Embeddings, embeddings
from keras_pruning.embeddings.random_projection import random_projection
from keras_pruning.embeddings.requests import INPUT, OUTPUT, Embedding
from keras_pruning.models import loading
from keras_pruning.models.heads import as_logits
from keras_pruning.models.layers import PENULTIMATE

HIDDEN = ["conv", "norm", "hidden"]


@pytest.fixture(scope="module")
def examples():
    return small.digits(30)


@pytest.fixture(scope="module")
def model(examples):
    return small.network(examples)


def embedded(model, examples, names, **options):
    """Returns copies of the embeddings of layers, a dictionary by name."""
    with embeddings(model, examples, [Embedding(name) for name in names], **options) as found:
        assert [each.layer for each in found.features] == list(names)
        assert all(values.dtype == np.float32 for values in found.features.values())
        return {each.layer: np.array(values) for each, values in found.features.items()}


def inputs_of(examples):
    return examples.stored_inputs(np.arange(len(examples)))


def by_hand(model, examples, names):
    """Each layer of a sequential model called after the other."""
    x = inputs_of(examples)
    values = {INPUT: x}
    for layer in model.layers:
        x = layer(x, training=False)
        values[layer.name] = x
    values[OUTPUT] = x
    values[PENULTIMATE] = values["hidden"]
    return {name: np.reshape(values[name], (len(examples), -1)) for name in names}


@pytest.mark.parametrize("batch_size", [1, 7, 30, 256])
def test_embeddings_equal_layer_outputs_at_any_batch_size(model, examples, batch_size):
    names = [OUTPUT, *HIDDEN, PENULTIMATE, INPUT]
    found = embedded(model, examples, names, batch_size=batch_size)
    for name, values in by_hand(model, examples, names).items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(found[INPUT], inputs_of(examples).reshape(30, -1))


def test_beyond_the_memory_limit_they_are_mapped_and_vanish(model, examples):
    wanted = [Embedding(name) for name in (INPUT, *HIDDEN, OUTPUT)]
    expected = embedded(model, examples, [each.layer for each in wanted])
    with embeddings(model, examples, wanted, memory_limit=1000, support=examples) as mapped:
        for each in wanted:
            for values in (mapped.features[each], mapped.support.features[each]):
                assert isinstance(values, np.memmap)
                np.testing.assert_allclose(values, expected[each.layer], atol=1e-6)
        files = [
            values.filename
            for part in (mapped, mapped.support)
            for values in part.features.values()
        ]
        assert len(set(files)) == 10
        assert all(map(os.path.exists, files))
    assert not any(map(os.path.exists, files))
    with pytest.raises(RuntimeError), embeddings(model, examples, wanted, memory_limit=0) as mapped:
        file = mapped.features[wanted[0]].filename
        raise RuntimeError
    assert not os.path.exists(file)


def test_the_limit_is_on_the_bytes_of_all_of_them(model, examples):
    wanted = [Embedding(INPUT), Embedding("hidden")]
    size = 4 * 30 * (64 + 8)
    for limit, mapped in ((size, False), (size - 1, True)):
        with embeddings(model, examples, wanted, memory_limit=limit) as found:
            for values in found.features.values():
                assert isinstance(values, np.memmap) == mapped


@pytest.mark.parametrize(("free", "fits"), [(4 * 30 * 64, True), (4 * 30 * 64 - 1, False)])
def test_a_disk_that_is_too_small_is_refused(model, examples, monkeypatch, free, fits):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))
    if fits:
        embedded(model, examples, [INPUT], memory_limit=1000)
        return
    with pytest.raises(InputError, match="do not fit on the disk. Expected.*Received.*TMPDIR"):
        embedded(model, examples, [INPUT], memory_limit=1000)


@pytest.mark.parametrize(("layer", "names"), [("hidden", ["hidden"]), ("logits", [INPUT])])
def test_values_that_are_not_finite_are_refused(examples, layer, names):
    model = small.network(examples)
    bounded = keras.Sequential([*model.layers, layers.Activation("tanh")])
    model.get_layer(layer).bias.assign(model.get_layer(layer).bias + np.inf)
    if layer == "hidden":  # the outputs alone stay finite
        model.get_layer("logits").kernel.assign(np.ones((8, 10)))
        assert np.isfinite(bounded(inputs_of(examples))).all()
    else:
        bounded = model
    with pytest.raises(InputError, match="are not finite. Expected.*diverged"):
        embedded(bounded, examples, names)


class Rows(layers.Layer):
    """A layer that gives more or fewer rows than there are examples."""

    def __init__(self, change):
        super().__init__(name="rows")
        self.change = change

    def call(self, x):
        return self.change(x)


class WithRows(keras.Model):
    def __init__(self, change):
        super().__init__()
        self.flatten, self.rows, self.out = layers.Flatten(), Rows(change), layers.Dense(10)

    def call(self, x):
        x = self.flatten(x)
        self.rows(x)
        return self.out(x)


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda x: x[:1], "1 vectors for 7 examples"),
        (lambda x: keras.ops.concatenate([x, x]), "14 vectors for 7 examples"),
        (lambda x: keras.ops.ones((1, 3)), "1 vectors for 7 examples"),
    ],
)
def test_layers_with_other_rows_than_the_examples_are_refused(examples, change, received):
    model = WithRows(change)
    model(inputs_of(examples))
    with pytest.raises(InputError, match=f"'rows' does not give one vector.*Received: {received}"):
        embedded(model, examples, ["rows"], batch_size=7)


def test_wider_layers_alone_are_reduced(model, examples):
    names = ["hidden", "norm", INPUT, OUTPUT]  # 8, 36, 64 and 10 wide
    wanted = [Embedding(name, 10, seed) for seed in (0, 1) for name in names]
    wanted += [Embedding("norm", limit) for limit in (35, 36)]
    exact = embedded(model, examples, names)
    with embeddings(model, examples, wanted, batch_size=7) as found:
        for each, values in found.features.items():
            expected = exact[each.layer]
            if expected.shape[1] > each.max_dimension:
                expected = random_projection(expected, each.max_dimension, each.seed)
            assert values.shape[1] == min(each.max_dimension, exact[each.layer].shape[1])
            np.testing.assert_allclose(values, expected, atol=1e-5)
        one, other = found.features[wanted[1]], found.features[wanted[5]]
        assert (np.abs(one - other) > 1e-3).mean() > 0.5


def test_the_support_is_embedded_as_the_examples_are(model, examples):
    others = small.digits(50, seed=1)
    wanted = [Embedding("norm", 10), Embedding(OUTPUT)]
    with embeddings(model, examples, wanted, 7, support=others) as found:
        assert (len(found.labels), len(found.support.labels)) == (30, 50)
        np.testing.assert_array_equal(found.support.labels, others.labels)
        assert found.support.support is found.support
        with embeddings(model, others, wanted) as expected:
            assert expected.support is expected
            for each in wanted:
                np.testing.assert_allclose(
                    found.support.features[each], expected.features[each], atol=1e-6
                )


def test_a_score_gets_its_embeddings_in_its_order():
    a, b, c = map(Embedding, "abc")
    support = Embeddings([0], {a: 4, b: 5, c: 6})
    found = Embeddings([1], {a: 1, b: 2, c: 3}, support).only([c, a])
    assert list(found.features.items()) == [(c, 3), (a, 1)]
    assert list(found.support.features.items()) == [(c, 6), (a, 4)]
    assert (found.labels, found.support.labels) == ([1], [0])
    alone = support.only([b])
    assert alone.support is alone


def transfer_model(examples):
    """Augmentation, a model inside and a dense head, as those on top of keras.applications."""
    keras.utils.set_random_seed(0)
    shape = examples.shape
    backbone = [layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="norm")]
    backbone = keras.Sequential([keras.Input(shape), *backbone], name="backbone")
    augmented = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.3)], name="augment")
    inputs = keras.Input(shape)
    x = layers.GlobalAveragePooling2D(name="pool")(backbone(augmented(inputs)))
    x = layers.Dropout(0.5, name="drop")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="head")(x))


def test_a_model_with_augmentation_another_inside_and_a_softmax(examples, tmp_path):
    model = transfer_model(examples)
    model.get_layer("backbone").layers[1].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    names = [INPUT, "augment", "backbone/conv", "norm", "backbone", "pool", PENULTIMATE, OUTPUT]
    logits = as_logits(model)
    variables, attributes = [np.array(each) for each in model.variables], state_of(model)
    found = embedded(logits, examples, names, batch_size=7)
    assert state_of(model) == attributes
    for variable, value in zip(model.variables, variables, strict=True):
        np.testing.assert_array_equal(variable, value)
    x = inputs_of(examples)
    conv, norm = model.get_layer("backbone").layers
    expected = {INPUT: x, "augment": x, "backbone/conv": conv(x)}
    expected["norm"] = expected["backbone"] = norm(expected["backbone/conv"], training=False)
    expected["pool"] = expected[PENULTIMATE] = np.mean(expected["norm"], axis=(1, 2))
    head = model.get_layer("head")
    expected[OUTPUT] = expected["pool"] @ np.array(head.kernel) + np.array(head.bias)
    for name in names:
        np.testing.assert_allclose(
            found[name], np.reshape(expected[name], (30, -1)), atol=1e-4, err_msg=name
        )
    model.save(tmp_path / "model.keras")
    loaded = as_logits(loading.load(tmp_path / "model.keras"))
    for name, values in embedded(loaded, examples, names, batch_size=7).items():
        np.testing.assert_allclose(values, found[name], atol=1e-6, err_msg=name)


def test_half_precision_becomes_single_before_anything_else(examples):
    keras.utils.set_random_seed(0)
    half = {"dtype": "mixed_float16"}
    stack = [layers.Flatten(), layers.Dense(20, name="hidden", **half), layers.Dense(10, **half)]
    inner = keras.Sequential(stack, name="inner")
    model = keras.Sequential([keras.Input(examples.shape), inner])
    wanted = [Embedding("hidden"), Embedding("hidden", 4), Embedding("inner"), Embedding(OUTPUT)]
    with embeddings(model, examples, wanted) as found:
        exact, reduced, *same = found.features.values()
        hidden = stack[1](inputs_of(examples).reshape(30, -1))
        assert hidden.dtype == "float16"
        np.testing.assert_allclose(exact, hidden, atol=2e-3)
        np.testing.assert_array_equal(exact, exact.astype("float16"))
        np.testing.assert_allclose(reduced, random_projection(exact, 4), atol=1e-6)
        np.testing.assert_array_equal(*same)
