"""Mistakes that are found before anything trains or is scored."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import InputError


class Fits(keras.callbacks.Callback):
    """Counts the batches of training."""

    batches = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.batches += 1


@pytest.fixture(scope="module")
def examples():
    return small.digits(40)


def require_refused(model, examples, scores, message):
    fits = Fits()
    with pytest.raises(InputError, match=message):
        small.fit(small.compiled(model), examples, 3, [fits, kp.ScoreCallback(examples, scores)])
    assert fits.batches == 0


def test_outputs_that_are_not_finite(examples):
    model = small.plain_network(examples)
    model.layers[-1].bias.assign(np.full(10, np.nan))
    for scores in (["el2n"], ["vog"]):
        require_refused(model, examples, scores, "outputs of the model are not finite. Expected")


def test_a_hidden_softmax_at_the_end(examples):
    model = keras.Sequential(small.plain_network(examples).layers)
    model.add(keras.layers.Softmax())
    model.add(keras.layers.Dropout(0.5))
    require_refused(model, examples, ["loss"], "ends in a softmax. Expected logits")


@pytest.mark.parametrize("driver", ["callback", "checkpoints"])
def test_vog_of_a_model_without_input_gradients(driver):
    tokens = kp.Examples.from_arrays(np.ones((6, 4), "float32"), np.arange(6) % 3)
    inputs = keras.Input((4,))
    signs = keras.layers.Lambda(lambda x: keras.ops.cast(x > 0, "float32"))
    model = keras.Model(inputs, keras.layers.Dense(3)(signs(inputs)))
    message = "no gradient by its input. Expected.*such as Embedding.*Leave out.*`vog`"
    if driver == "callback":
        require_refused(model, tokens, ["el2n", "vog"], message)
    else:
        with pytest.raises(InputError, match=message):
            kp.score_checkpoints([model, model], tokens, ["el2n", "vog"])


def test_layers_of_a_model_without_an_input(examples):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, name="logits")])
    callback = kp.ScoreCallback(examples, [kp.scores.PredictionDepth(layers=["nowhere"], k=3)])
    callback.set_model(model)
    callback.set_params({"epochs": 1})
    with pytest.raises(InputError, match="Unknown layers.*Received: 'nowhere'"):
        callback.on_train_begin()
    # Its layers exist since one batch has gone through.
    assert model.built


class Pairs:
    """Ways to give data that are not `Examples`."""

    x, y = np.zeros((4, 2), "float32"), np.zeros(4, int)


@pytest.mark.parametrize(
    "data",
    [
        (Pairs.x, Pairs.y),
        {"x": Pairs.x, "y": Pairs.y},
        Pairs.x,
        tf.data.Dataset.from_tensor_slices((Pairs.x, Pairs.y)),
        None,
    ],
)
def test_data_that_are_no_examples(data, examples):
    message = "Invalid `{}`. Expected Examples.*Received: .*Examples.from_arrays"
    with pytest.raises(InputError, match=message.format("examples")):
        kp.ScoreCallback(data, ["el2n"])
    with pytest.raises(InputError, match=message.format("examples")):
        kp.score_checkpoints([small.plain_network(examples)], data, ["el2n"])
    if data is not None:
        with pytest.raises(InputError, match=message.format("support")):
            kp.ScoreCallback(examples, ["el2n"], support=data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": kp.scores.get("vog")}, "Invalid `scores`. Expected a list"),
        ({"scores": {"name": "vog"}}, "Invalid `scores`. Expected a list"),
        ({"epochs": 0}, "Invalid `epochs`. Expected a positive integer"),
        ({"batch_size": 2.5}, "Invalid `batch_size`. Expected a positive integer"),
    ],
)
def test_arguments_of_the_callback(options, message, examples):
    with pytest.raises(InputError, match=message):
        kp.ScoreCallback(examples, **{"scores": ["el2n"], **options})


@pytest.mark.parametrize("checkpoints", [[np.zeros(3)], [None], {"a.keras": 1}, 3])
def test_checkpoints_that_are_none(checkpoints, examples):
    with pytest.raises(InputError, match="Invalid `checkpoints`. Expected .*Received: "):
        kp.score_checkpoints(checkpoints, examples, ["el2n"])


def test_recording_takes_a_model(examples):
    callback = kp.ScoreCallback(examples, ["aum"])
    with pytest.raises(InputError, match="Invalid `model`. Expected a Keras model. Received: str"):
        callback.recording("model.keras")
    with pytest.raises(InputError, match="Invalid `passes`. Expected a positive integer"):
        callback.recording(small.plain_network(examples), passes=0)


@pytest.mark.parametrize("validation", ["split", "data"])
def test_a_validation_split_of_the_scored_examples(validation, examples):
    x, y = examples.stored_inputs(np.arange(40)), examples.labels
    callback = kp.ScoreCallback(examples, ["el2n"])
    model = small.compiled(small.plain_network(examples))
    options = {"epochs": 2, "batch_size": 16, "verbose": 0, "callbacks": [callback]}
    if validation == "split":
        with pytest.warns(UserWarning, match="trains on 32 examples and validates on 8.*Split"):
            model.fit(x, y, validation_split=0.2, **options)
    else:
        model.fit(x, y, validation_data=(x[:8], y[:8]), **options)
        # Evaluation outside of `fit` is none of the callback's business.
        model.evaluate(x, y, verbose=0, callbacks=[callback])
    assert callback.table().names == ["el2n"]


def test_a_class_in_the_place_of_a_score(examples):
    with pytest.raises(InputError, match=r"instances.*Received: the class EL2N. Write EL2N\(\)"):
        kp.ScoreCallback(examples, [kp.scores.EL2N])
