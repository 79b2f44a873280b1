"""The training and the test examples of a data set, loaded and hashed once a process."""

from functools import cached_property

from keras_pruning.errors import InputError
from keras_pruning.examples import Examples, load_examples


class Splits:
    """The training and the test examples of one data set.

    They are loaded when they are first asked for. A pickle holds the description only, so that a
    child process loads the examples itself.

    Args:
        name: as for `load_examples`, and so are the next ones.
        fraction: part of the training examples to draw.
        seed: seed of that draw and of the label noise.
        label_noise: part of the training labels to replace.
        **options: further arguments of `load_examples`.
    """

    def __init__(self, name, fraction=1.0, seed=0, label_noise=0.0, **options):
        self._source = {"name": name, **options}
        self._drawn = {"fraction": fraction, "seed": seed}
        self._noise = {"fraction": label_noise, "seed": seed}
        self._whole = {}

    def __getstate__(self):
        return {"_source": self._source, "_drawn": self._drawn, "_noise": self._noise, "_whole": {}}

    @property
    def label_noise(self):
        """The part of the training labels that is replaced."""
        return self._noise["fraction"]

    @cached_property
    def train(self):
        """The training `Examples`, drawn and with label noise if that is asked for."""
        return self._load("train").draw(**self._drawn).with_label_noise(**self._noise)

    @cached_property
    def test(self):
        """The test `Examples`, all of them.

        Raises:
            InputError: if they have another shape than the training examples.
        """
        test = self._load("test")
        if test.shape != self.train.shape:
            raise InputError(
                "Training and test examples differ. "
                f"Expected test examples of shape {self.train.shape}. Received: {test.shape}"
            )
        return test

    def with_fraction(self, fraction):
        """Returns the splits of another part of the same data set, without loading it again."""
        return self._changed(_drawn={**self._drawn, "fraction": fraction})

    def with_label_noise(self, label_noise):
        """Returns the same splits with other label noise, without loading them again."""
        return self._changed(_noise={**self._noise, "fraction": label_noise})

    def _changed(self, **attributes):
        other = Splits.__new__(Splits)
        # Both share `_whole`, the examples as the source has them.
        other.__dict__.update(self.__getstate__() | {"_whole": self._whole} | attributes)
        return other

    def _load(self, split) -> Examples:
        if split not in self._whole:
            self._whole[split] = load_examples(split=split, **self._source)
        return self._whole[split]
