"""Data sets that the `fit` of Keras takes: their order, their ids, and the part that is kept."""

import datasets
import grain
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pruning as kp
from keras_pruning import Examples, InputError

COUNT = 50
X = np.random.default_rng(0).normal(size=(COUNT, 6)).astype("float32")
Y = np.arange(COUNT) % 3
PAIRS = [(X[row], Y[row]) for row in range(COUNT)]
MASK = np.random.default_rng(1).random(COUNT) < 0.4


class Batches(keras.utils.PyDataset):
    """Batches of eight, which may be shuffled after each epoch."""

    def __init__(self, shuffles=False):
        super().__init__()
        self.order, self.shuffles = np.arange(COUNT), shuffles

    def __len__(self):
        return 7

    def __getitem__(self, index):
        rows = self.order[8 * index : 8 * (index + 1)]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        if self.shuffles:
            self.order = np.random.default_rng(2).permutation(self.order)


def of_tf():
    return tf.data.Dataset.from_tensor_slices((X, Y))


def of_hugging_face():
    return datasets.Dataset.from_dict({"x": X.tolist(), "label": Y.tolist()})


def of_torch(batch_size):
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return tensors if batch_size is None else torch.utils.data.DataLoader(tensors, batch_size)


KINDS = {
    "tf": of_tf,
    "tf batches": lambda: of_tf().batch(8),
    "PyDataset": Batches,
    "grain": lambda: grain.MapDataset.source(PAIRS),
    "hugging face": of_hugging_face,
    "torch": lambda: of_torch(None),
    "torch batches": lambda: of_torch(8),
}


def subset_of(count=COUNT, mask=MASK):
    return kp.Subset(np.arange(count).astype(str), np.resize(Y, count), mask)


def inputs_in(dataset):
    """Returns the inputs in a data set of any kind, `(examples, 6)`."""
    if isinstance(dataset, keras.utils.PyDataset):
        dataset = [dataset[number] for number in range(len(dataset))]
    elif hasattr(dataset, "__getitem__"):
        dataset = [dataset[row] for row in range(len(dataset))]
    parts = [part["x"] if isinstance(part, dict) else part[0] for part in dataset]
    return np.concatenate([np.reshape(np.asarray(part, "float32"), (-1, 6)) for part in parts])


@pytest.mark.parametrize("kind", KINDS)
def test_reads_the_examples_in_order(kind):
    examples = Examples.from_dataset(KINDS[kind]())
    np.testing.assert_array_equal(examples.stored_inputs(np.arange(COUNT)), X)
    np.testing.assert_array_equal(examples.labels, Y)
    assert examples.ids.tolist() == [str(row) for row in range(COUNT)]


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_exactly_the_kept_examples_in_order(kind):
    kept = kp.keep(KINDS[kind](), subset_of())
    np.testing.assert_array_equal(inputs_in(kept), X[MASK])


def test_kept_batches_have_the_size_of_before():
    kept = kp.keep(of_tf().batch(7), subset_of())
    assert (MASK.sum(), [len(labels) for _, labels in kept]) == (16, [7, 7, 2])
    assert int(kept.cardinality()) == 3


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tf batches"])
def test_keep_refuses_a_data_set_of_another_length(kind):
    longer = subset_of(COUNT + 1, np.append(MASK, True))
    with pytest.raises(InputError, match="other examples. Expected 51, .* Received: 50"):
        kp.keep(KINDS[kind](), longer)


def test_keep_notices_a_longer_data_set_while_it_is_read():
    # Its length is unknown before.
    filtered = of_tf().filter(lambda x, y: True)
    kept = kp.keep(filtered, subset_of(COUNT - 1, MASK[:-1]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than the 49 examples"):
        list(kept)


def test_keep_before_decoding_decodes_only_the_kept():
    decoded = []

    def decode(x, y):
        return tf.numpy_function(lambda x: decoded.append(0) or x, [x], tf.float32), y

    list(kp.keep(of_tf(), subset_of(), batched=False).map(decode))
    assert len(decoded) == MASK.sum()


@pytest.mark.parametrize(
    "dataset",
    [
        lambda: of_tf().shuffle(COUNT),
        lambda: of_tf().shuffle(COUNT).batch(8),
        lambda: Batches(shuffles=True),
    ],
)
def test_a_data_set_that_shuffles_is_refused(dataset):
    with pytest.raises(InputError, match="changes its (order|inputs).*shuffle"):
        Examples.from_dataset(dataset())


def test_a_data_set_that_augments_is_refused():
    # Not `tf.random.normal`: after `set_random_seed`, every pass of a data set repeats its values.
    generator = tf.random.Generator.from_seed(0)
    noisy = of_tf().map(lambda x, y: (x + generator.normal((6,)), y))
    with pytest.raises(InputError, match="changes its inputs.*augment"):
        Examples.from_dataset(noisy)


def test_ids_by_a_key_need_no_order():
    names = [f"row-{row}" for row in range(COUNT)]
    keyed = tf.data.Dataset.from_tensor_slices({"x": X, "label": Y, "name": names}).shuffle(COUNT)
    examples = Examples.from_dataset(keyed.batch(8), ids="name", keys=("x", "label"))
    assert sorted(examples.ids) == sorted(names)
    rows = [int(name.removeprefix("row-")) for name in examples.ids]
    np.testing.assert_array_equal(examples.stored_inputs(np.arange(COUNT)), X[rows])
    np.testing.assert_array_equal(examples.labels, Y[rows])


def test_one_hot_labels_that_could_be_a_batch_need_a_word():
    dataset = tf.data.Dataset.from_tensor_slices((X, np.eye(6)[np.arange(COUNT) % 6]))
    with pytest.raises(InputError, match="unclear.*`batched=True` or `batched=False`"):
        Examples.from_dataset(dataset)
    assert Examples.from_dataset(dataset, batched=False).shape == (6,)


@pytest.fixture
def pictures(tmp_path):
    for shade, name in ((40, "cat"), (200, "dog")):
        (tmp_path / name).mkdir()
        for number in range(12):
            pixels = np.full((6, 6, 3), shade + number, "uint8")
            Image.fromarray(pixels).save(tmp_path / name / f"{number:02d}.png")
    return tmp_path


def test_paths_are_the_ids_of_pictures(pictures):
    options = {"image_size": (6, 6), "batch_size": 5, "verbose": False}
    dataset = keras.utils.image_dataset_from_directory(pictures, shuffle=False, **options)
    examples = Examples.from_dataset(dataset)
    assert examples.class_names == ["cat", "dog"]
    for row, name in enumerate(examples.ids):
        pixels = np.asarray(Image.open(pictures / name))
        np.testing.assert_array_equal(examples.stored_inputs(row), pixels)
    shuffled = keras.utils.image_dataset_from_directory(pictures, seed=0, **options)
    with pytest.raises(InputError, match="changes its .*shuffle=False"):
        Examples.from_dataset(shuffled)


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (lambda: of_tf().repeat(), {}, "never ends.*Leave out `repeat"),
        (lambda: iter(PAIRS), {}, "Invalid `dataset`.*PyDataset"),
        (lambda: of_tf().take(0), {}, "is empty"),
        (lambda: of_tf().map(lambda x, y: x), {}, "Invalid elements"),
        (lambda: of_tf().map(lambda x, y: {"a": x, "b": y}), {}, r"keys=None.*\['a', 'b'\]"),
        (of_hugging_face, {"keys": "x"}, "Invalid `keys`. Expected the key of the inputs"),
        (of_hugging_face, {"keys": ("x", "no")}, r"keys=\('x', 'no'\)"),
        (of_hugging_face, {"ids": "name"}, "No ids in the data set.*'name'"),
        (lambda: datasets.DatasetDict({"train": of_hugging_face()}), {}, r"one split.*\['train'\]"),
    ],
)
def test_refuses_data_sets(dataset, options, message):
    with pytest.raises(InputError, match=message):
        Examples.from_dataset(dataset(), **options)
