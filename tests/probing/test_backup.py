"""Runs that are interrupted and resumed by `BackupAndRestore`."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import SCORES, TDDS, VoG, get

SCORED = ["aum", "forgetting", "first_learned", TDDS(window=3), "dual", VoG(every=2), "prototype"]


class PowerCut(keras.callbacks.Callback):
    def __init__(self, epoch, moment):
        super().__init__()
        self.epoch, self.moment = epoch, moment

    def on_epoch_begin(self, epoch, logs=None):
        self.cut("begin", epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.cut("end", epoch)

    def on_train_end(self, logs=None):
        self.cut("train end", self.epoch)

    def cut(self, moment, epoch):
        if (moment, epoch) == (self.moment, self.epoch):
            raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def examples():
    return small.digits(60)


@pytest.fixture(scope="module")
def fit(examples):
    """Returns a function that trains one network and returns its callback."""

    def fit(folder, cut=None, recorded=False, scores=SCORED, backup_dir=None):
        callback = kp.ScoreCallback(examples, scores, backup_dir=backup_dir or folder)
        model = small.plain_network(examples)
        model = small.compiled(callback.recording(model) if recorded else model)
        backup = [keras.callbacks.BackupAndRestore(folder)] if folder else []
        # The rate drops at the fifth epoch, where `aum` ends.
        rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 if epoch < 4 else 0.01)
        batches = examples.batches(32, rows=recorded)
        callbacks = [callback, *([cut] if cut else []), *backup, rate]
        model.fit(batches, epochs=6, shuffle=False, verbose=0, callbacks=callbacks)
        return callback

    return fit


@pytest.fixture(scope="module")
def whole(fit):
    return {recorded: fit(None, recorded=recorded).table() for recorded in (False, True)}


@pytest.mark.parametrize(
    ("epoch", "moment", "recorded"),
    [
        (3, "begin", True),
        (3, "end", False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(0, "end", True), (4, "begin", False), (5, "end", True)]
        ),
        (5, "train end", False),
    ],
)
def test_a_resumed_run_has_the_scores_of_a_whole_one(epoch, moment, recorded, fit, whole, tmp_path):
    """Wherever the power is cut, also between the two backups of an epoch."""
    folder = tmp_path / "backup"
    with pytest.raises(RuntimeError, match="power cut"):
        fit(folder, PowerCut(epoch, moment), recorded)
    assert len(list(folder.glob("keras_pruning-*.npz"))) == min(2, epoch + (moment != "begin"))
    table = fit(folder, recorded=recorded).table()
    for name in table.names:
        np.testing.assert_array_equal(table[name], whole[recorded][name])
    assert table.metadata == whole[recorded].metadata
    # `BackupAndRestore` deletes its folder, and our files with it.
    assert not folder.exists()


@pytest.mark.parametrize(
    ("other", "difference"), [({"scores": ["aum"]}, "scores"), ({"recorded": True}, "recording")]
)
def test_the_state_of_another_run_is_an_error(other, difference, fit, tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path / "backup", PowerCut(3, "begin"))
    with pytest.raises(InputError, match=f"of another run.*differs in {difference}. Restore"):
        fit(tmp_path / "backup", **other)


def test_a_damaged_state_is_an_error(fit, tmp_path):
    folder = tmp_path / "backup"
    with pytest.raises(RuntimeError, match="power cut"):
        fit(folder, PowerCut(2, "begin"))
    path = sorted(folder.glob("keras_pruning-*.npz"))[-1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="Cannot restore the state.*Received: .*damaged.*Delete"):
        fit(folder)


def test_without_a_folder_a_resumed_run_begins_late(fit, tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path / "backup", PowerCut(3, "begin"))
    with pytest.warns(UserWarning, match="not seen the epochs 1-3.*ScoreCallback.backup_dir=...."):
        callback = fit(tmp_path / "backup", backup_dir=tmp_path / "elsewhere")
    assert callback.table(["prototype"]).metadata["run"]["observed"] == [4, 5, 6]


@pytest.mark.parametrize("name", [name for name in SCORES if SCORES[name].mode == "train"])
def test_the_state_of_every_summary_is_whole(name, examples):
    """Values set in a new summary give the same score as those that were driven there."""
    values = np.random.default_rng(0).uniform(0.1, 1, (4, 60, 10))
    values = values if name == "tdds" else values[:, :, 0]
    driven, restored = get(name), get(name)
    for score in (driven, restored):
        score.reset(examples, [1, 2, 3, 4])
    for epoch in range(4):
        if epoch == 2:
            restored.restore({key: array.copy() for key, array in driven.state().items()})
        driven.update(values[epoch].astype("float32"))
        if epoch >= 2:
            restored.update(values[epoch].astype("float32"))
    np.testing.assert_array_equal(restored.result(), driven.result())
    assert len(np.unique(driven.result())) > 1
