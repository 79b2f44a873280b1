"""`prune` with several fractions, policies and scores, and `--explain`."""

import numpy as np
import pytest
from support.mistakes import fails
from support.small import run

import keras_pruning as kp

pytestmark = pytest.mark.filterwarnings("ignore:The policy .* keeps no example")


@pytest.fixture
def scores(tmp_path):
    rng = np.random.default_rng(0)
    values = {name: rng.random(200) for name in ("el2n", "vog")}
    metadata = {"scores": {name: {"higher_is_harder": True} for name in values}}
    table = kp.ScoreTable(np.arange(200), np.arange(200) % 4, values, metadata=metadata)
    table.save(tmp_path / "scores.parquet")
    return tmp_path / "scores.parquet"


def prune(scores, *arguments, output="kept"):
    return run("prune", "--scores", scores, *arguments, "--output", scores.parent / output)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fractions_policies_and_scores_in_one_call(scores, capsys):
    arguments = ["--by", "el2n", "vog", "--keep-fraction", 0.1, 0.335, "--seed", 3]
    arguments += ["--policy", "hardest", "{name: random}", "--quota", "balanced"]
    assert prune(scores, *arguments) == 0
    folder = scores.parent / "kept"
    methods = ("el2n-hardest", "vog-hardest", "random")
    names = [f"{name}-balanced-keep-{part}" for name in methods for part in ("0.10", "0.335")]
    assert files(folder) == sorted(f"{name}.parquet" for name in names)
    table = kp.ScoreTable.load(scores)
    for by, policy in [("el2n", "hardest"), ("vog", "hardest"), (None, "random")]:
        expected = kp.select(table, by, 0.335, policy, "balanced", seed=3)
        name = f"{by}-hardest" if by else "random"
        loaded = kp.Subset.load(folder / f"{name}-balanced-keep-0.335.parquet")
        np.testing.assert_array_equal(loaded.mask, expected.mask)
        assert loaded.selection == expected.selection
    assert f"Kept 20 of 200 examples.\n{folder}/el2n-hardest" in capsys.readouterr().out
    # The same recipe is reused, and a file that is missing is written again.
    (folder / f"{names[0]}.parquet").unlink()
    assert prune(scores, *arguments) == 0
    assert capsys.readouterr().out.count("Reused") == 5
    assert len(files(folder)) == 6


def test_another_recipe_in_the_folder_stops_the_command(scores, capsys):
    assert prune(scores, "--by", "el2n", "--keep-fraction", 0.5, 0.4) == 0
    folder = scores.parent / "kept"
    (folder / "el2n-hardest-keep-0.50.parquet").unlink()
    assert prune(scores, "--by", "el2n", "--keep-fraction", 0.5, 0.4, "--seed", 1) == 2
    assert "selection.seed: recorded 0, requested 1" in capsys.readouterr().err
    assert files(folder) == ["el2n-hardest-keep-0.40.parquet"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "el2n", "--keep-fraction", 0.5, 1.5], "Invalid `keep_fraction`. Expected a fl"),
        (["--by", "el2n", "--keep-fraction", 0.5, 0.001], "keeps at least one example of 200"),
        (["--by", "el2n", "--keep-fraction", 0.5, "half"], "Expected a number. Received: half"),
        (["--by", "el2n", "aum", "--keep-fraction", 0.5], "Unknown score in this table"),
        (["--by", "el2n", "--keep-fraction", 0.5, 0.50], "same file. Expected each score, policy"),
        (["--keep-fraction", 0.5, 0.4], "The policy 'hardest' needs a score"),
        (["--by", "vog", "--policy", "random", "--keep-fraction", 0.5, 0.4], "not read `by`"),
        (["--by", "el2n", "--policy", "hardest", "harder", "--keep-fraction", 0.5], "Unknown pol"),
        (["--by", "el2n", "--quota", "b", "--keep-fraction", 0.5, 0.4], "Unknown quota"),
        (["--by", "--keep-fraction", 0.5], "The option --by has no value"),
    ],
)
def test_arguments_are_checked_before_a_file_is_written(arguments, message, scores, capsys):
    arguments = ["--scores", scores, *arguments, "--output", scores.parent / "kept"]
    assert message in fails(capsys, scores.parent, "prune", *arguments)


@pytest.mark.parametrize("name", ["kept.parquet", "scores.parquet"])
def test_several_subsets_need_a_folder(name, scores, capsys):
    assert prune(scores, "--by", "el2n", "--keep-fraction", 0.5, 0.4, output=name) == 2
    assert "Invalid --output. Expected a folder" in capsys.readouterr().err


def test_a_subset_is_no_csv_file(scores, capsys):
    arguments = ["--scores", scores, "--by", "el2n", "--keep-fraction", 0.5]
    message = fails(capsys, scores.parent, "prune", *arguments, "--output", scores.parent / "a.csv")
    assert "Expected the path of a .parquet file" in message
    assert "cli.py export" in message


def test_explain_shows_classes_and_overlaps(scores, capsys):
    arguments = ["--by", "el2n", "--policy", "hardest", "easiest", "--keep-fraction", 0.4]
    assert prune(scores, *arguments, "--explain") == 0
    shown = capsys.readouterr().out
    table = kp.ScoreTable.load(scores)
    hardest = kp.select(table, "el2n", 0.4)
    mean = table["el2n"][hardest.mask].mean(dtype=np.float64)
    assert f"{mean:.4g}" in shown
    assert shown.count("random (expected)") == 2
    cells = [[cell.strip() for cell in line.split("│")] for line in shown.splitlines()]
    assert ["", "el2n-easiest-keep-0.40", "0", "0.0%", "40.0%", ""] in cells
    # One subset, whose file is reused
    assert prune(scores, *arguments[:2], "--keep-fraction", 0.4, output="one.parquet") == 0
    capsys.readouterr()
    more = ["--keep-fraction", 0.4, "--explain"]
    assert prune(scores, *arguments[:2], *more, output="one.parquet") == 0
    shown = capsys.readouterr().out
    assert "Reused" in shown
    assert f"{mean:.4g}" in shown
