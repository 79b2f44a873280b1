import itertools
import logging

import pytest

from keras_pruning.jobs import progress
from keras_pruning.jobs.progress import with_progress


@pytest.fixture
def lines(caplog, monkeypatch):
    """Returns the lines for results that take some seconds each."""
    caplog.set_level(logging.INFO, "keras_pruning")

    def told(seconds):
        clock = iter([0, *itertools.accumulate(seconds)])
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
        results = range(len(seconds))
        assert list(with_progress(results, len(seconds), "training run")) == list(results)
        return [record.getMessage() for record in caplog.records]

    return told


def test_a_log_tells_how_many_and_how_long(lines):
    assert lines([10] * 6) == [
        "Training run 1 of 6, less than a minute left.",
        "Training run 4 of 6, less than a minute left.",
        "Training run 6 of 6.",
    ]


def test_the_time_left_follows_the_mean_of_the_finished_ones(lines):
    assert lines([60, 30, 0]) == [
        "Training run 1 of 3, about 2 minutes left.",
        "Training run 2 of 3, less than a minute left.",
        "Training run 3 of 3.",
    ]


@pytest.mark.parametrize(
    ("seconds", "phrase"),
    [
        (59, "less than a minute left"),
        (60, "about 1 minute left"),
        (119 * 60, "about 119 minutes left"),
        (120 * 60, "about 2 hours left"),
    ],
)
def test_phrases(lines, seconds, phrase):
    assert lines([seconds, 0])[0] == f"Training run 1 of 2, {phrase}."


def test_a_single_call_tells_nothing(lines):
    assert lines([100]) == []


def test_a_terminal_has_one_line_that_moves(monkeypatch, capsys, caplog):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_columns", lambda: 80)
    assert list(with_progress(range(3), 3, "training run")) == [0, 1, 2]
    shown = capsys.readouterr().err
    assert "Training run 1 of 3" in shown
    assert "\n" not in shown
    assert not caplog.records
