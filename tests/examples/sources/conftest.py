import gzip

import numpy as np
import pytest
from support.single_files import IMAGES, LABELS, idx


@pytest.fixture
def idx_folder(tmp_path):
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = gzip.compress(idx(IMAGES[split]))
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(images)
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(LABELS[split]))
    return tmp_path


@pytest.fixture
def npz(tmp_path):
    """Writes an .npz file as `keras.datasets` has it, with changes; `None` leaves an array out."""

    def write(**changes):
        arrays = {f"x_{split}": images for split, images in IMAGES.items()}
        arrays |= {f"y_{split}": labels for split, labels in LABELS.items()}
        arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
        np.savez_compressed(tmp_path / "data.npz", **arrays)
        return f"npz:{tmp_path / 'data.npz'}"

    return write
