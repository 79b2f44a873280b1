"""The same data give the same scores to the last bit, whichever way they come in."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pruning as kp

COUNT = 90
SCORES = ["el2n", "grand", "vog", "aum", "forgetting", "prediction_depth"]


def pixels():
    """Some digits as integers 0 … 16, `(examples, 8, 8, 1)`."""
    stored = kp.load_examples("digits").stored_inputs(np.arange(COUNT))
    whole = np.rint(np.asarray(stored, "float64") * (16 / np.max(stored)))
    return whole.reshape(COUNT, 8, 8, 1).astype("uint8")


def labels():
    return kp.load_examples("digits").labels[:COUNT]


def thirds():
    """The pixels as floats of double precision that float32 has to round."""
    return pixels() / 3.0


def memory_map(folder):
    np.save(folder / "pixels.npy", thirds())
    return np.load(folder / "pixels.npy", mmap_mode="r")


def read_only():
    x = thirds()
    x.flags.writeable = False
    return x


def not_contiguous():
    x = np.zeros((2 * COUNT, 8, 16, 1))
    x[::2, :, ::2] = thirds()
    return x[::2, :, ::2]


def sequence():
    x, y = thirds(), labels()

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return -(-COUNT // 32)

        def __getitem__(self, index):
            rows = slice(index * 32, (index + 1) * 32)
            return x[rows], y[rows]

    return Batches()


def grain_data():
    grain = pytest.importorskip("grain")
    return grain.MapDataset.source(list(zip(thirds(), labels(), strict=True)))


def hugging_face():
    datasets = pytest.importorskip("datasets")
    columns = {"image": thirds().tolist(), "label": labels().tolist()}
    return datasets.Dataset.from_dict(columns)


def torch_data():
    torch = pytest.importorskip("torch")
    return torch.utils.data.TensorDataset(torch.tensor(thirds()), torch.tensor(labels()))


def torch_loader():
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(torch_data(), batch_size=25)


def tensors():
    return tf.data.Dataset.from_tensor_slices((thirds(), labels()))


def weighted():
    weights = np.linspace(0.5, 1.5, COUNT)
    return tf.data.Dataset.from_tensor_slices((thirds(), labels(), weights)).batch(32)


def dictionaries():
    return tf.data.Dataset.from_tensor_slices({"image": thirds(), "label": labels()})


def from_npz(folder):
    path = folder / "digits.npz"
    x = thirds().astype("float32")
    np.savez(path, x_train=x, y_train=labels(), x_test=x[:20], y_test=labels()[:20])
    return kp.load_examples(f"npz:{path}")


def arrays(x, **options):
    return kp.Examples.from_arrays(x, labels(), **options)


WAYS = {
    "float64": lambda folder: arrays(thirds()),
    "other byte order": lambda folder: arrays(thirds().astype(">f8")),
    "float32 of other byte order": lambda folder: arrays(thirds().astype(">f4")),
    "memory map": lambda folder: arrays(memory_map(folder)),
    "read-only": lambda folder: arrays(read_only()),
    "not contiguous": lambda folder: arrays(not_contiguous()),
    "Fortran order": lambda folder: arrays(np.asfortranarray(thirds())),
    "list": lambda folder: arrays(thirds().tolist()),
    "tensor": lambda folder: arrays(tf.constant(thirds())),
    "npz": from_npz,
    "tf.data": lambda folder: kp.Examples.from_dataset(tensors()),
    "tf.data in batches": lambda folder: kp.Examples.from_dataset(tensors().batch(32)),
    "tf.data with weights": lambda folder: kp.Examples.from_dataset(weighted()),
    "tf.data of dictionaries": lambda folder: kp.Examples.from_dataset(dictionaries()),
    "PyDataset": lambda folder: kp.Examples.from_dataset(sequence()),
    "Grain": lambda folder: kp.Examples.from_dataset(grain_data()),
    "Grain in batches": lambda folder: kp.Examples.from_dataset(grain_data().batch(32)),
    "Hugging Face": lambda folder: kp.Examples.from_dataset(hugging_face()),
    "torch": lambda folder: kp.Examples.from_dataset(torch_data()),
    "torch loader": lambda folder: kp.Examples.from_dataset(torch_loader()),
}


def layers(inputs):
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(12, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.layers.Dense(10)(keras.layers.Dense(8, activation="tanh")(hidden))


# Scores of the outputs alone, for models of another structure of inputs.
OF_OUTPUTS = ["el2n", "grand", "aum", "forgetting"]


def scored(examples, model=None, scores=SCORES):
    """Returns the scores of a fit that starts from the same weights and orders every time."""
    if model is None:
        keras.utils.set_random_seed(0)
        inputs = keras.Input(examples.shape)
        model = keras.Model(inputs, layers(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.02), loss, metrics=["accuracy"])
    callback = kp.ScoreCallback(examples, scores=scores)
    batches = examples.batches(32, shuffle=True, seed=1)
    model.fit(batches, epochs=2, shuffle=False, callbacks=[callback], verbose=0)
    return callback.table()


def assert_same(table, expected):
    assert table.names == expected.names
    for name in table.names:
        np.testing.assert_array_equal(table[name], expected[name], err_msg=name)
        assert table[name].std() > 0 or name == "forgetting"


@pytest.fixture(scope="module")
def expected():
    return scored(arrays(thirds().astype("float32")))


@pytest.mark.parametrize("way", WAYS)
def test_batches_are_the_same_whichever_way_in(way, tmp_path):
    examples = WAYS[way](tmp_path)
    reference = arrays(thirds().astype("float32"))
    np.testing.assert_array_equal(examples.labels, reference.labels)
    for (x, y), (x0, y0) in zip(examples.batches(32), reference.batches(32), strict=True):
        assert x.dtype == x0.dtype and y.dtype == y0.dtype
        np.testing.assert_array_equal(x, x0)
        np.testing.assert_array_equal(y, y0)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_scores_are_the_same_whichever_way_in(way, expected, tmp_path):
    assert_same(scored(WAYS[way](tmp_path)), expected)


@pytest.mark.slow
def test_scaled_bytes_score_as_scaled_floats():
    # The product is rounded once.
    scaled = (pixels() * (1 / 255)).astype("float32")
    bytes_in = arrays(pixels(), scale=1 / 255)
    assert_same(scored(bytes_in), scored(arrays(scaled)))


def rescaling(dtype):
    """Returns a model of pixels of a dtype that scales them itself."""
    inputs = keras.Input((8, 8, 1), dtype=dtype)
    keras.utils.set_random_seed(0)
    return keras.Model(inputs, layers(keras.layers.Rescaling(1 / 16)(inputs)))


@pytest.mark.slow
def test_bytes_score_as_floats_behind_rescaling():
    of_floats = scored(arrays(pixels().astype("float32")), rescaling("float32"), OF_OUTPUTS)
    for dtype in ("uint8", "float32"):
        assert_same(scored(arrays(pixels()), rescaling(dtype), OF_OUTPUTS), of_floats)


@pytest.mark.slow
def test_vog_of_bytes_is_by_the_rescaled_pixels():
    of_pixels = scored(arrays(pixels()), rescaling("float32"), ["vog"])["vog"]
    of_bytes = scored(arrays(pixels()), rescaling("uint8"), ["vog"])["vog"]
    # The gradients differ by the factor 1 / 16. VoG compares them within a class.
    np.testing.assert_allclose(of_bytes, of_pixels, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_dictionary_of_one_array_scores_as_the_array(expected):
    examples = arrays({"image": thirds()})
    inputs = {"image": keras.Input((8, 8, 1), name="image")}
    assert_same(scored(examples, keras.Model(inputs, layers(inputs["image"]))), expected)


@pytest.mark.slow
def test_tuple_of_halves_scores_as_the_array():
    upper, lower = keras.Input((4, 8, 1)), keras.Input((4, 8, 1))
    whole = keras.layers.Concatenate(axis=1)([upper, lower])
    examples = arrays((thirds()[:, :4], thirds()[:, 4:]))
    of_halves = scored(examples, keras.Model((upper, lower), layers(whole)), OF_OUTPUTS)
    assert_same(of_halves, scored(arrays(thirds()), scores=OF_OUTPUTS))


@pytest.mark.slow
def test_data_frame_scores_as_its_values():
    pandas = pytest.importorskip("pandas")
    flat = thirds().reshape(COUNT, 64)
    frame = pandas.DataFrame(flat, columns=[f"pixel {number}" for number in range(64)])
    examples = kp.Examples.from_arrays(frame, pandas.Series(labels()))
    assert_same(scored(examples), scored(arrays(flat.astype("float32"))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_table_file_scores_as_its_values(kind, tmp_path):
    pandas = pytest.importorskip("pandas")
    flat = thirds().reshape(COUNT, 64)
    frame = pandas.DataFrame(flat, columns=[f"pixel {number}" for number in range(64)])
    frame["label"], frame["split"] = labels(), "train"
    path = tmp_path / f"digits.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    examples = kp.load_examples(f"{kind}:{path}")
    assert_same(scored(examples), scored(arrays(flat.astype("float32"))))


# The order of files: by class, then by name.
BY_CLASS = np.argsort(labels(), kind="stable")


def picture_names(folder):
    """Writes the pixels as PNG files in a folder for each class and returns the names in order."""
    names = [f"{labels()[row]}/{row:03d}.png" for row in BY_CLASS]
    for name, row in zip(names, BY_CLASS, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels()[row, ..., 0] * 15).save(folder / name)
    return names


def table_of_pictures(folder):
    lines = [f"{name},{name[0]}" for name in picture_names(folder / "pictures")]
    (folder / "pictures" / "list.csv").write_text("\n".join(["path,label", *lines]))
    return kp.load_examples(f"csv:{folder}/pictures/list.csv", image_column="path")


def directory_of_pictures(folder):
    picture_names(folder / "pictures")
    dataset = keras.utils.image_dataset_from_directory(
        folder / "pictures",
        image_size=(8, 8),
        color_mode="grayscale",
        shuffle=False,
        verbose=False,
    )
    return kp.Examples.from_dataset(dataset, scale=1 / 255)


def folder_of_pictures(folder):
    picture_names(folder / "pictures")
    return kp.load_examples(f"folder:{folder}/pictures")


@pytest.mark.slow
@pytest.mark.parametrize("way", [folder_of_pictures, table_of_pictures, directory_of_pictures])
def test_pictures_score_as_their_pixels(way, tmp_path):
    examples, order = way(tmp_path), BY_CLASS
    assert [int(name[-7:-4]) for name in examples.ids] == order.tolist()
    same = kp.Examples.from_arrays(pixels()[order] * 15, labels()[order], scale=1 / 255)
    assert_same(scored(examples), scored(same))


LABELS = {
    "column": lambda y: y[:, np.newaxis],
    "one-hot": lambda y: np.eye(10, dtype="float32")[y],
    "one-hot booleans": lambda y: np.eye(10, dtype=bool)[y],
    "strings": lambda y: [f"digit {number}" for number in y],
    "whole floats": lambda y: y.astype("float64"),
    "uint8": lambda y: y.astype("uint8"),
    "other byte order": lambda y: y.astype(">i4"),
    "list": lambda y: y.tolist(),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_the_same_whichever_way_in(kind):
    examples = kp.Examples.from_arrays(thirds(), LABELS[kind](labels()))
    assert examples.labels.dtype == np.int64 and examples.num_classes == 10
    np.testing.assert_array_equal(examples.labels, labels())
    # Names of classes are no part of the examples' identity.
    assert examples.fingerprint == arrays(thirds()).fingerprint


def test_booleans_are_the_classes_zero_and_one():
    is_even = labels() % 2 == 0
    of_booleans = kp.Examples.from_arrays(thirds(), is_even)
    of_integers = kp.Examples.from_arrays(thirds(), is_even.astype(int))
    np.testing.assert_array_equal(of_booleans.labels, of_integers.labels)
    assert of_booleans.fingerprint == of_integers.fingerprint


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["one-hot", "strings", "whole floats"])
def test_scores_are_the_same_for_labels_of_each_kind(kind, expected):
    assert_same(scored(kp.Examples.from_arrays(thirds(), LABELS[kind](labels()))), expected)
