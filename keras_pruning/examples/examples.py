"""Labelled examples whose ids are given once and never again."""

import copy
import hashlib
from functools import cached_property

import numpy as np

from keras_pruning.arguments import require_seed
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count, stratified_rows
from keras_pruning.examples.inputs import Inputs
from keras_pruning.examples.label_noise import symmetric_noise
from keras_pruning.recipes import completed


class Examples:
    """Labelled examples with ids, in a fixed order.

    A *row* is a position in `ids`. Subsets share the stored inputs and keep the ids.

    Args:
        inputs: `Inputs`, all that the source has stored.
        labels: integers `(examples,)` in 0 … classes - 1.
        ids: unique strings `(examples,)`.
        num_classes: number of classes C.
        source: the kind of source, for example `"idx"`.
        split: `"train"` or `"test"`.
        class_names: C strings; by default the class numbers.

    Raises:
        InputError: if lengths differ, labels are outside 0 … C - 1 or ids repeat.
    """

    def __init__(self, inputs, labels, ids, num_classes, source, split, class_names=None):
        labels, ids = checked_labels(labels, num_classes), np.asarray(ids, dtype=str)
        if not len(inputs.stored) == len(labels) == len(ids):
            raise InputError(
                "Lengths differ. Expected one label and one id for each example. Received: "
                f"{len(inputs.stored)} in x, {len(labels)} in y, {len(ids)} in ids"
            )
        if len(labels) == 0:
            raise InputError(f"Expected at least one example. Received: none, in split {split!r}")
        if len(np.unique(ids)) < len(ids):
            raise InputError("Invalid `ids`. Expected unique ids. Received: ids that repeat")
        self.ids, self.labels, self.num_classes = ids, labels, int(num_classes)
        self.class_names = list(class_names or map(str, range(self.num_classes)))
        self.source, self.split, self.fraction, self.seed = source, split, 1.0, 0
        self.label_noise, self.label_noise_seed = 0.0, 0
        self._inputs, self._stored_rows = inputs, np.arange(len(labels))

    @classmethod
    def from_arrays(cls, x, y, ids=None, num_classes=None, split="train"):
        """Examples of arrays in memory, or of a `numpy.memmap`.

        Args:
            x: array `(N, ...)`: floats, taken as they are, or uint8, scaled to [0, 1].
            y: integers `(N,)` or `(N, 1)`.
            ids: N unique ids; by default the positions. They are kept as strings.
            num_classes: number of classes; by default the largest label plus one.
            split: the name of the split, part of the fingerprint.

        Raises:
            InputError: if x or y has another dtype or shape, if their lengths differ, if a value
                is not finite or a label outside 0 … C - 1.
        """
        labels = checked_labels(y, np.inf if num_classes is None else num_classes)
        ids = np.arange(len(labels)) if ids is None else ids
        if num_classes is None:
            num_classes = labels.max(initial=-1) + 1
        return cls(Inputs(np.asanyarray(x)), labels, ids, num_classes, "arrays", split)

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        return f"<Examples {self.source} {self.split}, {len(self)} of shape {self.shape}>"

    @property
    def shape(self):
        """The shape of one example."""
        return self._inputs.shape

    @property
    def stored_count(self):
        """How many examples the source has stored, before any part was drawn or kept."""
        return len(self._inputs.stored)

    @property
    def stored_rows(self):
        """Where these examples lie among those, integers `(examples,)`."""
        return self._stored_rows

    @cached_property
    def fingerprint(self):
        """A hash over source, split, ids, labels and the stored inputs."""
        digest = hashlib.sha256(f"{self.source}\0{self.split}\0{self._inputs.digest}".encode())
        digest.update("\0".join(self.ids.tolist()).encode())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()[:32]

    @property
    def provenance(self):
        """What identifies these examples; it goes into every file made of them."""
        return {
            "source": self.source,
            "split": self.split,
            "fraction": self.fraction,
            "seed": self.seed,
            "label_noise": self.label_noise,
            "label_noise_seed": self.label_noise_seed,
            "examples": len(self),
            "classes": self.num_classes,
            "inputs": self._inputs.digest,
            "fingerprint": self.fingerprint,
        }

    def stored_inputs(self, rows):
        """The inputs at `rows` as they are stored, `(len(rows), ...)`: floats, or uint8 pixels."""
        return np.asarray(self._inputs.stored[self._stored_rows[rows]])

    def draw(self, fraction, seed=0):
        """A stratified random part: round-half-up(fraction · N) examples, ids unchanged.

        Args:
            fraction: float in (0, 1].
            seed: integer; the same seed draws the same examples.
        """
        total = keep_count(fraction, len(self), "fraction")
        require_seed(seed)
        if total == len(self):
            return self
        drawn = self._at(stratified_rows(self.labels, total, np.random.default_rng(seed)))
        drawn.fraction, drawn.seed = float(fraction), int(seed)
        return drawn

    def with_label_noise(self, fraction, seed=0):
        """The same examples, a part of their labels replaced by other classes.

        Ids and inputs stay, and so does what the source has stored.

        Args:
            fraction: float in [0, 1). Exactly round-half-up(fraction · N) labels are replaced,
                each by one of the other classes with equal probability (symmetric noise).
            seed: integer; the same seed replaces the same labels by the same classes.

        Raises:
            InputError: if the fraction is outside [0, 1) or replaces nothing, if there is one
                class only, or if these examples have label noise already.
        """
        labels = symmetric_noise(self.labels, fraction, self.num_classes, seed)
        if fraction == 0:
            return self
        if self.label_noise:
            raise InputError(
                "Label noise can be planted once only. Expected examples without it. "
                f"Received: {self!r} with label_noise={self.label_noise}"
            )
        noisy = self._at(slice(None))
        noisy.labels, noisy.label_noise, noisy.label_noise_seed = labels, float(fraction), int(seed)
        return noisy

    def keep(self, subset):
        """The examples that `subset` keeps.

        Args:
            subset: a `Subset` that was selected among exactly these examples.

        Raises:
            InputError: if it was selected among others; the message names what differs.
        """
        if not hasattr(subset, "mask"):
            raise InputError(
                f"Invalid `subset`. Expected a Subset, as `select` makes it. "
                f"Received: {type(subset).__name__}"
            )
        self.require_same(subset.examples, subset.ids, subset.labels, "subset")
        return self._at(np.flatnonzero(subset.mask))

    def require_same(self, recorded, ids, labels, what):
        """Raises an `InputError` unless something that was made earlier is about these examples.

        Args:
            recorded: the `provenance` written then; empty where the maker did not say.
            ids: its ids, in order.
            labels: its labels, in order.
            what: its name in the message.
        """
        if recorded:
            recorded = completed(recorded, "examples")
        known = {key: value for key, value in self.provenance.items() if key in recorded}
        differs = [key for key, value in known.items() if recorded[key] != value]
        if differs:
            # The hashes only where nothing says more.
            said = [key for key in differs if key not in ("inputs", "fingerprint")] or differs
            raise InputError(
                f"This {what} was taken on other examples. "
                f"Expected {', '.join(f'{key}={known[key]!r}' for key in said)}, as in {self!r}. "
                f"Received: {', '.join(f'{key}={recorded[key]!r}' for key in said)} in the {what}"
            )
        if not (np.array_equal(ids, self.ids) and np.array_equal(labels, self.labels)):
            raise InputError(
                f"This {what} was taken on other examples. Expected the {len(self)} ids and labels "
                f"of {self!r} in their order. Received: {len(ids)} that differ from them"
            )

    def batches(self, batch_size, shuffle=False, seed=0, augmentation=None, rows=False):
        """Batches `(x, y)` of float32 `(batch, ...)` and int64 `(batch,)`, the last one ragged.

        Args:
            batch_size: examples a batch.
            shuffle: a new order in every pass over the data set.
            seed: integer that fixes the orders and the augmentation, together with the global seed
                of `keras.utils.set_random_seed` where one is set.
            augmentation: function of a batch and a seed, for example
                `keras_pruning.training.augmentation.flip_crop`.
            rows: give a dictionary of `x` and `row`, int64 `(batch,)`, in the place of `x`.

        Returns:
            A `tf.data.Dataset` whose cardinality is the number of batches.
        """
        import tensorflow as tf

        read = self._reader()
        order = tf.data.Dataset.range(len(self))
        if shuffle:
            order = order.shuffle(len(self), seed=seed, reshuffle_each_iteration=True)
        batches = order.batch(batch_size).map(lambda row: (row, *read(row)))
        if augmentation is not None:
            draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
            batches = tf.data.Dataset.zip(batches, draws).map(
                lambda batch, draw: (batch[0], augmentation(batch[1], draw), batch[2])
            )
        if rows:
            batches = batches.map(lambda row, x, y: ({"x": x, "row": row}, y))
        else:
            batches = batches.map(lambda row, x, y: (x, y))
        return batches.prefetch(tf.data.AUTOTUNE)

    def scoring_batches(self, batch_size):
        """Batches `(rows, x, y)` in order, never augmented; rows are int64 `(batch,)`."""
        import tensorflow as tf

        read = self._reader()
        rows = tf.data.Dataset.range(len(self)).batch(batch_size)
        return rows.map(lambda rows: (rows, *read(rows))).prefetch(tf.data.AUTOTUNE)

    def _reader(self):
        import tensorflow as tf

        stored_rows, labels = tf.constant(self._stored_rows), tf.constant(self.labels)
        return lambda rows: (
            self._inputs.take(tf.gather(stored_rows, rows)),
            tf.gather(labels, rows),
        )

    def _at(self, rows):
        part = copy.copy(self)
        part.__dict__.pop("fingerprint", None)
        part.ids, part.labels = self.ids[rows], self.labels[rows]
        part._stored_rows = self._stored_rows[rows]
        return part


def checked_labels(labels, num_classes):
    """The labels as int64 `(N,)`.

    Args:
        labels: integers `(N,)` or `(N, 1)`.
        num_classes: C; `numpy.inf` where it is not known yet.

    Raises:
        InputError: for other dtypes and shapes, and for labels outside 0 … C - 1.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            "Invalid labels `y`. Expected integers of shape (N,). "
            f"Received: {labels.dtype} of shape {labels.shape}"
            + (". One-hot labels: pass y.argmax(axis=1)" if labels.ndim == 2 else "")
        )
    labels = labels.astype(np.int64)
    outside = (labels < 0) | (labels >= num_classes)
    if outside.any():
        row = int(np.argmax(outside))
        highest = "C - 1" if np.isinf(num_classes) else int(num_classes) - 1
        raise InputError(
            f"Labels outside the classes. Expected integers in 0 … {highest}. "
            f"Received: {labels[row]} at position {row}"
        )
    return labels
