import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Decoded images of a test stay with the test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KERAS_PRUNING_CACHE", str(folder))
    return folder
