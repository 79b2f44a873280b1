"""The folder of a comparison: other files stay, and several may write at once."""

import logging
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from support.fake_runs import EL2N, RANDOM, write_run

from keras_pruning import InputError
from keras_pruning.comparison import report
from keras_pruning.comparison.folder import comparison_folder
from keras_pruning.comparison.report import write_comparison
from keras_pruning.comparison.runs import find_runs

GRID = {"methods": ["el2n"], "keep_fractions": [0.5, 1.0], "seeds": 2}
PATTERN = "events.out.tfevents.*"


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def runs(tmp_path):
    """Finished runs of two methods."""
    for seed in (0, 1):
        write_run(tmp_path, 0.9 + seed / 100, seed=seed)
        for method in (RANDOM, EL2N):
            write_run(tmp_path, 0.8 + seed / 100, method, keep_fraction=0.5, seed=seed)
    return tmp_path


def test_files_of_the_user_in_the_folder_stay(runs):
    """Also those whose names look like ours, and those of a method that is gone."""
    write_comparison(runs)
    folder = runs / "comparison"
    mine = [
        folder / "scores-my-notes.txt",
        folder / "accuracy" / "notes.txt",
        folder / "accuracy" / "el2n-hardest" / "notes.txt",
        folder / "comparison.csv.txt",
        folder / "events.out.tfevents.1700000000.mine.12.0",
        folder / "copy" / "events.out.tfevents.1000000000.000",
    ]
    for number, path in enumerate(mine):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"mine {number}")
    shutil.rmtree(runs / "data-1.0" / "el2n-hardest")
    before = sorted(folder.rglob(PATTERN))
    time.sleep(1.1)  # event files are named after the second
    write_comparison(runs)
    assert [path.read_text() for path in mine] == [f"mine {number}" for number in range(6)]
    # One event file in each folder, and none of the method that is gone.
    events = [path for path in folder.rglob(PATTERN) if path not in mine]
    names = ["comparison", "full", "highest", "lowest", "random"]
    assert sorted(path.parent.name for path in events) == names
    assert not set(events) & set(before)
    assert list(runs.glob("*.partial")) == []


def test_a_foreign_file_in_the_way_is_refused(runs):
    (runs / "comparison").mkdir()
    (runs / "comparison" / "comparison.csv").write_text("my own comparison")
    before = content(runs)
    with pytest.raises(InputError, match="in the way of a comparison.*Move it elsewhere"):
        write_comparison(runs)
    assert content(runs) == before


def test_a_comparison_with_an_error_changes_nothing(runs, monkeypatch):
    write_comparison(runs)
    before = content(runs)

    def fail(folder, *_):
        (folder / "accuracy").mkdir()
        raise InputError("no")

    monkeypatch.setattr(report, "write_tensorboard", fail)
    with pytest.raises(InputError, match="^no$"):
        write_comparison(runs)
    assert content(runs) == before


def test_leftovers_of_a_killed_comparison_are_removed(runs):
    script = "import sys, os, signal\nfrom keras_pruning.comparison.folder import *\n"
    script += "with comparison_folder(sys.argv[1]) as folder:\n    (folder / 'x').touch()\n"
    script += "    os.kill(os.getpid(), signal.SIGKILL)\n"
    assert subprocess.run([sys.executable, "-c", script, runs]).returncode == -9
    assert len(list(runs.glob("comparison-*.partial/x"))) == 1
    write_comparison(runs)
    assert list(runs.glob("*.partial")) == []


def test_the_comparison_that_ends_last_stays_whole(tmp_path):
    """Whatever the clocks of two computers say: the time is part of the names."""
    name = "events.out.tfevents.{:010d}.000"
    with comparison_folder(tmp_path) as folder:
        for place in ("", "accuracy/random"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / name.format(100)).touch()
        earlier = tmp_path / "comparison" / "accuracy"
        for method, second in (("random", 101), ("el2n-hardest", 101), ("gone", 99)):
            (earlier / method).mkdir(parents=True)
            (earlier / method / name.format(second)).touch()
    left = [path.relative_to(earlier.parent) for path in earlier.parent.rglob(PATTERN)]
    assert sorted(map(str, left)) == [f"accuracy/random/{name.format(100)}", name.format(100)]
    assert [path.name for path in earlier.iterdir()] == ["random"]


def test_comparisons_at_once_leave_one_whole_folder(runs):
    errors = []

    def compare():
        try:
            for _ in range(5):
                write_comparison(runs)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=compare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    folder = runs / "comparison"
    assert sorted(path.parent.name for path in folder.rglob(PATTERN)) == [
        "comparison",
        "el2n-hardest",
        "full",
        "highest",
        "lowest",
        "random",
    ]
    assert list(runs.glob("*.partial")) == []


def test_runs_are_found_while_others_finish(runs):
    """Folders appear and disappear while they are searched."""
    stop = threading.Event()

    def train():
        while not stop.is_set():
            for number in range(20):
                folder = runs / "data-1.0" / f"x.{number}.partial"
                folder.mkdir(parents=True)
                (folder / "metrics.json").touch()
            for number in range(20):
                shutil.rmtree(runs / "data-1.0" / f"x.{number}.partial")

    thread = threading.Thread(target=train)
    thread.start()
    try:
        assert {len(find_runs(runs)) for _ in range(100)} == {6}
    finally:
        stop.set()
        thread.join()


def swept(folder, seeds=(0, 1), grid=GRID):
    """Writes the finished runs of a sweep, some of which may be missing."""
    (folder / "scores.parquet").touch()
    config = {
        "dataset": {"name": "digits", "fraction": 1.0},
        "model": {"name": "mlp"},
        "training": {"epochs": 5},
        "sweep": grid,
    }
    for seed in seeds:
        for method, keep_fraction in ((None, 1.0), (RANDOM, 0.5), (EL2N, 0.5)):
            write_run(folder / "x", 0.9, method, keep_fraction, seed, config=config)
            (source,) = (folder / "x").rglob(f"seed-{seed}")
            name = "full" if method is None else source.parents[1].name
            target = folder / name / f"keep-{keep_fraction:.2f}" / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(source, target)
            shutil.rmtree(folder / "x")


@pytest.mark.parametrize(
    ("seeds", "gone", "message"),
    [
        ((0, 1), None, None),
        ((0,), None, "missing runs: 3, for example el2n-hardest, keep fraction 0.5, seed 1"),
        ((0, 1), "random", "missing runs: 2, for example random, keep fraction 0.5, seed 0"),
    ],
)
def test_an_incomplete_sweep_is_told_in_one_line(
    seeds, gone, message, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(report, "_training_tables", lambda folder: {})
    swept(tmp_path, seeds)
    if gone:
        shutil.rmtree(tmp_path / gone)
    with caplog.at_level(logging.INFO, "keras_pruning"):
        write_comparison(tmp_path)
    assert caplog.text.count("incomplete") == (message is not None)
    assert (message or "") in caplog.text


def test_single_runs_are_no_incomplete_sweep(tmp_path, caplog, monkeypatch):
    """Their configs have a sweep too, which nobody has asked for."""
    monkeypatch.setattr(report, "_training_tables", lambda folder: {})
    swept(tmp_path, (0,))
    (tmp_path / "scores.parquet").unlink()
    with caplog.at_level(logging.INFO, "keras_pruning"):
        write_comparison(tmp_path)
    assert "incomplete" not in caplog.text
