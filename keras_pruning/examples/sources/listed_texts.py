"""Texts in UTF-8 files that a folder lists, one text in each file."""

from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.given_inputs import given_inputs
from keras_pruning.examples.sources.decoded_cache import Decoded
from keras_pruning.examples.sources.listed_files import BrokenFiles, warn_of_skipped

ENDINGS = (".txt",)
_EXPECTED = "text files in UTF-8"


def load(files, skip_broken):
    """Returns the texts of files, with their labels and ids.

    Args:
        files: each `File` to read.
        skip_broken: whether files that cannot be read are left out with a warning.

    Raises:
        InputError: if files cannot be read, or if none can.
    """
    broken, read = BrokenFiles(_EXPECTED, skip_broken), []
    for file in files:
        try:
            file.id.encode()
            read.append((Path(file.path).read_bytes().decode(), file.label, file.id))
        except (OSError, UnicodeError) as error:
            broken.add(file, getattr(error, "strerror", None) or getattr(error, "reason", error))
    broken.require_none()
    ids = [identifier for _, _, identifier in read]
    warn_of_skipped(files, ids)
    if not read:
        raise InputError(f"No texts. Expected {_EXPECTED}. Received: none that can be read")
    texts, labels, _ = zip(*read, strict=True)
    return Decoded(given_inputs(list(texts), len(ids)), np.array(labels, np.int64), ids)
