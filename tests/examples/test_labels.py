"""Labels of every shape and kind, and the names of the classes."""

import keras
import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import Examples, InputError


def examples_of(y, **options):
    return Examples.from_arrays(np.eye(3), y, **options)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.tri(3, dtype=int), "Several labels an example are not supported.*Row 1 has 2"),
        (np.zeros((3, 2), int), "Several labels an example are not supported.*Row 0 has 0"),
        (["a", None, "b"], "Expected strings.*Received: None at position 1"),
        (np.array([["a", "b"]] * 3), r"<U1 of shape \(3, 2\)$"),
        (np.full((3, 2), 0.5), "Soft labels and several targets"),
        ([[3, 1], [2, 2], [0, 1]], "Soft labels and several targets"),
        ([0.5, 1.0, 2.0], "Real-valued targets are not supported"),
        ([0.0, np.nan, 2.0], "Real-valued targets are not supported"),
        ([[0], [1, 2], []], "rows of different lengths"),
        (None, "Invalid labels `y`.*object"),
        (np.zeros((3, 2, 2), int), r"int64 of shape \(3, 2, 2\)$"),
        (np.ma.masked_equal([0, 1, 2], 1), "Masked arrays are not supported.*`y`"),
        ([0, -1, 1], "in 0 … C - 1. Received: -1 at position 1"),
        ([0, 2**40, 1], r"in 0 … 1048575. Received: 1099511627776 at position 1"),
        (np.array([0, 2**64 - 1, 1], "uint64"), "Received: 18446744073709551615 at position 1"),
    ],
)
def test_refuses_labels(y, message):
    with pytest.raises(InputError, match=message):
        examples_of(y)


ONE_HOT = np.eye(4)[[2, 0, 1]]


@pytest.mark.parametrize(
    ("y", "labels", "num_classes", "names"),
    [
        (ONE_HOT, [2, 0, 1], 4, list("0123")),
        (ONE_HOT.astype(bool), [2, 0, 1], 4, list("0123")),
        (ONE_HOT.astype("uint8").tolist(), [2, 0, 1], 4, list("0123")),
        ([2.0, 0.0, 1.0], [2, 0, 1], 3, list("012")),
        (np.array([[1.0], [0.0], [1.0]]), [1, 0, 1], 2, list("01")),
        ([True, False, True], [1, 0, 1], 2, ["False", "True"]),
        ([True, True, True], [1, 1, 1], 2, ["False", "True"]),
        (["dog", "cat", "dog"], [1, 0, 1], 2, ["cat", "dog"]),
        ([b"dog", b"cat", b"dog"], [1, 0, 1], 2, ["cat", "dog"]),
        (np.array(["10", "9", "10"], object), [0, 1, 0], 2, ["10", "9"]),
        (np.array([["b"], ["a"], ["b"]]), [1, 0, 1], 2, ["a", "b"]),
    ],
)
def test_takes_labels_of_every_kind(y, labels, num_classes, names):
    examples = examples_of(y)
    assert (examples.labels.tolist(), examples.num_classes) == (labels, num_classes)
    assert examples.labels.dtype == np.int64
    assert examples.class_names == names


def test_class_names_give_the_order_of_strings():
    examples = examples_of(["no", "yes", "no"], class_names=["yes", "no", "maybe"])
    assert (examples.labels.tolist(), examples.num_classes) == ([1, 0, 1], 3)
    with pytest.raises(InputError, match=r"among `class_names`.*Received: \['no'\]"):
        examples_of(["no", "yes", "no"], class_names=["yes", "maybe"])
    with pytest.raises(InputError, match="Expected 3 different labels. Received: 2"):
        examples_of(["no", "yes", "no"], num_classes=3)
    with pytest.raises(InputError, match="Expected 3 columns"):
        examples_of(ONE_HOT, num_classes=3)


def test_labels_stay_below_the_number_of_classes():
    with pytest.raises(InputError, match=r"0 … 2.*3 at position 1"):
        examples_of([0, 3, 1], num_classes=3)
    with pytest.raises(InputError, match=r"0 … 1.*2 at position 1"):
        examples_of([0, 2, 1], class_names=["no", "yes"])


def test_labels_in_another_byte_order():
    assert examples_of(np.array([0, 2, 1], ">i4")).labels.tolist() == [0, 2, 1]
    assert examples_of(np.array([0, 2, 1], ">i4")).num_classes == 3


def test_class_names_count_the_classes():
    examples = examples_of([0, 1, 0], class_names=("no", "yes", "maybe"))
    assert (examples.class_names, examples.num_classes) == (["no", "yes", "maybe"], 3)
    examples = examples_of([0, 1, 0], class_names=np.array(["no", "yes"]), num_classes=2)
    assert examples.class_names == ["no", "yes"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "c"], "Expected 2, one for each class. Received: 3"),
        ("ab", "Expected 2, one for each class. Received: 1"),
        (["a", "a"], r"different strings. Received: \['a', 'a'\]"),
        ([0, 1], "different strings"),
        (["a", "\udcff"], "lone surrogates"),
    ],
)
def test_refuses_class_names(names, message):
    with pytest.raises(InputError, match=f"Invalid `class_names`.*{message}"):
        examples_of([0, 1, 0], num_classes=2, class_names=names)


def test_a_draw_that_loses_a_class_warns():
    y = np.array([0] * 200 + [1] * 2 + [2] * 50)
    examples = Examples.from_arrays(np.zeros((252, 1)), y, class_names=["no", "rare", "yes"])
    with pytest.warns(UserWarning, match=r"25 of 252 .*none of the class 'rare' \(2 in the data\)"):
        examples.draw(0.1)
    # Half of two is one.
    assert set(examples.draw(0.5).labels) == {0, 1, 2}


def dense(classes):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(classes)])


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_a_model_of_too_few_classes_hints_at_labels_from_1(outputs):
    y = {1: [1, 2, 1], 2: [2, 1, 2], 3: [1, 3, 2]}[outputs]
    with pytest.raises(InputError, match="No label is 0: if the labels count from 1, pass `y - 1`"):
        kp.score_checkpoints([dense(outputs)], examples_of(y), ["el2n"])
    kp.score_checkpoints([dense(outputs)], examples_of(np.array(y) - 1), ["el2n"])


def test_fit_hints_at_labels_from_1_before_training():
    examples = examples_of([1, 2, 3])
    model = dense(3)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = kp.ScoreCallback(examples, ["el2n"])
    with pytest.raises(InputError, match="if the labels count from 1"):
        model.fit(examples.batches(3), callbacks=[callback], verbose=0, shuffle=False)


def test_num_classes_below_the_labels_hints_at_labels_from_1():
    with pytest.raises(InputError, match="Received: 3 at position 2. No label is 0: if the"):
        examples_of([1, 2, 3], num_classes=3)


@pytest.mark.parametrize("y", [[0, 2, 1], [2, 2, 3]])
def test_other_labels_have_no_hint_at_labels_from_1(y):
    with pytest.raises(InputError) as error:
        kp.score_checkpoints([dense(max(y))], examples_of(y), ["el2n"])
    assert "count from 1" not in str(error.value)
