"""Scoring and pruning by TFDS' own ids."""

import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.small import run
from support.tfds_images import source_arrays, store_images

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.models import loading
from keras_pruning.training import evaluation, fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The same real images as a prepared TFDS data set and as an .npz file."""
    folder = tmp_path_factory.mktemp("both")
    store_images(folder, "clothes", shards=3)
    # In TFDS' order: it shuffles what it writes.
    arrays = {}
    for split in ("train", "test"):
        examples = kp.load_examples("tfds:clothes", split, data_dir=str(folder))
        arrays[f"x_{split}"] = examples.stored_inputs(np.arange(len(examples)))
        arrays[f"y_{split}"] = examples.labels
        original, _ = source_arrays(split)
        assert {x.tobytes() for x in arrays[f"x_{split}"]} == {x.tobytes() for x in original}
    np.savez(folder / "clothes.npz", **arrays)
    return folder


def test_scored_and_pruned_by_tfds_ids_as_from_another_source(data, tmp_path):
    shared = ["--model.name", "mlp", "--probe.epochs", 2, "--training.epochs", 1]
    shared += ["--scores", "[{name: el2n}, {name: vog}, {name: prediction_depth, k: 5}]"]
    from_tfds = ["--dataset.name", "tfds:clothes", "--dataset.data_dir", data]
    from_npz = ["--dataset.name", f"npz:{data / 'clothes.npz'}"]
    tables, kept = [], []
    for name, source in (("tfds", from_tfds), ("npz", from_npz)):
        output = tmp_path / name
        assert run("score", *shared, *source, "--output", output) == 0
        tables.append(kp.ScoreTable.load(output / "scores.parquet"))
        arguments = ["--by", "el2n", "--keep-fraction", 0.3, "--output", output / "subset"]
        assert run("prune", "--scores", output / "scores.parquet", *arguments) == 0
        kept.append(kp.Subset.load(output / "subset"))
        arguments = ["--subset", output / "subset", "--output", output / "trained"]
        assert run("train", *shared, *source, *arguments) == 0
    for name in ("el2n", "vog", "prediction_depth"):
        np.testing.assert_array_equal(tables[0][name], tables[1][name])
    np.testing.assert_array_equal(kept[0].mask, kept[1].mask)
    assert all(name.startswith("clothes-train.tfrecord-0000") for name in kept[0].kept_ids)
    paths = [tmp_path / name / "trained" / "metrics.json" for name in ("tfds", "npz")]
    metrics = [json.loads(path.read_text()) for path in paths]
    assert metrics[0]["test_accuracy"] == metrics[1]["test_accuracy"]
    assert metrics[0]["examples_kept"] == 90


@pytest.mark.parametrize("name", ["cifar10", "svhn_cropped"])
def test_the_shapes_of_the_study_with_its_model(name):
    with tfds.testing.mock_data(num_examples=40):
        examples = kp.load_examples(f"tfds:{name}")
        test = kp.load_examples(f"tfds:{name}", "test")
    assert examples.shape == (32, 32, 3)
    model = loading.build("resnet18", examples.spec, examples.num_classes, width=4)
    scores = ["el2n", "vog", kp.scores.PredictionDepth(k=3)]
    callback = kp.ScoreCallback(examples, scores)
    options = TrainingConfig(epochs=2, augmentation="flip_crop", batch_size=16)
    fit.train(model, examples, options, callbacks=[callback])
    table = callback.table()
    subset = kp.select(table, "el2n", 0.5, quota="balanced")
    assert len(examples.keep(subset)) == 20
    assert set(subset.kept_ids) < set(examples.ids)
    assert table["prediction_depth"].max() <= 11
    assert 0 <= evaluation.evaluate(model, test)["test_accuracy"] <= 1
