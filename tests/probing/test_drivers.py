"""ScoreCallback and score_checkpoints."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.training import evaluation


@pytest.fixture(scope="module")
def examples():
    return small.digits(120)


@pytest.mark.slow
def test_the_callback_equals_checkpoints_of_the_same_run(examples, tmp_path):
    model = small.network(examples)
    scores = [kp.scores.EL2N(epoch=2), kp.scores.VoG(every=1), "prediction_depth"]
    callback = kp.ScoreCallback(examples, scores)
    saver = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))
    small.fit(model, examples, 3, [callback, saver])
    paths = [tmp_path / f"{epoch}.keras" for epoch in (1, 2, 3)]
    table = kp.score_checkpoints(paths, examples, scores)
    for name in ("el2n", "vog", "prediction_depth"):
        np.testing.assert_allclose(table[name], callback.table()[name], atol=1e-4)


def test_el2n_of_a_callback_equals_a_plain_forward_pass(examples):
    model = small.network(examples)
    callback = kp.ScoreCallback(examples, [kp.scores.EL2N(epoch=2)])
    small.fit(model, examples, 2, [callback])
    x = examples.stored_inputs(np.arange(len(examples)))
    logits = model(x, training=False).numpy().astype(float)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.sqrt(((p - np.eye(10)[examples.labels]) ** 2).sum(axis=1))
    np.testing.assert_allclose(callback.table()["el2n"], expected, atol=1e-5)


def test_each_score_looks_when_it_is_due(examples):
    """Weights set by hand: epoch k ends with the logits k · (1, 0)."""

    class Script(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[-1].bias.assign([epoch + 1.0, 0.0])
            self.model.layers[-1].kernel.assign([[0.0, 0.0]])

    two = kp.Examples.from_arrays(np.zeros((2, 1), "float32"), np.array([0, 1]))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    callback = kp.ScoreCallback(two, [kp.scores.EL2N(epoch=2)])
    small.fit(model, two, 4, [Script(), callback])
    wrong = 1 / (1 + np.exp(-2.0))
    expected = [2**0.5 * (1 - wrong), 2**0.5 * wrong]
    np.testing.assert_allclose(callback.table()["el2n"], expected, 1e-5)
    assert callback.table().metadata["scores"]["el2n"]["epochs"] == [2]


def test_metadata_tell_direction_mode_epochs_and_examples(examples):
    callback = kp.ScoreCallback(examples, ["el2n", "vog"])
    small.fit(small.network(examples), examples, 2, [callback])
    metadata = callback.table().metadata
    assert metadata["examples"] == examples.provenance
    assert metadata["run"] == {"epochs": 2, "observed": [1, 2]}
    assert metadata["scores"]["vog"] == {
        "higher_is_harder": True,
        "config": {"every": None},
        "epochs": [1, 2],
        "partial": False,
        "mode": "eval",
        "over_seeds": "mean",
        "image_data_format": "channels_last",
    }


@pytest.mark.slow
def test_a_run_stopped_early_is_scored_as_far_as_it_got(examples):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    callback = kp.ScoreCallback(examples, [kp.scores.EL2N(epoch=1), kp.scores.VoG(every=1)])
    small.fit(small.network(examples), examples, 5, [callback, Stop()])
    with pytest.warns(UserWarning, match="epochs 1-2 of a run of 5 epochs.*this part: vog"):
        assert callback.table(partial=True).metadata["scores"]["vog"]["epochs"] == [1, 2]
    callback = kp.ScoreCallback(examples, [kp.scores.EL2N(epoch=3)])
    small.fit(small.network(examples), examples, 5, [callback, Stop()])
    with pytest.raises(InputError, match=r"`el2n` has no values.*epochs \[3\].*Received.*\[\]"):
        callback.table()
    callback = kp.ScoreCallback(examples, ["loss", "confidence", {"name": "dual", "window": 3}])
    small.fit(small.network(examples), examples, 5, [callback, Stop()])
    message = r"`dual` has no values. Expected .* reaches 3 "
    with pytest.raises(InputError, match=message):
        callback.table(["confidence", "dual"])
    with pytest.raises(InputError, match="`confidence` would be the score of a part.*1-5.*1-2"):
        callback.table(["confidence"])
    with pytest.warns(UserWarning, match="this part: confidence"):
        assert callback.table(["confidence"], partial=True).names == ["confidence"]
    with pytest.raises(InputError, match="Unknown score of this run.*confidence.*Received: 'aum'"):
        callback.table(["aum"])


def test_a_run_too_short_for_a_score_is_refused_before_it_trains(examples):
    model = small.network(examples)
    before = [weight.numpy() for weight in model.weights]
    with pytest.raises(InputError, match="at least two checkpoints"):
        small.fit(model, examples, 1, [kp.ScoreCallback(examples, ["vog"])])
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("scores", [[], ["el2n", "el2n"], ["vog", kp.scores.VoG(every=2)]])
def test_refuses_no_scores_and_scores_given_twice(scores, examples):
    with pytest.raises(InputError, match="Invalid `scores`. Expected at least one, each once"):
        kp.ScoreCallback(examples, scores)


@pytest.mark.slow
def test_a_softmax_at_the_end_is_taken_off(examples):
    """Gradients of logits, not of probabilities, whichever way the softmax is written."""
    logits = small.network(examples)
    dense = logits.layers[-1]
    tables = [kp.score_checkpoints([logits, logits], examples, ["el2n", "prediction_depth"])]
    as_layer = keras.Sequential([*logits.layers, keras.layers.Softmax()])
    as_activation_layer = keras.Sequential([*logits.layers, keras.layers.Activation("softmax")])
    as_activation = keras.models.clone_model(logits)
    inside = keras.layers.Dense(10, activation="softmax", name="logits")
    as_activation = keras.Sequential([keras.Input(examples.shape), *logits.layers[:-1], inside])
    inside.set_weights(dense.get_weights())
    for model in (as_layer, as_activation_layer, as_activation):
        x = examples.stored_inputs(np.arange(2))
        np.testing.assert_allclose(model(x).numpy().sum(axis=1), 1, 1e-5)
        tables.append(kp.score_checkpoints([model, model], examples, ["el2n", "prediction_depth"]))
    for table in tables[1:]:
        np.testing.assert_allclose(table["el2n"], tables[0]["el2n"], atol=1e-5)
        np.testing.assert_array_equal(table["prediction_depth"], tables[0]["prediction_depth"])


@pytest.mark.slow
def test_vog_is_the_same_with_and_without_a_softmax(examples):
    models = [small.network(examples, seed) for seed in range(2)]
    softmaxed = [keras.Sequential([*model.layers, keras.layers.Softmax()]) for model in models]
    expected = kp.score_checkpoints(models, examples, ["vog"])["vog"]
    table = kp.score_checkpoints(softmaxed, examples, ["vog"])
    np.testing.assert_allclose(table["vog"], expected, atol=1e-5)


class Subclassed(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(10, activation=activation)

    def call(self, x):
        return self.dense(self.flatten(x))


def test_a_subclassed_model_gives_all_but_prediction_depth(examples):
    models = [Subclassed(), Subclassed()]
    # Gradients of a linear model are equal within a class.
    with pytest.warns(UserWarning, match="The score `vog` is the same for all examples: 0"):
        table = kp.score_checkpoints(models, examples, ["el2n", "vog"])
    assert table.names == ["el2n", "vog"]
    message = "Subclassed.*does not show the order of its layers.*functional.*among"
    with pytest.raises(InputError, match=message):
        kp.score_checkpoints(models, examples, ["prediction_depth"])


def test_a_softmax_that_cannot_be_seen_is_an_error(examples):
    for scores in (["el2n"], ["vog"]):
        with pytest.raises(InputError, match="ends in a softmax. Expected logits"):
            kp.score_checkpoints([Subclassed("softmax"), Subclassed("softmax")], examples, scores)


@pytest.mark.parametrize("classes", [9, 11])
def test_a_model_with_other_classes_is_an_error(classes, examples):
    model = keras.Sequential(
        [keras.Input(examples.shape), keras.layers.Flatten(), keras.layers.Dense(classes)]
    )
    message = rf"does not fit the examples. Expected.*\(None, 10\).*\(None, {classes}\)"
    with pytest.raises(InputError, match=message):
        kp.score_checkpoints([model], examples, ["el2n"])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(InputError, match="does not fit the examples"):
        callback = kp.ScoreCallback(examples, [kp.scores.EL2N(epoch=1)])
        callback.set_model(model)
        callback.set_params({"epochs": 1})
        callback.on_train_begin()


def test_refuses_checkpoints_missing_damaged_or_of_other_models(examples, tmp_path):
    with pytest.raises(InputError, match="Missing model file.*nowhere.keras"):
        kp.score_checkpoints([tmp_path / "nowhere.keras"], examples, ["el2n"])
    (tmp_path / "damaged.keras").write_bytes(b"PK no")
    with pytest.raises(InputError, match="Cannot load the model .*damaged.keras"):
        kp.score_checkpoints([tmp_path / "damaged.keras"], examples, ["el2n"])
    with pytest.raises(InputError, match="Checkpoints of different models.*checkpoint 2"):
        kp.score_checkpoints([small.network(examples), Subclassed()], examples, ["el2n"])
    with pytest.raises(InputError, match="at least one checkpoint"):
        kp.score_checkpoints([], examples, ["el2n"])


def test_a_keras_file_with_code_in_it_is_not_run(examples, tmp_path):
    model = keras.Sequential(
        [
            keras.Input(examples.shape),
            keras.layers.Lambda(lambda x: x * 2),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.save(tmp_path / "code.keras")
    with pytest.raises(InputError, match=r"Cannot load the model .*code.keras"):
        kp.score_checkpoints([tmp_path / "code.keras"], examples, ["el2n"])


def test_refuses_unfinished_tables_and_wrong_types(examples):
    callback = kp.ScoreCallback(examples, ["el2n"])
    with pytest.raises(InputError, match="There are no scores yet"):
        callback.table()
    with pytest.raises(
        InputError, match="Invalid `scores`. Expected a list. Received: scores='el2n'"
    ):
        kp.ScoreCallback(examples, "el2n")
    with pytest.raises(InputError, match="Invalid `checkpoints`. Expected a list"):
        kp.score_checkpoints("one.keras", examples, ["el2n"])
    with pytest.raises(InputError, match="Invalid `table`. Expected a ScoreTable"):
        kp.select("scores.parquet", "el2n", 0.5)
    with pytest.raises(InputError, match="Invalid `subset`. Expected a Subset.*Received: a list"):
        examples.keep([1, 2])


def test_a_sigmoid_at_the_end_is_an_error(examples):
    model = keras.Sequential(
        [
            keras.Input(examples.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="sigmoid"),
        ]
    )
    with pytest.raises(InputError, match="like logits. Expected.*numbers between 0 and 1 only"):
        kp.score_checkpoints([model], examples, ["el2n"])


@pytest.mark.slow
def test_scoring_again_and_again_does_not_warn(examples, caplog):
    models = [small.network(examples, seed) for seed in range(2)]
    for _ in range(4):
        kp.score_checkpoints(models, examples, ["el2n", "vog", "prediction_depth"])
    assert "retracing" not in caplog.text


class Tempered(keras.Model):
    """A functional model that is more than its graph."""

    def call(self, inputs, training=None):
        return 10 * super().call(inputs, training=training)


def test_a_functional_model_with_an_overridden_call_is_called(examples):
    graph = small.network(examples)
    model = Tempered(graph.inputs, graph.outputs)
    x = examples.stored_inputs(np.arange(len(examples)))
    logits = 10 * graph(x, training=False).numpy().astype(float)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    expected = np.sqrt(((p - np.eye(10)[examples.labels]) ** 2).sum(axis=1))
    table = kp.score_checkpoints([model], examples, ["el2n"])
    np.testing.assert_allclose(table["el2n"], expected, atol=1e-4)
    loss = evaluation.evaluate(model, examples)["test_loss"]
    expected_loss = -np.log(p[np.arange(120), examples.labels]).mean()
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-4)
    for score in ("prediction_depth", {"name": "grand", "weights": "last_layer"}):
        with pytest.raises(InputError, match="functional or sequential"):
            kp.score_checkpoints([model], examples, [score])


@pytest.mark.parametrize("name", ["aum", "margin"])
def test_scores_that_compare_classes_need_two(name):
    one = kp.Examples.from_arrays(np.zeros((4, 3), "float32"), np.zeros(4, int))
    with pytest.raises(InputError, match=f"`{name}` compares classes. Expected.*Received: 1"):
        kp.ScoreCallback(one, [name])
