"""Checks a `.keras` file before Keras reads it: its size when unpacked, and damage."""

import os
import zipfile
from pathlib import Path

from keras_pruning.errors import InputError

# Configurations of large models take some megabytes.
LARGEST_CONFIG = 64 * 2**20
# Keras does not compress weights, so a file unpacks to its own size.
LARGEST_EXPANSION = 16


def require_intact(path):
    """Raises an `InputError` if a `.keras` file is damaged, or too large when unpacked.

    Every part of the file is read once and compared with its checksum, so that damage is found
    however Keras reads the file.

    Args:
        path: path of an existing file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _require_size(path, archive.infolist())
            damaged = archive.testzip()
    except InputError:
        raise
    except Exception as error:  # The fields of a damaged header lead to errors of many kinds.
        raise _damaged(path, str(error) or type(error).__name__) from error
    if damaged is not None:
        raise _damaged(path, f"another checksum of {damaged}")


def _require_size(path, parts):
    """Raises an `InputError` if the parts of an archive are too large, by its headers."""
    total, size = sum(part.file_size for part in parts), os.path.getsize(path)
    largest = LARGEST_EXPANSION * size + LARGEST_CONFIG
    configs = [part for part in parts if Path(part.filename).suffix == ".json"]
    for name, received, limit in [
        (path, total, largest),
        *[(f"{part.filename} in {path}", part.file_size, LARGEST_CONFIG) for part in configs],
    ]:
        if received > limit:
            raise InputError(
                f"The model file is too large when unpacked. Expected at most {limit:,} bytes in "
                f"{name}. Received: {received:,} bytes. Save the model with `model.save` again."
            )


def _damaged(path, received):
    return InputError(
        f"Cannot load the model {path}. Expected a .keras file. Received: a file that is damaged "
        f"or has another format ({received}). Save the model or copy the file again."
    )
