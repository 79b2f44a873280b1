"""Labelled examples. They get their ids once, from their source, and keep them."""

import copy
from functools import cached_property

import numpy as np

from keras_pruning.arguments import require_positive_integer, require_seed, require_subset
from keras_pruning.errors import InputError
from keras_pruning.examples import batches
from keras_pruning.examples.array_spec import described, shapes
from keras_pruning.examples.fractions import keep_count, stratified_rows, warn_of_lost_classes
from keras_pruning.examples.frames import arrays_of, index_of
from keras_pruning.examples.given_inputs import given_inputs
from keras_pruning.examples.given_labels import given_labels
from keras_pruning.examples.identity import fingerprint, require_same
from keras_pruning.examples.ids import checked_ids
from keras_pruning.examples.label_noise import symmetric_noise
from keras_pruning.examples.labels import checked_class_names, checked_labels
from keras_pruning.examples.readers.gather import gathered


class Examples:
    """Labelled examples with ids, in a fixed order.

    A *row* is a position in `ids`. Subsets share the stored inputs and keep the ids: `stored` has
    the inputs of all examples of the source, `stored_rows` the positions of these ones in it.

    Args:
        inputs: `Inputs` of all examples that the source has stored.
        labels: integers `(examples,)` in 0 … C - 1.
        ids: unique strings `(examples,)`.
        num_classes: number of classes C.
        source: kind of source, for example `"idx"`.
        split: `"train"` or `"test"`.
        class_names: C strings. Defaults to the class numbers.

    Raises:
        InputError: if lengths differ, labels are outside 0 … C - 1, or ids repeat or are invalid.
    """

    def __init__(self, inputs, labels, ids, num_classes, source, split, class_names=None):
        labels, ids = checked_labels(labels, num_classes), checked_ids(ids)
        if not len(inputs) == len(labels) == len(ids):
            raise InputError(
                "Lengths differ. Expected one label and one id for each example. Received: "
                f"{len(inputs)} in x, {len(labels)} in y, {len(ids)} in ids"
            )
        if len(labels) == 0:
            raise InputError(f"Expected at least one example. Received: none, in split {split!r}")
        self.ids, self.labels, self.num_classes = ids, labels, int(num_classes)
        self.class_names = checked_class_names(class_names, self.num_classes)
        self.source, self.split, self.fraction, self.seed = source, split, 1.0, 0
        self.label_noise, self.label_noise_seed = 0.0, 0
        self.stored, self.stored_rows = inputs, np.arange(len(labels))
        # The folder that ids are paths in, and the `selection` of the subset that was kept
        self.folder, self.selection = None, None

    @classmethod
    def from_arrays(
        cls, x, y, ids=None, num_classes=None, split="train", class_names=None, scale=None
    ):
        """Returns examples of arrays in memory, or of a `numpy.memmap`.

        An array is copied once, so that later changes of `x` change nothing. A memory map stays on
        disk and must not be changed.

        Args:
            x: array `(examples, ...)` of numbers, booleans or strings, a list of strings, or a
                dictionary, tuple or list of arrays. Batches have the values as `fit` reads them:
                floats as float32, all others in their own dtype.
                A data frame of numbers is one array. With a column of text or categories it is the
                dictionary of its columns.
            y: integers, whole floats, booleans or strings `(examples,)` or `(examples, 1)`, or
                one-hot rows `(examples, classes)`. Strings and booleans become the numbers of
                their classes in sorted order.
            ids: unique strings or integers `(examples,)`, stored as strings. Defaults to the index
                of a data frame or series, otherwise to the positions.
            num_classes: number of classes C. Defaults to the number of class names, of columns or
                of different strings, otherwise to the largest label plus one.
            split: name of the split, part of the fingerprint.
            class_names: C strings. Defaults to the labels that are strings or booleans, otherwise
                to the class numbers.
            scale: positive number that batches multiply the values by, for example `1 / 255` for
                pixels of a model that expects [0, 1]. Defaults to 1.

        Raises:
            InputError: if x, y or ids are of another kind or shape, if their lengths differ, if
                float32 cannot hold a value, or if a label is outside 0 … C - 1.
        """
        num_classes = require_positive_integer("num_classes", num_classes)
        if not isinstance(split, str) or not split.isprintable():
            raise InputError(f"Invalid `split`. Expected a name. Received: split={split!r}")
        labels = given_labels(arrays_of(y, "y"), num_classes, class_names)
        count = len(labels.numbers)
        # The index of a data frame, otherwise the positions
        index = index_of(x, y) if ids is None else arrays_of(ids, "ids")
        ids = np.arange(count) if index is None else index
        inputs = given_inputs(arrays_of(x), count, scale)
        return cls(
            inputs, labels.numbers, ids, labels.num_classes, "arrays", split, labels.class_names
        )

    @classmethod
    def from_dataset(cls, dataset, ids=None, keys=None, batched=None, class_names=None, **options):
        """Returns examples of a data set that the `fit` of Keras takes, read into memory.

        Without ids of its own, the data set is read twice, to check that it repeats its order.
        Numbers of more than 1 GiB are not kept in memory. They go to a file without a name in the
        cache folder, which the system removes with the examples or with the process.

        Args:
            dataset: `tf.data.Dataset`, batched or not, `keras.utils.PyDataset`, Grain `MapDataset`,
                `IterDataset` or `DataLoader`, Hugging Face `Dataset`, or torch `DataLoader` or
                `Dataset`. Its elements are `(x, y)`, `(x, y, weight)` or dictionaries. Weights are
                not read. It must be finite.
            ids: the key of the ids in elements that are dictionaries, or unique strings or integers
                `(examples,)`. Defaults to the key `tfds_id`, otherwise to the paths of
                `image_dataset_from_directory` below their folder, otherwise to the positions.
            keys: for elements that are dictionaries, the key of the inputs, or a list of them, and
                the key of the label. Defaults to all keys and `label`, `labels`, `y` or `target`.
            batched: whether an element is a batch. Defaults to what the first element shows.
            class_names: C strings. Defaults to those of the data set, if it has them.
            **options: `num_classes`, `split` and `scale`, as in `from_arrays`.

        Raises:
            InputError: if the data set is of another kind, never ends, or changes its order, its
                inputs or its length between two passes, or as `from_arrays` does.
        """
        arguments = gathered(dataset, ids, keys, batched, class_names)
        return cls.from_arrays(**arguments, **options)

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        kind = f"{self.source} {self.split}, {len(self):,} of shape {described(self.spec)}"
        return f"<Examples {kind}, {self.num_classes} classes>"

    @property
    def spec(self):
        """Shape and dtype of one example in batches, an `ArraySpec` or a structure of them."""
        return self.stored.spec

    @property
    def shape(self):
        """Shape of one example, a tuple without the batch axis, or a structure of them."""
        return shapes(self.spec)

    @property
    def stored_count(self):
        """Number of examples in the source, before any of them were drawn or kept."""
        return len(self.stored)

    @cached_property
    def fingerprint(self):
        """Hash over source, split, ids, labels and the stored inputs, 32 hexadecimal digits."""
        return fingerprint(self.source, self.split, self.stored.digest, self.ids, self.labels)

    @property
    def provenance(self):
        """Dictionary that identifies these examples, part of every file that is made of them."""
        return {
            "source": self.source,
            "split": self.split,
            "fraction": self.fraction,
            "seed": self.seed,
            "label_noise": self.label_noise,
            "label_noise_seed": self.label_noise_seed,
            "examples": len(self),
            "classes": self.num_classes,
            "scale": self.stored.scale,
            "inputs": self.stored.digest,
            "fingerprint": self.fingerprint,
        }

    def stored_inputs(self, rows):
        """Returns the stored inputs at `rows`, not scaled, `(len(rows), ...)` or a structure."""
        return self.stored.read(self.stored_rows[rows])

    def draw(self, fraction, seed=0):
        """Returns a stratified random draw of round-half-up(fraction · N) examples with their ids.

        Args:
            fraction: float in (0, 1].
            seed: integer >= 0. The same seed draws the same examples.

        Raises:
            InputError: if `fraction` or `seed` is invalid, or if no example would be drawn.
        """
        total = keep_count(fraction, len(self), "fraction")
        require_seed(seed)
        if total == len(self):
            return self
        drawn = self.at(stratified_rows(self.labels, total, np.random.default_rng(seed)))
        warn_of_lost_classes(self.labels, drawn.labels, self.class_names)
        drawn.fraction, drawn.seed = float(fraction), int(seed)
        return drawn

    def with_label_noise(self, fraction, seed=0):
        """Returns the same examples with a fraction of their labels replaced by other classes.

        Ids and inputs stay the same, and these examples do not change.

        Args:
            fraction: float in [0, 1). Exactly round-half-up(fraction · N) labels are replaced, each
                by one of the other classes that have examples, with equal probability (symmetric
                noise).
            seed: integer >= 0. The same seed replaces the same labels by the same classes.

        Raises:
            InputError: if the fraction is outside [0, 1) or replaces no label, if there is only one
                class, or if these examples have label noise already.
        """
        labels = symmetric_noise(self.labels, fraction, seed)
        if fraction == 0:
            return self
        if self.label_noise:
            raise InputError(
                "Label noise can be planted only once. Expected examples without label noise. "
                f"Received: {self!r} with label_noise={self.label_noise}"
            )
        noisy = self.at(slice(None))
        noisy.labels, noisy.label_noise, noisy.label_noise_seed = labels, float(fraction), int(seed)
        return noisy

    def with_scale(self, scale):
        """Returns the same examples with other values: those stored, multiplied by `scale`.

        Args:
            scale: positive number. 1 leaves the values as they are, in their own dtype.
        """
        scaled = self.at(slice(None))
        scaled.stored = self.stored.with_scale(None if scale == 1 else scale)
        return scaled

    def keep(self, subset):
        """Returns the examples that `subset` keeps.

        Args:
            subset: `Subset` that was selected from exactly these examples.

        Raises:
            InputError: if it was selected from other examples. The message names the differences.
        """
        require_subset(subset)
        self.require_same(subset.examples, subset.all_ids, subset.all_labels, "subset")
        kept = self.at(np.flatnonzero(subset.mask))
        kept.selection = subset.selection
        return kept

    def require_same(self, recorded, ids, labels, noun):
        """Raises an `InputError` unless a result is about these examples. See `identity`."""
        require_same(self, recorded, ids, labels, noun)

    def batches(self, batch_size, shuffle=False, seed=0, augmentation=None, rows=False):
        """Returns batches `(x, y)` of the inputs `(batch, ...)` and int64 labels `(batch,)`.

        Args:
            batch_size: number of examples in a batch. The last batch may be smaller.
            shuffle: whether every pass over the data set has a new order.
            seed: integer that fixes the orders and the augmentation, together with the global seed
                of `keras.utils.set_random_seed` if one is set.
            augmentation: function of a batch and a seed, for example
                `keras_pruning.training.augmentation.flip_crop`.
            rows: whether to return dictionaries of `x` and `row`, int64 `(batch,)`, instead of `x`.

        Returns:
            A `tf.data.Dataset` whose cardinality is the number of batches.

        Raises:
            InputError: if `batch_size` is not a positive integer or `seed` not an integer >= 0.
        """
        batch_size = batches.checked_batch_size(batch_size)
        require_seed(seed)
        read = batches.reader(*self.read_from, self.labels)
        return batches.for_fit(read, len(self), batch_size, shuffle, seed, augmentation, rows)

    def scoring_batches(self, batch_size):
        """Returns batches `(rows, x, y)` in order, not augmented, with int64 rows `(batch,)`."""
        batch_size = batches.checked_batch_size(batch_size)
        read = batches.reader(*self.read_from, self.labels)
        return batches.in_order(read, len(self), batch_size)

    @cached_property
    def read_from(self):
        """The inputs to read batches from, and the positions of these examples there."""
        return self.stored.for_rows(self.stored_rows)

    def at(self, rows):
        """Returns the examples at these rows, integers `(examples,)` or a slice."""
        part = copy.copy(self)
        # Cached values are about all examples.
        for name in ("fingerprint", "read_from"):
            part.__dict__.pop(name, None)
        part.ids, part.labels = self.ids[rows], self.labels[rows]
        part.stored_rows = self.stored_rows[rows]
        return part
