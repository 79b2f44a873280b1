"""Scores of models that read tokens, strings and several arrays."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_pruning as kp
from keras_pruning import Examples

COUNT, LENGTH, CLASSES = 24, 4, 3
TOKENS = np.random.default_rng(0).integers(1, 9, size=(COUNT, LENGTH))
LABELS = np.arange(COUNT) % CLASSES
TEXTS = [" ".join(f"w{token}" for token in row) for row in TOKENS]
DEPTH = kp.scores.PredictionDepth(k=3)
SCORES = ["el2n", "vog", "grand", "aum", DEPTH, "prototype"]


def of_tokens(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(9, 5, embeddings_initializer="glorot_normal"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(6, activation="tanh"),
            layers.Dense(CLASSES),
        ]
    )


def of_vectors(model):
    """Returns the part of a model behind its embedding, and the vectors of all examples."""
    vectors = keras.Input((LENGTH, 5))
    x = vectors
    for layer in model.layers[1:]:
        x = layer(x)
    embedded = keras.ops.convert_to_numpy(model.layers[0](TOKENS))
    return keras.Model(vectors, x), embedded


def scores_of(models, x, scores=SCORES):
    return kp.score_checkpoints(models, Examples.from_arrays(x, LABELS), scores)


def z_scores(values):
    members = [values[label == LABELS] for label in LABELS]
    return [(value - of.mean()) / of.std() for value, of in zip(values, members, strict=True)]


def test_vog_of_tokens_is_by_the_output_of_the_embedding():
    """Derived with NumPy: no mean over channels, the mean over all entries."""
    models = [of_tokens(seed) for seed in (1, 2, 3)]
    gradients = []
    for model in models:
        _, embedded = of_vectors(model)
        first, bias, last, _ = model.get_weights()[1:]
        h = np.tanh(embedded.mean(axis=1) @ first + bias)
        by_mean = ((1 - h**2) * last.T[LABELS]) @ first.T
        gradients.append(np.repeat(by_mean[:, np.newaxis] / LENGTH, LENGTH, axis=1))
    deviation = np.std(gradients, axis=0).reshape(COUNT, -1).mean(axis=1)
    ours = scores_of(models, TOKENS, ["vog"])["vog"]
    np.testing.assert_allclose(ours, z_scores(deviation), atol=1e-4)


def test_depth_of_tokens_starts_from_the_embedding():
    model = of_tokens(0)
    behind, embedded = of_vectors(model)
    ours = scores_of([model], TOKENS, [kp.scores.PredictionDepth(k=3, layers=0)])
    theirs = scores_of([behind], embedded, [kp.scores.PredictionDepth(k=3, layers=0)])
    np.testing.assert_array_equal(ours["prediction_depth"], theirs["prediction_depth"])


def vectorized():
    """Returns the layer that turns `"w3 w4"` into the tokens 3 and 4, and pads with 0."""
    vocabulary = [f"w{token}" for token in range(2, 9)]
    return layers.TextVectorization(
        vocabulary=vocabulary, output_sequence_length=LENGTH, standardize=None
    )


def of_texts(model, shape):
    inputs = keras.Input(shape, dtype="string")
    x = vectorized()(inputs)
    for layer in model.layers:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(), (1,)])
def test_texts_have_the_scores_of_their_tokens(shape):
    tokens = [of_tokens(seed) for seed in (1, 2)]
    # Word 1 is unknown, and has the token 1 of unknown words.
    texts = [of_texts(model, shape) for model in tokens]
    ours, expected = scores_of(texts, TEXTS), scores_of(tokens, TOKENS)
    for name in expected.names:
        np.testing.assert_array_equal(ours[name], expected[name], err_msg=name)


class Classifier(keras.Model):
    """A model without a graph, of a dictionary as the tasks of KerasHub take it."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(9, 5)
        self.positions = layers.Embedding(LENGTH, 5)
        self.dense = layers.Dense(CLASSES)

    def call(self, inputs):
        x = self.embedding(inputs["token_ids"]) + self.positions(keras.ops.arange(LENGTH))
        mask = keras.ops.cast(inputs["padding_mask"], x.dtype)[..., None]
        return self.dense(keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1))


def of_dictionary():
    ids = keras.Input((LENGTH,), dtype="int32", name="token_ids")
    mask = keras.Input((LENGTH,), dtype="bool", name="padding_mask")
    model = Classifier()
    inputs = {"token_ids": ids, "padding_mask": mask}
    return keras.Model(inputs, model(inputs)), model


@pytest.mark.parametrize("has_graph", [True, False])
def test_a_dictionary_of_tokens_and_mask(has_graph):
    x = {"token_ids": TOKENS.astype("int32"), "padding_mask": TOKENS > 2}
    x["padding_mask"][:, 0] = True
    examples = Examples.from_arrays(x, LABELS)
    functional, plain = of_dictionary()
    model = functional if has_graph else plain
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = kp.ScoreCallback(examples, ["el2n", "vog", "aum", "grand"])
    model.fit(x, LABELS, epochs=3, verbose=0, callbacks=[callback])
    table = callback.table()
    logits = keras.ops.convert_to_numpy(model(examples.stored_inputs(np.arange(COUNT))))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    last = kp.score_checkpoints([model], examples, ["el2n"])["el2n"]
    np.testing.assert_allclose(last, np.linalg.norm(p - np.eye(3)[LABELS], axis=1), rtol=1e-4)
    assert np.ptp(table["vog"]) > 0


def test_numbers_and_tokens_both_count_for_vog():
    """Derived with NumPy: the gradients by the numbers and by the embedding, side by side."""
    models, gradients = [], []
    values = TOKENS[:, :2] / 7
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        numbers, token = keras.Input((2,), name="numbers"), keras.Input((), name="token")
        embedded = layers.Embedding(9, 3, embeddings_initializer="glorot_normal")(token)
        hidden = layers.Dense(5, activation="tanh")(layers.concatenate([numbers, embedded]))
        output = layers.Dense(CLASSES)(hidden)
        models.append(keras.Model({"numbers": numbers, "token": token}, output))
        table, first, bias, last, _ = models[-1].get_weights()
        h = np.tanh(np.hstack([values, table[TOKENS[:, 2]]]) @ first + bias)
        gradients.append(((1 - h**2) * last.T[LABELS]) @ first.T)
    x = {"numbers": values, "token": TOKENS[:, 2]}
    ours = kp.score_checkpoints(models, Examples.from_arrays(x, LABELS), ["vog"])["vog"]
    deviation = np.std(gradients, axis=0).mean(axis=1)
    np.testing.assert_allclose(ours, z_scores(deviation), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uint8", "int64", "float64"])
def test_pixels_of_every_kind_have_the_same_scores(kind):
    """A model with its own scaling, of 0 to 255."""
    pixels = np.random.default_rng(1).integers(0, 256, size=(COUNT, 4, 4, 1))

    def model(seed):
        keras.utils.set_random_seed(seed)
        return keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                layers.Rescaling(1 / 255),
                layers.Flatten(),
                layers.Dense(8, activation="relu"),
                layers.Dense(CLASSES),
            ]
        )

    models = [model(seed) for seed in (1, 2)]
    ours = scores_of(models, pixels.astype(kind))
    expected = scores_of(models, pixels.astype("float32"))
    for name in expected.names:
        np.testing.assert_array_equal(ours[name], expected[name], err_msg=name)
