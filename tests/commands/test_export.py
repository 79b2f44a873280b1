"""The command `export`."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import exported
from support.image_folder import load, write_images
from support.small import run

import keras_pruning as kp

CONFIG = "dataset: {{name: '{name}'}}\nmodel: {{name: mlp}}\n"


def subset_of(examples, path):
    """Saves a subset of every third example, as `prune` does, and returns the kept examples."""
    mask = np.arange(len(examples)) % 3 == 0
    subset = kp.Subset(examples.ids, examples.labels, mask, {"examples": examples.provenance})
    subset.save(path)
    return examples.keep(subset)


@pytest.fixture
def digits(tmp_path):
    """A subset of a part of the digits, in a file."""
    path = tmp_path / "subset.parquet"
    examples = kp.load_examples("digits", fraction=0.1, seed=3, label_noise=0.1)
    return path, subset_of(examples, path)


def test_digits_need_no_config(digits, tmp_path, capsys):
    path, kept = digits
    out = tmp_path / "out"
    assert run("export", "--subset", path, "--format", "npz", "--output", out) == 0
    exported.assert_same(kept, kp.load_examples(f"npz:{out / 'examples.npz'}"))
    assert capsys.readouterr().out.endswith(f"Kept 48 of 144 examples.\n{out / 'examples.npz'}\n")


def test_the_same_command_reuses_and_another_is_refused(digits, tmp_path, capsys, caplog):
    path, _ = digits
    arguments = ["export", "--subset", path, "--output", tmp_path / "out", "--format"]
    assert run(*arguments, "csv") == 0
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*arguments, "csv") == 0
    assert "Reused" in caplog.text
    assert run(*arguments, "parquet") == 2
    assert "holds the result of another recipe" in capsys.readouterr().err


def test_a_config_of_other_examples_is_refused(digits, tmp_path, capsys):
    path, _ = digits
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG.format(name="digits"))
    arguments = ["--subset", path, "--format", "csv", "--output", tmp_path / "out"]
    assert run("export", "--config", config, *arguments) == 2
    error = capsys.readouterr().err
    assert "This subset was made from other examples." in error
    assert "fraction=1.0" in error
    assert not (tmp_path / "out").exists()


def test_a_folder_needs_its_config(tmp_path, capsys):
    write_images(tmp_path / "data")
    path, config, out = tmp_path / "subset.parquet", tmp_path / "c.yaml", tmp_path / "out"
    kept = subset_of(load(tmp_path / "data"), path)
    arguments = ["--subset", path, "--format", "folder", "--output", out]
    assert run("export", *arguments) == 2
    error = capsys.readouterr().err
    assert "Expected --config CONFIG" in error
    assert "of the source 'folder'" in error
    config.write_text(CONFIG.format(name=f"folder:{tmp_path / 'data'}"))
    assert run("export", "--config", config, *arguments, "--link") == 0
    exported.assert_same(kept, load(out))
    assert (out / kept.ids[0]).is_symlink()


def test_subsets_of_test_examples(tmp_path):
    write_images(tmp_path / "data")
    path, out = tmp_path / "subset.parquet", tmp_path / "out"
    kept = subset_of(load(tmp_path / "data", "test"), path)
    name = f"folder:{tmp_path / 'data'}"
    arguments = ["--subset", path, "--format", "npz", "--output", out, "--dataset.name", name]
    assert run("export", *arguments) == 0
    exported.assert_same(kept, kp.load_examples(f"npz:{out / 'examples.npz'}", "test"))


def test_tfds_is_found_by_the_name_in_the_subset(tmp_path):
    kp.export(exported.examples(), "tfds", tmp_path / "mine" / "1.0.0")
    path, out = tmp_path / "subset.parquet", tmp_path / "kept"
    kept = subset_of(kp.load_examples("tfds:mine", data_dir=tmp_path), path)
    arguments = ["--format", "tfds", "--output", out, "--dataset.data_dir", tmp_path]
    assert run("export", "--subset", path, *arguments) == 0
    dataset = tfds.builder_from_directory(out).as_dataset(split="train")
    records = {record["id"].decode(): record["image"] for record in dataset.as_numpy_iterator()}
    assert records.keys() == set(kept.ids)
    for name, pixels in zip(kept.ids, exported.values(kept)["x"], strict=True):
        np.testing.assert_array_equal(records[name], pixels)


def test_an_output_in_the_way_is_named_before_all_else(digits, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "out"
    assert run("export", "--subset", "missing", "--format", "csv", "--output", output) == 2
    assert "Expected a folder. Received: a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "zip"], "Unknown format. Expected one of ['csv', 'folder'"),
        (["--format", "csv", "--link"], "Invalid `link`. Expected none, except for the format"),
        (["--format", "folder", "--link", "soft"], "Invalid `link`"),
        (["--format", "folder"], "Cannot export these inputs as images"),
        ([], "Missing options. Expected --format"),
    ],
)
def test_mistakes_end_with_one_message(options, words, digits, tmp_path, capsys):
    arguments = ["--subset", digits[0], "--output", tmp_path / "out", *options]
    try:
        code = run("export", *arguments)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
