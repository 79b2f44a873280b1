"""The terminal shows names as they are, whatever they hold."""

import io
import logging
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning.commands.terminal import LogFormatter, show, show_error, use_terminal
from keras_pruning.doctor.advice import advise
from keras_pruning.doctor.diagnosis import Diagnosis, Finding
from keras_pruning.doctor.report import as_tables
from keras_pruning.reports.prediction_depth import as_table
from keras_pruning.reports.terminal_tables import add_row, new_table

NAMES = ["[/x]", "[bold red]y", "\x1b[2J", "a\nb", ":smile:", "\u202eb"]
SHOWN = ["[/x]", "[bold red]y", "\\x1b[2J", "a\\nb", ":smile:", "\\u202eb"]


def diagnosis(names):
    """A diagnosis in which every class but the last is as frequent as the others."""
    shares = np.full(len(names), 0.02)
    shares[-1] = 1 - shares[:-1].sum()
    hardest = np.full(len(names), 1 / len(names))
    finding = Finding(names[0], "eval", 0.95, 0.5, 2, 0.5, 0.5, 2, hardest.tolist())
    return Diagnosis(0.1, 9000, 900, list(names), shares.tolist(), [finding], np.ones((1, 1)))


def test_names_in_tables_and_lines(capsys):
    table = new_table(["name", *NAMES])
    add_row(table, "all", *NAMES)
    show(table)
    shown = capsys.readouterr().out
    for name in SHOWN:
        assert shown.count(name) == 2
    show(f"File {NAMES[2]} {NAMES[3]}")
    assert capsys.readouterr().out == "File \\x1b[2J a\\nb\n"


def test_names_in_the_doctor(capsys):
    numbers = diagnosis(NAMES)
    for title, table in as_tables(numbers):
        show(title)
        show(table)
    for line in advise(numbers):
        show(line)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\u202e" not in shown
    for name in SHOWN:
        assert name in shown


def test_names_of_layers(capsys):
    rows = [{"depth": 0, "examples": 3, "accuracy": 1.0}]
    details = {"support": 9, "accuracy_by_depth": rows, "network_accuracy": 1.0}
    show(as_table({**details, "probe_accuracy": dict.fromkeys(NAMES, 0.5)}))
    shown = capsys.readouterr().out
    assert all(name in shown for name in SHOWN)


def test_errors_keep_their_lines(capsys):
    show_error("a\n  b \x1b[2J")
    assert capsys.readouterr().err == "error: a\n  b \\x1b[2J\n"


def test_the_log():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "Reused %s", ("\x1b[2J",), None)
    assert LogFormatter("%(message)s").format(record) == "Reused \\x1b[2J"


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_terminal_that_lacks_a_character(name, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, name, stream)
    with use_terminal():
        print("0.9 ± 0.1 \udcff", file=stream, flush=True)
    assert stream.buffer.getvalue() == b"0.9 \\xb1 0.1 \\udcff\n"


@pytest.mark.filterwarnings("default")
def test_warnings_are_readable_lines(capsys):
    before = warnings.showwarning
    with use_terminal():
        warnings.warn("The class \x1b[2J is lost.", UserWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == "warning: The class \\x1b[2J is lost."
    assert "DeprecationWarning: old" in second
    assert warnings.showwarning is before


@pytest.mark.slow
def test_warnings_of_child_processes():
    script = (
        "from keras_pruning.jobs.local import run_each\n"
        "list(run_each('warnings:warn', [{'message': 'lost \\x1b[2J'}], 1, 1, 'warning'))"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", script]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "warning: lost \\x1b[2J\n" in finished.stderr


@pytest.mark.filterwarnings("default")
def test_a_lost_class_on_the_command_line(capsys, tmp_path):
    labels = np.repeat([0, 1], [97, 3])
    ids, metadata = np.arange(100).astype(str), {"scores": {"el2n": {"higher_is_harder": True}}}
    table = kp.ScoreTable(ids, labels, {"el2n": np.linspace(0, 1, 100)}, metadata=metadata)
    table.save(tmp_path / "scores.parquet")
    arguments = ["--scores", tmp_path / "scores.parquet", "--by", "el2n", "--policy", "easiest"]
    assert run("prune", *arguments, "--keep-fraction", 0.5, "--output", tmp_path / "s") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: The selection loses classes. Expected")
