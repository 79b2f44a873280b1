"""Scores out of the training step itself."""

import keras
import numpy as np
import pytest
from support import small
from support.small import compiled, plain_network

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.scores import SCORES
from keras_pruning.training import fit
from keras_pruning.training.steps import most_presentations

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow

DYNAMICS = [name for name in SCORES if SCORES[name].mode == "train"]


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def recorded_fit(model, examples, scores, epochs=4, batch_size=32, learning_rate=0.05, **options):
    callback = kp.ScoreCallback(examples, scores)
    recording = compiled(callback.recording(model), learning_rate, **options)
    batches = examples.batches(batch_size, shuffle=True, seed=3, rows=True)
    recording.fit(batches, epochs=epochs, callbacks=[callback], verbose=0, shuffle=False)
    return callback


@pytest.mark.parametrize("augmentation", [None, pytest.param("flip_crop", marks=pytest.mark.slow)])
def test_training_is_the_same_to_the_last_bit(augmentation, examples):
    weights, draws = [], []
    for callbacks in ([], [kp.ScoreCallback(examples, ["forgetting", "tdds"])]):
        model = small.network(examples)
        options = {"learning_rate": 0.02, "budget": "epochs", "batch_size": 32}
        options = TrainingConfig(epochs=3, augmentation=augmentation, **options)
        fit.train(model, examples, options, callbacks=callbacks)
        weights.append([weight.numpy() for weight in model.weights])
        draws.append(float(keras.random.uniform(())))
    for plain, recorded in zip(*weights, strict=True):
        np.testing.assert_array_equal(recorded, plain)
    assert draws[0] == draws[1]


# Scores of changes are 0 for all if the weights stay.
@pytest.mark.filterwarnings("ignore:The score .* is the same for all examples")
@pytest.mark.parametrize("batch_size", [pytest.param(1, marks=pytest.mark.slow), 32, 129, 500])
def test_recording_equals_an_eval_pass_if_weights_stay(batch_size, examples):
    """Every example's values stand at its own row, whatever the order and the last batch."""
    model = plain_network(examples)
    recorded = recorded_fit(model, examples, DYNAMICS, 3, batch_size, learning_rate=0.0).table()
    evaluated = kp.score_checkpoints([model] * 3, examples, DYNAMICS)
    for name in DYNAMICS:
        np.testing.assert_allclose(recorded[name], evaluated[name], atol=1e-5)
        assert recorded.metadata["scores"][name]["mode"] == "train"
        assert evaluated.metadata["scores"][name]["mode"] == "eval"
    assert len(np.unique(recorded["aum"])) > 100


def watched_logits(examples, epochs, steps):
    """For each example the logits of its presentations, in order, dropout and all.

    Out of a model in eager mode that hands over every output.
    """
    seen = [[] for _ in range(len(examples))]

    class Watched(keras.Model):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def call(self, inputs, training=None):
            return self.model(inputs["x"], training=training)

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            for row, logits in zip(x["row"].numpy(), y_pred.numpy(), strict=True):
                seen[row].append(logits)
            return super().compute_loss(x, y, y_pred, sample_weight, training)

    watched = compiled(Watched(small.network(examples)), run_eagerly=True)
    batches = examples.batches(32, shuffle=True, seed=3, rows=True)
    batches = batches.repeat() if steps else batches
    watched.fit(batches, epochs=epochs, **steps, verbose=0, shuffle=False)
    return [np.array(logits) for logits in seen]


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (130, {}),
        pytest.param(130, {"steps_per_execution": 3}, marks=pytest.mark.slow),
        pytest.param(130, {"run_eagerly": True}, marks=pytest.mark.slow),
        # Two batches a pass and five steps an epoch: two or three presentations in each.
        (50, {}),
        pytest.param(50, {"steps_per_execution": 5}, marks=pytest.mark.slow),
    ],
)
def test_the_training_step_records_its_own_outputs(count, options, examples):
    part = kp.Examples.from_arrays(
        examples.stored_inputs(np.arange(count)), examples.labels[:count], num_classes=10
    )
    # Of endless data, Keras takes whole executions: six steps where three go at once.
    steps = {"steps_per_epoch": 5} if count == 50 else {}
    forgotten, margins, confidences, spreads = [], [], [], []
    for label, logits in zip(part.labels, watched_logits(part, 4, steps), strict=True):
        p = np.exp(logits[:, label]) / np.exp(logits).sum(axis=1)
        right = logits.argmax(axis=1) == label
        events = (right[:-1] & ~right[1:]).sum()
        forgotten.append(events if right.any() else len(right))
        margins.append(np.mean(logits[:, label] - np.delete(logits, label, axis=1).max(axis=1)))
        confidences.append(p.mean())
        spreads.append(p.std())

    callback = kp.ScoreCallback(part, ["forgetting", "aum", "confidence", "variability"])
    passes = most_presentations(5, -(-count // 32))
    recording = compiled(callback.recording(small.network(part), passes), **options)
    batches = part.batches(32, shuffle=True, seed=3, rows=True)
    batches = batches.repeat() if steps else batches
    recording.fit(batches, epochs=4, **steps, callbacks=[callback], verbose=0, shuffle=False)
    table = callback.table()
    np.testing.assert_array_equal(table["forgetting"], forgotten)
    np.testing.assert_allclose(table["aum"], margins, atol=1e-4)
    np.testing.assert_allclose(table["confidence"], confidences, atol=1e-4)
    np.testing.assert_allclose(table["variability"], spreads, atol=1e-4)


@pytest.mark.slow
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
    assert most_presentations(steps, steps_per_pass) == most >= needed


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy, examples):
    keras.config.set_dtype_policy(policy)
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


@pytest.mark.slow
def test_a_second_fit_starts_clean_with_or_without_recording(examples):
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


def test_a_policy_that_is_not_the_models_changes_nothing(examples):
    weights = []
    for recorded in (False, True):
        model = plain_network(examples)
        callback = kp.ScoreCallback(examples, ["aum"])
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            fitted = compiled(callback.recording(model) if recorded else model)
            batches = examples.batches(32, shuffle=True, rows=recorded)
            callbacks = [callback] * recorded
            fitted.fit(batches, epochs=2, callbacks=callbacks, verbose=0, shuffle=False)
        finally:
            keras.config.set_dtype_policy("float32")
        weights.append([weight.numpy() for weight in model.weights])
    for plain, ours in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, plain)
