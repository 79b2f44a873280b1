"""The sources that are single files: digits, IDX and npz."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support.single_files import IMAGES, LABELS, RNG, idx

from keras_pruning import InputError, load_examples


def stored(examples):
    return examples.stored_inputs(np.arange(len(examples)))


def test_digits_equal_scikit_learn():
    digits = load_digits()
    for split, count in (("train", 1437), ("test", 360)):
        examples = load_examples("digits", split)
        rows = [int(name.removeprefix("digits-")) for name in examples.ids]
        assert len(examples) == count
        np.testing.assert_array_equal(examples.labels, digits.target[rows])
        np.testing.assert_array_equal(stored(examples)[..., 0] * 16, digits.images[rows])


def test_digits_are_split_by_class_without_an_overlap():
    train, test = load_examples("digits"), load_examples("digits", "test")
    assert not set(train.ids) & set(test.ids)
    shares = np.bincount(test.labels) / np.bincount(np.append(train.labels, test.labels))
    np.testing.assert_allclose(shares, 360 / 1797, atol=0.005)


def test_a_fraction_is_drawn_by_class_and_keeps_the_ids():
    whole, part = load_examples("digits"), load_examples("digits", fraction=0.1, seed=2)
    rows = np.flatnonzero(np.isin(whole.ids, part.ids))
    assert len(part) == len(rows) == 144
    np.testing.assert_array_equal(stored(part), stored(whole)[rows])


@pytest.mark.parametrize("name", ["cifar10", "digits:5", "idx", "idx:", "npz", "", "sql:table"])
def test_refuses_a_name(name):
    with pytest.raises(InputError, match=r"Unknown data set.*'idx:DIR'.*Received: "):
        load_examples(name)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "32"])
def test_refuses_an_image_size(size):
    with pytest.raises(InputError, match=r"Invalid `image_size`.*positive integer"):
        load_examples("digits", image_size=size)


def test_refuses_a_split():
    with pytest.raises(InputError, match=r"Invalid `split`.*'train', 'test'.*'validation'"):
        load_examples("digits", "validation")


@pytest.mark.parametrize("split", ["train", "test"])
def test_idx(idx_folder, split):
    examples = load_examples(f"idx:{idx_folder}", split)
    np.testing.assert_array_equal(stored(examples)[..., 0], IMAGES[split])
    np.testing.assert_array_equal(examples.labels, LABELS[split])
    assert examples.ids[[0, 11]].tolist() == [f"{split}-00000", f"{split}-00011"]
    assert (examples.shape, examples.num_classes, examples.source) == ((5, 4, 1), 3, "idx")


def test_idx_counts_the_classes_of_the_training_split(idx_folder):
    labels = idx(np.zeros(12, "uint8"))
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(labels)
    assert load_examples(f"idx:{idx_folder}", "test").num_classes == 3


def test_idx_names_a_missing_file(idx_folder):
    (idx_folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError, match="Missing file.*train-images-idx3-ubyte or train-images"):
        load_examples(f"idx:{idx_folder}")
    with pytest.raises(InputError, match="in the folder /nowhere"):
        load_examples("idx:/nowhere")


GOOD = idx(IMAGES["train"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-1], "600 bytes of values expected, 599 received. The file may be truncated"),
        (GOOD + b"\0", r"600 bytes for shape \(30, 5, 4\). Received: more"),
        (GOOD[:10], "begins with the bytes 00 00 08 03"),
        (b"", "Invalid IDX file"),
        (idx(IMAGES["train"], dtype=13), "begins with the bytes 00 00 0d 03"),
        (idx(LABELS["train"]), r"Expected uint8 of 3 dimensions.*00 00 08 01"),
        (b"\x89PNG" + GOOD, "begins with the bytes 89 50 4e 47"),
    ],
)
def test_idx_refuses_content(idx_folder, content, message):
    name = "train-images-idx3-ubyte"
    (idx_folder / f"{name}.gz").unlink()
    (idx_folder / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_examples(f"idx:{idx_folder}")


def test_idx_refuses_a_truncated_gzip_file(idx_folder):
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"Cannot read .*train-images.*may be truncated"):
        load_examples(f"idx:{idx_folder}")
    path.write_bytes(GOOD)
    with pytest.raises(InputError, match="Not a gzipped file"):
        load_examples(f"idx:{idx_folder}")


def test_idx_refuses_more_images_than_labels(idx_folder):
    (idx_folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS["train"][:-1]))
    with pytest.raises(InputError, match="Lengths differ.*30 in x, 29 in y"):
        load_examples(f"idx:{idx_folder}")


@pytest.mark.parametrize("split", ["train", "test"])
def test_npz_of_images_without_a_channel_axis(npz, split):
    examples = load_examples(npz(), split)
    np.testing.assert_array_equal(stored(examples), IMAGES[split][..., np.newaxis])
    np.testing.assert_array_equal(examples.labels, LABELS[split])
    assert examples.ids[[0, 11]].tolist() == [f"{split}-00000", f"{split}-00011"]
    assert (examples.num_classes, examples.source) == (3, "npz")


def test_npz_of_labels_in_a_column(npz):
    columns = {f"y_{split}": labels[:, np.newaxis] for split, labels in LABELS.items()}
    np.testing.assert_array_equal(load_examples(npz(**columns)).labels, LABELS["train"])


def test_npz_of_one_hot_labels_and_of_strings(npz):
    one_hot = {f"y_{split}": np.eye(3)[labels] for split, labels in LABELS.items()}
    np.testing.assert_array_equal(load_examples(npz(**one_hot), "test").labels, LABELS["test"])
    names = np.array(["b", "c", "d"])
    texts = {f"y_{split}": names[labels] for split, labels in LABELS.items()}
    examples = load_examples(npz(**texts), "test")
    np.testing.assert_array_equal(examples.labels, LABELS["test"])
    assert examples.class_names == ["b", "c", "d"]


def test_npz_of_features_and_of_colour_images(npz):
    table, colour = (
        np.linspace(0, 9, 60).reshape(30, 2),
        np.repeat(IMAGES["train"][..., None], 3, 3),
    )
    np.testing.assert_array_equal(stored(load_examples(npz(x_train=table))), table.astype("f4"))
    np.testing.assert_array_equal(stored(load_examples(npz(x_train=colour))), colour)


def test_npz_scales_pixels_only(npz):
    pixels, counts = IMAGES["train"][:4], np.array([[0], [300], [7], [1]])
    ((x, _),) = load_examples(npz(x_train=pixels, y_train=[0, 1, 2, 1])).batches(4)
    np.testing.assert_array_equal(x[..., 0], pixels.astype("float32") / np.float32(255))
    ((x, _),) = load_examples(npz(x_train=counts, y_train=[0, 1, 2, 1])).batches(4)
    np.testing.assert_array_equal(x, counts)


def test_npz_counts_the_classes_of_the_training_split(npz):
    assert load_examples(npz(y_test=np.zeros(12, int)), "test").num_classes == 3
    with pytest.raises(InputError, match=r"Expected integers in 0 … 2. Received: 3 at position 0"):
        load_examples(npz(y_test=np.full(12, 3)), "test")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": None}, r"Missing arrays.*Received: x_train, x_test, y_test"),
        ({"x_train": None}, "Missing arrays"),
        ({"x_train": np.array([["a"]] * 30)}, "Invalid dtype of `x`"),
        ({"x_train": np.float32(1)}, "Invalid shape of `x`"),
        (
            {"x_train": np.array([None] * 30)},
            "Unsafe array x_train.npy.*pickled Python objects, which are never",
        ),
        ({"y_train": np.tri(3)[LABELS["train"]]}, "Several labels an example"),
        ({"y_train": np.array(1)}, "Invalid labels `y`"),
        ({"y_train": LABELS["train"][:-1]}, "Lengths differ"),
        ({"x_train": np.full((30, 2), np.nan)}, "Expected finite numbers"),
    ],
)
def test_npz_refuses(npz, changes, message):
    with pytest.raises(InputError, match=message):
        load_examples(npz(**changes))


def test_npz_refuses_other_files(tmp_path):
    np.save(tmp_path / "array.npy", IMAGES["train"])
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("array.npy", "text.npz", "missing.npz", "."):
        with pytest.raises(InputError, match=r"Cannot read .* as an .npz file"):
            load_examples(f"npz:{tmp_path / name}")


def test_npz_in_fortran_order_and_another_byte_order(npz):
    x = np.asfortranarray(RNG.normal(size=(30, 4, 5, 2)).astype(">f4"))
    examples = load_examples(npz(x_train=x, y_train=LABELS["train"].astype(">i8")))
    np.testing.assert_array_equal(stored(examples), x)
    ((inputs, labels),) = examples.batches(30)
    np.testing.assert_array_equal(inputs, x)
    np.testing.assert_array_equal(labels, LABELS["train"])


def test_npz_refuses_damage_anywhere(npz):
    path = npz().removeprefix("npz:")
    with open(path, "rb") as file:
        good = file.read()
    refused = 0
    for position in range(len(good) - 1, 0, -97):
        bad = bytearray(good)
        bad[position] ^= 0xFF
        with open(path, "wb") as file:
            file.write(bad)
        try:
            # Dates, which the archive does not check, may change unnoticed, but no pixel may.
            np.testing.assert_array_equal(
                stored(load_examples(f"npz:{path}"))[..., 0], IMAGES["train"]
            )
        except InputError:
            refused += 1
    assert refused > 5
