"""Values by row, written inside a graph."""

import math

import tensorflow as tf

from keras_pruning.errors import InputError
from keras_pruning.models.outputs import Outputs

# Bytes of wide values that are read at a time.
_BLOCK_BYTES = 2**24


class RowStore:
    """Values by row that a graph writes.

    Args:
        num_rows: number of rows.
        values: dictionary of symbolic tensors or specs `(batch, ...)`, for shapes and dtypes.
    """

    def __init__(self, num_rows, values):
        # Values of one float for each example lie side by side, and are written at once.
        self._narrow = [name for name, value in values.items() if len(value.shape) == 1]
        shapes = {name: (num_rows, *value.shape[1:]) for name, value in values.items()}
        self._wide = {
            name: tf.Variable(tf.zeros(shapes[name], values[name].dtype))
            for name in values
            if name not in self._narrow
        }
        self._side_by_side = tf.Variable(tf.zeros((num_rows, len(self._narrow))))

    def write(self, rows, values):
        """Writes a dictionary of tensors `(batch, ...)` at `rows`, integers `(batch,)`."""
        indices = rows[:, tf.newaxis]
        if self._narrow:
            narrow = tf.stack([values[name] for name in self._narrow], axis=1)
            self._side_by_side.scatter_nd_update(indices, narrow)
        for name, variable in self._wide.items():
            variable.scatter_nd_update(indices, values[name])

    def blocks(self, num_rows):
        """Returns the slices in which to read `num_rows` rows: a single one without wide values."""
        sizes = [4 * math.prod(variable.shape[1:]) for variable in self._wide.values()]
        step = max(1, _BLOCK_BYTES // max(1, sum(sizes))) if sizes else max(1, num_rows)
        return [slice(start, start + step) for start in range(0, num_rows, step)]

    def read(self, rows=None, names=None):
        """Returns a dictionary of arrays `(rows, ...)`.

        Args:
            rows: integers `(rows,)`. Defaults to all.
            names: names of the values to read. Defaults to all.
        """
        columns = dict(zip(self._narrow, _read(self._side_by_side, rows).T, strict=True))
        names = [*self._narrow, *self._wide] if names is None else names
        return {
            name: columns[name] if name in columns else _read(self._wide[name], rows)
            for name in names
        }


def _read(variable, rows):
    # A gather reads rows where they lie. Reading a variable copies all of it first.
    return variable.numpy() if rows is None else variable.sparse_read(rows).numpy()


class PresentationStore:
    """Values of every presentation of an example since they were last taken.

    The store has `passes` places for each example, which are reused in turn.

    Args:
        observers: dictionary of functions from `Outputs` to a float tensor `(batch, ...)`.
        examples: `Examples` that the training step trains on.
        passes: how often an example may come before `take` is called.
    """

    def __init__(self, observers, examples, passes=1):
        num_rows, num_classes = len(examples), examples.num_classes
        self._observers, self._num_rows, self._passes = observers, num_rows, passes
        self._labels = tf.constant(examples.labels)
        # Counts examples that are not those of the store.
        self._foreign = tf.Variable(0, dtype=tf.int64)

        # Trace the observers, for the shapes and dtypes of their values
        @tf.function
        def observe(logits, labels):
            return self._observe(Outputs(logits, labels))

        specs = tf.TensorSpec((None, num_classes)), tf.TensorSpec((None,), tf.int64)
        values = observe.get_concrete_function(*specs).structured_outputs
        self._store = RowStore(num_rows * passes, values)
        self._presentations = tf.Variable(tf.zeros(num_rows, tf.int64))
        self.clear()

    def clear(self):
        """Forgets the values that were not taken."""
        self._taken = self._presentations.numpy()
        self._foreign.assign(0)

    def write(self, rows, outputs):
        """Writes the observed values of `Outputs` at `rows`, inside the training step."""
        rows = self._checked_rows(rows, outputs.labels)
        # A batch may hold an example more than once: each time is a presentation.
        earlier = tf.gather(self._presentations, rows) + occurrences(rows)
        places = rows + self._num_rows * (earlier % self._passes)
        self._store.write(places, self._observe(outputs))
        self._presentations.scatter_nd_add(rows[:, tf.newaxis], tf.ones_like(rows))

    def _checked_rows(self, rows, labels):
        """Returns rows that exist, and counts those of other examples.

        A graph cannot raise a clear error, so `take` does.
        """
        existing = tf.minimum(rows, self._num_rows - 1)
        other_label = tf.gather(self._labels, existing) != tf.cast(labels, tf.int64)
        differs = (rows != existing) | other_label
        self._foreign.assign_add(tf.math.count_nonzero(differs))
        return existing

    def take(self):
        """Yields rows and a dictionary of values at these rows, the oldest presentations first.

        Wide values come in blocks of rows.

        Raises:
            InputError: if other examples came, or an example came more often than `passes` times.
        """
        if foreign := int(self._foreign.numpy()):
            raise InputError(
                "The model was trained on other examples than the callback scores. Expected rows "
                f"and labels of the same `Examples`. Received: {foreign:,} that differ"
            )
        presentations = self._presentations.numpy()
        most = int((presentations - self._taken).max())
        if most > self._passes:
            raise InputError(
                f"An example was trained on {most} times in one epoch of `fit`. Expected at most "
                f"{self._passes}, as `passes` of `recording` says. Received: {most}. If this is on "
                f"purpose, give `recording(model, passes={most})`."
            )
        # First the earliest presentation of every example, then the second, and so on
        for number in range(most):
            rows = (self._taken + number < presentations).nonzero()[0]
            places = rows + self._num_rows * ((self._taken[rows] + number) % self._passes)
            for block in self._store.blocks(len(rows)):
                yield rows[block], self._store.read(places[block])
        self._taken = presentations

    def _observe(self, outputs):
        return {name: observer(outputs) for name, observer in self._observers.items()}


def occurrences(rows):
    """Returns for each row how often it stands earlier in the batch, inside a graph.

    Args:
        rows: integer tensor `(batch,)`.

    Returns:
        Integer tensor `(batch,)` of the dtype of `rows`, zeros if all rows differ.
    """
    order = tf.argsort(rows, stable=True)
    in_order = tf.gather(rows, order)
    # In order, equal rows lie side by side, behind the first of them.
    first = tf.searchsorted(in_order, in_order, side="left", out_type=tf.int64)
    behind = tf.range(tf.size(rows, out_type=tf.int64)) - first
    return tf.scatter_nd(order[:, tf.newaxis], tf.cast(behind, rows.dtype), tf.shape(rows))


def require_one_device(model):
    """Raises an `InputError` if a model trains on several devices, whose steps have no store."""
    strategy = getattr(model, "distribute_strategy", tf.distribute.get_strategy())
    if strategy.num_replicas_in_sync > 1:
        raise InputError(
            "The training step cannot be recorded on several devices. Expected a model of one "
            f"device. Received: {type(strategy).__name__} with {strategy.num_replicas_in_sync}. "
            "Use the callback without `recording`: it scores in passes of its own, in eval mode."
        )
