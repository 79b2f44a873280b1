"""How a model ends: several heads, layers of a user's class, softmax, log-softmax and sigmoid."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.backend.tensorflow.requirements import (
    require_input_gradients,
    require_logits,
    require_unshifted_logits,
)
from keras_pruning.models import graph, heads, networks
from keras_pruning.scores import GraNd

ONES = keras.ops.ones((2, 6))


@pytest.fixture(scope="module")
def examples():
    return small.random_images(30, shape=(6,))


def logits_of(*end):
    """A network of equal weights before every end."""
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(5, activation="relu", name="hidden")
    return keras.Sequential([keras.Input((6,)), hidden, *end])


def dense(**options):
    return layers.Dense(3, bias_initializer="normal", **options)


def scores_of(model, examples, names):
    table = kp.score_checkpoints([model], examples, names)
    return {name: table[name] for name in table.names}


class Cosine(layers.Dense):
    """A head of another formula than the product with its kernel."""

    def call(self, x):
        kernel = keras.ops.normalize(self.kernel, axis=0)
        return self.activation(10 * keras.ops.matmul(keras.ops.normalize(x), kernel))


class Renamed(layers.Dense):
    """A subclass that computes as `Dense` does."""


def test_a_dense_subclass_with_its_own_call_has_no_closed_form(examples):
    model = logits_of(Cosine(3))
    with pytest.raises(InputError, match="Could not find the input of the last layer"):
        kp.score_checkpoints([model], examples, [GraNd(weights="last_layer")])
    x, y = examples.stored_inputs(np.arange(30)), examples.labels
    loss = keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True)
    np.testing.assert_allclose(scores_of(model, examples, ["loss"])["loss"], loss, rtol=1e-5)


def test_a_cosine_head_with_a_softmax_of_its_own_is_refused(examples):
    model = logits_of(Cosine(3, activation="softmax"))
    assert heads.as_logits(model) is model
    with pytest.raises(InputError, match="ends in a softmax. Expected logits"):
        kp.score_checkpoints([model], examples, ["loss"])


@pytest.mark.parametrize("change", ["lora", "int8", "call"])
def test_a_kernel_that_is_not_all_of_the_product(change, examples):
    model = logits_of(dense(activation="softmax", name="last"))
    last = model.get_layer("last")
    if change == "lora":
        last.enable_lora(2)
    elif change == "int8":
        last.quantize("int8")
    else:
        object.__setattr__(last, "call", lambda x, training=None: keras.ops.softmax(x[:, :3]))
    assert not graph.is_plain_dense(last)
    assert heads.as_logits(model) is model
    with pytest.raises(InputError, match="ends in a softmax"):
        require_logits(model, examples)


def test_a_subclass_that_computes_as_dense_has_the_closed_form(examples):
    last = dense()
    expected = scores_of(logits_of(last), examples, [GraNd(weights="last_layer")])["grand"]
    model = logits_of(renamed := Renamed(3))
    renamed.set_weights(last.get_weights())
    model.layers[0].set_weights(logits_of(dense()).layers[0].get_weights())
    ours = scores_of(model, examples, [GraNd(weights="last_layer")])["grand"]
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


LOG_SOFTMAX_ENDS = [
    lambda: [dense(activation="log_softmax")],
    lambda: [dense(), layers.Activation("log_softmax")],
    lambda: [dense(), Operation(keras.ops.log_softmax)],
]


class Operation:
    """Calls a function of `keras.ops` in a graph, so that it becomes an operation of it."""

    def __init__(self, function):
        self.function = function


def functional(end):
    base = logits_of()
    x = base.outputs[0]
    for part in end:
        x = part.function(x) if isinstance(part, Operation) else part(x)
    return keras.Model(base.inputs, x)


@pytest.mark.parametrize("end", LOG_SOFTMAX_ENDS)
def test_the_logits_before_a_log_softmax_are_taken(end, examples):
    plain = functional([dense()])
    models = [functional(end()) for _ in range(2)]
    for model in models:
        model.set_weights(plain.get_weights())
    np.testing.assert_allclose(heads.as_logits(models[0])(ONES), plain(ONES), rtol=1e-6)
    models[1].set_weights([2 * weight for weight in plain.get_weights()])
    other = keras.models.clone_model(plain)
    other.set_weights(models[1].get_weights())
    ours = kp.score_checkpoints(models, examples, ["vog"])["vog"]
    expected = kp.score_checkpoints([plain, other], examples, ["vog"])["vog"]
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_vog_of_a_hidden_log_softmax_is_refused(examples):
    plain = logits_of(dense())
    hidden = keras.Sequential([*plain.layers, layers.Lambda(tf.nn.log_softmax)])
    for names in (["el2n"], ["aum"], ["loss"]):
        ours, expected = (scores_of(each, examples, names) for each in (hidden, plain))
        np.testing.assert_allclose(ours[names[0]], expected[names[0]], atol=1e-5)
    for score in ("vog", {"name": "prediction_depth", "k": 5}):
        with pytest.raises(InputError, match="ends in a log-softmax. Expected logits.*leave out"):
            kp.score_checkpoints([hidden, hidden], examples, [kp.scores.get(score)])


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: logits_of(dense()), "linear"),
        (lambda: logits_of(dense(), layers.Activation("linear")), "linear"),
        (lambda: heads.as_logits(logits_of(dense(activation="softmax"))), "linear"),
        (lambda: heads.as_logits(logits_of(dense(), layers.Softmax())), "linear"),
        (lambda: logits_of(dense(activation="sigmoid")), "sigmoid"),
        (lambda: functional([dense(), Operation(keras.ops.sigmoid)]), "sigmoid"),
        (lambda: logits_of(dense(), layers.Activation("tanh")), "tanh"),
        (lambda: logits_of(keras.Sequential([dense(), layers.Softmax()])), "softmax"),
        (lambda: logits_of(dense(activation=lambda x: x)), None),
        (lambda: logits_of(Cosine(3)), None),
        (lambda: logits_of(dense(), layers.Rescaling(2.0)), None),
    ],
)
def test_the_graph_shows_how_a_model_ends(build, name):
    assert heads.ending(build()) == name


class Around(keras.Model):
    """A model that shows no graph."""

    def __init__(self, inside, activation=None):
        super().__init__()
        self.inside, self.last = inside, keras.activations.get(activation)

    def call(self, x):
        return self.last(self.inside(x))


@pytest.fixture(scope="module")
def two_classes():
    return small.random_images(40, classes=2)


@pytest.mark.slow
def test_fresh_networks_of_two_classes_are_no_sigmoids():
    """Of these 61 networks a few have logits in [0, 1] for all examples."""
    x = np.random.default_rng(0).random((32, 8, 8, 1)).astype("float32")
    examples, inside = kp.Examples.from_arrays(x, np.arange(32) % 2), []
    for seed in range(61):
        keras.utils.set_random_seed(seed)
        model = networks.plain_cnn((8, 8, 1), 2, width=4)
        outputs = model(x).numpy()
        if outputs.min() >= 0 and outputs.max() <= 1:
            inside.append(seed)
        require_logits(model, examples)
        require_logits(Around(model), examples)
    assert len(inside) >= 2


@pytest.mark.parametrize(
    ("activation", "message"),
    [("sigmoid", "do not look like logits"), ("softmax", "ends in a softmax")],
)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_activations_without_a_graph_are_seen(activation, message, scale, two_classes):
    model = networks.plain_cnn((8, 8, 1), 2, width=4)
    model.set_weights([scale * weight for weight in model.get_weights()])
    with pytest.raises(InputError, match=message):
        require_logits(Around(model, activation), two_classes)


def test_a_sigmoid_in_the_graph_is_refused_whatever_it_gives(two_classes):
    inputs = keras.Input((8, 8, 1))
    outputs = layers.Dense(2, activation="sigmoid")(layers.Flatten()(inputs))
    with pytest.raises(InputError, match="do not look like logits"):
        require_logits(keras.Model(inputs, outputs), two_classes)


@pytest.mark.parametrize("bias", [[0.2, 0.3, 0.5], [0.5, 0.5, 0.5], [-1.2, -1.2, -0.9]])
def test_the_graph_counts_and_not_the_outputs(bias, examples):
    """Logits that look like probabilities, or like their logarithms, whatever the inputs are."""
    model = logits_of(dense(name="last"))
    last = model.get_layer("last")
    last.set_weights([np.zeros(last.kernel.shape), np.float32(bias)])
    require_logits(model, examples)
    require_unshifted_logits(model, examples)


def test_outputs_that_are_not_finite_are_no_probabilities(examples):
    """A model that diverged has another message of its own."""
    require_logits(logits_of(layers.Lambda(lambda x: x[:, :3] * np.nan)), examples)


class Fails(keras.Model):
    def call(self, x):
        raise RuntimeError("mine")


class Several(keras.Model):
    def call(self, x):
        return {"first": x, "second": x}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Fails, "does not accept the examples. Expected.*raises RuntimeError: mine"),
        (Several, r"does not return one tensor. Expected.*\['first', 'second'\]"),
        (lambda: logits_of(layers.Dense(4)), r"does not fit.*\(batch, 3\).*\(30, 4\)"),
        (lambda: logits_of(layers.Lambda(tf.reduce_sum)), r"does not fit.*\(batch, 3\).*\(\)"),
        (lambda: logits_of(layers.Lambda(lambda x: x[:2, :3])), r"does not fit.*\(2, 3\)"),
    ],
)
def test_models_that_cannot_give_logits(build, message, examples):
    with pytest.raises(InputError, match=message):
        require_logits(build(), examples)


def test_rounded_numbers_have_no_input_gradients(examples):
    """Refused before training, although every other score can be taken."""
    x = np.random.default_rng(0).integers(0, 9, (30, 6)).astype("float32")
    tokens = kp.Examples.from_arrays(x, np.arange(30) % 3)
    signs = layers.Lambda(lambda x: keras.ops.cast(x > 4, "float32"))
    model = keras.Sequential([keras.Input((6,)), signs, layers.Dense(3)])
    with pytest.raises(InputError, match="no gradient by its input. Expected.*Leave out.*`vog`"):
        require_input_gradients(model, tokens)
    small.compiled(model)
    with pytest.raises(InputError, match="no gradient by its input"):
        small.fit(model, tokens, 3, [kp.ScoreCallback(tokens, ["el2n", "vog"])])
    assert model.optimizer.iterations == 0


def test_wrong_classes_are_found_before_training(examples):
    model = small.compiled(logits_of(layers.Dense(4)))
    with pytest.raises(InputError, match="does not fit the examples"):
        small.fit(model, examples, 1, [kp.ScoreCallback(examples, ["el2n"])])
    assert model.optimizer.iterations == 0


class Tokens(keras.Model):
    """A model without a graph, whose inputs are the numbers of a vocabulary."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(20, 4)
        self.pool, self.dense = layers.GlobalAveragePooling1D(), layers.Dense(2)

    def call(self, x):
        return self.dense(self.pool(self.embedding(x)))


def test_fresh_models_of_tokens_are_no_sigmoids():
    """The logits may all lie in [0, 1], and 1000 times the number of a token is no token."""
    x = np.random.default_rng(0).integers(0, 20, (40, 5))
    examples = kp.Examples.from_arrays(x, np.arange(40) % 2)
    model = Tokens()
    model(x.astype("float32"))
    model.dense.bias.assign([0.5, 0.5])
    outputs = np.asarray(model(x.astype("float32")))
    assert (outputs >= 0).all() and (outputs <= 1).all()
    require_logits(model, examples)
