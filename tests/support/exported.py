"""Examples to export, with everything that is hard to keep, and what must come back."""

import numpy as np

import keras_pruning as kp
from keras_pruning.examples.array_spec import flattened

# Formulas, slashes, dots, device names, case, quotes, line breaks, and more than a file name takes.
IDS = ["a/é 1.png", "=1+1", "..", "-5", "ü" * 200, "A", "a", "con", "'q", "x\ny", ".b", "#"]
CLASSES = ["zebra", "a b", "ö"]
RNG = np.random.default_rng(0)
COUNT = len(IDS)
INPUTS = {
    "images": RNG.integers(0, 256, (COUNT, 5, 4, 3), "uint8"),
    "gray images": RNG.integers(0, 256, (COUNT, 5, 4, 1), "uint8"),
    "images without channels": RNG.integers(0, 256, (COUNT, 5, 4), "uint8"),
    "float images": RNG.normal(size=(COUNT, 5, 4, 3)).astype("float32"),
    "rows": RNG.normal(size=(COUNT, 3)).astype("float32"),
    "single numbers": np.arange(COUNT, dtype="int16") - 3,
    "halves": RNG.normal(size=(COUNT, 2, 2)).astype("float16"),
    "booleans": RNG.integers(0, 2, (COUNT, 2, 2)).astype(bool),
    "unsigned": RNG.integers(2**63, 2**64, (COUNT, 2), "uint64"),
    "texts": ["", "wörd\n", "=1"] * (COUNT // 3),
    "rows of texts": np.array([["a", "bb"]] * COUNT, dtype=object),
    "dictionary": {
        "id": np.arange(COUNT),
        "text": ["x", "yy"] * (COUNT // 2),
        "pixels": RNG.integers(0, 256, (COUNT, 3, 3, 3), "uint8"),
        "below": {"age": RNG.normal(size=COUNT).astype("float32")},
    },
    "tuple": (np.arange(COUNT) * 0.5, RNG.integers(0, 9, (COUNT, 2))),
}


def examples(kind="images", **options):
    """Some of the examples of a kind, in another order than the stored ones."""
    labels = np.arange(COUNT) % 3
    options = {"ids": IDS, "class_names": CLASSES, **options}
    whole = kp.Examples.from_arrays(INPUTS[kind], labels, **options)
    return whole.at(np.array([7, 0, 4, 9, 5, 6, 3, 2, 8, 10]))


def values(part):
    """The stored values of examples, a dictionary from paths to arrays."""
    return flattened(part.stored_inputs(np.arange(len(part))), "x")


def assert_equal_values(first, second):
    """Values of the same paths, dtypes, shapes and bits."""
    assert list(first) == list(second)
    for path, array in first.items():
        assert array.dtype == second[path].dtype
        np.testing.assert_array_equal(array, second[path], strict=True)


def assert_same(part, again):
    """The same ids, labels, class names and inputs, also as batches give them."""
    assert again.ids.tolist() == part.ids.tolist()
    assert again.labels.tolist() == part.labels.tolist()
    assert again.class_names == part.class_names
    assert again.spec == part.spec
    assert again.stored.scale == part.stored.scale
    assert_equal_values(values(part), values(again))
