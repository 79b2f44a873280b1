import functools

import numpy as np
import pytest
from PIL import Image
from support.board import Board
from support.fake_runs import EL2N, RANDOM, write_run
from werkzeug.test import Client

import keras_pruning as kp
from keras_pruning.comparison.folder import comparison_folder
from keras_pruning.comparison.runs import find_runs
from keras_pruning.reports import projector
from keras_pruning.reports.principal_components import grouped
from keras_pruning.reports.projector import write_projector
from keras_pruning.storage import write_json

SHAPE = (8, 6, 1)


def examples_of(count=40, shape=SHAPE, **options):
    x = np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)
    return kp.Examples.from_arrays(x, np.arange(count) % 4, **options)


def table_of(examples):
    scores = {"el2n": np.arange(len(examples)) / 8, "aum": -np.arange(len(examples)) / 8}
    directions = {name: {"higher_is_harder": name == "el2n"} for name in scores}
    metadata = {"examples": examples.provenance, "scores": directions}
    return kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)


def save_run(folder, examples, method, keep_fraction, seed=0, embedding=None):
    """Writes a finished run with the subset that it was trained on."""
    metrics = write_run(folder, 0.5, method, keep_fraction, seed)
    metrics["selection"]["embedding"] = embedding and embedding[1]
    metrics["config"]["sweep"] = {"methods": [{"embedding": embedding and embedding[0]}]}
    *_, path = sorted(folder.rglob(f"keep-{keep_fraction}/seed-{seed}/metrics.json"))
    path.unlink()
    write_json(path, metrics)
    subset = kp.select(table_of(examples), method["by"], keep_fraction, method["policy"], seed=seed)
    subset.save(path.parent / "subset.parquet")
    return subset


def served(folder, run="projector"):
    """Returns the configuration, tensor, lines of metadata and sprite that TensorBoard serves."""
    apps = Board(folder).projector()

    def answer(route, **query):
        response = Client(apps[route]).get(route, query_string={"run": run, **query})
        assert response.status_code == 200, response.text
        return response

    assert answer("/runs").json == [run]
    (embedding,) = answer("/info").json["embeddings"]
    ask = functools.partial(answer, name=embedding["tensorName"])
    rows, dimensions = embedding["tensorShape"]
    tensor = np.frombuffer(ask("/tensor").data, np.float32).reshape(rows, dimensions)
    lines = [line.split("\t") for line in ask("/metadata").text.splitlines()]
    assert "sprite" not in embedding or ask("/sprite_image").data
    return embedding, tensor, lines


def show(folder, examples, runs=None, **options):
    if runs is None:
        write_run(folder / "runs", 0.9)
        runs = find_runs(folder / "runs")
    write_projector(folder / "board" / "projector", table_of(examples), examples, runs, **options)
    return served(folder / "board")


def test_points_have_the_distances_of_the_pixels(tmp_path):
    examples = examples_of()
    embedding, points, _ = show(tmp_path, examples)
    assert embedding["tensorName"] == "pixels"
    pixels = examples.stored_inputs(np.arange(40)).reshape(40, -1).astype(float)

    def distances(vectors):
        return np.linalg.norm(vectors[:, None] - vectors[None], axis=2)

    assert points.shape == (40, 48)
    np.testing.assert_allclose(distances(points), distances(pixels), rtol=1e-3, atol=0.05)
    # The first directions vary most.
    assert np.all(np.diff(points.var(axis=0)) <= 1e-3)


def test_each_point_has_its_scores_and_who_keeps_it(tmp_path):
    names = ["cat", "dog", "cow", "hen"]
    examples = examples_of(ids=[f"picture-{row}" for row in range(40)], class_names=names)
    runs = tmp_path / "runs"
    save_run(runs, examples, EL2N, 0.1)
    hardest = save_run(runs, examples, EL2N, 0.25)
    save_run(runs, examples, EL2N, 0.8)
    save_run(runs, examples, RANDOM, 0.5, seed=4)
    drawn = save_run(runs, examples, RANDOM, 0.5, seed=3)
    _, _, (header, *lines) = show(tmp_path, examples, find_runs(runs))
    expected = ["id", "class", "score el2n", "score aum", "el2n-hardest, 25 %", "random, 50 %"]
    assert header == expected
    kept = {False: "dropped", True: "kept"}
    assert lines == [
        [
            f"picture-{row}",
            names[row % 4],
            f"{row / 8:.5g}",
            f"{-row / 8:.5g}",
            kept[hardest.mask[row]],
            kept[drawn.mask[row]],
        ]
        for row in range(40)
    ]


def test_a_subset_of_other_examples_has_no_column(tmp_path):
    save_run(tmp_path / "runs", examples_of(ids=np.arange(40) + 7), EL2N, 0.25)
    _, _, (header, *_) = show(tmp_path, examples_of(), find_runs(tmp_path / "runs"))
    assert header == ["id", "class", "score el2n", "score aum"]


def test_text_from_data_stays_in_its_cell(tmp_path):
    ids = ["a\tb", "c\nd", "e\u2028f", "g\rh", *"ijkl"]
    examples = examples_of(8, ids=ids, class_names=["x\ty", "猫", "\u202ez", "w"])
    _, _, (header, *lines) = show(tmp_path, examples)
    assert {len(line) for line in lines} == {len(header)}
    assert [line[0] for line in lines[:4]] == ["a\\tb", "c\\nd", "e\\u2028f", "g\\rh"]
    assert [line[1] for line in lines[:4]] == ["x\\ty", "猫", "\\u202ez", "w"]


@pytest.mark.parametrize(
    "shape, side, box",
    [
        # Enlarged four times, and centred in a square
        ((8, 6, 1), 32, (slice(0, 32), slice(4, 28))),
        ((28, 28, 3), 28, (slice(0, 28), slice(0, 28))),
        ((40, 80, 3), 32, (slice(8, 24), slice(0, 32))),
    ],
)
def test_the_sprite_has_the_examples_in_order(tmp_path, shape, side, box):
    count = 18
    levels = (10 + 12 * np.arange(count, dtype=np.uint8))[:, None, None, None]
    x = np.broadcast_to(levels, (count, *shape)).copy()
    embedding, _, _ = show(tmp_path, kp.Examples.from_arrays(x, np.arange(count) % 2))
    assert embedding["sprite"]["singleImageDim"] == [side, side]
    pixels = np.asarray(Image.open(tmp_path / "board" / "projector" / "sprite.png"))
    # As many rows as columns, although places are left over
    assert pixels.shape == (5 * side, 5 * side, 3)
    tiles = pixels.reshape(5, side, 5, side, 3).swapaxes(1, 2).reshape(25, side, side, 3)
    for position, tile in enumerate(tiles):
        level = 10 + 12 * position if position < count else 0
        assert np.all(tile[box] == level)
        assert tile.sum() == level * tile[box].size


def test_many_examples_are_drawn_with_their_class_shares(tmp_path, monkeypatch):
    monkeypatch.setattr(projector, "_MOST_EXAMPLES", 50)
    x = np.random.default_rng(0).integers(0, 256, (200, 2, 2, 1)).astype(np.uint8)
    examples = kp.Examples.from_arrays(x, np.repeat([0, 1], [160, 40]))
    drawn = []
    for seed in (0, 0, 1):
        _, points, (_, *lines) = show(tmp_path / str(len(drawn)), examples, seed=seed)
        assert len(points) == len(lines) == 50
        assert [line[1] for line in lines].count("1") == 10
        drawn.append([line[0] for line in lines])
    assert drawn[0] == drawn[1] != drawn[2]


def test_rows_of_numbers_have_no_sprite(tmp_path):
    embedding, points, _ = show(tmp_path, examples_of(shape=(5,)))
    assert embedding["tensorName"] == "inputs"
    assert points.shape == (40, 5)
    assert "sprite" not in embedding


@pytest.mark.parametrize("x", [["a", "b", "c"], {"a": np.zeros(3), "b": np.zeros(3)}])
def test_inputs_without_distances_have_no_points(tmp_path, x):
    examples = kp.Examples.from_arrays(x, [0, 1, 0])
    write_run(tmp_path, 0.9)
    write_projector(tmp_path / "board", table_of(examples), examples, find_runs(tmp_path))
    assert not (tmp_path / "board").exists()


def given_embedding(tmp_path, digest=None):
    """A run that was selected by vectors in a file."""
    examples = examples_of()
    vectors = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    path = str(tmp_path / "vectors.npy")
    digest = digest or projector.open_embedding(path, 40).digest
    save_run(tmp_path / "runs", examples, EL2N, 0.5, embedding=(path, digest))
    return examples, find_runs(tmp_path / "runs"), vectors


def test_the_embedding_of_a_method_is_shown(tmp_path):
    examples, runs, vectors = given_embedding(tmp_path)
    embedding, points, _ = show(tmp_path, examples, runs)
    assert embedding["tensorName"] == "vectors.npy"
    np.testing.assert_allclose(points @ points.T, _products(vectors), atol=1e-3)


def _products(vectors):
    centred = vectors - vectors.mean(axis=0)
    return centred @ centred.T


def test_an_embedding_that_has_changed_is_not_shown(tmp_path, caplog):
    examples, runs, _ = given_embedding(tmp_path, digest="0" * 32)
    with caplog.at_level("INFO", "keras_pruning"):
        embedding, _, _ = show(tmp_path, examples, runs)
    assert embedding["tensorName"] == "pixels"
    assert "vectors.npy has changed since the sweep" in caplog.text


def test_an_embedding_that_is_gone_is_not_shown(tmp_path, caplog):
    examples, runs, _ = given_embedding(tmp_path)
    (tmp_path / "vectors.npy").unlink()
    with caplog.at_level("INFO", "keras_pruning"):
        assert show(tmp_path, examples, runs)[0]["tensorName"] == "pixels"
    assert "Missing embedding file" in caplog.text


def test_large_images_are_the_pixels_of_their_tiles(tmp_path):
    """Thumbnails of even areas are even. 672 pixels are summed in 512 groups."""
    levels = np.random.default_rng(0).integers(0, 256, (9, 1, 1, 1)).astype(np.uint8)
    x = np.broadcast_to(levels, (9, 64, 96, 1)).copy()
    embedding, points, _ = show(tmp_path, kp.Examples.from_arrays(x, np.arange(9) % 2))
    assert embedding["tensorName"] == "pixels at 32 × 21"
    products = _products(levels.reshape(9, 1).astype(float)) * 32 * 21
    np.testing.assert_allclose(points @ points.T, products, rtol=0.05, atol=1e4)


def test_wide_vectors_keep_their_distances_about():
    """512 groups: the distance of two vectors errs by about 1 / √(2 · 512), 3 %."""
    vectors = np.random.default_rng(0).normal(size=(300, 5000)).astype(np.float32)
    points = grouped(vectors)
    assert points.shape == (300, 512)
    pairs = np.triu_indices(30, 1)
    ratios = [
        np.linalg.norm(points[a] - points[b]) / np.linalg.norm(vectors[a] - vectors[b])
        for a, b in zip(*pairs, strict=True)
    ]
    assert abs(np.mean(ratios) - 1) < 0.03
    assert np.std(ratios) < 0.06


def test_a_comparison_replaces_the_files_of_the_last_one(tmp_path):
    examples = examples_of()
    write_run(tmp_path / "runs", 0.9)
    runs = find_runs(tmp_path / "runs")

    def compare(examples):
        with comparison_folder(tmp_path) as folder:
            (folder / "comparison.csv").write_text("data_fraction,keep_fraction,method,")
            if examples is not None:
                write_projector(folder / "projector", table_of(examples), examples, runs)
        return {path.name: path for path in (tmp_path / "comparison" / "projector").glob("*")}

    assert compare(examples).keys() >= {*projector.FILES}
    (tmp_path / "comparison" / "projector" / "notes.txt").write_text("mine")
    # No sprite of the images stays beside rows of numbers.
    left = compare(examples_of(24, shape=(5,)))
    assert {*projector.FILES} - left.keys() == {"sprite.png"}
    assert served(tmp_path / "comparison")[1].shape == (24, 5)
    assert sum("tfevents" in name for name in left) == 1
    assert compare(None).keys() == {"notes.txt"}
