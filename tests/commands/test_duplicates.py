"""The command `duplicates` on digits with planted copies, wrong labels and leaks."""

import csv
import json
import re

import keras
import numpy as np
import pytest
from PIL import Image
from support.mistakes import fails, npz
from support.small import digits, run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import keras_pruning as kp
from keras_pruning.commands import duplicates

# Far below the distances of different digits in pixels.
THRESHOLD = 0.003
COUNT = 120


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder with a data set, a config, and the report on its duplicates.

    Rows 120 to 123 are brighter copies of rows 0 to 3, row 124 is one of row 0, and row 121 has a
    wrong label. Test rows 2 and 5 are copies of the training rows 3 and 7.
    """
    folder = tmp_path_factory.mktemp("duplicates")
    examples = digits(COUNT + 8)
    x, y = examples.stored_inputs(np.arange(len(examples))), examples.labels
    assert kp.near_duplicates(x.reshape(len(x), -1), THRESHOLD).keep.all()
    rng = np.random.default_rng(0)
    copied = [0, 1, 2, 3, 0]
    copies = 1.5 * x[copied] + 0.01 * rng.random((5, 8, 8, 1)).astype("float32")
    labels = y[copied].copy()
    labels[1] = (labels[1] + 1) % 10
    x_test, y_test = x[COUNT:].copy(), y[COUNT:].copy()
    x_test[[2, 5]], y_test[[2, 5]] = 0.5 * x[[3, 7]], y[[3, 7]]
    np.savez(
        folder / "data.npz",
        x_train=np.concatenate([x[:COUNT], copies]),
        y_train=np.concatenate([y[:COUNT], labels]),
        x_test=x_test,
        y_test=y_test,
        ids_train=np.arange(COUNT + 5),
    )
    lines = [
        f'dataset: {{name: "npz:{folder / "data.npz"}"}}',
        "model: {name: mlp, width: 8}",
        "training: {epochs: 1}",
    ]
    (folder / "mine.yaml").write_text("\n".join(lines))
    assert duplicates_of(folder, folder / "report") == 0
    return folder


def duplicates_of(folder, output, *arguments):
    config = ["--config", folder / "mine.yaml", "--output", output]
    return run("duplicates", *config, "--threshold", THRESHOLD, *arguments)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train_examples(folder):
    return kp.load_examples(f"npz:{folder / 'data.npz'}")


def test_planted_groups_are_the_groups_of_the_report(planted):
    ids = train_examples(planted).ids
    rows = rows_of(planted / "report" / "duplicates.csv")
    groups = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    members = [{row["id"] for row in group} for group in groups.values()]
    assert members[0] == {ids[0], ids[120], ids[124]}
    assert sorted(map(sorted, members[1:])) == sorted(
        sorted([ids[row], ids[120 + row]]) for row in (1, 2, 3)
    )
    assert list(groups) == ["1", "2", "3", "4"]
    for row in rows:
        assert int(row["group_size"]) == len(groups[row["group"]])
        assert (row["kept"] == "True") == (row["id"] == row["kept_id"])
        assert (row["conflicting"] == "True") == (row["id"] in (ids[1], ids[121]))
        assert row["label_name"] == row["label"]
    assert {row["id"] for row in rows if row["kept"] == "True"} == set(ids[:4])


def test_planted_leaks_are_the_leaks_of_the_report(planted):
    train = train_examples(planted)
    test = kp.load_examples(f"npz:{planted / 'data.npz'}", split="test")
    rows = rows_of(planted / "report" / "leaks.csv")
    pairs = {(row["test_id"], row["train_id"]) for row in rows}
    assert pairs == {
        (test.ids[2], train.ids[3]),
        (test.ids[2], train.ids[123]),
        (test.ids[5], train.ids[7]),
    }
    assert [row["near_training_examples"] for row in rows] == ["2", "2", "1"]
    assert rows[0]["train_id"] == train.ids[3]
    assert float(rows[0]["distance"]) < 1e-6 < float(rows[1]["distance"]) < THRESHOLD
    assert all(row["test_label"] == row["train_label"] for row in rows)


@pytest.mark.slow
def test_the_subset_is_one_that_train_takes(planted):
    subset = kp.Subset.load(planted / "report" / "deduplicated.parquet")
    assert len(subset) == COUNT
    assert np.flatnonzero(~subset.mask).tolist() == [120, 121, 122, 123, 124]
    assert subset.selection["policy"] == "deduplicate"
    assert subset.selection["policy_options"] == {"threshold": THRESHOLD}
    examples = train_examples(planted)
    assert len(examples.keep(subset)) == COUNT
    arguments = ["--config", planted / "mine.yaml", "--output", planted / "trained"]
    subset_file = planted / "report" / "deduplicated.parquet"
    assert run("train", *arguments, "--subset", subset_file) == 0
    metrics = json.loads((planted / "trained" / "metrics.json").read_text())
    assert metrics["examples_kept"] == COUNT


def test_the_embedding_is_one_that_prune_takes(planted):
    report = planted / "report"
    examples = train_examples(planted)
    pixels = examples.stored_inputs(np.arange(len(examples))).reshape(len(examples), -1)
    np.testing.assert_array_equal(np.load(report / "embedding.npy"), pixels)
    table = kp.ScoreTable(
        examples.ids,
        examples.labels,
        {"el2n": np.arange(125.0)},
        metadata={"scores": {"el2n": {"higher_is_harder": True}}},
    )
    table.save(planted / "scores.parquet")
    policy = f"{{name: deduplicate, threshold: {THRESHOLD}, then: hardest}}"
    arguments = ["--scores", planted / "scores.parquet", "--by", "el2n", "--policy", policy]
    arguments += ["--embedding", report / "embedding.npy", "--keep-fraction", 0.5]
    assert run("prune", *arguments, "--output", planted / "half.parquet") == 0
    subset = kp.Subset.load(planted / "half.parquet")
    # The copies are harder than the first ones, and of row 0 the last copy is the hardest.
    kept = np.setdiff1d(np.arange(125), [120])
    np.testing.assert_array_equal(np.flatnonzero(subset.mask), kept[-63:])
    of_report = kp.Subset.load(report / "deduplicated.parquet").selection
    assert subset.selection["embedding"] == of_report["embedding"]


def test_pictures_for_a_browser_and_for_tensorboard(planted):
    report = planted / "report"
    events = EventAccumulator(str(report)).Reload()
    tags = {f"duplicates/{name}" for name in ("largest", "conflicting", "leaks")}
    assert set(events.Tags()["tensors"]) == tags
    sizes = {}
    for name in ("largest", "conflicting", "leaks"):
        with Image.open(report / f"{name}.png") as picture:
            sizes[name] = picture.size
    assert sizes["largest"] == (5 * 122 + 10, 2 * (112 + 3 * 24 + 10) + 10)
    assert sizes["conflicting"][1] == 112 + 3 * 24 + 20
    assert sizes["leaks"] == (6 * 122 + 10, 112 + 2 * 24 + 20)


def test_the_report_is_reused_and_never_overwritten(planted, capsys, caplog, monkeypatch):
    files = {path: path.read_bytes() for path in (planted / "report").iterdir()}
    monkeypatch.setattr(duplicates, "_write", None)
    with caplog.at_level("INFO", "keras_pruning"):
        assert duplicates_of(planted, planted / "report") == 0
    assert "Reused" in caplog.text
    shown = capsys.readouterr().out
    assert "Near duplicates (1 − cos ≤ 0.003): 9 of 125 training examples, in 4 groups." in shown
    assert "120 examples are left" in shown
    assert "Conflicting labels: 1 groups." in shown
    assert "Leaks: 2 of 8 test examples are near to 3 training examples." in shown
    for path in files:
        hidden = path.suffix == ".json" or "tfevents" in path.name
        assert (str(path) in shown) != hidden
    config = ["--config", planted / "mine.yaml", "--output", planted / "report"]
    assert run("duplicates", *config, "--threshold", 0.5) == 2
    assert "threshold: recorded 0.003, requested 0.5" in capsys.readouterr().err
    assert duplicates_of(planted, planted / "report", "--leaks", "false") == 2
    assert "test_examples" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (planted / "report").iterdir()} == files


def test_by_a_file_with_and_without_test_examples(planted, tmp_path, capsys):
    report = planted / "report"
    arguments = ["--embedding", report / "embedding.npy"]
    assert duplicates_of(planted, tmp_path / "file", *arguments) == 0
    shown = capsys.readouterr().out
    assert "No test examples were compared. Name --test-embedding" in shown
    assert not (tmp_path / "file" / "leaks.csv").exists()
    arguments += ["--test-embedding", report / "test_embedding.npy"]
    assert duplicates_of(planted, tmp_path / "both", *arguments) == 0
    for name in ("duplicates.csv", "leaks.csv", "embedding.npy"):
        assert (tmp_path / "both" / name).read_bytes() == (report / name).read_bytes()


def test_by_a_model_and_by_a_layer(planted, tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(7, name="hidden"), keras.layers.Dense(10, name="logits")]
    model = keras.Sequential(layers)
    model.save(tmp_path / "model.keras")
    arguments = ["--embedding", tmp_path / "model.keras"]
    assert duplicates_of(planted, tmp_path / "model", *arguments) == 0
    assert duplicates_of(planted, tmp_path / "layer", *arguments, "--layer", "logits") == 0
    examples = train_examples(planted)
    x = examples.stored_inputs(np.arange(len(examples)))
    hidden = keras.Model(model.inputs, model.get_layer("hidden").output).predict(x, verbose=0)
    for name, expected in {"model": hidden, "layer": model.predict(x, verbose=0)}.items():
        vectors = np.load(tmp_path / name / "embedding.npy")
        np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-5)
        assert len(np.load(tmp_path / name / "test_embedding.npy")) == 8
        rows = rows_of(tmp_path / name / "duplicates.csv")
        assert {examples.ids[0], examples.ids[120], examples.ids[124]} <= {
            row["id"] for row in rows
        }


def test_two_commands_at_once_both_end(planted, tmp_path, monkeypatch):
    """The other finishes the same report while this one is about to write it."""
    new_folder, output = duplicates.new_folder, tmp_path / "out"

    def overtaken(folder):
        monkeypatch.setattr(duplicates, "new_folder", new_folder)
        assert duplicates_of(planted, output) == 0
        return new_folder(folder)

    monkeypatch.setattr(duplicates, "new_folder", overtaken)
    assert duplicates_of(planted, output) == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["out"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", 1], r"Invalid `threshold`. Expected a number in \[0, 1\)"),
        (["--threshold", "much"], "Invalid `threshold`. Expected a number. Received: much"),
        (["--embedding", "pixel"], "Invalid `embedding`. Expected 'pixels', or.*Received: pixel\n"),
        (["--embedding", "no.keras"], r"Received: no.keras \(no such file\)"),
        (["--layer", "hidden"], "Invalid --layer. Expected a .keras file"),
        (["--test-embedding", "test.npy"], "Invalid --test-embedding. Expected a .npy file"),
        (["--embedding", "{folder}/short.npy"], "does not belong to these examples"),
        (["--dataset.name", "{folder}/words.npz"], "Unknown data set"),
    ],
)
def test_mistakes(arguments, message, capsys, tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((7, 3), "float32"))
    name = npz(tmp_path / "data.npz")
    shared = ["--dataset.name", name, "--output", tmp_path / "deep" / "out"]
    arguments = [str(part).format(folder=tmp_path) for part in arguments]
    assert re.search(message, fails(capsys, tmp_path, "duplicates", *shared, *arguments))


def test_texts_have_no_pixels(capsys, tmp_path):
    lines = ["text,label,split", "a b,0,train", "c d,1,train", "e,0,test", "f,1,test"]
    (tmp_path / "texts.csv").write_text("\n".join(lines))
    arguments = ["--dataset.name", f"csv:{tmp_path / 'texts.csv'}", "--output", tmp_path / "out"]
    message = fails(capsys, tmp_path, "duplicates", *arguments)
    assert "have no pixels to compare. Expected one array of numbers" in message


def test_a_folder_of_somebody_else_is_left_alone(planted, capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    assert duplicates_of(planted, tmp_path) == 2
    assert "holds something else. Expected a report on duplicates" in capsys.readouterr().err
    assert duplicates_of(planted, tmp_path / "thesis.txt") == 2
    assert (tmp_path / "thesis.txt").read_text() == "mine"
