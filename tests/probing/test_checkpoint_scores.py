"""`score --checkpoints`: saved models in the place of probes."""

import csv
import json
import re
import shutil

import keras
import numpy as np
import pytest
from support import fake_runs
from support.mistakes import fails, npz
from support.small import run

import keras_pruning as kp
from keras_pruning.probing.checkpoint_files import find_checkpoints

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow

EPOCHS = (1, 2, 10)
SCORES = ["el2n", "vog", "first_learned"]


def model(seed):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(name="flatten")]
    return keras.Sequential([*layers, keras.layers.Dense(3), keras.layers.Dense(3)])


def first_learned(paths, examples):
    """The number of the last checkpoint that is wrong about an example."""
    x = examples.stored_inputs(np.arange(len(examples)))
    models = [keras.saving.load_model(path, compile=False) for path in paths]
    wrong = [model(x).numpy().argmax(axis=1) != examples.labels for model in models]
    return np.max([number * each for number, each in enumerate(wrong, start=1)], axis=0)


class Place:
    """A folder with data, three checkpoints and, once `score` has run, their scores."""

    def __init__(self, folder):
        self.folder, self.output = folder, folder / "out"
        self.checkpoints = folder / "checkpoints"

    @property
    def paths(self):
        return [self.checkpoints / f"epoch-{epoch}.keras" for epoch in EPOCHS]

    @property
    def examples(self):
        return kp.load_examples(f"npz:{self.folder / 'data.npz'}")

    def arguments(self, *more, pattern="*.keras"):
        """Returns the arguments of the command. The last of an option counts."""
        arguments = ["--dataset.name", f"npz:{self.folder / 'data.npz'}", "--output", self.output]
        arguments += ["--scores", f"[{', '.join(SCORES)}]"]
        return ["score", *arguments, "--checkpoints", self.checkpoints / pattern, *more]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("checkpoints"))
    npz(place.folder / "data.npz")
    place.checkpoints.mkdir()
    for seed, path in enumerate(place.paths):
        model(seed).save(path)
    assert run(*place.arguments()) == 0
    return place


@pytest.fixture
def place(scored, tmp_path):
    """A copy to change."""
    shutil.copytree(scored.folder, tmp_path / "place")
    return Place(tmp_path / "place")


def test_equals_score_checkpoints_on_files_in_natural_order(scored):
    table = kp.ScoreTable.load(scored.output / "scores.parquet")
    assert table.names == SCORES
    # The models are linear, so that their gradients are those of the class.
    with pytest.warns(UserWarning, match="`vog` is the same for all examples: 0"):
        expected = kp.score_checkpoints(scored.paths, scored.examples, SCORES)
    np.testing.assert_array_equal(table.ids, scored.examples.ids)
    np.testing.assert_array_equal(table.labels, scored.examples.labels)
    for name in SCORES:
        np.testing.assert_allclose(table[name], expected[name], atol=1e-4)
        assert table.metadata["scores"][name] == expected.metadata["scores"][name]
    assert table.metadata["examples"] == scored.examples.provenance
    last_mistake = first_learned(scored.paths, scored.examples)
    np.testing.assert_array_equal(table["first_learned"], last_mistake)
    # 1, 10, 2: the order of letters.
    assert (last_mistake != first_learned(sorted(scored.paths), scored.examples)).any()


def test_the_metadata_name_the_checkpoints_and_modes(scored):
    metadata = kp.ScoreTable.load(scored.output / "scores.parquet").metadata
    names = [name for name, _ in metadata["recipe"]["checkpoints"]]
    assert names == [f"epoch-{epoch}.keras" for epoch in EPOCHS]
    scores = metadata["scores"]
    assert {scores[name]["mode"] for name in SCORES} == {"eval"}
    assert scores["el2n"]["epochs"] == [1]  # a tenth of three
    assert scores["vog"]["epochs"] == scores["first_learned"]["epochs"] == [1, 2, 3]
    assert metadata["reliability"]["el2n"]["seeds"] == 1


def test_the_files_beside_the_table(scored):
    table = kp.ScoreTable.load(scored.output / "scores.parquet")
    files = sorted(path.name for path in scored.output.iterdir())
    assert files == ["report.html", "scores.csv", "scores.parquet", "scoring.json"]
    with open(scored.output / "scores.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "label", *SCORES]
    assert [np.float32(row["el2n"]) for row in rows] == table["el2n"].tolist()
    cost = json.loads((scored.output / "scoring.json").read_text())
    assert cost["probes"] == []
    assert cost["seconds"] > 0
    assert cost["examples_seen"] == 0
    assert cost["examples_with_gradients"] == len(EPOCHS) * len(table)


@pytest.mark.parametrize(
    "names",
    [
        ["2.keras", "10.keras"],
        ["epoch-02.keras", "epoch-3.keras", "epoch-010.keras"],
        ["run-2/epoch-9.keras", "run-2/epoch-11.keras", "run-10/epoch-1.keras"],
        ["a.keras", "a-1.keras", "a-1-7.keras", "a-2.keras", "b.keras", "b2.keras", "b10.keras"],
        ["x1.keras", "x1²3.keras", "x02.keras", "x2.keras"],
    ],
)
def test_numbers_in_names_count_as_numbers(names, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    pattern = tmp_path / ("*/*.keras" if "/" in names[0] else "*.keras")
    found = [str(path.relative_to(tmp_path)) for path in find_checkpoints(str(pattern))]
    assert found == names


def test_the_same_checkpoints_are_reused_wherever_they_lie(place, caplog):
    before = (place.output / "scores.parquet").stat().st_mtime_ns
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*place.arguments()) == 0
        assert run(*place.arguments(pattern="epoch-*.keras")) == 0
    assert caplog.text.count("Reused") == 2
    assert (place.output / "scores.parquet").stat().st_mtime_ns == before


def change_bytes(place):
    model(99).save(place.paths[1])


def add_one(place):
    shutil.copy(place.paths[0], place.checkpoints / "epoch-11.keras")


def remove_one(place):
    place.paths[-1].unlink()


def swap_two(place):
    place.paths[0].rename(place.folder / "swapped.keras")
    place.paths[1].rename(place.paths[0])
    (place.folder / "swapped.keras").rename(place.paths[1])


@pytest.mark.parametrize("change", [change_bytes, add_one, remove_one, swap_two])
def test_other_checkpoints_do_not_pass_for_the_same(change, place, capsys):
    change(place)
    capsys.readouterr()
    message = fails(capsys, place.folder, *place.arguments())
    assert "holds the result of another recipe. Nothing was overwritten." in message
    assert "checkpoints" in message


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--scores", "[el2n]"], "scores"),
        (["--scores", "[{name: el2n, epoch: 2}, vog, first_learned]"], "scores"),
        (["--dataset.fraction", 0.5], "examples.fraction: recorded 1.0, requested 0.5"),
        (["--probe.threads", 7], "threads"),
    ],
)
def test_another_recipe_on_the_same_checkpoints(more, named, place, capsys):
    capsys.readouterr()
    message = fails(capsys, place.folder, *place.arguments(*more))
    assert "holds the result of another recipe" in message
    assert named in message


def test_scores_of_probes_do_not_pass_for_checkpoint_scores(place, capsys):
    capsys.readouterr()
    arguments = place.arguments()
    position = arguments.index("--checkpoints")
    message = fails(capsys, place.folder, *arguments[:position])
    assert "holds the result of another recipe" in message


@pytest.mark.parametrize(
    ("pattern", "received"),
    [
        ("*.h5", "no file of"),
        ("nowhere/*.keras", "no file of"),
        ("*.txt", "{0}/notes.txt among the files of"),
        ("[en]*", "{0}/notes.txt among the files of"),
        ("folder*", "{0}/folder.keras among the files of"),
    ],
)
def test_patterns_that_name_no_checkpoints(pattern, received, place, capsys):
    (place.checkpoints / "notes.txt").write_text("mine")
    (place.checkpoints / "folder.keras").mkdir()
    arguments = place.arguments("--output", place.folder / "deep" / "new", pattern=pattern)
    message = fails(capsys, place.folder, *arguments)
    assert "Invalid --checkpoints. Expected a pattern of .keras files of one training" in message
    received = received.format(place.checkpoints)
    assert f"Received: {received} '{place.checkpoints / pattern}'" in message
    assert message.count("\n") == 1


@keras.saving.register_keras_serializable("test_checkpoint_scores")
class Own(keras.layers.Layer):
    """A layer that only this process knows."""

    def call(self, x):
        return x


def test_a_damaged_file(place, capsys):
    place.paths[2].write_bytes(place.paths[2].read_bytes()[:200])
    arguments = place.arguments("--output", place.folder / "deep" / "new")
    message = fails(capsys, place.folder, *arguments)
    assert f"Cannot load the model {place.paths[2]}" in message
    assert message.count("\n") == 1


def test_a_user_defined_layer_is_known_in_python_only(place, capsys):
    own = keras.Sequential([keras.Input((6, 6, 1)), Own(), *model(0).layers])
    own.save(place.checkpoints / "own.keras")
    assert len(kp.score_checkpoints([place.checkpoints / "own.keras"], place.examples, ["loss"]))
    arguments = place.arguments("--output", place.folder / "deep" / "new", pattern="own.keras")
    message = fails(capsys, place.folder, *arguments, "--scores", "[loss]")
    assert f"Cannot load the model {place.checkpoints / 'own.keras'}" in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("shape", "units", "message"),
    [
        ((6, 6, 1), [4, 3], "Checkpoints of different models.*same shapes in all.*in checkpoint 2"),
        ((6, 6, 1), [4], r"does not fit the examples. Expected.*\(None, 3\).*\(None, 4\)"),
        ((5, 5, 1), [3], r"does not accept examples of shape \(6, 6, 1\)"),
    ],
)
def test_models_of_other_shapes(shape, units, message, place, capsys, in_this_process):
    dense = [keras.layers.Dense(each) for each in units]
    keras.Sequential([keras.Input(shape), keras.layers.Flatten(), *dense]).save(place.paths[1])
    arguments = place.arguments("--output", place.folder / "deep" / "new")
    shown = fails(capsys, place.folder, *arguments)
    assert re.search(message, shown)
    assert f"checkpoint 2, {place.paths[1]}" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(("pattern", "count"), [("epoch-[12].keras", 2), ("*-10.keras", 1)])
def test_el2n_takes_the_first_of_a_few_checkpoints(pattern, count, place, in_this_process):
    output = place.folder / "few"
    # Of one training run there is one seed, whatever a config says of its probes.
    arguments = ["--scores", "[{name: el2n, seeds: 3}, loss]", "--output", output]
    arguments = place.arguments(*arguments, pattern=pattern)
    assert run(*arguments) == 0
    table = kp.ScoreTable.load(output / "scores.parquet")
    paths = find_checkpoints(str(place.checkpoints / pattern))
    assert len(paths) == count
    for name, path in (("el2n", paths[0]), ("loss", paths[-1])):
        alone = kp.score_checkpoints([path], place.examples, [name])
        np.testing.assert_allclose(table[name], alone[name], atol=1e-5)


def test_prune_takes_such_a_table(place, capsys):
    subset = place.folder / "half.parquet"
    arguments = ["--by", "first_learned", "--keep-fraction", 0.5, "--output", subset]
    assert run("prune", "--scores", place.output / "scores.parquet", *arguments) == 0
    assert "Kept 20 of 40 examples." in capsys.readouterr().out
    table = kp.ScoreTable.load(place.output / "scores.parquet")
    kept = kp.Subset.load(subset).mask
    assert table["first_learned"][kept].min() >= table["first_learned"][~kept].max()
    assert len(place.examples.keep(kp.Subset.load(subset))) == 20


def test_compare_takes_such_a_table(place, capsys):
    for seed in (0, 1):
        fake_runs.write_run(place.output, 0.9 + seed / 100, seed=seed)
        for method in (fake_runs.RANDOM, fake_runs.EL2N):
            fake_runs.write_run(place.output, 0.8 + seed / 100, method, 0.5, seed)
    assert run("compare", "--runs", place.output) == 0
    shown = capsys.readouterr().out
    assert "el2n-hardest" in shown
    assert (place.output / "comparison" / "comparison.csv").exists()
