"""Scores of a part of the examples, carried over to the others."""

import csv
import dataclasses
import json
import re

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
import small
from scipy.stats import spearmanr
from small import run

import keras_pruning as kp
from keras_pruning import InputError, extrapolation, probe, scoring
from keras_pruning.comparison import report
from keras_pruning.comparison.results import method_name
from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, TrainingConfig
from keras_pruning.doctor.examination import examine
from keras_pruning.extrapolation import carried_over, over_probes, price, scored_part

EL2N = {"higher_is_harder": True, "over_seeds": "mean"}


# The pure function


def test_the_mean_of_the_nearest_of_the_same_label_by_hand():
    """On a line, two classes in turn; scored are the positions 0, 1, 2, 3, 6 and 9."""
    vectors = np.array([[0.0], [1.0], [2.0], [3.0], [4.5], [5.0], [6.0], [9.0]], np.float32)
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    rows = np.array([0, 1, 2, 3, 6, 7])
    scores = np.array([[1.0], [10], [2], [20], [6], [90]])
    values = carried_over(scores, vectors, labels, rows, k=2)[:, 0]
    # 4.5 is between 2 and 6; 5 between 1, 3 and 9. The scored ones never see their own score.
    expected = [(2 + 6) / 2, (20 + 90) / 2, (1 + 6) / 2, (10 + 90) / 2]
    expected += [(2 + 6) / 2, (10 + 20) / 2, (1 + 2) / 2, (10 + 20) / 2]
    np.testing.assert_allclose(values, expected)


def brute_force(scores, vectors, labels, rows, k):
    values = np.full((len(labels), scores.shape[1]), np.nan)
    for row in range(len(labels)):
        own = [j for j in rows if labels[j] == labels[row]]
        count = min(k, len(own) - 1)
        distances = [(np.linalg.norm(vectors[j] - vectors[row]), j) for j in own if j != row]
        nearest = [list(rows).index(j) for _, j in sorted(distances)[:count]]
        if count > 0:
            values[row] = scores[nearest].mean(axis=0)
    return values


@pytest.mark.parametrize("k", [1, 4, 30])
@pytest.mark.parametrize("block_bytes", [None, 4 * 3 * 5])
def test_the_same_as_brute_force(k, block_bytes, monkeypatch):
    """With ties, a class that is scored whole, one with two scored examples and one with one."""
    if block_bytes:
        monkeypatch.setattr(extrapolation, "_BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(0)
    labels = np.concatenate([rng.integers(0, 3, 80), [3] * 6, [4] * 4, [5]])
    vectors = rng.integers(0, 4, (91, 3)).astype(np.float32)
    rows = np.sort(np.concatenate([rng.permutation(80)[:30], np.arange(80, 86), [87, 89, 90]]))
    scores = rng.normal(size=(len(rows), 2))
    values = carried_over(scores, vectors, labels, rows, k)
    np.testing.assert_allclose(values, brute_force(scores, vectors, labels, rows, k))
    assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [90]


def test_other_unscored_examples_play_no_part():
    rng = np.random.default_rng(1)
    vectors, labels = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
    rows, scores = np.arange(0, 60, 2), rng.normal(size=(30, 1))
    values = carried_over(scores, vectors, labels, rows)
    vectors[1::4], labels[1::4] = 0, 0
    changed = carried_over(scores, vectors, labels, rows)
    kept = np.setdiff1d(np.arange(60), np.arange(1, 60, 4))
    np.testing.assert_array_equal(changed[kept], values[kept])


# The part


def test_the_part_is_stratified_and_has_exactly_as_many():
    examples = kp.load_examples("digits", fraction=0.1)
    part = scored_part(examples, 0.35, seed=3)
    assert (len(examples), len(part)) == (144, 50)  # 50.4; and 0.35 · 10 = 3.5 below
    np.testing.assert_array_equal(part.ids, scored_part(examples, 0.35, seed=3).ids)
    assert set(part.ids) != set(scored_part(examples, 0.35, seed=4).ids)
    shares = np.bincount(part.labels) / np.bincount(examples.labels)
    assert (abs(shares - 0.35) < 0.08).all()
    assert len(scored_part(small.random_images(10, classes=2), 0.35, 0)) == 4
    assert scored_part(examples, 1.0, 3) is examples


def test_a_part_that_is_too_small_or_everything():
    examples = small.random_images(50, classes=3)
    with pytest.raises(InputError, match=r"part to score is too small.*Received: 1 of 1\d of"):
        scored_part(examples, 0.1, 0)
    with pytest.raises(InputError, match="nothing to carry scores over to.*Received: 0.999"):
        scored_part(examples, 0.999, 0)
    with pytest.raises(InputError, match="Invalid `probe.fraction`"):
        ProbeConfig(fraction=0)
    # A class with a single example needs no neighbours once that is drawn.
    labels = np.array([0] * 50 + [1])
    lonely = kp.Examples.from_arrays(np.zeros((51, 2), np.float32), labels)
    assert 1 in scored_part(lonely, 0.5, 0).labels
    with pytest.raises(InputError, match="Received: 0 of 1 of the class '1', 20 of 51 in all"):
        scored_part(lonely, 0.4, 0)


# The price


def test_the_price_by_hand():
    """Ranks 1, 2, 3, 4 against 2, 1, 3, 4: 1 - 6 · 2 / (4 · 15) = 0.8; errors 1, 1, 0, 6."""
    found = price(np.array([1.0, 2, 3, 10]), np.array([2.0, 1, 3, 4]))
    assert found["rank_correlation"] == pytest.approx(0.8)
    assert found["mean_absolute_error"] == pytest.approx(8 / 4)


def test_the_price_with_ties_and_without_any_spread():
    rng = np.random.default_rng(2)
    scores, held_out = rng.integers(0, 4, 50).astype(np.float32), rng.integers(0, 4, 50)
    expected = spearmanr(scores, held_out)[0]
    assert price(scores, held_out)["rank_correlation"] == pytest.approx(expected)
    assert price(np.ones(3), np.arange(3))["rank_correlation"] is None
    assert price(np.arange(3), np.ones(3))["rank_correlation"] is None


def carried(el2n, el2n_held_out, forgetting, forgetting_held_out):
    recorded = {"el2n": EL2N, "forgetting": {**EL2N, "over_seeds": "sum"}}
    metadata = {"scores": recorded}
    scores = {"el2n": el2n, "forgetting": forgetting}
    marked = [False, True, False, False, False]
    table = kp.ScoreTable(list("abcde"), [0, 0, 0, 0, 1], scores, None, metadata, marked)
    held_out = {"el2n": el2n_held_out, "forgetting": forgetting_held_out}
    return extrapolation.Carried(
        table, kp.ScoreTable(["a", "c", "d"], [0, 0, 0], held_out, metadata=metadata)
    )


def test_the_price_of_several_probes_is_that_of_their_mean_or_sum():
    """Each probe alone is 2 off; their means are 0, 1 and 1 off, in the same order."""
    probes = [
        carried([1, 9, 2, 3, 4], [3, 4, 5], [1, 9, 2, 3, 4], [3, 4, 5]),
        carried([1, 9, 2, 3, 4], [-1, 2, 3], [1, 9, 2, 3, 4], [-1, 2, 3]),
    ]
    table = over_probes(probes, fraction=0.8, seed=7)
    found = table.metadata["extrapolation"]
    assert {key: found[key] for key in ("fraction", "seed", "k")} == {
        "fraction": 0.8,
        "seed": 7,
        "k": extrapolation.NEIGHBOURS,
    }
    assert found["scores"]["el2n"]["rank_correlation"] == pytest.approx(1)
    assert found["scores"]["el2n"]["mean_absolute_error"] == pytest.approx(2 / 3)
    assert found["scores"]["forgetting"]["mean_absolute_error"] == pytest.approx(4 / 3)
    np.testing.assert_array_equal(table["forgetting"], [2, 18, 4, 6, 8])
    np.testing.assert_array_equal(table.extrapolated, [False, True, False, False, False])
    lines = list(extrapolation.price_lines(found))
    assert lines[2].strip() == "el2n  rank correlation 1.000, mean absolute error 0.6667"
    assert list(extrapolation.price_lines(None)) == []


# The table and what is made of it


def table(extrapolated=(False, True, False), el2n=(0.25, 1.0, 0.5)):
    metadata = {"examples": {"fingerprint": "f"}, "scores": {"el2n": EL2N}}
    return kp.ScoreTable(list("abü"), [0, 1, 0], {"el2n": el2n}, None, metadata, extrapolated)


def test_the_mark_is_saved_and_loaded(tmp_path):
    marked = kp.ScoreTable.over_seeds([table(), table(el2n=(1, 2, 3))])
    marked.save(tmp_path / "scores.parquet")
    stored = pq.read_table(tmp_path / "scores.parquet")
    assert stored.column_names == ["id", "label", "el2n", "el2n_se", "extrapolated"]
    assert str(stored.schema.field("extrapolated").type) == "bool"
    loaded = kp.ScoreTable.load(tmp_path / "scores.parquet")
    assert loaded.names == ["el2n"]
    assert loaded.extrapolated.dtype == bool
    np.testing.assert_array_equal(loaded.extrapolated, [False, True, False])
    np.testing.assert_array_equal(loaded.standard_errors["el2n"], marked.standard_errors["el2n"])
    loaded.to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv") as file:
        assert [row["extrapolated"] for row in csv.DictReader(file)] == ["False", "True", "False"]


def test_without_extrapolated_scores_there_is_no_mark(tmp_path):
    plain = table(extrapolated=None)
    assert plain.extrapolated.tolist() == [False] * 3
    plain.save(tmp_path / "scores.parquet")
    assert pq.read_table(tmp_path / "scores.parquet").column_names == ["id", "label", "el2n"]
    assert not kp.ScoreTable.load(tmp_path / "scores.parquet").extrapolated.any()
    assert "extrapolated" not in kp.select(plain, "el2n", 0.5).selection


def test_marks_of_another_length_or_of_other_examples():
    with pytest.raises(InputError, match=r"Invalid `extrapolated`.*\(3,\).*Received: \(2,\)"):
        table(extrapolated=(True, False))
    with pytest.raises(InputError, match="scored different parts of the examples"):
        kp.ScoreTable.over_seeds([table(), table(extrapolated=(True, False, False))])


def test_reliability_is_that_of_the_scored_examples():
    """They agree on all that they have scored, and on nothing else."""
    marked = [False] * 4 + [True] * 6
    columns = (np.arange(10), np.r_[np.arange(4), np.arange(9, 3, -1)])
    tables = [
        kp.ScoreTable(range(10), [0] * 10, {"el2n": column}, None, {}, marked) for column in columns
    ]
    found = kp.ScoreTable.over_seeds(tables).metadata["reliability"]["el2n"]
    assert found["split_half"] == pytest.approx(1)


def test_a_subset_tells_by_which_scores_it_was_selected(tmp_path):
    subset = kp.select(table(), "el2n", 0.5)
    subset.save(tmp_path / "subset.parquet")
    selection = kp.Subset.load(tmp_path / "subset.parquet").selection
    assert selection["extrapolated"] is True
    assert method_name(selection) == "el2n-extrapolated-hardest"
    assert method_name({**selection, "quota": "balanced"}).endswith("-hardest-balanced")
    # Random pruning is the same by whatever scores.
    for by in (None, "el2n"):
        assert method_name(kp.select(table(), by, 0.5, "random").selection) == "random"


# The drivers


def config(fraction=0.5, scores=("el2n", "aum"), **changes):
    return Config(
        dataset=DatasetConfig(fraction=0.2),
        model=ModelConfig("mlp", 8),
        probe=ProbeConfig(epochs=2, fraction=fraction),
        scores=list(scores),
        training=TrainingConfig(epochs=2, batch_size=32, learning_rate=0.02),
        **changes,
    )


def test_a_probe_trains_on_the_part_and_carries_over_by_its_last_layer(monkeypatch):
    models = []
    keep = extrapolation.extrapolate
    monkeypatch.setattr(probe, "extrapolate", lambda *args: models.append(args) or keep(*args))
    examples = kp.load_examples("digits", fraction=0.2)
    part = scored_part(examples, 0.5, 4)
    one = config(seed=4)
    _, (found, cost) = probe.score_with_probe(one, 4, one.scores)
    (own, model, _), *_ = models
    assert cost["examples_seen"] == 2 * len(part) == 2 * 144
    np.testing.assert_array_equal(own.ids, part.ids)
    rows = np.flatnonzero(np.isin(examples.ids, part.ids))
    hidden = keras.Model(model.inputs[0], model.layers[-2].output)
    vectors = hidden(examples.stored_inputs(np.arange(len(examples)))).numpy()
    for name in one.scores:
        name = name["name"]
        scores = own[name].astype(float)[:, np.newaxis]
        expected = brute_force(scores, vectors, examples.labels, rows, extrapolation.NEIGHBOURS)
        rest = found.table.extrapolated
        np.testing.assert_allclose(found.table[name][rest], expected[rest, 0], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(found.table[name][rows], own[name])
        np.testing.assert_allclose(found.held_out[name], expected[rows, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(np.flatnonzero(~found.table.extrapolated), rows)
    np.testing.assert_array_equal(found.held_out.ids, part.ids)
    assert found.table.metadata["examples"] == examples.provenance


def test_unscored_examples_do_not_change_the_scores(tmp_path):
    """Neither those of the part, to the last bit, nor those of other unscored examples."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 3
    part = scored_part(kp.Examples.from_arrays(x, y), 0.5, 0)
    rest = np.setdiff1d(np.arange(60), part.ids.astype(int))
    found = []
    for changed in ([], rest[:10]):
        x[changed] += 1
        np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        dataset = DatasetConfig(f"npz:{tmp_path / 'data.npz'}")
        one = dataclasses.replace(config(scores=["el2n"]), dataset=dataset)
        found.append(probe.score_with_probe(one, 0, one.scores)[1][0].table)
    same = np.setdiff1d(np.arange(60), rest[:10])
    first, second = [each["el2n"] for each in found]
    np.testing.assert_array_equal(first[same], second[same])
    assert (first[rest[:10]] != second[rest[:10]]).any()


def test_scores_of_every_kind_are_carried_over():
    """Of gradients, embeddings and the training step; the part is the support."""
    scores = ["forgetting", {"name": "vog", "every": 1}, {"name": "prediction_depth", "k": 5}]
    one = config(scores=scores)
    table = over_probes([probe.score_with_probe(one, 0, one.scores)[1][0]], 0.5, 0)
    assert table.names == ["forgetting", "vog", "prediction_depth"]
    assert (len(table), table.extrapolated.sum()) == (287, 143)
    assert table.metadata["scores"]["prediction_depth"]["support"] == 144
    assert table.metadata["scores"]["forgetting"]["mode"] == "train"
    rest = table.extrapolated
    assert (table["forgetting"][~rest] % 1 == 0).all()
    assert (table["forgetting"][rest] % 1 > 0).any()  # means stay means
    assert table.metadata["extrapolation"]["scores"].keys() == set(table.names)


def test_with_checkpoints_the_last_one_embeds(tmp_path):
    examples = kp.load_examples("digits", fraction=0.2)
    paths = [tmp_path / "1.keras", tmp_path / "2.keras"]
    for seed, path in enumerate(paths):
        small.network(examples, seed).save(path)
    one = config(scores=["el2n"], seed=5)
    found = scoring.score_with_checkpoints(one, paths)
    part = scored_part(examples, 0.5, 5)
    own = kp.score_checkpoints(paths, part, ["el2n"])
    last = keras.saving.load_model(paths[-1], compile=False)
    expected = extrapolation.extrapolate(own, last, examples).table
    np.testing.assert_array_equal(found.table["el2n"], expected["el2n"])
    np.testing.assert_array_equal(expected["el2n"][~expected.extrapolated], own["el2n"])
    recipe = scoring.find_scores(one, tmp_path / "out", paths)[1]
    assert recipe["probe"]["fraction"] == 0.5
    everything = dataclasses.replace(one, probe=ProbeConfig())
    assert "probe" not in scoring.find_scores(everything, tmp_path / "out", paths)[1]
    assert isinstance(scoring.score_with_checkpoints(everything, paths), kp.ScoreTable)


def headless(shape, classes):
    """A model without a dense layer at its end."""
    inputs = keras.Input(shape)
    x = keras.layers.Conv2D(classes, 3)(inputs)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def test_a_model_that_does_not_show_its_last_layer_is_an_error_before_training(tmp_path):
    one = dataclasses.replace(config(), model=ModelConfig("test_extrapolation:headless"))
    message = "input of the last layer, which is not to be seen.*Score all examples"
    with pytest.raises(InputError, match=message):
        probe.require_scores(one, 10)
    probe.require_scores(dataclasses.replace(one, probe=ProbeConfig(epochs=2)), 10)
    headless((8, 8, 1), 10).save(tmp_path / "1.keras")
    with pytest.raises(InputError, match=message):
        scoring.score_with_checkpoints(one, [tmp_path / "1.keras"])
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(inputs))
    extrapolation.require_penultimate(keras.Model(inputs, x))


def test_a_final_softmax_does_not_hide_the_last_layer():
    examples = small.digits(60)
    part = scored_part(examples, 0.5, 0)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    own = kp.ScoreTable(part.ids, part.labels, {"own": np.arange(30)}, None, {"scores": {}})
    found = extrapolation.extrapolate(own, model, examples, k=3)
    pixels = examples.stored_inputs(np.arange(60)).reshape(60, -1)
    rows = np.flatnonzero(~found.table.extrapolated)
    scores = np.arange(30.0)[:, np.newaxis]
    expected = brute_force(scores, pixels, examples.labels, rows, 3)[:, 0]
    expected[rows] = np.arange(30)
    np.testing.assert_allclose(found.table["own"], expected, rtol=1e-6)
    with pytest.raises(InputError, match="scores are of other examples.*Received: 30 ids, 3 of"):
        extrapolation.extrapolate(own, model, part._at(slice(3)), k=3)


def test_an_example_alone_in_its_class_keeps_its_score_and_has_no_price():
    examples = small.random_images(31, classes=2)
    examples.labels = np.array([0] * 30 + [1])
    part = scored_part(examples, 0.5, 0)
    own = kp.ScoreTable(part.ids, part.labels, {"own": np.arange(16)}, None, {"scores": {}})
    found = extrapolation.extrapolate(own, small.plain_network(examples), examples)
    assert found.held_out.ids.tolist() == part.ids[:-1].tolist()
    assert (found.table["own"][-1], found.table.ids[-1]) == (15, part.ids[-1])


def test_the_doctor_wants_all_labels_scored(tmp_path):
    with pytest.raises(InputError, match="label of every example.*probe.fraction: 1.*0.5"):
        examine(config(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# The command line

SETTINGS = """
dataset: {name: digits, fraction: 0.2}
model: {name: mlp, width: 8}
probe: {epochs: 2, seeds: 2, jobs: 2, fraction: 0.5}
scores: [el2n]
training: {epochs: 1, batch_size: 32}
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 1, jobs: 2}
seed: 3
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep whose probes score a half."""
    folder = tmp_path_factory.mktemp("extrapolation")
    (folder / "half.yaml").write_text(SETTINGS)
    assert run("sweep", "--config", folder / "half.yaml", "--output", folder / "out") == 0
    return folder


def test_a_sweep_with_a_part(swept):
    table = kp.ScoreTable.load(swept / "out" / "scores.parquet")
    examples = kp.load_examples("digits", fraction=0.2)
    part = scored_part(examples, 0.5, 3)
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.ids[~table.extrapolated], part.ids)
    assert table.metadata["examples"] == examples.provenance
    expected = {"epochs": 2, "fraction": 0.5, "part_seed": 3, "neighbours": 10}
    assert table.metadata["recipe"]["probe"] == expected
    found = table.metadata["extrapolation"]
    assert (found["fraction"], found["seed"], found["k"]) == (0.5, 3, 10)
    assert (table.standard_errors["el2n"] > 0).mean() > 0.99
    costs = json.loads((swept / "out" / "scoring.json").read_text())["probes"]
    assert [cost["examples_seen"] for cost in costs] == [144] * 2  # one epoch
    runs = {str(path.parent.relative_to(swept / "out")) for path in swept.rglob("metrics.json")}
    methods = ("el2n-extrapolated-hardest/keep-0.50", "random/keep-0.50", "full/keep-1.00")
    assert runs == {f"{method}/seed-3" for method in methods}


def test_the_flags_say_the_same_as_the_config(swept, capsys, caplog):
    settings = ["score", "--config", swept / "half.yaml", "--probe.fraction", 1]
    settings += ["--output", swept / "out"]
    before = (swept / "out" / "scores.parquet").stat().st_mtime_ns
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*settings, "--fraction", 0.5, "--extrapolate") == 0
    assert "Reused" in caplog.text
    shown = capsys.readouterr().out
    assert "Scored 144 of 287 examples: el2n." in shown
    assert "mean of the 10 nearest" in shown
    found = kp.ScoreTable.load(swept / "out" / "scores.parquet").metadata["extrapolation"]
    correlation = found["scores"]["el2n"]["rank_correlation"]
    assert f"el2n  rank correlation {correlation:.3f}, mean absolute error 0." in shown
    assert run(*settings, "--fraction", 0.4, "--extrapolate") == 2
    assert "probe.fraction: there 0.5, asked for 0.4" in capsys.readouterr().err
    assert run(*settings) == 2
    assert "probe.fraction: there 0.5, asked for null" in capsys.readouterr().err
    assert run(*settings[:3], "--extrapolate", "--output", swept / "out") == 0
    assert (swept / "out" / "scores.parquet").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--fraction", 0.2], "Expected --extrapolate beside it.*--dataset.fraction"),
        (["--extrapolate"], "Expected --fraction beside it"),
        (["--fraction", 1.5, "--extrapolate"], r"Expected a float in \(0, 1\].*1.5"),
        (["--fraction", 0.005, "--extrapolate"], "part to score is too small.*--fraction"),
        (["--probe.fraction", 0], "Invalid `probe.fraction`"),
    ],
)
def test_wrong_flags(flags, message, tmp_path, capsys):
    assert run("score", *flags, "--output", tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert re.search(message, captured.err)
    assert not (tmp_path / "out").exists()


def test_full_and_extrapolated_scores_are_compared_in_one_folder(swept, capsys):
    examples = kp.load_examples("digits", fraction=0.2)
    metadata = {"examples": examples.provenance, "scores": {"el2n": EL2N}}
    values = np.random.default_rng(0).random(len(examples))
    full = kp.ScoreTable(examples.ids, examples.labels, {"el2n": values}, None, metadata)
    full.save(swept / "out" / "all" / "scores.parquet")
    subset = swept / "subset.parquet"
    kp.select(full, "el2n", 0.5, seed=3).save(subset)
    arguments = ["--config", swept / "half.yaml", "--subset", subset]
    folder = swept / "out" / "el2n-hardest" / "keep-0.50" / "seed-3"
    assert run("train", *arguments, "--output", folder) == 0
    assert run("compare", "--runs", swept / "out") == 0
    with open(swept / "out" / "comparison" / "comparison.csv") as file:
        methods = [row["method"] for row in csv.DictReader(file)]
    assert methods == ["full", "random", "el2n-extrapolated-hardest", "el2n-hardest"]
    assert "on 50 % of the examples" in capsys.readouterr().out
    # Of two tables of the same examples, the one with scores of their own is shown.
    (shown,) = report._score_tables(swept / "out").values()
    np.testing.assert_array_equal(shown["el2n"], full["el2n"])
