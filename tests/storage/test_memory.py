"""The memory that is available, on the machine and in groups of processes."""

from types import SimpleNamespace

import pytest

from keras_pruning.errors import InputError
from keras_pruning.examples.memory import require_memory
from keras_pruning.storage import memory

GIB = 2**30


def test_the_least_of_machine_and_groups_is_available(monkeypatch):
    machine = SimpleNamespace(available=5 * GIB)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: machine)
    for groups, available in (([], 5), ([7 * GIB], 5), ([7 * GIB, GIB], 1)):
        monkeypatch.setattr(memory, "in_groups", lambda groups=groups: groups)
        assert memory.available_memory() == available * GIB


def test_an_array_must_fit_into_the_container(monkeypatch):
    """A container ends a process that takes more, however much memory its machine has."""
    monkeypatch.setattr(memory, "in_groups", lambda: [2**20])
    require_memory(2**19, "an array", "Take less.")
    with pytest.raises(InputError, match=r"Not enough memory for an array.*Take less\."):
        require_memory(2**20, "an array", "Take less.")
