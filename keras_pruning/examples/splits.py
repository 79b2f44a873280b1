"""The training and the test examples of a data set, loaded and hashed once per process."""

import contextlib
import warnings
from functools import cached_property

from keras_pruning.errors import InputError
from keras_pruning.examples import Examples, load_examples

# The last data set that this process was sent: its source, and its examples by split once loaded
_received = {}


class Splits:
    """The training and the test examples of one data set.

    They are loaded on first access. A pickle contains only the arguments, so that a child process
    loads the examples itself.

    Args:
        name: name of the data set, as in `load_examples`.
        fraction: float in (0, 1], the fraction of the training examples to draw.
        seed: integer >= 0, the seed of that draw and of the label noise.
        label_noise: float in [0, 1), the fraction of the training labels to replace.
        **options: options of the source, as in `load_examples`.
    """

    def __init__(self, name, fraction=1.0, seed=0, label_noise=0.0, **options):
        self._source = {"name": name, **options}
        self._drawn = {"fraction": fraction, "seed": seed}
        self._noise = {"fraction": label_noise, "seed": seed}
        self._whole, self._has_warned = {}, False

    def __getstate__(self):
        arguments = {"_source": self._source, "_drawn": self._drawn, "_noise": self._noise}
        # The process that sends the arguments to its children gives the warnings.
        return {**arguments, "_whole": {}, "_has_warned": True}

    def __setstate__(self, state):
        # A process that works for several calls loads a data set once
        if _received.get("source") != state["_source"]:
            _received.update(source=state["_source"], whole={})
        self.__dict__.update(state, _whole=_received["whole"])

    @property
    def drawn(self):
        """The arguments `fraction`, `seed` and `label_noise`, a dictionary."""
        return {**self._drawn, "label_noise": self.label_noise}

    @property
    def label_noise(self):
        """Fraction of the training labels that are replaced."""
        return self._noise["fraction"]

    @cached_property
    def train(self):
        """The training `Examples`, after the draw and with the label noise."""
        whole = self._load("train")
        with self._warnings():
            return whole.draw(**self._drawn).with_label_noise(**self._noise)

    @cached_property
    def test(self):
        """All test `Examples`.

        Raises:
            InputError: if their shape differs from the shape of the training examples.
        """
        test = self._load("test")
        if test.shape != self.train.shape:
            raise InputError(
                "Training and test examples differ. "
                f"Expected test examples of shape {self.train.shape}. Received: {test.shape}"
            )
        return test

    def with_fraction(self, fraction):
        """Returns splits with another `fraction` of the same data set, without loading it again."""
        return self._changed(_drawn={**self._drawn, "fraction": fraction})

    def with_label_noise(self, label_noise):
        """Returns splits with another `label_noise`, without loading the data set again."""
        return self._changed(_noise={**self._noise, "fraction": label_noise})

    def _changed(self, **attributes):
        other = Splits.__new__(Splits)
        # Both share `_whole`, the examples before the draw and the label noise.
        shared = {"_whole": self._whole, "_has_warned": self._has_warned}
        other.__dict__.update(self.__getstate__() | shared | attributes)
        return other

    def _load(self, split) -> Examples:
        if split not in self._whole:
            with self._warnings():
                self._whole[split] = load_examples(split=split, **self._source)
        return self._whole[split]

    @contextlib.contextmanager
    def _warnings(self):
        """Hides the warnings about the data in a child process."""
        with warnings.catch_warnings():
            if self._has_warned:
                warnings.simplefilter("ignore", UserWarning)
            yield
