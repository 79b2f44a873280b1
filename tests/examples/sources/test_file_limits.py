"""Files whose headers are read before memory is taken."""

import gzip
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from support.single_files import IMAGES, LABELS, idx

from keras_pruning import InputError, load_examples

GOOD = idx(IMAGES["train"])


def test_idx_reads_no_more_than_its_header_says(idx_folder):
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(InputError, match="Received: more"):
        load_examples(f"idx:{idx_folder}")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_idx_refuses_a_header_beyond_the_memory(idx_folder):
    header = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**10, 2**10)
    (idx_folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(99)))
    with pytest.raises(InputError, match="Not enough memory for .*images.*Received: 4194304.0 GiB"):
        load_examples(f"idx:{idx_folder}")


def test_npz_takes_the_memory_of_its_inputs_once(npz):
    name = npz(x_train=np.ones((30, 2**20), "float32"))
    tracemalloc.start()
    assert load_examples(name).shape == (2**20,)
    assert tracemalloc.get_traced_memory()[1] < 1.2 * 30 * 2**22
    tracemalloc.stop()


def npz_with_header(path, header):
    """Replaces `x_train` by a header and a few bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x_train.npy", "w") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(bytes(99))
        for name in ("y_train.npy", "x_test.npy", "y_test.npy"):
            with archive.open(name, "w") as file:
                np.save(file, LABELS["train"])


@pytest.mark.parametrize("shape", [(2**40, 2**10), (7, 2), (-1, 3)])
def test_npz_refuses_a_header_of_other_sizes(tmp_path, shape):
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    npz_with_header(tmp_path / "data.npz", header)
    with pytest.raises(InputError, match=r"Damaged array x_train.npy in .*Received: 99"):
        load_examples(f"npz:{tmp_path / 'data.npz'}")


def test_npz_refuses_arrays_beyond_the_memory(npz, monkeypatch):
    memory = type("Memory", (), {"available": 100})
    monkeypatch.setattr("keras_pruning.storage.memory.psutil.virtual_memory", lambda: memory)
    with pytest.raises(InputError, match=r"Not enough memory for x_train.npy in .*data.npz"):
        load_examples(npz())


def test_npz_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(InputError, match=r"Cannot read .* as an .npz file: not a file"):
        load_examples(f"npz:{tmp_path / 'pipe.npz'}")
