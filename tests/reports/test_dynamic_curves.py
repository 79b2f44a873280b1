import keras
import numpy as np
import pytest
from support.board import Board
from support.small import random_images

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.reports.dynamic_curves import DynamicCurves, write_epoch
from keras_pruning.reports.event_files import EventFile
from keras_pruning.training.epoch_log import EpochLog


def examples_of(labels, names=None):
    x = np.zeros((len(labels), 2), np.float32)
    return kp.Examples.from_arrays(x, np.array(labels), class_names=names)


def test_an_epoch_is_shares_and_histograms(tmp_path):
    examples = examples_of([0, 0, 0, 0, 1], ["cat", "dog"])
    with EventFile(tmp_path / "run") as events:
        write_epoch(events, 1, EpochLog(5, [4, 1]), examples)
        write_epoch(events, 2, EpochLog(2, [1, 1], [0.0, 1.0, 2.0], [4, 1], [1, 1]), examples)
    board = Board(tmp_path)
    assert board.scalars("run", "dynamic/kept") == [(1, 1.0), (2, pytest.approx(0.4))]
    assert board.scalars("run", "dynamic_classes/cat") == [(1, 1.0), (2, 0.25)]
    assert board.scalars("run", "dynamic_classes/dog") == [(1, 1.0), (2, 1.0)]
    # Each has one value: the first epoch has no losses
    losses = board.tensor("run", "dynamic/losses", "histograms")
    np.testing.assert_array_equal(losses, [[0, 1, 4], [1, 2, 1]])
    kept = board.tensor("run", "dynamic/kept_losses", "histograms")
    np.testing.assert_array_equal(kept, [[0, 1, 1], [1, 2, 1]])


def test_only_the_first_classes_have_curves(tmp_path):
    with EventFile(tmp_path / "run") as events:
        write_epoch(events, 1, EpochLog(60, [1] * 60), examples_of(range(60)))
    tags = Board(tmp_path).tags("run", "scalars")
    assert len(tags) == 51 and "dynamic_classes/49" in tags


def test_an_empty_class_has_a_share_of_zero(tmp_path):
    examples = kp.Examples.from_arrays(np.zeros((2, 2)), [0, 1], num_classes=3)
    with EventFile(tmp_path / "run") as events:
        write_epoch(events, 1, EpochLog(2, [1, 1, 0]), examples)
    assert Board(tmp_path).scalars("run", "dynamic_classes/2") == [(1, 0.0)]


def fitted(folder, epochs=3, **options):
    """Returns a method after a fit."""
    examples = random_images(40)
    pruning = kp.dynamic.InfoBatch(examples, epochs=epochs, delta=1.0, **options)
    layers = [keras.Input(examples.shape), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(examples.num_classes)])
    model = pruning.recording(model)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    curves = DynamicCurves(folder, pruning)
    model.fit(pruning.batches(8), epochs=epochs, callbacks=[pruning, curves], verbose=0)
    return pruning


def test_log_dir_writes_what_the_callback_writes(tmp_path):
    pruning = fitted(tmp_path / "callback", log_dir=tmp_path / "method")
    board = Board(tmp_path)
    shares = [(epoch, log.kept / 40) for epoch, log in enumerate(pruning.history, 1)]
    for run in ("callback", "method"):
        kept = board.scalars(run, "dynamic/kept")
        assert kept == [(epoch, pytest.approx(share)) for epoch, share in shares]
    assert shares[0][1] == 1 and shares[1][1] < 1
    assert board.tags("method", "scalars") == board.tags("callback", "scalars")
    assert board.tags("method", "histograms") == board.tags("callback", "histograms")


def test_log_dir_is_no_option_of_a_config():
    pruning = kp.dynamic.RS2(random_images(9), 2, log_dir="somewhere")
    assert pruning.get_config() == {"f": 0.5}
    with pytest.raises(kp.InputError, match=r"Expected some of \['f', 'loss'\]"):
        kp.dynamic.get({"name": "rs2", "log_dir": "x"}, random_images(9), 2)
    assert TrainingConfig(dynamic="rs2").dynamic == {"name": "rs2"}
