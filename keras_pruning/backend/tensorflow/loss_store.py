"""The last loss of each row, written inside a graph."""

import numpy as np
import tensorflow as tf

# Part of its earlier value that a running loss keeps with each batch (Batch Loss Score).
ALPHA = 0.7


class LossStore:
    """The loss that each row last had, infinite for a row that had none.

    Args:
        num_rows: number of rows.
    """

    def __init__(self, num_rows):
        self._losses = tf.Variable(tf.fill([num_rows], np.float32(np.inf)), trainable=False)
        self._written = tf.Variable(0, dtype=tf.int64, trainable=False)

    def write(self, rows, losses):
        """Writes float32 losses `(batch,)` at int64 rows `(batch,)`."""
        self._losses.scatter_nd_update(rows[:, tf.newaxis], losses)
        self._written.assign_add(tf.size(rows, tf.int64))

    def blend(self, rows, loss):
        """Moves the losses of rows towards the loss of their batch, a float32 scalar.

        The first loss of a row is taken as it is.
        """
        earlier = tf.gather(self._losses, rows)
        moved = ALPHA * earlier + (1 - ALPHA) * loss
        self.write(rows, tf.where(tf.math.is_inf(earlier), loss, moved))

    def count(self):
        """Returns the number of losses that were written since the last call."""
        written = int(self._written.numpy())
        self._written.assign(0)
        return written

    def read(self):
        """Returns the losses, float32 `(rows,)`."""
        return self._losses.numpy()

    def restore(self, losses):
        """Puts earlier losses `(rows,)` in the place of those of now."""
        self._losses.assign(losses)

    def clear(self):
        """Forgets all losses."""
        self._losses.assign(tf.fill(self._losses.shape, np.float32(np.inf)))
