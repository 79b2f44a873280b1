"""Outputs that cannot be written, or that another process writes at the same time."""

import numpy as np
import pytest
from support import small
from support.mistakes import fails

import keras_pruning as kp
from keras_pruning.commands import prune
from keras_pruning.jobs.workers import Workers


@pytest.fixture
def nothing_starts(monkeypatch):
    """No child process can start, so an error comes before any work."""

    def start(*arguments):
        raise AssertionError("The work began before the output was checked.")

    monkeypatch.setattr(Workers, "call", start)


def in_the_way(tmp_path, obstacle):
    """Returns an output that cannot be written."""
    if obstacle == "link":
        (tmp_path / "link").symlink_to(tmp_path / "missing")
        return tmp_path / "link"
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "below"


@pytest.mark.parametrize("obstacle", ["link", "file"])
@pytest.mark.parametrize("command", ["score", "train", "sweep", "doctor", "duplicates"])
def test_no_command_trains_for_an_output_in_the_way(
    command, obstacle, nothing_starts, workplace, capsys, tmp_path
):
    output = in_the_way(tmp_path, obstacle)
    arguments = ["--config", workplace / "small.yaml", "--output", output]
    message = fails(capsys, tmp_path, command, *arguments)
    assert obstacle in message and "Expected" in message


@pytest.mark.parametrize("obstacle", ["link", "file"])
def test_a_subset_never_replaces_a_link(obstacle, scores, capsys, tmp_path):
    output = in_the_way(tmp_path, obstacle)
    arguments = ["--scores", scores, "--by", "el2n", "--keep-fraction", 0.5, "--output", output]
    assert "Expected" in fails(capsys, tmp_path, "prune", *arguments)


def save_table(path, values):
    metadata = {"recipe": {"seed": 0}, "scores": {"el2n": {"higher_is_harder": True}}}
    ids = [f"train/{row}" for row in range(20)]
    kp.ScoreTable(ids, np.arange(20) % 2, {"el2n": values}, metadata=metadata).save(path)


def prune_command(folder, name, *more):
    arguments = ["--by", "el2n", "--keep-fraction", 0.5, "--output", folder / "subset.parquet"]
    return small.run("prune", "--scores", folder / f"{name}.parquet", *arguments, *more)


def test_a_subset_of_other_scores_is_never_reused(capsys, tmp_path):
    """Also if the recipes are the same, and even if the same examples are kept."""
    for name, values in (("a", np.arange(20)), ("b", np.arange(20)[::-1]), ("c", np.arange(1, 21))):
        save_table(tmp_path / f"{name}.parquet", values)
    assert prune_command(tmp_path, "a") == 0
    before = (tmp_path / "subset.parquet").read_bytes()
    assert prune_command(tmp_path, "a") == 0
    assert "Reused" in capsys.readouterr().out
    for other in ("b", "c"):
        assert prune_command(tmp_path, other) == 2
        assert "subset of other scores. Nothing was overwritten" in capsys.readouterr().err
    assert (tmp_path / "subset.parquet").read_bytes() == before


def test_an_older_subset_is_reused_only_if_it_keeps_the_same(capsys, tmp_path):
    save_table(tmp_path / "a.parquet", np.arange(20))
    save_table(tmp_path / "b.parquet", np.arange(20)[::-1])
    assert prune_command(tmp_path, "a") == 0
    older = kp.Subset.load(tmp_path / "subset.parquet")
    del older.metadata["table"]
    older.save(tmp_path / "subset.parquet", overwrite=True)
    assert prune_command(tmp_path, "a") == 0
    assert "Reused" in capsys.readouterr().out
    assert prune_command(tmp_path, "b") == 2
    assert "the table unknown" in capsys.readouterr().err


@pytest.mark.parametrize(("seed", "code"), [(0, 0), (1, 2)])
def test_of_two_prunes_at_once_none_is_lost(seed, code, capsys, tmp_path, monkeypatch):
    """The other one writes its subset after this one has looked for the file."""
    save_table(tmp_path / "a.parquet", np.zeros(20))
    others = []

    def select_slowly(*arguments):
        if not others:
            others.append(None)
            others[0] = prune_command(tmp_path, "a", "--seed", seed)
        return kp.select(*arguments)

    monkeypatch.setattr(prune, "select", select_slowly)
    assert prune_command(tmp_path, "a") == code
    assert others == [0]
    assert kp.Subset.load(tmp_path / "subset.parquet").selection["seed"] == seed
    output = capsys.readouterr()
    assert "Reused" in output.out if code == 0 else "selection.seed" in output.err


@pytest.mark.parametrize("command", ["prune", "export", "import", "duplicates", "score"])
def test_an_empty_output_is_refused(command, workplace, capsys, tmp_path):
    options = {
        "prune": ["--scores", "s.parquet", "--by", "el2n", "--keep-fraction", 0.5, 0.3],
        "export": ["--subset", "s.parquet", "--format", "npz"],
        "import": ["--files", "s=s.npy", "--higher-is-harder", "s=true"],
    }.get(command, [])
    config = [] if command == "prune" else ["--config", workplace / "small.yaml"]
    message = fails(capsys, tmp_path, command, *config, *options, "--output", "")
    assert "Invalid --output. Expected the path of a file or folder. Received: an empty" in message
