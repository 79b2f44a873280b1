"""Data sets with something odd about them: read rightly, or refused by one clear error."""

import datasets
import grain
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_pruning import Examples, InputError

COUNT = 20
X = np.random.default_rng(0).normal(size=(COUNT, 4)).astype("float32")
Y = np.arange(COUNT) % 3
CAT_OR_DOG = datasets.ClassLabel(names=["cat", "dog"])


class Batches(keras.utils.PyDataset):
    """Batches that a function makes of their number."""

    def __init__(self, batch, count=3):
        super().__init__()
        self.batch, self.count = batch, count

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        return self.batch(number)


class Endless(keras.utils.PyDataset):
    def __getitem__(self, number):
        return X, Y


def of_tf(x=X, y=Y):
    return tf.data.Dataset.from_tensor_slices((x, y))


def of_grain():
    return grain.MapDataset.source([(X[row], Y[row]) for row in range(COUNT)])


def of_hugging_face(columns, **features):
    features = datasets.Features(features) if features else None
    return datasets.Dataset.from_dict(columns, features=features)


def pictures(mode="RGB"):
    images = [Image.fromarray(np.full((5, 5, 3), shade, "uint8")).convert(mode) for shade in (7, 9)]
    columns = {"image": images, "label": [0, 1]}
    return of_hugging_face(columns, image=datasets.Image(), label=CAT_OR_DOG)


def torch_data():
    return pytest.importorskip("torch.utils.data")


def loader(**options):
    torch = pytest.importorskip("torch")
    tensors = torch_data().TensorDataset(torch.tensor(X), torch.tensor(Y))
    return torch_data().DataLoader(tensors, 8, **options)


def texts_of_torch():
    pairs = [(f"text {row}", row % 2) for row in range(6)]
    return torch_data().DataLoader(pairs, 3)


def stored(examples):
    return examples.stored_inputs(np.arange(len(examples)))


@pytest.mark.parametrize(
    ("dataset", "rows"),
    [
        (lambda: of_tf().batch(8, drop_remainder=True), range(16)),
        (lambda: of_tf().repeat(2), [*range(COUNT), *range(COUNT)]),
        (lambda: of_tf().repeat().filter(lambda x, y: y < 5).take(30), [*range(COUNT), *range(10)]),
        (
            lambda: tf.data.Dataset.zip(
                of_tf(X, X).map(lambda x, _: x),
                of_tf(Y, Y).map(lambda y, _: y).repeat().filter(lambda y: True),
            ),
            range(COUNT),
        ),
        (lambda: of_tf().shuffle(COUNT, 0).take(0).concatenate(of_tf()), range(COUNT)),
        (lambda: Batches(lambda _: (X, Y), 1), range(COUNT)),
        (
            lambda: Batches(lambda number: (X[number:20:3], Y[number:20:3])),
            np.argsort(Y, stable=True),
        ),
        (lambda: Batches(lambda _: (X, Y.tolist()), 1), range(COUNT)),
        (lambda: of_grain().filter(lambda pair: pair[1] < 2), np.flatnonzero(Y < 2)),
        (lambda: of_grain().to_iter_dataset().batch(6), range(COUNT)),
        (lambda: loader(drop_last=True), range(16)),
        (lambda: loader(sampler=range(COUNT)[::-1]), range(COUNT)[::-1]),
    ],
)
def test_reads_the_rows_that_fit_would_read(dataset, rows):
    examples = Examples.from_dataset(dataset())
    np.testing.assert_array_equal(stored(examples), X[list(rows)], strict=True)
    np.testing.assert_array_equal(examples.labels, Y[list(rows)])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "int16", "bool"])
def test_dtypes_of_tf_data_are_kept(dtype):
    x = tf.cast(X * 100, dtype)
    expected = x.numpy().astype("float32") if dtype in ("bfloat16", "float64") else x.numpy()
    for dataset in (of_tf(x), of_tf(x).batch(6)):
        examples = Examples.from_dataset(dataset)
        np.testing.assert_array_equal(stored(examples), expected, strict=True)


def test_half_precision_of_torch_is_read():
    torch = pytest.importorskip("torch")
    x = torch.tensor(X).bfloat16()
    examples = Examples.from_dataset(torch_data().TensorDataset(x, torch.tensor(Y)))
    np.testing.assert_array_equal(stored(examples), x.float().numpy(), strict=True)


def test_keys_in_another_order_stay_with_their_arrays():
    def batch(number):
        parts = {"a": X, "b": X + 1}
        return dict(reversed(parts.items())) if number == 1 else parts, Y

    read = stored(Examples.from_dataset(Batches(batch)))
    np.testing.assert_array_equal(read["a"], np.tile(X, (3, 1)))
    np.testing.assert_array_equal(read["b"], np.tile(X + 1, (3, 1)))


def test_texts_of_a_data_loader_are_one_array():
    examples = Examples.from_dataset(texts_of_torch())
    assert stored(examples).tolist() == [f"text {row}" for row in range(6)]
    assert examples.labels.tolist() == [0, 1] * 3


def test_class_names_belong_to_the_label():
    columns = {"x": [1, 2, 3], "fine": [0, 1, 1], "label": [0, 1, 2]}
    number = datasets.Value("int64")
    plain = of_hugging_face(columns, x=number, fine=CAT_OR_DOG, label=number)
    assert Examples.from_dataset(plain, keys=("x", "label")).class_names == ["0", "1", "2"]
    assert Examples.from_dataset(plain, keys=("x", "fine")).class_names == ["cat", "dog"]
    both = of_hugging_face(columns, x=number, fine=CAT_OR_DOG, label=datasets.ClassLabel(3))
    assert Examples.from_dataset(both, keys=("x", "fine")).class_names == ["cat", "dog"]


@pytest.mark.parametrize("form", [None, "numpy", "tf", "torch"])
def test_pictures_of_hugging_face_in_every_format(form):
    if form == "torch":
        torch_data()
    examples = Examples.from_dataset(pictures().with_format(form))
    shape = (3, 5, 5) if form == "torch" else (5, 5, 3)
    expected = np.broadcast_to(np.array([7, 9], "uint8").reshape(2, 1, 1, 1), (2, *shape))
    np.testing.assert_array_equal(stored(examples), expected, strict=True)
    assert examples.class_names == ["cat", "dog"]


def test_one_hot_lists_of_hugging_face_are_single_examples():
    dataset = of_hugging_face({"x": [[1.0, 2.0], [3.0, 4.0]], "label": [[0.0, 1.0], [1.0, 0.0]]})
    examples = Examples.from_dataset(dataset)
    assert (examples.shape, examples.labels.tolist()) == ((2,), [1, 0])


@pytest.mark.parametrize("mode", ["binary", "categorical", "int"])
def test_pictures_with_every_kind_of_label(mode, tmp_path):
    for shade, name in ((40, "cat"), (200, "dog")):
        (tmp_path / name).mkdir()
        for number in range(8):
            pixels = np.full((6, 6, 3), shade + number, "uint8")
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    options = {"label_mode": mode, "image_size": (6, 6), "batch_size": 3, "verbose": False}
    options |= {"validation_split": 0.25, "subset": "both"}
    make = keras.utils.image_dataset_from_directory
    parts = make(tmp_path, shuffle=False, **options)
    ids = []
    for part in parts:
        examples = Examples.from_dataset(part)
        ids += examples.ids.tolist()
        shades = stored(examples)[:, 0, 0, 0]
        assert examples.class_names == ["cat", "dog"]
        np.testing.assert_array_equal(examples.labels, shades >= 200)
        # The root of the ids is the folder that all files of the part have in common.
        numbers = [int(name[-5]) for name in examples.ids]
        np.testing.assert_array_equal(shades - np.where(shades >= 200, 200, 40), numbers)
    assert len(ids) == 16
    with pytest.raises(InputError, match="Invalid `dataset`. Expected one of"):
        Examples.from_dataset(parts)
    with pytest.raises(InputError, match="changes its .*shuffle=False"):
        Examples.from_dataset(make(tmp_path, seed=1, **options)[0])


REFUSED = {
    "repeated and filtered": (
        lambda: of_tf().repeat().filter(lambda x, y: y < 5),
        "never ends.*repeat",
    ),
    "repeated batches": (lambda: of_tf().batch(4).repeat().unbatch(), "never ends.*repeat"),
    "endless PyDataset": (Endless, "never ends.*__len__"),
    "endless grain": (lambda: of_grain().repeat(), "never ends.*repeat"),
    "endless grain iterator": (
        lambda: of_grain().repeat().to_iter_dataset().batch(4),
        "never ends.*repeat",
    ),
    "endless sampler": (
        lambda: grain.DataLoader(
            data_source=of_grain(),
            sampler=grain.samplers.IndexSampler(COUNT, shuffle=False, num_epochs=None),
        ),
        "never ends.*num_epochs=1",
    ),
    "too few": (
        lambda: of_tf().apply(tf.data.experimental.assert_cardinality(99)),
        "read to its end. Received: Input .* 99 elements but contained only 20 elements.$",
    ),
    "too many": (
        lambda: of_tf().apply(tf.data.experimental.assert_cardinality(9)),
        "Cannot read the data set.* 9 elements but contained at least 10",
    ),
    "ragged": (lambda: of_tf(tf.ragged.constant([[1, 2], [3]]), [0, 1]), "RaggedTensor.*to_tensor"),
    "sparse": (lambda: of_tf(tf.sparse.from_dense(X)), "SparseTensor.*to_dense"),
    "windows": (lambda: of_tf().window(3), "Received: Dataset"),
    "single values": (lambda: Batches(lambda _: (1.0, 2)), "not a batch.*a single value"),
    "masked": (lambda: Batches(lambda _: (np.ma.masked_array(X, X > 0), Y)), "Masked arrays"),
    "other dtype": (
        lambda: Batches(lambda number: (X.astype("int32") if number else X, Y)),
        r"shape, dtype.*here inputs \(4,\) float32 .*Received: inputs \(4,\) int32.*after 20",
    ),
    "other keys": (
        lambda: Batches(lambda number: ({"a" if number else "b": X}, Y)),
        "differ in shape, dtype or structure",
    ),
    "lengths": (lambda: Batches(lambda _: (X, Y[:-1])), r"Lengths differ.*\[19, 20\]"),
    "no batches": (lambda: Batches(lambda _: (X, Y), 0), "is empty"),
    "ragged lists": (lambda: Batches(lambda _: ([[1, 2], [3]], [0, 1])), "not a batch"),
    "integers that could be one-hot": (lambda: of_tf(X[:, :3], np.eye(3, dtype=int)[Y]), "unclear"),
    "shuffled loader": (lambda: loader(shuffle=True), "changes its order.*shuffle"),
    "no label": (lambda: of_hugging_face({"x": [1, 2], "label": [0, None]}), "missing values"),
    "no value": (
        lambda: of_hugging_face({"x": [[1.0, None], [2.0, 3.0]], "label": [0, 1]}),
        "missing values",
    ),
    "no text": (lambda: of_hugging_face({"x": ["a", None], "label": [0, 1]}), "Received: None"),
    "tokens": (
        lambda: of_hugging_face({"x": [[1, 2], [2]], "label": [0, 1]}),
        "differ in shape.*Resize or pad",
    ),
    "palette": (lambda: pictures("P"), r"palette.*cast_column.*mode='RGB'"),
    "arrow": (lambda: pictures().with_format("arrow"), r"with_format\(None\)"),
    "bytes": (
        lambda: tf.data.Dataset.from_tensor_slices(
            {"x": X, "label": Y, "tfds_id": [b"\xff%d" % row for row in range(COUNT)]}
        ),
        "Invalid ids in the data set. Expected UTF-8",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refuses_with_one_clear_error(kind):
    dataset, message = REFUSED[kind]
    with pytest.raises(InputError, match=message):
        Examples.from_dataset(dataset())


def test_ids_that_are_given_win_over_those_of_tfds():
    columns = {"x": X, "label": Y, "tfds_id": [f"file__{row}" for row in range(COUNT)]}
    columns["name"] = [f"name {row}" for row in range(COUNT)]
    dataset = tf.data.Dataset.from_tensor_slices(columns).batch(6)
    keys = ("x", "label")
    for ids, first in ((None, "file__0"), ("name", "name 0"), (np.arange(7, 27), "7")):
        assert Examples.from_dataset(dataset, ids, keys).ids[0] == first
    with pytest.raises(InputError, match="No ids in the data set. Expected the key 'nam'"):
        Examples.from_dataset(dataset, "nam", keys)
    # Given ids are positions, so that the order has to repeat.
    with pytest.raises(InputError, match="changes its"):
        Examples.from_dataset(dataset.unbatch().shuffle(COUNT), np.arange(COUNT), keys)


def test_refuses_single_examples_as_batches():
    with pytest.raises(InputError, match="not a batch.*`batched=False`"):
        Examples.from_dataset(of_tf(), batched=True)
    with pytest.raises(InputError, match="differ in shape"):
        Examples.from_dataset(of_tf().batch(8), batched=False)
