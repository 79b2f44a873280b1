import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pruning import Examples, InputError
from keras_pruning.training import augmentation
from keras_pruning.training.augmentation import flip_crop


def images(count=40, height=6, width=5, channels=2):
    """Images in which no two pixels are equal and none is 0."""
    size = count * height * width * channels
    return np.arange(1, size + 1, dtype="float32").reshape(count, height, width, channels)


def all_results(image, padding):
    """Every image that flip and crop may make of one, by (mirrored, rows, columns)."""
    height, width = image.shape[:2]
    results = {}
    for mirrored in (False, True):
        flipped = image[:, ::-1] if mirrored else image
        padded = np.pad(flipped, [(padding, padding), (padding, padding), (0, 0)])
        for row in range(2 * padding + 1):
            for column in range(2 * padding + 1):
                window = padded[row : row + height, column : column + width]
                results[mirrored, row, column] = window
    return results


def drawn(x, results, padding):
    """Returns which of all results each image became, or fails if it is none of them."""
    for image, result in zip(x, results, strict=True):
        candidates = all_results(image, padding).items()
        yield next(draw for draw, window in candidates if np.array_equal(window, result))


def test_every_result_is_a_mirrored_or_shifted_window():
    x = images()
    draws = list(drawn(x, flip_crop(x, tf.constant([1, 2]), 2).numpy(), 2))
    assert {mirrored for mirrored, _, _ in draws} == {False, True}
    assert {row for _, row, _ in draws} == {column for _, _, column in draws} == set(range(5))
    assert len({(row, column) for _, row, column in draws}) > 15


def test_channels_first_are_mirrored_and_shifted_alike():
    x, seed = images(), tf.constant([1, 2])
    expected = flip_crop(x, seed, 2).numpy()
    keras.config.set_image_data_format("channels_first")
    try:
        results = flip_crop(tf.constant(x.transpose(0, 3, 1, 2)), seed, 2).numpy()
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(results.transpose(0, 2, 3, 1), expected)


def test_mirrors_half_and_shifts_evenly():
    x = images(4000, 3, 3, 1)
    draws = np.array(list(drawn(x, flip_crop(x, tf.constant([3, 4]), 1).numpy(), 1)))
    assert abs(draws[:, 0].mean() - 0.5) < 0.03
    for shifts in (draws[:, 1], draws[:, 2]):
        np.testing.assert_allclose(np.bincount(shifts) / 4000, [1 / 3] * 3, atol=0.03)


def test_without_padding_it_only_mirrors():
    x = images()
    results = flip_crop(x, tf.constant([1, 2]), padding=0).numpy()
    mirrored = [not np.array_equal(image, result) for image, result in zip(x, results, strict=True)]
    np.testing.assert_array_equal(results[mirrored], x[mirrored][:, :, ::-1])
    assert 0 < sum(mirrored) < len(x)


def test_a_seed_repeats():
    x = images()
    np.testing.assert_array_equal(flip_crop(x, [5, 6]), flip_crop(x, [5, 6]))
    assert not np.array_equal(flip_crop(x, [5, 6]), flip_crop(x, [6, 5]))


def test_gives_the_same_inside_tf_data():
    x, seeds = images(), tf.constant([[1, 2], [3, 4], [5, 6], [7, 8]])
    batches = tf.data.Dataset.from_tensor_slices(x).batch(10)
    pairs = tf.data.Dataset.zip(batches, tf.data.Dataset.from_tensor_slices(seeds))
    inside = pairs.map(flip_crop)
    assert inside.element_spec.shape == (None, 6, 5, 2)
    for number, batch in enumerate(inside):
        eager = flip_crop(x[10 * number : 10 * number + 10], seeds[number])
        np.testing.assert_array_equal(batch, eager)


def test_augmented_batches_keep_images_and_labels_together():
    x = images(24, 6, 6, 1)
    examples = Examples.from_arrays(x, np.arange(24) % 5)
    batches = examples.batches(10, shuffle=True, seed=1, augmentation=flip_crop)
    seen = []
    for batch, labels in batches.as_numpy_iterator():
        # Any pixel that is left says which image it was: there are 36 in each.
        rows = (batch.reshape(len(batch), -1).max(axis=1).astype(int) - 1) // 36
        np.testing.assert_array_equal(labels, rows % 5)
        list(drawn(x[rows], batch, 4))
        seen += rows.tolist()
    assert sorted(seen) == list(range(24))


def test_names():
    assert augmentation.get("flip_crop") is flip_crop
    assert augmentation.get(None) is None
    with pytest.raises(InputError, match=r"Unknown augmentation.*flip_crop.*'mixup'"):
        augmentation.get("mixup")
