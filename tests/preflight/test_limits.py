"""The refusal of commands that do not fit, and how to mend it."""

from types import SimpleNamespace

import pytest

from keras_pruning.errors import InputError
from keras_pruning.preflight import limits
from keras_pruning.preflight.forecast import Disk, Forecast, Memory

GIB = 2**30


def test_the_number_of_jobs_that_fit_is_named(tmp_path):
    memory = Memory(2 * GIB, 4, "sweep.jobs", "training.batch_size")
    forecast = Forecast(memories=[Memory(GIB, 1, None, "other"), memory])
    limits.require_fit(forecast, tmp_path, 8 * GIB)
    with pytest.raises(InputError) as error:
        limits.require_fit(forecast, tmp_path, 7 * GIB)
    assert str(error.value) == (
        "The command does not fit into memory. Expected at most 7.0 GiB, the available memory. "
        "Received: 8.0 GiB for 4 processes at the same time. Set sweep.jobs: 3, lower "
        "training.batch_size, or take a part of the data by dataset.fraction."
    )


def test_fewer_jobs_do_not_help_a_single_process(tmp_path):
    memory = Memory(2 * GIB, 1, "probe.jobs", "probe.scoring_batch_size")
    with pytest.raises(InputError, match=r"for 1 process\. Lower probe\.scoring_batch_size"):
        limits.require_fit(Forecast(memories=[memory]), tmp_path, GIB)


def test_a_full_disk_names_the_models(monkeypatch, tmp_path):
    usage = SimpleNamespace(free=3 * GIB)
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda path: usage)
    forecast = Forecast(disk=Disk(2 * GIB, 0, GIB))
    limits.require_fit(forecast, tmp_path / "none" / "yet", GIB)
    forecast.disk += Disk(GIB, GIB)
    with pytest.raises(InputError) as error:
        limits.require_fit(forecast, tmp_path / "none" / "yet", GIB)
    assert str(error.value) == (
        f"The results do not fit on the disk. Expected 4.0 GiB free in {tmp_path}. Received: "
        "3.0 GiB. Free some, choose another --output, or set sweep.save_models: false (models "
        "take 1.0 GiB)."
    )


def test_temporary_files_need_room_too(monkeypatch, tmp_path):
    usage = SimpleNamespace(free=3 * GIB)
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(limits, "_share_a_disk", lambda here, there: False)
    with pytest.raises(InputError, match=r"Temporary files .* Expected 4\.0 GiB .*Set TMPDIR"):
        limits.require_fit(Forecast(disk=Disk(0, 0, 0, 4 * GIB)), "/", GIB)


@pytest.mark.parametrize(
    "size, text",
    [
        (0, "0 KiB"),
        (1, "1 KiB"),
        (5000, "5 KiB"),
        (3 * 2**20, "3.0 MiB"),
        (5 * GIB // 2, "2.5 GiB"),
    ],
)
def test_sizes_in_words(size, text):
    assert limits.short_size(size) == text
