"""The examples that a selection keeps."""

import hashlib

import numpy as np

from keras_pruning.arguments import require_path
from keras_pruning.errors import InputError
from keras_pruning.storage import new_file
from keras_pruning.tables import parquet

KIND = "keras_pruning.subset"


class Subset:
    """The examples that a selection keeps, among those of a score table.

    Args:
        ids: strings `(examples,)`, all examples in the order of the table.
        labels: integers `(examples,)`.
        mask: booleans `(examples,)`, true for those to keep.
        metadata: dictionary of `examples` (their provenance), `selection` and the metadata of the
            score table.

    Raises:
        InputError: if ids, labels and mask differ in length.
    """

    def __init__(self, ids, labels, mask, metadata=None):
        self.ids, self.labels = np.asarray(ids, dtype=str), np.asarray(labels, dtype=np.int64)
        self.mask = np.asarray(mask, dtype=bool)
        self.metadata = dict(metadata or {})
        if not self.ids.shape == self.labels.shape == self.mask.shape:
            raise InputError(
                "Invalid subset. Expected ids, labels and mask of one length. Received: "
                f"{self.ids.shape}, {self.labels.shape}, {self.mask.shape}"
            )

    @property
    def kept_ids(self):
        """The ids to keep, strings `(kept,)`, in the order of the table."""
        return self.ids[self.mask]

    @property
    def examples(self):
        """The provenance of the examples that the subset was selected among."""
        return self.metadata.get("examples", {})

    @property
    def selection(self):
        """The way it was selected, a dictionary.

        It has the keys `by`, `policy` and `quota` (names), `policy_options`, `quota_options`,
        `keep_fraction`, `kept`, `seed`, `extrapolated` (whether scores estimated from
        neighbours took part) and `embedding` (a hash of the vectors). Files of earlier versions
        leave some out. The policy of a subset that `select` has not made is `"own"`.
        """
        unknown = {"by": None, "policy": "own", "quota": None, "seed": None, "kept": len(self)}
        unknown["keep_fraction"] = len(self) / max(1, len(self.ids))
        return self.metadata.get("selection", unknown)

    @property
    def digest(self):
        """A hash over the kept ids."""
        return hashlib.sha256("\0".join(self.kept_ids.tolist()).encode()).hexdigest()[:32]

    def __len__(self):
        """Returns the number of kept examples."""
        return int(self.mask.sum())

    def save(self, path, overwrite=False):
        """Writes the subset as Parquet with the columns `id`, `label` and `kept`.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        columns = {"id": self.ids, "label": self.labels, "kept": self.mask}
        with new_file(path, overwrite) as partial:
            parquet.write(partial, KIND, columns, self.metadata)

    @classmethod
    def load(cls, path):
        """Reads a subset that `save` wrote.

        Raises:
            InputError: if the file is missing, truncated or something else.
        """
        require_path("path", path)
        columns, metadata = parquet.read(path, KIND)
        return cls(columns["id"], columns["label"], columns["kept"], metadata)
