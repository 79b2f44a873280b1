"""The gradients of one weight for each example of a batch, in the forms that layers have them."""

import math

import tensorflow as tf

# A sum over pairs that is a smaller part of its terms has lost digits.
_CANCELLED = 1e-3


class Products:
    """Gradients that are sums of outer products, such as those of a matrix in a product.

    Formula:
        gradient = Σ_p left_p ⊗ right_p, over the positions p of an example and in each group
        ‖gradient‖² = Σ_pq (left_p · left_q) (right_p · right_q)

    The square is taken of the gradient itself or from all pairs of positions, whichever has fewer
    operations.

    Args:
        left: floats `(batch, ..., groups, inputs)`. The axes between are positions. The batch may
            have several rows for each example, one after the other.
        right: floats `(batch, ..., groups, outputs)`.
        examples: number of examples, an integer tensor.
    """

    def __init__(self, left, right, examples):
        positions, (groups, outputs) = right.shape[1:-2].num_elements(), right.shape[-2:]
        self._left = _by_group(left, examples)
        self._right = _by_group(right, examples)
        self._shape = positions, groups, left.shape[-1], outputs

    def joined(self, other):
        """Returns the sum of these gradients and others by the same weight."""
        both = object.__new__(Products)
        both._left = tf.concat([self._left, other._left], axis=-2)
        both._right = tf.concat([self._right, other._right], axis=-2)
        positions = (self._shape[0], other._shape[0])
        total = None if None in positions else sum(positions)
        both._shape = total, *self._shape[1:]
        return both

    @property
    def floats(self):
        """Number of floats that the square of one example needs, about."""
        positions, groups, inputs, outputs = self._shape
        result = 2 * positions**2 if self._has_few_positions() else inputs * outputs
        return groups * (result + (positions or 1) * (inputs + outputs))

    def squared_norms(self):
        """Returns the squared norm of each gradient, float32 `(examples,)`."""
        if not self._has_few_positions():
            return _squares(tf.matmul(self._right, self._left, transpose_a=True))
        if self._shape[:2] != (1, 1):
            return self._by_pairs()
        is_single = tf.equal(tf.shape(self._left)[1], 1)
        return tf.cond(
            is_single, lambda: _squares(self._left) * _squares(self._right), self._by_pairs
        )

    def _by_pairs(self):
        left, right = (tf.matmul(x, x, transpose_b=True) for x in (self._left, self._right))
        terms, axes = left * right, _all_but_first(left)
        sums = tf.reduce_sum(terms, axis=axes)
        is_lost = sums < _CANCELLED * tf.reduce_sum(tf.abs(terms), axis=axes)
        # Gradients of positions that nearly cancel are added up, one example at a time.
        rows = tf.where(is_lost)
        added = tf.map_fn(self._of_example, rows[:, 0], fn_output_signature=tf.float32)
        return tf.tensor_scatter_nd_update(sums, rows, added)

    def _of_example(self, row):
        """Returns the squared norm of the gradient of one example."""
        return tf.reduce_sum(
            tf.square(tf.matmul(self._right[row], self._left[row], transpose_a=True))
        )

    def _has_few_positions(self):
        positions, _, inputs, outputs = self._shape
        return positions is not None and positions * (inputs + outputs) < inputs * outputs


class Values:
    """Gradients as they are.

    Args:
        values: floats `(batch, ...)`. The batch may have several rows for each example, one after
            the other, which are added.
        examples: number of examples, an integer tensor.
    """

    def __init__(self, values, examples):
        self.floats = values.shape[1:].num_elements()
        rows = tf.reshape(tf.cast(values, "float32"), (examples, -1, self.floats))
        self._values = tf.reduce_sum(rows, axis=1)

    def joined(self, other):
        """Returns the sum of these gradients and others by the same weight."""
        both = object.__new__(Values)
        both.floats, both._values = self.floats, self._values + other._values
        return both

    def squared_norms(self):
        """Returns the squared norm of each gradient, float32 `(examples,)`."""
        return _squares(self._values)


class Rows:
    """Gradients of a table, of which each position of an example reads one row.

    Args:
        numbers: integers `(batch, ...)`, the rows. The batch may have several rows for each
            example, one after the other.
        right: floats `(batch, ..., columns)`, the gradients by what was read.
        count: number of rows of the table.
        examples: number of examples, an integer tensor.
    """

    def __init__(self, numbers, right, count, examples):
        numbers = tf.reshape(tf.cast(numbers, "int64"), (examples, -1))
        # Negative numbers count from the end.
        self._numbers = tf.where(numbers < 0, numbers + count, numbers)
        self._right = tf.reshape(tf.cast(right, "float32"), (examples, -1, right.shape[-1]))
        self._count, self._examples = count, examples
        self.floats = 3 * math.prod(size or 1 for size in right.shape[1:])

    def joined(self, other):
        """Returns the sum of these gradients and others by the same weight."""
        both = object.__new__(Rows)
        both._numbers = tf.concat([self._numbers, other._numbers], axis=1)
        both._right = tf.concat([self._right, other._right], axis=1)
        both._count, both._examples = self._count, self._examples
        both.floats = self.floats + other.floats
        return both

    def squared_norms(self):
        """Returns the squared norm of each gradient, float32 `(examples,)`."""
        # Add up what one example has for one row.
        owners = tf.range(tf.cast(self._examples, "int64"))[:, tf.newaxis]
        keys = tf.reshape(self._numbers + self._count * owners, (-1,))
        keys, places = tf.unique(keys)
        right = tf.reshape(self._right, (-1, self._right.shape[-1]))
        rows = tf.math.unsorted_segment_sum(right, places, tf.size(keys))
        return tf.math.unsorted_segment_sum(_squares(rows), keys // self._count, self._examples)


def _by_group(x, examples):
    """Returns floats `(examples, groups, positions, size)`, without the axis of a single group."""
    groups, size = x.shape[-2:]
    x = tf.cast(x, "float32")
    if groups == 1:
        return tf.reshape(x, (examples, -1, size))
    return tf.transpose(tf.reshape(x, (examples, -1, groups, size)), (0, 2, 1, 3))


def _squares(x):
    return tf.reduce_sum(tf.square(x), axis=_all_but_first(x))


def _all_but_first(x):
    return list(range(1, x.shape.rank))
