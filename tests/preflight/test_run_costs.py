"""The costs of training runs from a measurement, by hand."""

from types import SimpleNamespace

import pytest
from support.measured import FIT

from keras_pruning.config import TrainingConfig
from keras_pruning.preflight.forecast import Disk, Forecast, Memory, Row, merged
from keras_pruning.preflight.pools import forecast_runs
from keras_pruning.preflight.run_costs import RunCosts, saved_states
from keras_pruning.preflight.runs import FULL, METHODS, PILOTS, PlannedRun
from keras_pruning.preflight.text import duration

RESULT = {
    **FIT,
    "save": 0.25,
    "every": 1.0,
    "checkpoint_bytes": 1000,
    "model_bytes": 50_000,
    "resident": 400,
    "peak": 1000,
    "server": 700,
    "server_seconds": 3.0,
}


@pytest.fixture
def costs():
    training = SimpleNamespace(
        training=TrainingConfig(epochs=4, batch_size=10),
        data=SimpleNamespace(train=range(100)),
    )
    # The second process was twice as slow.
    slower = {**RESULT, "beginning": 15.0, "warm": 3.0, "constant": 1.5, "slope": 0.03}
    return RunCosts(training, [RESULT, slower], 20)


def test_the_seconds_of_a_run(costs):
    """The means are 2 s beside the epochs, 1 s for each epoch and 0.02 s for each example."""
    # Epochs of 3 s save their state each time
    assert costs.seconds(PlannedRun(FULL, 100, 4, whole=100)) == pytest.approx(2 + 4 * 3 + 4 * 0.25)
    # Steps as of all examples, or epochs of half of them
    assert costs.seconds(PlannedRun(METHODS, 50, 4, whole=100)) == pytest.approx(15)
    assert costs.seconds(PlannedRun(METHODS, 50, 4)) == pytest.approx(2 + 4 * 2 + 4 * 0.25)
    # Five models in turn, without saved states
    assert costs.seconds(PlannedRun(PILOTS, 50, 2, models=5)) == pytest.approx(5 * (2 + 2 * 2))


@pytest.mark.parametrize(
    ("epoch", "saved"), [(0.0, 1), (0.05, 1), (0.3, 6), (0.4, 10), (0.7, 20), (2.0, 20)]
)
def test_short_epochs_save_fewer_states(epoch, saved):
    """The same epochs as in tests/training/test_exact_resume.py."""
    assert saved_states(20, 20 * epoch, 1.0) == saved
    assert saved_states(0, 0.0, 1.0) == 0


def test_two_processes_share_the_runs(costs):
    runs = [PlannedRun(METHODS, 50, 4, done, 100) for done in (False, True, False, False)]
    forecast = forecast_runs([costs], [runs], 2, 2)
    # 12 full epochs in all, and 20 test examples after each run
    seen, passed = 12 * 100, 3 * 20
    assert forecast.rows == [
        Row(METHODS, 3, 1, seen + passed, 30 * seen + 10 * passed, pytest.approx(30))
    ]
    assert forecast.memories == [Memory(600, 2, "sweep.jobs", "training.batch_size")]
    assert forecast.memories[0].together == 1200
    assert (forecast.other_seconds, forecast.server_seconds) == (10, 3)
    assert forecast.disk.models == 150_000
    assert forecast.disk.unfinished == 4000


def test_finished_runs_cost_nothing(costs):
    forecast = forecast_runs([costs], [[PlannedRun(FULL, 100, 4, True, 100)]], 2, 2)
    assert forecast.rows == [Row(FULL, 0, 1)]
    assert (forecast.memories, forecast.disk, forecast.beside) == ([], Disk(), 0)


def test_the_server_starts_once():
    whole = Forecast(other_seconds=1.0)
    for seconds in (3.0, 9.0, 0.0):
        whole.add(Forecast(server_seconds=seconds, other_seconds=2.0))
    assert (whole.server_seconds, whole.beside, whole.seconds) == (3, 10, 10)


def test_rows_of_several_data_fractions_are_added():
    rows = [Row(FULL, 1, 2, 30, 4, 5.0), Row(METHODS, 1), Row(FULL, 10, 20, 300, None, 50.0, True)]
    assert merged(rows) == [Row(FULL, 11, 22, 330, None, 55.0, True), Row(METHODS, 1)]


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (119, "119 s"),
        (121, "2.0 min"),
        (3600, "60 min"),
        (1e5, "28 h"),
    ],
)
def test_times_in_words(seconds, text):
    assert duration(seconds) == text
