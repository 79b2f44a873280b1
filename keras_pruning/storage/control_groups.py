"""The memory that control groups leave to this process, such as those of containers and jobs."""

from pathlib import Path
from typing import NamedTuple

_ROOT, _MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class _Names(NamedTuple):
    """Names of the files of a group, and of a line of its statistics."""

    limit: str
    used: str
    cached: str


# The names in the first version of control groups and in the second.
_FIRST = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_SECOND = _Names("memory.max", "memory.current", "inactive_file")


def in_groups(root=_ROOT, membership=_MEMBERSHIP):
    """Returns the bytes that each group of this process leaves, those of the groups above too.

    Args:
        root: folder of all groups.
        membership: file with the groups of this process.

    Returns:
        List of integers, empty without limits.
    """
    left = []
    for folder, names in _groups(root, membership):
        limit, used = _number(folder / names.limit), _number(folder / names.used)
        if limit is not None and used is not None:
            cached = _cached(folder / "memory.stat", names.cached)
            left.append(max(0, limit - used + cached))
    return left


def _groups(root, membership):
    """Yields the folder of each group and its `_Names`, from the innermost group to the root."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    # A container may see its own groups as the root.
    places = {(root, "", _SECOND), (root / "memory", "", _FIRST)}
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            places.add((root, path, _SECOND))
        elif "memory" in controllers.split(","):
            places.add((root / "memory", path, _FIRST))
    for top, path, names in places:
        folder = Path(*[part for part in Path(path).parts if part not in ("/", "..")])
        for nested in (folder, *folder.parents):
            yield top / nested, names


def _number(path):
    """Returns the number in a file, `None` if there is no file or it says `max`."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _cached(path, name):
    """Returns the bytes of files in the memory of a group, which the system can take back."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))
