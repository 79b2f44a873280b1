"""The command `import`: scores from elsewhere on the examples of a config."""

import re

import numpy as np
import pytest
from support import small
from support.mistakes import fails

import keras_pruning as kp

COUNT = 60


@pytest.fixture
def examples():
    return small.digits(COUNT)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "small.yaml").write_text(f"dataset: {{name: digits, fraction: {COUNT / 1437}}}")
    return ["--config", tmp_path / "small.yaml", "--output", tmp_path / "out"]


def values_of(examples):
    return np.random.default_rng(0).random(len(examples)).astype("float32")


def import_el2n(folder, config, values, *more):
    np.save(folder / "el2n.npy", values)
    arguments = ["--files", f"el2n={folder / 'el2n.npy'}", "--higher-is-harder", "el2n=true"]
    return small.run("import", *config, *(more or arguments))


def test_imported_scores_are_pruned_and_kept(examples, config, tmp_path, capsys):
    values = values_of(examples)
    assert import_el2n(tmp_path, config, values) == 0
    assert "Imported el2n of 60 examples." in capsys.readouterr().out
    scores = tmp_path / "out" / "scores.parquet"
    table = kp.ScoreTable.load(scores)
    np.testing.assert_array_equal(table["el2n"], values)
    assert table.metadata["examples"] == examples.provenance
    output = tmp_path / "subset.parquet"
    options = ["--by", "el2n", "--keep-fraction", 0.5, "--quota", "balanced", "--output", output]
    assert small.run("prune", "--scores", scores, *options) == 0
    kept = examples.keep(kp.Subset.load(output))
    assert kept.ids.tolist() == kp.Subset.load(output).kept_ids.tolist()
    with pytest.raises(kp.InputError, match="made from other examples"):
        small.digits(COUNT, seed=1).keep(kp.Subset.load(output))


def test_the_same_scores_are_reused_and_others_are_not(examples, config, tmp_path, capsys):
    values = values_of(examples)
    assert import_el2n(tmp_path, config, values) == 0
    assert import_el2n(tmp_path, config, values) == 0
    assert "Reused" in capsys.readouterr().out
    assert import_el2n(tmp_path, config, values[::-1]) == 2
    assert "other values of these scores. Nothing was overwritten" in capsys.readouterr().err
    csv = tmp_path / "own.csv"
    csv.write_text("id,own\n" + "".join(f"{name},1\n" for name in examples.ids))
    more = ["--files", f"own={csv}", "--higher-is-harder", "own=no"]
    assert import_el2n(tmp_path, config, values, *more) == 2
    assert "another recipe" in capsys.readouterr().err
    np.testing.assert_array_equal(
        kp.ScoreTable.load(tmp_path / "out" / "scores.parquet")["el2n"], values
    )


@pytest.mark.parametrize(
    ("files", "directions", "message"),
    [
        (["el2n"], ["el2n=true"], "Invalid --files. Expected NAME=FILE for each.*Received: el2n"),
        (["a=x.npy", "a=y.npy"], ["a=true"], "every name once. Received: a=x.npy a=y.npy"),
        (["a=x.npy"], ["a=high"], "Invalid --higher-is-harder of `a`. Expected true or false"),
        (["a=x.npy"], ["b=true"], "Expected True or False for each score.*'a'"),
        (["el2n=x.npy"], ["el2n=false"], "other direction.*Expected --higher-is-harder el2n=true"),
        (["a=x.npy"], ["a=true"], "Missing file of scores. Expected a file. Received: x.npy"),
        (["a=x.pkl"], ["a=true"], "Unknown format of scores.*Received: x.pkl. Pickles are not"),
    ],
)
def test_mistakes_are_one_message(files, directions, message, config, tmp_path, capsys):
    arguments = ["--files", *files, "--higher-is-harder", *directions]
    text = fails(capsys, tmp_path, "import", *config, *arguments)
    assert re.search(message, text, re.DOTALL)
    assert not (tmp_path / "out").exists()


def test_another_count_of_values_is_refused(examples, config, tmp_path, capsys):
    assert import_el2n(tmp_path, config, values_of(examples)[:-1]) == 2
    assert "Expected 60 values" in capsys.readouterr().err
