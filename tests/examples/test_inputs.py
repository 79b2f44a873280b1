"""The values that a model gets of arrays of every kind, and the one copy that they are kept in."""

import tracemalloc

import numpy as np
import psutil
import pytest
from support.memory_maps import memory_map

from keras_pruning import Examples, InputError
from keras_pruning.examples.inputs import PIXEL_SCALE, Inputs, empty

KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def batch_of(x, **options):
    """Returns the inputs of all examples as a model gets them."""
    ((inputs, _),) = Examples.from_arrays(x, np.arange(len(x)) % 2, **options).batches(len(x))
    return inputs.numpy()


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_stay_as_they_are(tmp_path, kind, order, mapped):
    x = np.array([[0, 1, 1], [1, 0, 1], [100, 3, 0], [127, 1, 1]]).astype(f"{order}{kind}")
    expected = x.astype(float)
    plain = batch_of(memory_map(tmp_path, x) if mapped else x)
    np.testing.assert_array_equal(plain, expected)
    assert plain.dtype == ("float32" if "f" in kind else kind)
    scaled = batch_of(memory_map(tmp_path, x) if mapped else x, scale=0.25)
    np.testing.assert_array_equal(scaled, expected / 4)
    assert scaled.dtype == "float32"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_map_and_an_array_are_the_same_examples(tmp_path, order):
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(f"{order}f8")
    mapped = Examples.from_arrays(memory_map(tmp_path, x), [0, 1] * 3)
    copied = Examples.from_arrays(x, [0, 1] * 3)
    assert mapped.fingerprint == copied.fingerprint
    np.testing.assert_array_equal(mapped.stored_inputs([4, 1]), copied.stored_inputs([4, 1]))
    assert mapped.stored_inputs([4, 1]).dtype.isnative


def test_arrays_of_any_layout():
    x = np.arange(60, dtype="float32").reshape(5, 4, 3)
    for other in (np.asfortranarray(x), x[::-1][::-1], np.stack([x, x], -1)[..., 0]):
        np.testing.assert_array_equal(batch_of(other), x)
    np.testing.assert_array_equal(batch_of(np.broadcast_to(x[0], (3, 4, 3))), [x[0]] * 3)
    np.testing.assert_array_equal(
        batch_of(np.frombuffer(x.tobytes(), "f4").reshape(5, 12)), x.reshape(5, 12)
    )
    np.testing.assert_array_equal(batch_of(x.tolist()), x)


def test_pixel_scale_divides_by_255_to_the_last_bit():
    x = np.arange(256, dtype="uint8")[:, np.newaxis]
    np.testing.assert_array_equal(
        batch_of(x, scale=PIXEL_SCALE), x.astype("float32") / np.float32(255)
    )


def test_the_scale_is_part_of_the_provenance():
    x = np.arange(6, dtype="uint8")[:, np.newaxis]
    plain, half, again = (
        Examples.from_arrays(x, [0, 1] * 3, scale=scale) for scale in (None, 0.5, np.float32(0.5))
    )
    assert (plain.provenance["scale"], half.provenance["scale"]) == (None, 0.5)
    assert plain.fingerprint != half.fingerprint == again.fingerprint
    with pytest.raises(InputError, match=r"Expected scale=None.*Received: scale=0.5"):
        plain.require_same(half.provenance, half.ids, half.labels, "table")


@pytest.mark.parametrize("scale", [0, -1, "1/255", np.nan, np.inf, True, 1e30])
def test_refuses_a_scale(scale):
    with pytest.raises(InputError, match=r"Invalid `scale`. Expected a positive number"):
        Examples.from_arrays(np.eye(2), [0, 1], scale=scale)


def test_later_changes_of_the_array_change_nothing():
    # An array that TensorFlow could share.
    x = empty((4, 2), "float32")
    x[:] = 0
    examples = Examples.from_arrays(x, [0, 1, 0, 1])
    x[:] = 7
    assert not examples.stored_inputs([0, 1]).any()
    for inputs, _ in examples.batches(4):
        assert not inputs.numpy().any()
    x[:] = 8
    for inputs, _ in examples.batches(4):
        assert not inputs.numpy().any()
    fresh = Examples.from_arrays(np.zeros((4, 2), "float32"), [0, 1, 0, 1])
    assert examples.fingerprint == fresh.fingerprint


def test_stored_inputs_cannot_be_changed_through_views():
    examples = Examples.from_arrays(np.zeros((4, 2), "float32"), [0, 1, 0, 1])
    row = examples.stored_inputs(1)
    with pytest.raises(ValueError, match="read-only"):
        row[:] = 1
    examples.stored_inputs([1])[:] = 1
    assert not examples.stored_inputs([1]).any()


def test_numpy_and_tensorflow_share_one_copy():
    inputs = Inputs(np.ones((1000, 3), "float32"))
    assert np.shares_memory(np.asarray(inputs._tensor), inputs.stored)
    stored = empty((1000, 3), "uint8")
    assert np.shares_memory(Inputs(stored).stored, stored)


def test_a_copy_takes_the_size_of_the_array_only():
    x = np.ones((1000, 80, 125), "float32")
    tracemalloc.start()
    examples = Examples.from_arrays(x, np.arange(1000) % 2)
    assert examples.fingerprint
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.3 * x.nbytes


def test_batches_add_no_copy_of_the_inputs():
    x = np.ones((1000, 50_000), "float32")
    memory = psutil.Process().memory_info
    Examples.from_arrays(x[:2], [0, 1]).batches(2).take(1).get_single_element()
    before = memory().rss
    examples = Examples.from_arrays(x, np.arange(1000) % 2)
    for _ in examples.batches(10, shuffle=True):
        pass
    assert memory().rss - before < 1.5 * x.nbytes


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ma.masked_less(np.arange(6.0).reshape(3, 2), 2), r"Masked arrays.*2 masked values"),
        ({"a": np.eye(3), "b": np.eye(2)}, "Lengths of the arrays.*'a': 3, 'b': 2"),
        ({}, "Lengths of the arrays.*no arrays"),
        ({"a": np.eye(3), "b": {1, 2, 3}}, r"Invalid dtype of `x\['b'\]`.*Received: a set"),
        (np.array(["a", None, "c"]), "Expected strings. Received: None .* at position 1"),
        (["a", "b", "\ud800"], "valid Unicode"),
        (np.array([None] * 3), "Invalid dtype of `x`.*Received: objects"),
        ([[1], [2, 3], []], "Invalid `x`.*a list that is none"),
        (np.eye(3).astype(complex), "Received: complex128"),
        (np.array([[0], [1e300], [1]]), "within float32.*position 1"),
    ],
)
def test_refuses_inputs(x, message):
    with pytest.raises(InputError, match=message):
        Examples.from_arrays(x, [0, 1, 2])


def test_refuses_integers_that_a_scale_would_round():
    x = np.array([[0], [1], [2**53 + 1]])
    with pytest.raises(InputError, match="integers up to.*an integer that float64 rounds.*2"):
        Examples.from_arrays(x, [0, 1, 2], scale=0.5)
    assert batch_of(x).tolist() == x.tolist()


def test_refuses_a_map_of_numbers_beyond_float32(tmp_path):
    with pytest.raises(InputError, match="within float32.*position 1"):
        Examples.from_arrays(memory_map(tmp_path, np.array([[0], [1e300], [1]])), [0, 1, 2])


def test_refuses_a_copy_that_does_not_fit_into_memory():
    x = np.broadcast_to(np.float32(0), (2**30, 2**14))
    with pytest.raises(
        InputError, match=r"Not enough memory for a copy of `x`.*65536.0 GiB.*memmap"
    ):
        Examples.from_arrays(x, np.zeros(1, int))


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "32"])
def test_refuses_a_batch_size(size):
    examples = Examples.from_arrays(np.eye(3), [0, 1, 2])
    for batches in (examples.batches, examples.scoring_batches):
        with pytest.raises(InputError, match="Invalid `batch_size`. Expected a positive integer"):
            batches(size)
