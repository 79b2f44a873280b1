import pytest

from keras_pruning.examples.exports import stored_blocks


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    """Examples are read in blocks of four, so that each test has several of them."""
    monkeypatch.setattr(stored_blocks, "_EXAMPLES", 4)
