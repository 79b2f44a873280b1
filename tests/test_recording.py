"""Scores out of the training step itself."""

import keras
import numpy as np
import pytest
import small

import keras_pruning as kp
from keras_pruning import InputError, training
from keras_pruning.scores import SCORES

DYNAMICS = [name for name in SCORES if SCORES[name].mode == "train"]


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def compiled(model, learning_rate=0.05, **options):
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **options,
    )
    return model


def plain_network(examples):
    """A network that says the same in training as in eval mode."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input(examples.shape), keras.layers.Flatten()]
    layers += [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def recorded_fit(model, examples, scores, epochs=4, batch_size=32, learning_rate=0.05, **options):
    callback = kp.ScoreCallback(examples, scores)
    recording = compiled(callback.recording(model), learning_rate, **options)
    batches = examples.batches(batch_size, shuffle=True, seed=3, rows=True)
    recording.fit(batches, epochs=epochs, callbacks=[callback], verbose=0, shuffle=False)
    return callback


@pytest.mark.parametrize("augmentation", [None, "flip_crop"])
def test_training_is_the_same_to_the_last_bit(augmentation, examples):
    weights, draws = [], []
    for scores in (None, kp.ScoreCallback(examples, ["forgetting", "tdds"])):
        model = small.network(examples)
        options = {"learning_rate": 0.02, "budget": "epochs", "batch_size": 32}
        training.train(
            model, examples, epochs=3, **options, augmentation=augmentation, scores=scores
        )
        weights.append([weight.numpy() for weight in model.weights])
        draws.append(float(keras.random.uniform(())))
    for plain, recorded in zip(*weights, strict=True):
        np.testing.assert_array_equal(recorded, plain)
    assert draws[0] == draws[1]


@pytest.mark.parametrize("batch_size", [1, 32, 129, 500])
def test_without_a_change_of_weights_it_sees_what_an_eval_pass_sees(batch_size, examples):
    """Every example's values stand at its own row, whatever the order and the last batch."""
    model = plain_network(examples)
    recorded = recorded_fit(model, examples, DYNAMICS, 3, batch_size, learning_rate=0.0).table()
    evaluated = kp.score_checkpoints([model] * 3, examples, DYNAMICS)
    for name in DYNAMICS:
        np.testing.assert_allclose(recorded[name], evaluated[name], atol=1e-5)
        assert recorded.metadata["scores"][name]["mode"] == "train"
        assert evaluated.metadata["scores"][name]["mode"] == "eval"
    assert len(np.unique(recorded["aum"])) > 100


@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}, {"run_eagerly": True}])
def test_the_outputs_are_those_that_the_step_has_computed(options, examples):
    """Against a model that hands every output out of eager mode, dropout and all."""
    seen = []

    class Watched(keras.Model):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def call(self, inputs, training=None):
            return self.model(inputs["x"], training=training)

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            seen.append((x["row"].numpy(), y_pred.numpy()))
            return super().compute_loss(x, y, y_pred, sample_weight, training)

    watched = compiled(Watched(small.network(examples)), run_eagerly=True)
    batches = examples.batches(32, shuffle=True, seed=3, rows=True)
    watched.fit(batches, epochs=4, verbose=0, shuffle=False)
    logits = np.zeros((4, 130, 10))
    for number, (rows, outputs) in enumerate(seen):
        logits[number // 5, rows] = outputs
    labels = examples.labels
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    p_label = p[:, np.arange(130), labels]
    others = np.where(np.eye(10, dtype=bool)[labels], -np.inf, logits).max(axis=2)
    margins = logits[:, np.arange(130), labels] - others
    correct = logits.argmax(axis=2) == labels
    forgotten = (correct[:-1] & ~correct[1:]).sum(axis=0)
    forgotten[~correct.any(axis=0)] = 4

    scores = ["forgetting", "aum", "confidence", "variability"]
    table = recorded_fit(small.network(examples), examples, scores, **options).table()
    np.testing.assert_array_equal(table["forgetting"], forgotten)
    np.testing.assert_allclose(table["aum"], margins.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(table["confidence"], p_label.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(table["variability"], p_label.std(axis=0), atol=1e-4)


def test_a_budget_of_steps_that_ends_inside_an_epoch(examples):
    """50 examples for as many steps as 130 take: 15 of batches of 32 and 18, 7 passes and a half.

    Every presentation counts, several in one epoch too, and the wrong label is never learned.
    """
    part = kp.Examples.from_arrays(
        examples.stored_inputs(np.arange(50)), examples.labels[:50], num_classes=10
    )
    model = plain_network(examples)
    callback = kp.ScoreCallback(part, ["forgetting", "confidence"])
    options = {"budget": "steps", "full_size": 130, "batch_size": 32, "weight_decay": 0.0}
    training.train(model, part, epochs=3, **options, learning_rate=1e-12, scores=callback)
    presentations = callback._recorder.scores[0].presentations
    assert presentations.sum() == 7 * 50 + 32
    assert set(presentations) == {7, 8}
    evaluated = kp.score_checkpoints([model], part, ["forgetting", "confidence"])
    never = evaluated["forgetting"] == 1
    assert 20 < never.sum() < 50
    np.testing.assert_array_equal(callback.table()["forgetting"], presentations * never)
    np.testing.assert_allclose(callback.table()["confidence"], evaluated["confidence"], atol=1e-5)


def test_compiled_by_xla_it_is_the_same(examples):
    # Without dropout, whose masks XLA draws otherwise.
    tables = [
        recorded_fit(plain_network(examples), examples, DYNAMICS, jit_compile=jit).table()
        for jit in (False, True)
    ]
    for name in DYNAMICS:
        np.testing.assert_allclose(tables[1][name], tables[0][name], atol=1e-4)


@pytest.mark.parametrize(
    ("steps", "steps_per_pass", "most"), [(5, 5, 1), (10, 5, 2), (6, 5, 3), (4, 5, 2), (11, 5, 4)]
)
def test_how_often_an_example_may_come(steps, steps_per_pass, most):
    starts = range(steps_per_pass)
    passes = [{(start + step) // steps_per_pass for step in range(steps)} for start in starts]
    needed = max(map(len, passes)) if steps % steps_per_pass else steps // steps_per_pass
    assert training.most_presentations(steps, steps_per_pass) == most >= needed


def test_mixed_precision(examples):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = plain_network(examples)
    finally:
        keras.config.set_dtype_policy("float32")
    table = recorded_fit(model, examples, DYNAMICS).table()
    exact = recorded_fit(plain_network(examples), examples, DYNAMICS).table()
    for name in DYNAMICS:
        assert table[name].dtype == np.float32
        assert np.isfinite(table[name]).all()
    np.testing.assert_allclose(table["confidence"], exact["confidence"], atol=0.05)
    assert np.corrcoef(table["aum"], exact["aum"])[0, 1] > 0.99


def test_a_second_fit_starts_clean_and_one_without_recording_sees_eval_mode(examples):
    callback = kp.ScoreCallback(examples, ["forgetting", "aum"])
    recording = compiled(callback.recording(plain_network(examples)), learning_rate=0.0)
    plain = compiled(recording.recorded, learning_rate=0.0)
    tables = []
    for model, rows in ((recording, True), (plain, False), (recording, True)):
        batches = examples.batches(32, shuffle=True, rows=rows)
        model.fit(batches, epochs=2, callbacks=[callback], verbose=0, shuffle=False)
        tables.append(callback.table())
    for table in tables[1:]:
        np.testing.assert_allclose(table["aum"], tables[0]["aum"], atol=1e-5)
        np.testing.assert_array_equal(table["forgetting"], tables[0]["forgetting"])
    modes = [table.metadata["scores"]["aum"]["mode"] for table in tables]
    assert modes == ["train", "eval", "train"]


def test_a_model_is_left_alone_where_no_score_takes_train_mode(examples):
    model = plain_network(examples)
    assert kp.ScoreCallback(examples, ["el2n", "vog"]).recording(model) is model


def test_refuses_a_softmax_and_the_recording_of_another_callback(examples):
    callback = kp.ScoreCallback(examples, ["aum"])
    softmaxed = keras.Sequential([plain_network(examples), keras.layers.Softmax()])
    with pytest.raises(InputError, match="ends in a softmax. Expected logits"):
        callback.recording(softmaxed)
    recording = compiled(callback.recording(plain_network(examples)))
    other = kp.ScoreCallback(examples, ["aum"])
    with pytest.raises(InputError, match="records for other scores. Expected the model"):
        recording.fit(examples.batches(32, rows=True), callbacks=[other], verbose=0, shuffle=False)


@pytest.mark.parametrize("method", ["train_step", "compute_loss"])
def test_refuses_a_model_whose_training_step_it_would_replace(method, examples):
    own = type("Own", (keras.Sequential,), {method: lambda *arguments, **options: 0.0})
    model = own(plain_network(examples).layers)
    with pytest.raises(InputError, match=f"training step of its own.*Received: Own with {method}"):
        kp.ScoreCallback(examples, ["aum"]).recording(model)
