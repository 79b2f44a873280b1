"""The doctor from end to end, and its list of suspects."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from support.scored import read
from support.small import run

import keras_pruning as kp
from keras_pruning.probing import probes as probe
from keras_pruning.wrong_labels import suspect_list, suspects
from keras_pruning.wrong_labels.diagnosis import diagnose
from keras_pruning.wrong_labels.suspect_list import SuspectList, suspect_rows
from keras_pruning.wrong_labels.suspects import majority

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow


def test_the_majority_of_the_probes():
    votes = np.array([[1, 2, 0, 2, 3], [1, 0, 1, 1, 3], [0, 0, 2, 1, 4], [1, 2, 2, 2, 4]])
    labels = np.array([0, 0, 0, 1, 9])
    predicted, share = majority(votes, labels)
    # Two to two twice: the label wins where it is one of them, else the first probe.
    np.testing.assert_array_equal(predicted, [1, 0, 2, 1, 3])
    np.testing.assert_array_equal(share, [0.75, 0.5, 0.5, 0.5, 0.5])
    predicted, share = majority(np.array([[4, 5]]), np.array([4, 4]))
    np.testing.assert_array_equal(predicted, [4, 5])
    np.testing.assert_array_equal(share, [1.0, 1.0])


def test_suspects_are_the_contradicted_hardest_first():
    difficulty, labels = np.array([1.0, 9.0, 5.0, 7.0]), np.array([0, 0, 0, 0])
    rows = suspect_rows(difficulty, np.array([1, 0, 2, 3]), labels)
    np.testing.assert_array_equal(rows, [3, 2, 0])
    tied = suspect_rows(np.zeros(100), np.ones(100), np.zeros(100))
    assert sorted(tied) == list(range(100)) != tied.tolist()


CONFIG = """
dataset: {{name: "npz:{data}"}}
model: {{name: mlp, width: 32}}
probe: {{epochs: 4, seeds: 2, jobs: 1}}
scores: [{{name: el2n, epoch: 3}}, {{name: vog, seeds: 1}}]
training: {{batch_size: 16}}
"""
FLIPPED = np.arange(5, 700, 35)


@pytest.fixture(scope="module")
def digits():
    return kp.load_examples("digits").draw(0.5)


@pytest.fixture(scope="module")
def practice(tmp_path_factory, digits):
    """A folder with data, twenty labels flipped by hand, and a config."""
    folder = tmp_path_factory.mktemp("doctor")
    x, y = digits.stored_inputs(np.arange(len(digits))), digits.labels.copy()
    y[FLIPPED] = (y[FLIPPED] + 1 + np.arange(20) % 9) % 10
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])
    (folder / "mine.yaml").write_text(CONFIG.format(data=folder / "data.npz"))
    return folder


@pytest.fixture(scope="module")
def examined(practice):
    """The doctor's folder."""
    arguments = ["--config", practice / "mine.yaml", "--output", practice / "out"]
    before = (practice / "data.npz").read_bytes()
    assert run("doctor", *arguments, "--suspects", 15) == 0
    assert (practice / "data.npz").read_bytes() == before
    return practice / "out" / "doctor"


def test_the_noise_is_planted_scored_and_reported(practice, examined):
    folder = examined / "noise-0.10"
    scores = kp.ScoreTable.load(folder / "scores.parquet")
    clean = kp.load_examples(f"npz:{practice / 'data.npz'}")
    noisy = clean.with_label_noise(0.1)
    np.testing.assert_array_equal(scores.labels, noisy.labels)
    assert scores.metadata["examples"] == noisy.provenance
    found = json.loads((folder / "doctor.json").read_text())
    assert (found["noise"], found["examples"], found["planted"]) == (0.1, 719, 72)
    expected = diagnose(scores, clean.labels, clean.class_names, 0.1)
    assert {key: found[key] for key in expected.as_dict()} == expected.as_dict()
    assert found["findings"][0]["score"] == "el2n"
    assert found["findings"][0]["auroc"] > 0.9 > found["findings"][1]["auroc"]
    with open(folder / "doctor.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["score"] for row in rows] == ["el2n", "vog"]
    assert float(rows[0]["auroc"]) == found["findings"][0]["auroc"]
    with Image.open(folder / "correlations.png") as picture:
        assert picture.size[0] > 72


def test_the_page_has_the_figures_and_the_suspects(examined):
    page = read((examined / "noise-0.10" / "report.html").read_text())
    found = json.loads((examined / "noise-0.10" / "doctor.json").read_text())
    assert f"{found['findings'][0]['auroc']:.3f}" in page.text
    assert all(sentence in page.text for sentence in found["advice"])
    with open(examined / "suspects" / "suspects.csv") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    pictures = [tile["alt"].removeprefix("Example ") for tile in page.named("img")]
    assert [text.partition(",")[0] for text in pictures[:15]] == ids
    assert "keras-pruning doctor --noise 0.1 --suspects 15 --config report.yaml" in page.text


def test_labels_flipped_by_hand_are_the_first_suspects(practice, examined, digits):
    with open(examined / "suspects" / "suspects.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    ids = kp.load_examples(f"npz:{practice / 'data.npz'}").ids
    flipped = dict(zip(ids[FLIPPED], digits.labels[FLIPPED], strict=True))
    assert sum(row["id"] in flipped for row in rows) >= 14
    assert all(row["label"] != row["predicted"] for row in rows)
    right = [int(row["predicted"]) == flipped[row["id"]] for row in rows if row["id"] in flipped]
    assert np.mean(right) > 0.8
    assert [int(row["rank"]) for row in rows] == list(range(1, 16))
    values = [float(row["el2n"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert {row["probes_agree"] for row in rows} <= {"0.5", "1"}
    with Image.open(examined / "suspects" / "suspects.png") as picture:
        assert picture.size == (8 * 122 + 10, 2 * (112 + 3 * 24 + 10) + 10)


@pytest.mark.slow
def test_the_clean_scores_equal_the_command_score(practice, examined):
    arguments = ["--config", practice / "mine.yaml", "--output", practice / "plain"]
    assert run("score", *arguments) == 0
    plain = kp.ScoreTable.load(practice / "plain" / "scores.parquet")
    clean = kp.ScoreTable.load(examined / "clean" / "scores.parquet")
    assert clean.names == plain.names
    for name in plain.names:
        np.testing.assert_array_equal(clean[name], plain[name])
    assert clean.metadata["recipe"] == plain.metadata["recipe"]


def test_a_second_examination_trains_nothing(practice, examined, capsys, caplog, monkeypatch):
    monkeypatch.setattr(probe, "run_each", None)
    files = {path: path.read_bytes() for path in examined.rglob("*") if path.is_file()}
    arguments = ["--config", practice / "mine.yaml", "--output", practice / "out"]
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("doctor", *arguments, "--suspects", 15) == 0
    assert caplog.text.count("Reused") == 3
    assert {path: path.read_bytes() for path in examined.rglob("*") if path.is_file()} == files
    shown = capsys.readouterr().out
    assert "Finding 72 wrong labels among 719 examples" in shown
    assert "To find wrong labels, use el2n" in shown
    assert "The probes contradict the label of " in shown
    for path in files:
        if path.suffix in (".png", ".csv", ".json") and path.parent.name == "suspects":
            assert (str(path) in shown) == (path.name != "recipe.json")
    assert run("doctor", *arguments, "--suspects", 16) == 2
    assert "suspects: recorded 15, requested 16" in capsys.readouterr().err
    assert run("doctor", *arguments, "--suspects", 15, "--noise", 0.2) == 2
    assert "noise: recorded 0.1, requested 0.2" in capsys.readouterr().err
    assert run("doctor", *arguments, "--seed", 1) == 2
    assert "holds the result of another recipe" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in examined.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--noise", 0], r"Invalid `noise`. Expected a float in \(0, 0.5\]. Received: noise=0.0"),
        (["--noise", 0.51], "Invalid `noise`"),
        (["--noise", 0.001], "at least one label of 144"),
        (["--dataset.label_noise", 0.1], "Expected dataset.label_noise: 0. Received: 0.1"),
        (["--suspects", 0], "Invalid `suspects`. Expected a positive number"),
        (["--scores", "[el3n]"], "Unknown score"),
    ],
)
def test_mistakes(arguments, message, capsys, tmp_path):
    shared = ["--dataset.fraction", 0.1, "--model.name", "mlp", "--output", tmp_path / "deep"]
    assert run("doctor", *shared, *arguments) == 2
    shown = capsys.readouterr().err
    assert shown.count("error:") == 1
    assert list(tmp_path.glob("deep")) == []
    assert re.search(message, shown)


def test_one_class_is_a_mistake(capsys, tmp_path):
    x = np.zeros((20, 4, 4, 1), "float32")
    y = np.zeros(20, int)
    np.savez(tmp_path / "one.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    arguments = ["--dataset.name", f"npz:{tmp_path / 'one.npz'}", "--output", tmp_path / "out"]
    assert run("doctor", *arguments) == 2
    assert "Expected examples of at least 2 classes. Received: 1" in capsys.readouterr().err


def test_a_folder_of_somebody_else_is_left_alone(practice, capsys, tmp_path):
    (tmp_path / "doctor" / "suspects").mkdir(parents=True)
    (tmp_path / "doctor" / "suspects" / "thesis.txt").write_text("mine")
    arguments = ["--config", practice / "mine.yaml", "--output", tmp_path, "--suspects"]
    assert run("doctor", *arguments) == 2
    assert "suspects holds something else" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*.*")] == ["thesis.txt"]


def test_the_captions_below_the_suspects(monkeypatch, tmp_path):
    captions = []
    monkeypatch.setattr(
        suspect_list,
        "grid",
        lambda pixels, lines, columns: captions.extend(lines) or np.zeros((9, 9, 3), "uint8"),
    )
    x, ids = np.zeros((3, 4, 4, 1), "uint8"), ["train/cat/0017.png", "b", "ç"]
    examples = kp.Examples.from_arrays(x, [0, 1, 2], ids)
    examples.class_names = ["cat", "dog", "猫"]
    predicted, rows = np.array([1, 2, 0]), np.array([2, 0, 1])
    SuspectList(examples, rows, "aum", np.zeros(3), predicted).save_picture(tmp_path / "s.png")
    assert captions == [
        ["#2", "or cat?", "rank 1"],
        ["cat", "or dog?", "../0017.png"],
        ["dog", "or #2?", "b"],
    ]


def test_a_list_says_when_it_is_not_to_be_relied_on(tmp_path):
    good = suspects.Suspects(tmp_path, "el2n", 0.95, 1000, 300, 100).sentences
    assert len(good) == 1
    assert "contradict the label of 300 of 1,000 examples. The list has the 100" in good[0]
    weak = suspects.Suspects(tmp_path, "vog", 0.89, 1000, 301, 100).sentences
    assert "AUROC of only 0.890. Do not rely on this order" in weak[1]
    assert "have learned too little" in weak[2]


def found_suspects(folder, monkeypatch, shape, votes, entries):
    """Returns the suspects if one probe predicts `votes`, and the extra scores it took."""
    examples = kp.Examples.from_arrays(np.zeros((4, *shape), "float32"), [0, 1, 0, 1])
    metadata = {"scores": {"vog": {"higher_is_harder": True}, "predicted_class": {}}}
    columns = {"vog": [1, 2, 3, 4], "predicted_class": votes}
    table = kp.ScoreTable(examples.ids, examples.labels, columns, metadata=metadata)
    asked = []
    monkeypatch.setattr(suspects.scoring, "find_scores", lambda *args: None)
    monkeypatch.setattr(
        suspects.probes, "probe_tables", lambda *args: asked.append(args) or ([table], [{}])
    )
    plan = SimpleNamespace(entries=entries, recipe={"threads": 1})
    search = suspects.SuspectSearch(plan, folder, 0.1, 7)
    found = search.run(examples, SimpleNamespace(score="vog", auroc=0.95))
    with pytest.raises(kp.InputError, match='ranked_by: recorded "vog", requested "el2n"'):
        search.run(examples, SimpleNamespace(score="el2n", auroc=0.95))
    return found, asked[0][2]


def test_two_searches_at_once_both_end(tmp_path, monkeypatch):
    """The first finishes its scores and its list while the second is about to write them."""
    examples = kp.Examples.from_arrays(np.zeros((4, 5), "float32"), [0, 1, 0, 1])
    metadata = {"scores": {"vog": {"higher_is_harder": True}, "predicted_class": {}}}
    columns = {"vog": [1, 2, 3, 4], "predicted_class": [0, 0, 0, 1]}
    best, plan = SimpleNamespace(score="vog", auroc=0.95), SimpleNamespace(entries=[], recipe={})
    overtaken, new_folder = [], suspects.new_folder

    def overtake():
        if not overtaken:
            overtaken.append(None)
            overtaken.append(searches[1].run(examples, best))

    def probe_tables(*args):
        overtake()
        return [kp.ScoreTable(examples.ids, examples.labels, columns, metadata=metadata)], [{}]

    def find_scores(plan, folder):
        path = folder / "scores.parquet"
        return kp.ScoreTable.load(path) if path.exists() else None

    monkeypatch.setattr(suspects.probes, "probe_tables", probe_tables)
    monkeypatch.setattr(suspects.scoring, "find_scores", find_scores)
    searches = [suspects.SuspectSearch(plan, tmp_path, 0.1, 7) for _ in range(2)]
    first = searches[0].run(examples, best)
    assert first == overtaken[1]
    # Now the list alone
    shutil.rmtree(tmp_path / "suspects")
    overtaken.clear()
    searches = [suspects.SuspectSearch(plan, tmp_path, 0.1, 7) for _ in range(2)]
    monkeypatch.setattr(suspects, "new_folder", lambda path: overtake() or new_folder(path))
    assert searches[0].run(examples, best) == overtaken[1] == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "suspects"]


@pytest.mark.parametrize("shape", [(4, 4, 1), (5,)])
def test_a_list_without_suspects(shape, tmp_path, monkeypatch):
    found, _ = found_suspects(tmp_path, monkeypatch, shape, [0, 1, 0, 1], [{"name": "vog"}])
    assert (found.contradicted, found.listed) == (0, 0)
    assert [path.name for path in found.files] == ["suspects.csv"]
    assert found.files[0].read_text().count("\n") == 1


def test_a_list_of_examples_that_are_no_images(tmp_path, monkeypatch):
    scores = [{"name": "vog"}, {"name": "el2n", "epoch": 3}]
    found, extra = found_suspects(tmp_path, monkeypatch, (5,), [0, 0, 0, 1], scores)
    assert extra == [("keras_pruning.wrong_labels.predicted_class:PredictedClass", {"epoch": 3})]
    assert [path.name for path in found.files] == ["suspects.csv"]
    assert found.files[0].read_text().splitlines() == [
        "rank,id,label,label_name,predicted,predicted_name,probes_agree,vog",
        "1,1,1,1,0,0,1,2",
    ]
    assert kp.ScoreTable.load(tmp_path / "clean" / "scores.parquet").names == ["vog"]


def test_the_doctor_itself_does_without_tensorflow(practice, examined):
    command = [sys.executable, "-X", "importtime", "cli.py", "doctor", "--suspects", "15"]
    command += ["--config", practice / "mine.yaml", "--output", practice / "out"]
    root = Path(__file__).parents[2]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}
    assert "sklearn.metrics" in imported
    assert not imported & {"tensorflow", "keras"}
