import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from support.board import Board

from keras_pruning import InputError
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.training_curves import TrainingCurves


def test_scalars_come_back_as_curves(tmp_path):
    with EventFile(tmp_path / "run") as events:
        events.scalar("accuracy/data-0.50 %", 0.25, step=10, description="**why**")
        events.scalar("accuracy/data-0.50 %", np.float64(0.5), step=np.int64(20))
        events.scalar("other", 3, step=0)
    board = Board(tmp_path)
    assert board.tags("run", "scalars") == {"accuracy/data-0.50 %": "**why**", "other": ""}
    assert board.scalars("run", "accuracy/data-0.50 %") == [(10, 0.25), (20, 0.5)]
    assert board.scalars("run", "other") == [(0, 3.0)]


def test_an_interval_is_three_curves(tmp_path):
    with EventFile(tmp_path / "run") as events:
        events.interval("accuracy", 0.5, 0.125, step=20)
        events.interval("accuracy", 0.75, None, step=40)
    board = Board(tmp_path)
    assert board.scalars("run", "accuracy/mean") == [(20, 0.5), (40, 0.75)]
    assert board.scalars("run", "accuracy/lower") == [(20, 0.375), (40, 0.75)]
    assert board.scalars("run", "accuracy/upper") == [(20, 0.625), (40, 0.75)]


def histogram(folder, values):
    with EventFile(folder / "run") as events:
        events.histogram("scores/el2n", values)
    return Board(folder).tensor("run", "scores/el2n", "histograms")


def test_a_histogram_counts_every_value(tmp_path):
    values = np.array([[0.0, 0.1], [0.1, 3.0]], np.float32)
    left, right, count = histogram(tmp_path, values).T
    np.testing.assert_allclose(left, np.arange(30) / 10, atol=1e-6)
    np.testing.assert_allclose(right, np.arange(1, 31) / 10, atol=1e-6)
    assert (count[0], count[1], count[29], count.sum()) == (1, 2, 1, 4)


def test_counted_buckets_come_back(tmp_path):
    with EventFile(tmp_path / "run") as events:
        events.buckets("losses", [0, 1, 3], [5, 0], step=2)
    found = Board(tmp_path).tensor("run", "losses", "histograms")
    np.testing.assert_array_equal(found, [[0, 1, 5], [1, 3, 0]])


@pytest.mark.parametrize("low, high", [(7.0, 7.0), (2.0**24, 2.0**24 + 2)])
def test_a_histogram_of_values_close_together(tmp_path, low, high):
    left, right, count = histogram(tmp_path, np.array([low, high, high], np.float32)).T
    assert count.sum() == 3
    assert left[0] <= low <= high <= right[-1]
    assert np.all(left < right)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_pictures_come_back_pixel_by_pixel(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with EventFile(tmp_path / "run") as events:
        events.image("hardest/el2n", pixels, description="which")
    board = Board(tmp_path)
    assert board.tags("run", "images") == {"hardest/el2n": "which"}
    np.testing.assert_array_equal(board.pixels("run", "hardest/el2n"), pixels)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4, 1), np.uint8), np.zeros((1, 4, 4, 3), np.uint8)]
)
def test_other_pictures_are_refused(tmp_path, pixels):
    with EventFile(tmp_path) as events, pytest.raises(InputError, match=r"uint8(.|\n)*Received"):
        events.image("picture", pixels)


def test_text_comes_back(tmp_path):
    with EventFile(tmp_path / "run") as events:
        events.text("table", "| ρ |\n| --- |")
    text = Board(tmp_path).tensor("run", "table", "text")
    assert text.item().decode() == "| ρ |\n| --- |"


def test_runs_of_a_group_are_averaged(tmp_path):
    for seed, (group, accuracy) in enumerate([("a", 0.25), ("a", 0.75), ("b", 1.0)]):
        with EventFile(tmp_path / group / f"seed-{seed}") as events:
            values = {"method": group, "keep_fraction": 0.125, "augmented": True}
            events.hparams(values, group, seconds=60)
            events.scalar("test/accuracy", accuracy, step=5)
    board = Board(tmp_path)
    assert board.groups() == {
        "a": (
            {"method": "a", "keep_fraction": 0.125, "augmented": True},
            {"test/accuracy": 0.5},
            2,
        ),
        "b": (
            {"method": "b", "keep_fraction": 0.125, "augmented": True},
            {"test/accuracy": 1.0},
            1,
        ),
    }
    assert board.groups()["a"][0]["augmented"] is True


def test_the_experiment_names_columns_and_filters(tmp_path):
    with EventFile(tmp_path / "deep" / "comparison") as events:
        events.hparams_experiment(
            {"method": ["random", "el2n", "random"], "keep_fraction": [0.5, 0.5]},
            {"test/accuracy": "test accuracy"},
        )
    experiment = Board(tmp_path).experiment()
    domains = {info.name: list(info.domain_discrete) for info in experiment.hparam_infos}
    assert domains == {"method": ["el2n", "random"], "keep_fraction": [0.5]}
    differs = {info.name: info.differs for info in experiment.hparam_infos}
    assert differs == {"method": True, "keep_fraction": False}
    (metric,) = experiment.metric_infos
    assert (metric.name.tag, metric.display_name) == ("test/accuracy", "test accuracy")


def test_a_layout_is_found_below_the_log_directory(tmp_path):
    with EventFile(tmp_path / "deep" / "comparison") as events:
        events.margin_charts({"Second": {"Chart": "accuracy"}, "First": {"Other": "difference"}})
    assert Board(tmp_path).layout() == {
        "Second": {"Chart": ("accuracy/mean", "accuracy/lower", "accuracy/upper")},
        "First": {"Other": ("difference/mean", "difference/lower", "difference/upper")},
    }


def test_files_of_the_same_second_stand_beside_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1234.5)
    for step in range(3):
        with EventFile(tmp_path / "run") as events:
            events.scalar("loss", step, step)
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == [f"events.out.tfevents.0000001234.00{number}" for number in range(3)]
    assert Board(tmp_path).scalars("run", "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]


ALL_KINDS = """
import sys
import numpy as np
from keras_pruning.reports import hparams as run_summary
from keras_pruning.reports import tensorboard
from keras_pruning.reports.event_files import EventFile
with EventFile(sys.argv[1]) as events:
    events.interval("accuracy", 0.5, 0.1, 1)
    events.histogram("score", [1.0, 2.0])
    events.image("picture", np.zeros((4, 4), np.uint8))
    events.text("text", "text")
    events.hparams({"method": "random"}, "group")
    events.hparams_experiment({"method": ["random"]}, {"test/accuracy": "accuracy"})
    events.margin_charts({"heading": {"title": "accuracy"}})
loaded = {name.partition(".")[0] for name in sys.modules}
sys.exit(f"loaded: {loaded & {'tensorflow', 'keras'}}" if loaded & {"tensorflow", "keras"} else 0)
"""


def test_writing_never_imports_tensorflow(tmp_path):
    command = [sys.executable, "-c", ALL_KINDS, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Board(tmp_path).scalars("run", "accuracy/mean") == [(1, 0.5)]


def curves(folder, **compile_options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, **compile_options)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), np.arange(8) % 2
    callback = TrainingCurves(folder)
    return model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[callback]).history


def test_training_curves_equal_the_logs_of_keras(tmp_path):
    # Two steps an epoch; the rate halves with every step.
    rates = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    history = curves(tmp_path / "run", optimizer=keras.optimizers.SGD(rates), metrics=["accuracy"])
    board = Board(tmp_path)
    for name in ("loss", "accuracy"):
        steps, values = zip(*board.scalars("run", f"train/{name}"), strict=True)
        assert steps == (1, 2, 3)
        np.testing.assert_allclose(values, history[name], rtol=1e-6)
    # At the end of an epoch: after 2, 4 and 6 steps.
    assert board.scalars("run", "train/learning_rate") == [
        (1, 0.125),
        (2, 0.03125),
        (3, 0.0078125),
    ]


def test_training_curves_without_accuracy(tmp_path):
    curves(tmp_path / "run", optimizer="sgd")
    assert set(Board(tmp_path).tags("run", "scalars")) == {"train/loss", "train/learning_rate"}


def test_an_open_tensorboard_follows_the_epochs(tmp_path):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(len(Board(tmp_path).scalars("run", "train/loss")))

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callbacks = [TrainingCurves(tmp_path / "run"), Look()]
    model.fit(np.zeros((4, 2)), np.zeros(4), epochs=2, verbose=0, callbacks=callbacks)
    assert seen == [1, 2]
