"""Damaged and foreign files: noticed, in one message, and never a traceback."""

import json
import warnings
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.damage import mutations, outcomes
from support.fake_runs import EL2N, write_run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.storage import json_text, read_json, write_json

NAMES = ["scores.parquet", "subset.parquet", "metrics.json", "recipe.json"]


@pytest.fixture
def folder(tmp_path):
    """A folder with one file of each kind that the package reads back."""
    rng = np.random.default_rng(0)
    table = kp.ScoreTable.over_seeds([scores(rng) for _ in range(2)])
    table.save(tmp_path / "scores.parquet")
    kp.select(table, "el2n", 0.4, quota="balanced").save(tmp_path / "subset.parquet")
    metrics = write_run(tmp_path / "runs", 0.9, method=EL2N, keep_fraction=0.5)
    write_json(tmp_path / "metrics.json", metrics)
    write_json(tmp_path / "recipe.json", {"examples": {"seed": 0}, "seed": 3, "versions": {}})
    return tmp_path


def scores(rng):
    examples = {"source": "digits", "split": "train", "fraction": 1.0, "fingerprint": "f"}
    described = {
        "el2n": {"higher_is_harder": True, "epochs": [3], "mode": "train", "over_seeds": "mean"},
        "aum": {"higher_is_harder": False, "epochs": [1, 2, 3], "mode": None, "over_seeds": "sum"},
    }
    return kp.ScoreTable(
        [f"train/{row}" for row in range(80)],
        np.arange(80) % 4,
        {name: rng.normal(size=80) for name in described},
        metadata={"examples": examples, "scores": described, "recipe": {"seed": 1}},
        extrapolated=np.arange(80) == 7,
    )


def content(path):
    """Returns everything in a file that the package reads, comparable by `==`."""
    if path.suffix == ".json":
        return read_json(path)
    if "subset" in path.name:
        subset = kp.Subset.load(path)
        return [
            subset.all_ids.tolist(),
            subset.all_labels.tolist(),
            subset.mask.tolist(),
            subset.metadata,
        ]
    table = kp.ScoreTable.load(path)
    columns = {name: table[name].tobytes() for name in table.names}
    errors = {name: values.tobytes() for name, values in table.standard_errors.items()}
    marks = table.extrapolated.tolist()
    return [table.ids.tolist(), table.labels.tolist(), columns, errors, marks, table.metadata]


@pytest.mark.parametrize("name", NAMES)
def test_no_flipped_bit_is_silent(name, folder):
    results = Counter(outcomes(content, folder / name, 60))
    assert results["silent"] == 0
    assert results["error"] > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_none_of_a_thousand_flipped_bits_is_silent(name, folder):
    assert Counter(outcomes(content, folder / name, 1000, seed=1))["silent"] == 0


def with_metadata(path, metadata, to):
    """Writes a copy of a Parquet file with other metadata and without a digest."""
    table = pq.read_table(path)
    kind = table.schema.metadata[b"kind"]
    pq.write_table(table.replace_schema_metadata({"kind": kind, "metadata": metadata}), to)


def use_scores(path):
    table = kp.ScoreTable.load(path)
    repr(table)
    kp.select(table, "el2n", 0.5)
    kp.ScoreTable.over_seeds([table, table])


def use_subset(path):
    subset = kp.Subset.load(path)
    run = kp.training.run.run_folder(subset, 0)
    # No name may lead out of the folder of the runs.
    assert not run.is_absolute() and ".." not in run.parts and len(run.parts) == 3
    return repr(subset), subset.digest


@pytest.mark.parametrize(
    ("name", "use"), [("scores.parquet", use_scores), ("subset.parquet", use_subset)]
)
def test_foreign_metadata_are_one_message(name, use, folder):
    metadata = json.loads(pq.read_schema(folder / name).metadata[b"metadata"])
    changed, refused = list(mutations(metadata)), 0
    for number, mutation in enumerate(changed):
        path = folder / f"{number % 2}-{name}"
        with_metadata(folder / name, json_text(mutation), path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                use(path)
            except InputError as error:
                refused += 1
                assert "Expected" in str(error)
    assert len(changed) > 206
    assert refused > len(changed) / 4


@pytest.mark.parametrize("text", ["", "[]", "null", "3", '"x"', "{", "[" * 100000, b"\xff\xfe{}"])
@pytest.mark.parametrize("name", ["scores.parquet", "subset.parquet"])
def test_metadata_that_are_no_dictionary(name, text, folder):
    path = folder / f"foreign-{name}"
    with_metadata(folder / name, text, path)
    with (
        pytest.warns(UserWarning, match="no digest"),
        pytest.raises(InputError, match="Cannot read the metadata of .*foreign"),
    ):
        content(path)


def test_foreign_metrics_are_one_message(folder):
    metrics = read_json(folder / "metrics.json")
    (path,) = (folder / "runs").rglob("metrics.json")
    changed, refused = list(mutations(metrics)), 0
    for mutation in changed:
        path.write_text(json_text(mutation))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                (run,) = find_runs(folder / "runs")
                compare([run])
                assert "/" not in run.method
            except InputError as error:
                refused += 1
                assert str(path) in str(error)
    assert len(changed) > 206
    assert refused > len(changed) / 2


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("id", [1.5, 2.5]),
        ("id", ["a", None]),
        ("id", ["a\0", "b"]),
        ("label", ["a", "b"]),
        ("label", [0.5, 1.0]),
        ("label", [0, -1]),
        ("kept", ["a", "b"]),
        ("kept", [3, 1]),
        ("kept", [[True], [False]]),
    ],
)
def test_foreign_columns_are_one_message(column, values, tmp_path):
    columns = {"id": ["a", "b"], "label": [0, 1], "kept": [True, False], column: values}
    table = pa.table(columns).replace_schema_metadata(
        {"kind": "keras_pruning.subset", "metadata": "{}"}
    )
    pq.write_table(table, tmp_path / "subset.parquet")
    with warnings.catch_warnings(), pytest.raises(InputError, match="subset.parquet.*Expected"):
        warnings.simplefilter("ignore")
        kp.Subset.load(tmp_path / "subset.parquet")


@pytest.mark.parametrize("column", ["id", "label", "kept", "el2n"])
def test_a_missing_column_is_named(column, folder):
    name = "scores.parquet" if column == "el2n" else "subset.parquet"
    table = pq.read_table(folder / name).drop_columns(column)
    header = {key: value for key, value in table.schema.metadata.items() if key != b"digest"}
    pq.write_table(table.replace_schema_metadata(header), folder / name)
    with (
        pytest.warns(UserWarning, match="no digest"),
        pytest.raises(InputError, match=f"Expected the columns .'{column}'"),
    ):
        content(folder / name)


def test_columns_of_another_file_do_not_fit_the_digest(folder):
    """Every page is intact here, so only the digest can tell."""
    table = pq.read_table(folder / "subset.parquet")
    kept = pa.array(table["kept"].to_numpy()[::-1])
    pq.write_table(table.set_column(0, "kept", kept), folder / "subset.parquet")
    with pytest.raises(InputError, match="subset.parquet is damaged or was edited"):
        kp.Subset.load(folder / "subset.parquet")


def test_the_mask_must_keep_as_many_as_recorded(folder):
    table = pq.read_table(folder / "subset.parquet")
    header = {key: value for key, value in table.schema.metadata.items() if key != b"digest"}
    table = table.set_column(0, "kept", pa.array([True] * 80)).replace_schema_metadata(header)
    pq.write_table(table, folder / "subset.parquet")
    with (
        pytest.warns(UserWarning, match="no digest"),
        pytest.raises(InputError, match="`selection.kept`: 32. Received: 80 in the mask"),
    ):
        kp.Subset.load(folder / "subset.parquet")


def test_pages_have_checksums(folder):
    """A page that is damaged is named as such, before the digest is looked at."""
    content = bytearray((folder / "scores.parquet").read_bytes())
    content[400] ^= 1
    (folder / "scores.parquet").write_bytes(content)
    with pytest.raises(InputError, match="Cannot read .* CRC checksum verification failed"):
        kp.ScoreTable.load(folder / "scores.parquet")


def test_files_without_a_digest_are_read_with_a_warning(folder):
    before = content(folder / "scores.parquet")
    metadata = pq.read_schema(folder / "scores.parquet").metadata[b"metadata"]
    with_metadata(folder / "scores.parquet", metadata, folder / "old-scores.parquet")
    with pytest.warns(UserWarning, match="old-scores.parquet has no digest") as caught:
        assert content(folder / "old-scores.parquet") == before
    assert len(caught) == 1
    (folder / "old.json").write_text('{"a": 1}')
    with pytest.warns(UserWarning, match="old.json has no digest"):
        assert read_json(folder / "old.json") == {"a": 1}


def test_old_metrics_are_one_warning(folder):
    for seed in (1, 2):
        metrics = write_run(folder / "runs", 0.8, method=EL2N, keep_fraction=0.5, seed=seed)
        (path,) = (folder / "runs").rglob(f"seed-{seed}/metrics.json")
        path.write_text(json.dumps(metrics))
    with pytest.warns(UserWarning, match="2 of 3 metrics.json have no digest") as caught:
        assert len(find_runs(folder / "runs")) == 3
    assert len(caught) == 1


def test_metrics_stay_plain_json(folder):
    (path,) = (folder / "runs").rglob("metrics.json")
    metrics = json.loads(path.read_text())
    assert metrics["test_accuracy"] == 0.9
    assert list(metrics)[-1] == "digest"


@pytest.mark.parametrize("name", ["../../../x", "/abs/x", ".hidden", "a/b", "", "é", "a" * 101])
def test_names_never_become_paths(name, folder):
    with pytest.raises(InputError, match="Invalid name of a score"):
        kp.ScoreTable(["a"], [0], {name: [1.0]})
    selection = {"by": "el2n", "policy": "hardest", "quota": None, "keep_fraction": 1.0, "seed": 0}
    for entry in ("by", "policy", "quota"):
        with pytest.raises(InputError, match=f"Invalid name of a selection .`{entry}`"):
            kp.Subset(["a"], [0], [True], {"selection": {**selection, entry: name}})
        metrics = write_run(folder / f"foreign-{entry}", 0.9)
        (path,) = (folder / f"foreign-{entry}").rglob("metrics.json")
        write_json(path, {**metrics, "selection": {**selection, entry: name}})
        with pytest.raises(InputError, match=f"Invalid name of a selection .`{entry}`"):
            find_runs(folder / f"foreign-{entry}")


def test_a_folder_and_a_text_are_no_parquet_files(tmp_path):
    with pytest.raises(InputError, match="is a folder. Expected a Parquet file"):
        kp.ScoreTable.load(tmp_path)
    (tmp_path / "notes.txt").write_text("These are not scores, but a text of some length.")
    with pytest.raises(InputError, match="Cannot read .*notes.txt as Parquet: Parquet magic bytes"):
        kp.Subset.load(tmp_path / "notes.txt")


def test_a_run_on_a_damaged_recipe_is_refused(folder):
    run = kp.training.run.TrainingRun(SimpleNamespace(recipe={}), None, 0, folder)
    text = (folder / "recipe.json").read_text()
    (folder / "recipe.json").write_text(text.replace('"seed": 3', '"seed": 2'))
    with pytest.raises(InputError, match="recipe.json is damaged or was edited"):
        run.is_finished()
