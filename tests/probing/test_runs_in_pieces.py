"""Runs that begin late, end early or consist of several fits."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError

DYNAMICS = ["aum", "forgetting", kp.scores.TDDS(window=3)]


@pytest.fixture(scope="module")
def examples():
    return small.digits(60)


@pytest.fixture(scope="module")
def network(examples):
    """Returns a new copy of one network without random numbers."""
    return lambda: small.compiled(small.plain_network(examples))


def fit(model, examples, callback, **options):
    return model.fit(
        examples.batches(32), callbacks=[callback], verbose=0, shuffle=False, **options
    )


@pytest.fixture(scope="module")
def whole(examples, network):
    """The scores of one fit of six epochs."""
    callback = kp.ScoreCallback(examples, [*DYNAMICS, kp.scores.VoG(every=2), "prototype"])
    fit(network(), examples, callback, epochs=6)
    return callback.table()


def require_equal(table, whole):
    assert table.names == whole.names
    for name in table.names:
        np.testing.assert_array_equal(table[name], whole[name])
    assert table.metadata == whole.metadata


@pytest.mark.slow
def test_fits_of_one_epoch_make_a_run_of_known_length(examples, network, whole):
    model = network()
    scores = [*DYNAMICS, kp.scores.VoG(every=2), "prototype"]
    callback = kp.ScoreCallback(examples, scores, epochs=6)
    for epoch in range(6):
        fit(model, examples, callback, epochs=1)
        if epoch == 3:
            # Looking at the scores does not end the run.
            with pytest.warns(UserWarning, match="1-4 of a run of 6 .*: aum, .*, vog, prototype"):
                table = callback.table(partial=True)
            assert table.metadata["scores"]["prototype"]["epochs"] == [4]
            assert table.metadata["scores"]["aum"]["partial"]
            with pytest.raises(InputError, match=r"`aum` would be .* part.*the epochs 1-6.*: 1-4"):
                callback.table()
    require_equal(callback.table(), whole)


def test_initial_epoch_carries_on_where_the_run_ended(examples, network, whole):
    model = network()
    scores = [*DYNAMICS, kp.scores.VoG(every=2), "prototype"]
    callback = kp.ScoreCallback(examples, scores, epochs=6)
    fit(model, examples, callback, epochs=2)
    fit(model, examples, callback, epochs=6, initial_epoch=2)
    require_equal(callback.table(), whole)
    assert not whole.metadata["scores"]["prototype"]["weights_changed"]


def test_fits_without_a_length_are_runs_of_their_own(examples, network):
    """The second fit replaces scores that nobody has read, and says so."""
    callback = kp.ScoreCallback(examples, ["aum"])
    model = network()
    fit(model, examples, callback, epochs=1)
    with pytest.warns(
        UserWarning, match="epochs 1 were not read.*because it begins after epoch 0.*epochs=...."
    ):
        fit(model, examples, callback, epochs=1)
    callback.table()
    fit(model, examples, callback, epochs=1)
    assert callback.table().metadata["run"] == {"epochs": 1, "observed": [1]}


def test_forgetting_is_refused_for_fits_of_one_epoch(examples, network):
    callback = kp.ScoreCallback(examples, ["forgetting"])
    with pytest.raises(InputError, match=r"at least 2 epochs.*=1\. .*\(epochs=...\)` makes one"):
        fit(network(), examples, callback, epochs=1)


def test_another_model_begins_another_run(examples, network):
    callback = kp.ScoreCallback(examples, ["aum"], epochs=4)
    fit(network(), examples, callback, epochs=2)
    with pytest.warns(UserWarning, match="epochs 1-2 were not read and are replaced"):
        fit(network(), examples, callback, epochs=2)
    with pytest.raises(InputError, match="`aum` would be the score of a part"):
        callback.table()


def test_recorded_and_evaluated_epochs_do_not_mix(examples, network):
    callback = kp.ScoreCallback(examples, ["aum"], epochs=2)
    recording = small.compiled(callback.recording(network()))
    rows = examples.batches(32, rows=True)
    recording.fit(rows, callbacks=[callback], verbose=0, shuffle=False)
    with pytest.warns(UserWarning, match="were not read and are replaced"):
        fit(small.compiled(recording.recorded), examples, callback, epochs=1)
    with pytest.raises(InputError, match="`aum` would be the score of a part"):
        callback.table()


def test_a_callback_that_begins_late_says_so(examples, network):
    callback = kp.ScoreCallback(examples, ["aum", kp.scores.EL2N(epoch=1), "loss"])
    message = (
        "has not seen the epochs 1-3 of a run of 5.*look at them: aum, el2n. .*because there is no"
    )
    with pytest.warns(UserWarning, match=message):
        fit(network(), examples, callback, epochs=5, initial_epoch=3)
    with pytest.raises(InputError, match=r"`el2n` has no values.*`table\(\['loss'\]\)` gives"):
        callback.table()
    with pytest.raises(InputError, match="`aum` would be .* part .*Expected the epochs 1-5.*: 4-5"):
        callback.table(["aum", "loss"])
    with pytest.warns(UserWarning, match="seen the epochs 4-5 of a run of 5.*part: aum"):
        table = callback.table(["aum", "loss"], partial=True)
    assert table.metadata["run"] == {"epochs": 5, "observed": [4, 5]}
    partial = {name: table.metadata["scores"][name]["partial"] for name in table.names}
    assert partial == {"aum": True, "loss": False}
    assert callback.table(["loss"]).metadata["scores"]["loss"]["epochs"] == [5]


class Stop(keras.callbacks.Callback):
    """Stops after two epochs, with all weights negated as by a restoring callback."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 1

    def on_train_end(self, logs=None):
        self.model.set_weights([-weight for weight in self.model.get_weights()])


@pytest.mark.parametrize("before", [[], [keras.callbacks.History()], [Stop()]])
def test_scores_of_the_trained_model_are_of_what_fit_leaves(before, examples, network):
    callback = kp.ScoreCallback(examples, ["prototype", kp.scores.Loss(epoch=2)])
    model = network()
    after = [Stop()] * (not before or isinstance(before[0], keras.callbacks.History))
    small.fit(model, examples, 4, [*before, callback, *after])
    left = kp.score_checkpoints([model], examples, ["prototype", "loss"])
    if not before:
        # Changed after `fit`, which is none of the callback's business
        model.set_weights([0 * weight for weight in model.get_weights()])
    with pytest.warns(UserWarning, match="epochs 1-2 of a run of 4.*this part: prototype"):
        table = callback.table()
    metadata = table.metadata["scores"]["prototype"]
    assert metadata["epochs"] == [2]
    assert metadata["weights_changed"]
    np.testing.assert_array_equal(table["prototype"], left["prototype"])
    # Scores of outputs are of the ends of epochs.
    assert np.abs(table["loss"] - left["loss"]).max() > 0.01


def test_two_callbacks_finish_both(examples, network):
    callbacks = [kp.ScoreCallback(examples, ["prototype"]) for _ in range(2)]
    small.fit(network(), examples, 1, [*callbacks, Stop()])
    tables = [callback.table()["prototype"] for callback in callbacks]
    np.testing.assert_array_equal(*tables)


def test_a_constant_score_is_a_warning(examples, network):
    model = network()
    model.trainable = False
    small.compiled(model)
    with pytest.warns(UserWarning, match="`vog` is the same for all examples: 0. It ranks nothing"):
        kp.score_checkpoints([model, model], examples, ["el2n", "vog"])


class ReadsTheTable(keras.callbacks.Callback):
    def __init__(self, callback):
        super().__init__()
        self.callback = callback

    def on_train_end(self, logs=None):
        self.callback.table()


class ChangesWeights(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.model.set_weights([weight / 2 for weight in self.model.get_weights()])


def test_a_table_read_before_the_last_callback_is_not_the_last():
    examples = small.digits(60)
    model = small.network(examples)
    callback = kp.ScoreCallback(examples, ["prototype"])
    later = [ReadsTheTable(callback), ChangesWeights()]
    small.fit(model, examples, epochs=1, callbacks=[callback, *later])
    expected = kp.score_checkpoints([model], examples, ["prototype"])["prototype"]
    np.testing.assert_array_equal(callback.table()["prototype"], expected)
