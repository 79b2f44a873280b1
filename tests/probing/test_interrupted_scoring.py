"""Scorings that were killed, and files in their way."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import killed_inside
from support.killed_inside import plan_of, scored

import keras_pruning as kp
from keras_pruning.probing import finished_scores, probes, scoring
from keras_pruning.probing.probe_files import FOLDER, ProbeFiles


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_no_moment_of_a_kill_leaves_a_folder_stuck(fraction, tmp_path):
    """Each rerun gives the same bits and leaves nothing else."""
    command = [sys.executable, killed_inside.__file__, tmp_path, str(fraction), "14"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "HOME": str(tmp_path)}
    shown = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    (name, *whole), *reruns = [line.split() for line in shown.stdout.splitlines()]
    assert (name, len(whole), len(reruns) >= 10) == ("whole", 4, True)
    assert {tuple(files) for _, *files in reruns} == {tuple(whole)}
    # Folders too: none of the probes is left.
    assert not list(tmp_path.glob(f"*/{FOLDER}"))


@pytest.fixture
def counted(monkeypatch):
    """The seeds of the probes that train, none of which can be the second twice."""
    trained, fail = [], [True]

    def run_each(function, calls, *rest, **options):
        for call in calls:
            if "keep_probe" in function:
                if call["seed"] == 1 and fail:
                    fail.pop()
                    raise KeyboardInterrupt
                trained.append(call["seed"])
                call["files"].write(call["seed"], scored(call["plan"], call["seed"]), {"seed": 0})
                yield None
            else:
                yield 3

    for module in (scoring, probes):
        monkeypatch.setattr(module, "run_each", run_each)
    return trained


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_finished_probes_are_kept(fraction, counted, tmp_path, caplog):
    plan = plan_of(fraction)
    with pytest.raises(KeyboardInterrupt):
        scoring.score(plan, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / FOLDER).iterdir()] == ["seed-0.parquet"]
    with caplog.at_level("INFO", "keras_pruning"):
        table = scoring.score(plan_of(fraction), tmp_path / "out")
    assert "Reused finished probes: 1." in caplog.text
    assert counted == [0, 1, 2]
    assert not (tmp_path / "out" / FOLDER).exists()
    scoring.score(plan_of(fraction), tmp_path / "whole")
    again = (tmp_path / "out" / "scores.parquet").read_bytes()
    assert again == (tmp_path / "whole" / "scores.parquet").read_bytes()
    assert table.names == ["el2n", "prediction_depth"]


def test_a_file_of_a_probe_gives_back_its_scores(tmp_path):
    for fraction in (1.0, 0.5):
        plan = plan_of(fraction)
        files = ProbeFiles.of(plan, tmp_path / str(fraction))
        before = scored(plan, 3)
        files.write(3, before, {"seconds": 0.25})
        after, cost = files.read(3)
        assert cost == {"seconds": 0.25}
        tables = [(before, after)] if fraction == 1 else zip(before, after, strict=True)
        for one, other in tables:
            np.testing.assert_array_equal(one.ids, other.ids)
            np.testing.assert_array_equal(one.labels, other.labels)
            np.testing.assert_array_equal(one.extrapolated, other.extrapolated)
            assert one.names == other.names
            assert one.metadata == other.metadata
            for name in one.names:
                np.testing.assert_array_equal(one[name], other[name])


def test_kept_probes_of_another_recipe_stop_the_scoring(counted, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        scoring.score(plan_of(1.0), tmp_path)
    with pytest.raises(kp.InputError, match=r"seed-0.parquet holds the result of another recipe"):
        scoring.score(plan_of(0.5), tmp_path)
    assert counted == [0]
    # Prepared files too, although no probe is left to tell.
    plan = plan_of(1.0)
    (tmp_path / FOLDER / "seed-0.parquet").unlink()
    table = scored(plan, 0)
    table.metadata |= {"recipe": plan.recipe, "reliability": {"prediction_depth": {"seeds": 1}}}
    finished_scores.prepare(tmp_path / FOLDER, table, {})
    with pytest.raises(kp.InputError, match=r"scores.parquet holds the result of another recipe"):
        scoring.find_scores(plan_of(0.5), tmp_path)
    assert scoring.find_scores(plan, tmp_path) is None


@pytest.mark.parametrize("name", ["scores.csv", "scoring.json"])
def test_a_file_of_the_user_in_the_way_stays(name, counted, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(kp.InputError, match=f"{name} is there without scores.parquet"):
        scoring.score(plan_of(1.0), tmp_path)
    assert counted == []
    # One that comes while the probes train, and one that comes after a kill
    (tmp_path / name).unlink()
    with pytest.raises(KeyboardInterrupt):
        scoring.score(plan_of(1.0), tmp_path)
    (tmp_path / name).write_text("mine")
    with pytest.raises(kp.InputError, match=f"{name} is there without scores.parquet"):
        scoring.score(plan_of(1.0), tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_the_first_of_two_scorings_is_reused(counted, tmp_path, monkeypatch, caplog):
    """Also if it ends, and removes the probes, while the second reads them."""
    counted.clear()
    plan, read, keep = plan_of(1.0), ProbeFiles.read, []
    with pytest.raises(KeyboardInterrupt):
        scoring.score(plan, tmp_path)

    def interrupted(files, seed):
        if not keep:
            keep.append(None)
            keep.append(scoring.score(plan, tmp_path))
        return read(files, seed)

    monkeypatch.setattr(ProbeFiles, "read", interrupted)
    with caplog.at_level("INFO", "keras_pruning"):
        table = scoring.score(plan, tmp_path)
    assert "another process wrote it meanwhile" in caplog.text
    np.testing.assert_array_equal(table["el2n"], keep[1]["el2n"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "prediction_depth",
        "scores.csv",
        "scores.parquet",
        "scoring.json",
    ]


def test_other_files_beside_the_probes_stay(counted, tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "notes.txt").write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        scoring.score(plan_of(1.0), tmp_path)
    scoring.score(plan_of(1.0), tmp_path)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["notes.txt"]
