import numpy as np
import pytest
import tensorflow as tf

import keras_pruning as kp
from keras_pruning import Examples, InputError


def numbered(count=20, classes=4, **options):
    """Examples whose input, label and id all say which row they are."""
    x = np.arange(count, dtype="float32")[:, np.newaxis]
    ids = [f"row-{row:02d}" for row in range(count)]
    return Examples.from_arrays(x, np.arange(count) % classes, ids, **options)


def subset_of(examples, rows, /, **changes):
    """Returns the subset that keeps these rows, with other ids, labels or provenance if passed."""
    parts = {"ids": examples.ids, "labels": examples.labels, "examples": examples.provenance}
    parts |= changes
    mask = np.isin(np.arange(len(examples)), rows)
    return kp.Subset(parts["ids"], parts["labels"], mask, {"examples": parts["examples"]})


def rows_of(batches):
    """Returns the rows in the order of the batches. Each label is checked by its row."""
    x, y = (np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator(), strict=True))
    rows = x[:, 0].astype(int)
    np.testing.assert_array_equal(y, rows % 4)
    return rows.tolist()


@pytest.mark.parametrize("options", [{"shuffle": True}, {"rows": True}, {}])
def test_no_thread_tunes_batches(options):
    """It delayed the end of epochs of less than a second by half of one."""
    examples = numbered()
    for batches in (examples.batches(8, **options), examples.scoring_batches(8)):
        assert batches.options().autotune.enabled is False
        assert batches.options().experimental_optimization.apply_default_optimizations is False


def test_takes_arrays_as_they_are():
    x, y = np.random.default_rng(0).normal(size=(6, 4, 4, 3)), [2, 0, 1, 1, 0, 2]
    examples = Examples.from_arrays(x, y)
    assert len(examples) == 6
    assert examples.shape == (4, 4, 3)
    assert examples.num_classes == 3
    assert examples.class_names == ["0", "1", "2"]
    assert examples.ids.tolist() == ["0", "1", "2", "3", "4", "5"]
    assert examples.labels.tolist() == y
    np.testing.assert_array_equal(examples.stored_inputs([4, 1]), x[[4, 1]].astype("float32"))


def test_keeps_ids_as_strings():
    assert Examples.from_arrays(np.eye(3), [0, 1, 2], ids=[30, 10, 20]).ids.tolist() == [
        "30",
        "10",
        "20",
    ]


def test_takes_labels_of_keras_datasets():
    examples = Examples.from_arrays(np.eye(3), np.array([[2], [0], [1]], "uint8"))
    assert examples.labels.tolist() == [2, 0, 1]


def test_reads_a_memory_map_from_the_disk(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(40, dtype="float32").reshape(20, 2))
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    examples = Examples.from_arrays(stored, np.arange(20) % 4)
    (batch,) = examples.keep(subset_of(examples, [3, 7, 15])).batches(8)
    np.testing.assert_array_equal(batch[0], [[6, 7], [14, 15], [30, 31]])
    assert isinstance(examples.stored.stored, np.memmap)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.eye(3), [0, 1], {}, "Lengths differ.*3 in x, 2 in y, 2 in ids"),
        (np.eye(3), [0, 1, 2], {"ids": ["a", "b"]}, "Lengths differ.*2 in ids"),
        (np.eye(3), [0, 1, 2], {"num_classes": 0}, "Invalid `num_classes`"),
        (np.eye(3), [0, 1, 2], {"split": "a\0b"}, r"Invalid `split`.*'a\\x00b'"),
        (np.float32(3), [0], {}, "Invalid shape of `x`"),
        (np.array([[1], [np.nan], [2]]), [0, 1, 2], {}, "finite.*position 1"),
        (np.array([[1], [2], [np.inf]]), [0, 1, 2], {}, "finite.*position 2"),
        (np.zeros((0, 2)), np.zeros(0, int), {}, "at least one example"),
    ],
)
def test_refuses(x, y, options, message):
    with pytest.raises(InputError, match=message):
        Examples.from_arrays(x, y, **options)


def test_batches_come_in_order_and_the_last_one_ragged():
    batches = numbered().batches(8)
    assert [len(y) for _, y in batches] == [8, 8, 4]
    assert batches.cardinality() == 3
    assert rows_of(batches) == list(range(20))


def test_shuffled_batches_have_every_row_once_in_a_new_order():
    batches = numbered().batches(8, shuffle=True)
    first, second = rows_of(batches), rows_of(batches)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != list(range(20)) != first


def test_a_seed_repeats_the_orders():
    runs = [numbered().batches(8, shuffle=True, seed=seed) for seed in (3, 3, 4)]
    first, again, other = [[rows_of(batches) for _ in range(2)] for batches in runs]
    assert first == again
    assert first != other


def test_scoring_batches_carry_their_rows():
    batches = numbered().scoring_batches(8)
    rows, x, _ = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert rows.tolist() == list(range(20))
    np.testing.assert_array_equal(x[:, 0], rows)


def test_rows_of_a_part_count_from_0():
    part = numbered().keep(subset_of(numbered(), [4, 9, 13]))
    ((rows, x, y),) = part.scoring_batches(8).as_numpy_iterator()
    assert rows.tolist() == [0, 1, 2]
    assert x[:, 0].tolist() == [4, 9, 13]
    assert y.tolist() == [0, 1, 1]


def test_an_augmentation_gets_seeds_that_change_and_repeat():
    def plus_seed(x, seed):
        return x * 0 + tf.cast(seed[0] % 1000, tf.float32)

    def drawn(seed):
        batches = numbered().batches(8, seed=seed, augmentation=plus_seed)
        return [x[0, 0] for x, _ in batches.as_numpy_iterator()]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) == 3


def test_draws_a_stratified_part_and_keeps_the_ids():
    part = numbered(200).draw(0.3, seed=1)
    assert len(part) == 60
    assert np.bincount(part.labels).tolist() == [15] * 4
    rows = part.stored_inputs(np.arange(60))[:, 0].astype(int)
    assert part.ids.tolist() == [f"row-{row:02d}" for row in rows]
    assert sorted(rows) == rows.tolist()
    assert (part.fraction, part.seed) == (0.3, 1)


def test_a_draw_repeats_with_its_seed_only():
    first, again, other = (numbered(200).draw(0.3, seed) for seed in (1, 1, 2))
    assert first.ids.tolist() == again.ids.tolist() != other.ids.tolist()
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_a_part_has_a_fingerprint_of_its_own():
    whole = numbered(200)
    fingerprints = [whole.fingerprint, whole.draw(0.3).fingerprint]
    fingerprints.append(whole.keep(subset_of(whole, [3, 5])).fingerprint)
    assert len(set(fingerprints)) == 3


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, 0.001, True])
def test_refuses_a_fraction(fraction):
    with pytest.raises(InputError, match="Invalid `fraction`"):
        numbered().draw(fraction)


def test_keeps_the_examples_of_a_subset():
    examples = numbered()
    kept = examples.keep(subset_of(examples, [2, 3, 11]))
    assert kept.ids.tolist() == ["row-02", "row-03", "row-11"]
    assert kept.labels.tolist() == [2, 3, 3]
    assert kept.num_classes == 4
    assert rows_of(kept.batches(8)) == [2, 3, 11]
    assert len(examples) == 20


def test_keeps_in_a_part_of_the_data():
    part = numbered(200).draw(0.1)
    kept = part.keep(subset_of(part, [0, 19]))
    assert kept.ids.tolist() == part.ids[[0, 19]].tolist()
    assert rows_of(kept.batches(8)) == [int(name[4:]) for name in kept.ids]


def test_refuses_a_subset_of_other_examples():
    examples = numbered()
    with pytest.raises(InputError, match=r"subset was made from other examples.*fraction=1.0.*0.5"):
        examples.keep(subset_of(examples.draw(0.5), [1]))
    with pytest.raises(InputError, match=r"split='train'.*Received: split='test'"):
        examples.keep(subset_of(numbered(split="test"), [1]))


def test_refuses_a_subset_with_ids_in_another_order():
    examples = numbered()
    other = subset_of(examples, [1], examples={}, ids=examples.ids[::-1])
    with pytest.raises(InputError, match="20 ids and labels of <Examples arrays train, 20"):
        examples.keep(other)
    other = subset_of(examples, [1], examples={}, labels=examples.labels[::-1])
    with pytest.raises(InputError, match="Received: 20 that differ"):
        examples.keep(other)


def test_accepts_a_record_of_the_same_examples():
    numbered().require_same(numbered().provenance, numbered().ids, numbered().labels, "table")


def test_the_fingerprint_is_about_content():
    x, y, ids = np.arange(4.0)[:, np.newaxis], np.array([0, 1, 0, 1]), list("abcd")
    fingerprints = [
        Examples.from_arrays(x, y, ids).fingerprint,
        Examples.from_arrays(x[::-1], y, ids).fingerprint,
        Examples.from_arrays(x, 1 - y, ids).fingerprint,
        Examples.from_arrays(x, y, ids[::-1]).fingerprint,
        Examples.from_arrays(x, y, ids, split="test").fingerprint,
        Examples.from_arrays(x.astype("uint8"), y, ids).fingerprint,
    ]
    assert len(set(fingerprints)) == len(fingerprints)
    assert Examples.from_arrays(x.copy(), y.tolist(), ids).fingerprint == fingerprints[0]


def test_provenance_identifies_the_examples():
    provenance = numbered(200).draw(0.25, seed=7).provenance
    assert provenance["examples"] == 50
    assert provenance["classes"] == 4
    assert (provenance["fraction"], provenance["seed"]) == (0.25, 7)
    assert (provenance["source"], provenance["split"]) == ("arrays", "train")
    assert provenance["inputs"] == numbered(200).provenance["inputs"]


def test_keep_tells_how_to_make_a_subset_of_a_mask():
    examples = numbered()
    mask = np.arange(20) < 3
    with pytest.raises(InputError, match=r"`kp.Subset\(examples.ids, examples.labels, mask\)`"):
        examples.keep(mask)
    assert len(examples.keep(kp.Subset(examples.ids, examples.labels, mask))) == 3
    table = kp.ScoreTable(examples.ids, examples.labels, {"el2n": np.zeros(20)})
    with pytest.raises(InputError, match="Expected a Subset.*Received: .*ScoreTable"):
        examples.keep(table)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros((1200, 8, 8, 1)), "of shape (8, 8, 1) float32"),
        (np.zeros((1200, 2), np.uint8), "of shape (2,) uint8"),
        (["text"] * 1200, "of shape () string"),
        (
            {"ids": np.zeros((1200, 4), "int32"), "text": ["a"] * 1200},
            "of shape {'ids': (4,) int32, 'text': () string}",
        ),
        ((np.zeros(1200), np.zeros(1200, bool)), "of shape (() float32, () bool)"),
        ({str(column): np.zeros(1200) for column in range(30)}, "of shape 30 arrays"),
    ],
)
def test_repr_shows_the_data(x, expected):
    examples = Examples.from_arrays(x, np.arange(1200) % 3)
    assert repr(examples) == f"<Examples arrays train, 1,200 {expected}, 3 classes>"
