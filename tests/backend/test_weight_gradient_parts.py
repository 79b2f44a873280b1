"""The squared norms of gradients in parts, with numbers worked out by hand."""

import numpy as np
import tensorflow as tf

from keras_pruning.backend.tensorflow.weight_gradients.parts import Products, Rows, Values
from keras_pruning.backend.tensorflow.weight_gradients.patches import shifted_inputs


def squares(part):
    return part.squared_norms().numpy()


def floats(*rows):
    return tf.constant(rows, tf.float32)


def products(left, right, examples=1):
    """Returns the products of one group, of `(batch, positions, size)`."""
    left, right = (tf.constant(x, tf.float32)[:, :, tf.newaxis] for x in (left, right))
    return Products(left, right, examples)


def test_an_outer_product_by_hand():
    # |(3, 4)|² · |(1, 2)|² = 25 · 5, and |(0, 2)|² · |(3, 0)|² = 4 · 9
    part = products([[[3, 4]], [[0, 2]]], [[[1, 2]], [[3, 0]]], 2)
    np.testing.assert_allclose(squares(part), [125, 36])


def test_a_sum_of_outer_products_by_hand():
    # (1, 0) ⊗ (1, 2) + (1, 1) ⊗ (0, 1) = [[1, 3], [0, 1]]
    part = products([[[1, 0], [1, 1]]], [[[1, 2], [0, 1]]])
    np.testing.assert_allclose(squares(part), [11])


def test_positions_in_pairs_or_the_gradient_itself():
    rng = np.random.default_rng(0)
    # 3 · (9 + 8) < 9 · 8 < 5 · (9 + 8)
    for positions in (3, 5):
        left, right = rng.normal(size=(2, positions, 9)), rng.normal(size=(2, positions, 8))
        expected = (np.einsum("bpi,bpo->bio", left, right) ** 2).sum(axis=(1, 2))
        part = products(left, right, 2)
        assert part._has_few_positions() == (positions == 3)
        np.testing.assert_allclose(squares(part), expected, 1e-3)


def test_positions_that_nearly_cancel_keep_their_digits():
    """l ⊗ r and −l' ⊗ r, with l' next to l, beside an example that cancels nothing."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 2, 64)), rng.normal(size=(2, 2, 64))
    left[0, 1] = left[0, 0] * (1 + 1e-5)
    right[0, 1] = -right[0, 0]
    left, right = (x.astype("float32").astype(float) for x in (left, right))
    expected = (np.einsum("bpi,bpo->bio", left, right) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(squares(products(left, right, 2)), expected, 1e-3)


def test_products_of_two_calls_are_added_before_the_norm():
    # (1, 0) ⊗ (2, 0) + (1, 0) ⊗ (-2, 1) = [[0, 1], [0, 0]]
    part = products([[[1, 0]]], [[[2, 0]]]).joined(products([[[1, 0]]], [[[-2, 1]]]))
    np.testing.assert_allclose(squares(part), [1])


def test_rows_of_one_example_are_added_before_the_norm():
    # The two rows of the first example are (2) · (1) and (3) · (1), the second has (1) · (1) and 0.
    left, right = np.float32([[[2]], [[3]], [[1]], [[0]]]), np.ones((4, 1, 1))
    np.testing.assert_allclose(squares(products(left, right, 2)), [25, 1])
    values = Values(floats([1, 2], [3, -2], [0, 1], [0, 1]), 2)
    np.testing.assert_allclose(squares(values), [16, 4])


def test_groups_by_hand():
    left = tf.constant([[[[1.0], [2.0]], [[3.0], [4.0]]]])  # Two positions of two groups
    right = tf.constant([[[[1.0], [1.0]], [[1.0], [0.0]]]])
    # 1 · 1 + 3 · 1 in the first group, 2 · 1 + 4 · 0 in the second
    np.testing.assert_allclose(squares(Products(left, right, 1)), [16 + 4])


def test_values_of_two_calls_are_added_before_the_norm():
    part = Values(floats([3, 1]), 1).joined(Values(floats([0, 3]), 1))
    np.testing.assert_allclose(squares(part), [25])


def test_rows_of_a_table_by_hand():
    # Row 2 is read twice, once counted from the end: (1, 0) + (2, 0), and row 1 once: (0, 4)
    numbers = tf.constant([[2, 1, -1], [0, 1, 2]])
    right = floats([[1, 0], [0, 4], [2, 0]], [[1, 0], [0, 1], [1, 1]])
    part = Rows(numbers, right, 3, 2)
    np.testing.assert_allclose(squares(part), [9 + 16, 1 + 1 + 2])
    np.testing.assert_allclose(squares(part.joined(part)), [4 * 25, 4 * 4])


def shifted(size, *options):
    x = tf.reshape(tf.range(1, size + 1, dtype=tf.float32), (1, size, 1))
    return [part.numpy().ravel().tolist() for part in shifted_inputs(x, *options)]


def test_inputs_of_a_convolution_by_hand():
    assert shifted(4, (2,), (1,), (1,), "valid", (3,)) == [[1, 2, 3], [2, 3, 4]]
    assert shifted(4, (2,), (1,), (1,), "same", (4,)) == [[1, 2, 3, 4], [2, 3, 4, 0]]
    assert shifted(4, (2,), (1,), (2,), "causal", (4,)) == [[0, 0, 1, 2], [1, 2, 3, 4]]
    assert shifted(5, (3,), (2,), (1,), "same", (3,)) == [[0, 2, 4], [1, 3, 5], [2, 4, 0]]
    # The last input is out of reach.
    assert shifted(6, (2,), (3,), (1,), "valid", (2,)) == [[1, 4], [2, 5]]
