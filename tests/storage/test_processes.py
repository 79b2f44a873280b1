"""The name of this computer in the names of partial files."""

import re
from pathlib import Path

import pytest

from keras_pruning.storage import ANY, clear_leftovers, processes


@pytest.fixture
def start(monkeypatch):
    """Gives this computer the number of another start, as that of a copy of it."""

    def start(number):
        read = Path.read_text
        monkeypatch.setattr(
            Path, "read_text", lambda path, *_: number if path.name == "boot_id" else read(path)
        )
        return processes._host()

    return start


def test_copies_of_a_machine_have_different_names(start):
    first, second = start("0a0a0a0a-f31c-4987"), start("0b0b0b0b-f31c-4987")
    assert first != second
    assert first.endswith("-0a0a0a0a")
    # Names of partial files are parsed by their dots
    assert re.fullmatch(r"[^.]+", first)


@pytest.mark.parametrize("kind", ["run.{}-4194399-0a1b.partial", ".run.{}-4194399-0a1b.partial"])
def test_partial_files_of_a_copy_stay_until_all_may_go(kind, start, tmp_path):
    path = tmp_path / kind.format(start("0a0a0a0a-f31c-4987"))
    path.touch()
    clear_leftovers(tmp_path / "run")
    assert path.exists()
    clear_leftovers(tmp_path / "run", ANY)
    assert not path.exists()


def test_a_system_without_a_number_of_its_start_has_a_name(monkeypatch):
    def refuse(*_):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert processes._host()
