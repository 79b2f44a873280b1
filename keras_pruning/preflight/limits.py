"""The refusal of commands that need more memory or disk space than there is."""

import os
import shutil
import tempfile
from pathlib import Path

from keras_pruning.errors import InputError


def nearest_folder(path):
    """Returns the folder itself or the nearest one above it that exists."""
    path = Path(path).absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def require_fit(forecast, output, available):
    """Raises an `InputError` if a command needs more memory or disk than there is.

    Args:
        forecast: `Forecast`.
        output: folder of the results.
        available: bytes of memory for the processes that work.
    """
    memory = forecast.largest
    if memory is not None and memory.together > available:
        raise _too_little_memory(memory, available)
    disk = forecast.disk
    here, there = nearest_folder(output), Path(tempfile.gettempdir())
    in_output, elsewhere = disk.kept + disk.unfinished, disk.temporary
    if _share_a_disk(here, there):
        in_output += elsewhere
    free = shutil.disk_usage(here).free
    if in_output > free:
        change = ["Free some", "choose another --output"]
        if disk.models:
            change.append(f"set sweep.save_models: false (models take {short_size(disk.models)})")
        raise InputError(
            f"The results do not fit on the disk. Expected {short_size(in_output)} free in {here}. "
            f"Received: {short_size(free)}. {_alternatives(change)}."
        )
    free = shutil.disk_usage(there).free
    if elsewhere > free:
        raise InputError(
            "Temporary files do not fit on the disk. Expected "
            f"{short_size(elsewhere)} free in {there}. Received: {short_size(free)}. Set TMPDIR to "
            "a larger disk, or score fewer layers or a smaller max_dimension."
        )


def _share_a_disk(here, there):
    return os.stat(here).st_dev == os.stat(there).st_dev


def _too_little_memory(memory, available):
    change = []
    if memory.jobs > 1 and memory.jobs_key:
        fitting = max(1, int(available // max(1, memory.extra)))
        change.append(f"set {memory.jobs_key}: {fitting}")
    change.append(f"lower {memory.batch_key}")
    change.append("take a part of the data by dataset.fraction")
    processes = "1 process" if memory.jobs == 1 else f"{memory.jobs} processes at the same time"
    return InputError(
        f"The command does not fit into memory. Expected at most {short_size(available)}, the "
        f"available memory. Received: {short_size(memory.together)} for {processes}. "
        f"{_alternatives(change)}."
    )


def _alternatives(change):
    """Returns ways to mend as a sentence without its full stop."""
    text = ", or ".join(filter(None, [", ".join(change[:-1]), change[-1]]))
    return text[0].upper() + text[1:]


def short_size(size):
    """Returns a number of bytes as a short text."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{max(1, round(size / 2**10)) if size else 0} KiB"
