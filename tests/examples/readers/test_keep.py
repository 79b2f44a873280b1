"""`keep` on data sets with weights, options and samplers: the kept examples, or an error."""

import datasets
import grain
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pruning as kp
from keras_pruning import InputError

COUNT = 20
X = np.arange(COUNT * 2, dtype="float32").reshape(COUNT, 2)
Y = np.arange(COUNT) % 3
WEIGHTS = np.linspace(1, 2, COUNT)
MASK = np.arange(COUNT) % 5 == 1
SUBSET = kp.Subset(np.arange(COUNT).astype(str), Y, MASK)


class Weighted(keras.utils.PyDataset):
    """Batches of six with weights and inputs of two names, shuffled after an epoch."""

    def __init__(self, **options):
        super().__init__(**options)
        self.order = np.arange(COUNT)

    def __len__(self):
        return 4

    def __getitem__(self, number):
        rows = self.order[6 * number : 6 * (number + 1)]
        return {"b": X[rows], "a": X[rows] + 1}, Y[rows], WEIGHTS[rows]

    def on_epoch_end(self):
        self.order = self.order[::-1].copy()


def test_weights_and_workers_of_a_py_dataset_stay():
    kept = kp.keep(Weighted(workers=2, max_queue_size=5), SUBSET)
    assert (kept.workers, kept.max_queue_size, len(kept)) == (2, 5, 3)
    for _ in range(2):
        batches = [kept[number] for number in range(len(kept))]
        x, y, weights = zip(*batches, strict=True)
        np.testing.assert_array_equal(np.concatenate([part["b"] for part in x]), X[MASK])
        np.testing.assert_array_equal(np.concatenate([part["a"] for part in x]), X[MASK] + 1)
        np.testing.assert_array_equal(np.concatenate(y), Y[MASK])
        np.testing.assert_array_equal(np.concatenate(weights), WEIGHTS[MASK])
        # The user's own shuffle would put other examples at these positions.
        kept.on_epoch_end()


def test_a_py_dataset_without_a_length_is_refused():
    class Endless(keras.utils.PyDataset):
        def __getitem__(self, number):
            return X, Y

    with pytest.raises(InputError, match="never ends.*__len__"):
        kp.keep(Endless(), SUBSET)


@pytest.mark.parametrize("size", [1, 6, 20, 64])
@pytest.mark.parametrize("static", [False, True])
def test_weights_and_sizes_of_tf_batches_stay(size, static):
    dataset = tf.data.Dataset.from_tensor_slices(({"a": X}, Y, WEIGHTS))
    dataset = dataset.batch(size, drop_remainder=static and COUNT % size == 0)
    kept = kp.keep(dataset, SUBSET)
    x, y, weights = zip(*kept.as_numpy_iterator(), strict=True)
    np.testing.assert_array_equal(np.concatenate([part["a"] for part in x]), X[MASK])
    np.testing.assert_array_equal(np.concatenate(y), Y[MASK])
    np.testing.assert_array_equal(np.concatenate(weights), WEIGHTS[MASK])
    assert {len(part) for part in y[:-1]} <= {size}


@pytest.mark.parametrize("batched", [False, True])
def test_dictionaries_of_tf_data_are_kept(batched):
    dataset = tf.data.Dataset.from_tensor_slices({"x": X, "label": Y})
    kept = kp.keep(dataset.batch(6) if batched else dataset, SUBSET)
    rows = [np.reshape(part["x"], (-1, 2)) for part in kept.as_numpy_iterator()]
    np.testing.assert_array_equal(np.concatenate(rows), X[MASK])


def test_an_empty_data_set_is_refused():
    empty = tf.data.Dataset.from_tensor_slices((X, Y)).take(0)
    with pytest.raises(InputError, match="The data set is empty"):
        kp.keep(empty, SUBSET)


def test_columns_and_formats_of_hugging_face_stay():
    dataset = datasets.Dataset.from_dict({"x": X.tolist(), "label": Y.tolist()})
    kept = kp.keep(dataset.with_format("numpy"), SUBSET)
    np.testing.assert_array_equal(kept["x"][:], X[MASK])
    assert kept.features == dataset.features and kept.format["type"] == "numpy"


def test_weights_of_grain_stay_and_batches_are_refused():
    source = grain.MapDataset.source(list(zip(X, Y, WEIGHTS, strict=True)))
    kept = kp.keep(source, SUBSET)
    assert [kept[row][2] for row in range(len(kept))] == WEIGHTS[MASK].tolist()
    for other in (source.batch(4), source.to_iter_dataset()):
        with pytest.raises(InputError, match="Grain data set. Expected a MapDataset of single"):
            kp.keep(other, SUBSET)
    with pytest.raises(InputError, match="other examples"):
        kp.keep(source.repeat(2), SUBSET)


@pytest.fixture
def torch_data():
    return pytest.importorskip("torch.utils.data")


def pairs():
    return list(zip(X, Y, strict=True))


def init_worker(number):
    """Does nothing."""


def test_options_of_a_data_loader_stay(torch_data):
    loader = torch_data.DataLoader(
        pairs(), 6, shuffle=True, num_workers=1, timeout=9, worker_init_fn=init_worker
    )
    kept = kp.keep(loader, SUBSET)
    assert (kept.batch_size, kept.num_workers, kept.timeout) == (6, 1, 9)
    assert kept.worker_init_fn is init_worker
    assert type(kept.sampler) is torch_data.RandomSampler
    assert [kept.dataset[row][1] for row in range(4)] == Y[MASK].tolist()


def test_shuffled_loaders_keep_exactly_the_kept(torch_data):
    for loader in (torch_data.DataLoader(pairs(), 3, shuffle=True), torch_data.DataLoader(pairs())):
        rows = np.concatenate([x.numpy() for x, _ in kp.keep(loader, SUBSET)])
        np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], X[MASK])


@pytest.mark.parametrize("kind", ["backwards", "weighted", "replaced", "batches", "stream"])
def test_data_loaders_of_another_order_are_refused(kind, torch_data):
    class Stream(torch_data.IterableDataset):
        def __iter__(self):
            return iter(pairs())

    def batches():
        return [[4, 3], [2, 1]]

    samplers = {
        "backwards": {"sampler": range(COUNT)[::-1]},
        "weighted": {"sampler": torch_data.WeightedRandomSampler(np.ones(COUNT), COUNT)},
        "replaced": {"sampler": torch_data.RandomSampler(pairs(), replacement=True)},
        "batches": {"batch_sampler": batches()},
    }
    if kind == "stream":
        loader = torch_data.DataLoader(Stream())
    else:
        loader = torch_data.DataLoader(pairs(), **samplers[kind])
    with pytest.raises(InputError, match="Cannot keep a part of th"):
        kp.keep(loader, SUBSET)


@pytest.mark.parametrize(
    "shuffled",
    [
        lambda tensors: tensors.shuffle(40),
        lambda tensors: tensors.shuffle(40).map(lambda x, y: (x, y)).batch(8),
        lambda tensors: tensors.shuffle(40, seed=1, reshuffle_each_iteration=False),
    ],
)
def test_keep_refuses_another_order(shuffled):
    x, y = np.arange(40.0)[:, None] + np.zeros(6), np.arange(40) % 7
    tensors = tf.data.Dataset.from_tensor_slices((x, y))
    subset = kp.Subset([str(row) for row in range(40)], y, np.arange(40) % 2 == 0)
    assert len(list(kp.keep(tensors, subset))) == 20
    with pytest.raises(InputError, match="another order than the subset.*Call `keep` before"):
        kp.keep(shuffled(tensors), subset)


def test_keep_takes_corrected_labels():
    x, y = np.arange(40.0)[:, None] + np.zeros(6), np.arange(40) % 7
    corrected = np.where(np.arange(40) % 10 == 0, 6, y)
    subset = kp.Subset([str(row) for row in range(40)], corrected, np.arange(40) % 2 == 0)
    assert len(list(kp.keep(tf.data.Dataset.from_tensor_slices((x, y)), subset))) == 20


def test_keep_refuses_single_values_as_batches():
    subset = kp.Subset(["a", "b"], [0, 1], [True, False])
    single = tf.data.Dataset.from_tensor_slices((np.zeros((2, 3)), [0, 1]))
    with pytest.raises(InputError, match="no batches. Expected `batched=False`"):
        kp.keep(single, subset, batched=True)


def test_streams_of_hugging_face_are_refused():
    stream = datasets.Dataset.from_dict({"x": [1, 2], "label": [0, 1]}).to_iterable_dataset()
    with pytest.raises(InputError, match="Invalid `dataset`.*Hugging Face Dataset"):
        kp.Examples.from_dataset(stream)


def test_keep_refuses_a_shuffle_that_labels_do_not_show():
    same = tf.data.Dataset.from_tensor_slices((np.zeros((20, 2)), np.zeros(20, int)))
    subset = kp.Subset(np.arange(20).astype(str), np.zeros(20, int), MASK)
    assert len(list(kp.keep(same, subset))) == MASK.sum()
    with pytest.raises(InputError, match="a `shuffle` that changes the order in each pass"):
        kp.keep(same.shuffle(20).map(lambda x, y: (x, y)), subset)
