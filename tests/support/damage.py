"""Files that are damaged, and content that another program may have written."""

import copy
import warnings

import numpy as np

from keras_pruning import InputError


def flipped(content, rng):
    """Returns bytes with one bit flipped."""
    damaged = bytearray(content)
    damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def outcome(read, path, intact):
    """Returns how a damaged file was met: `"error"`, `"warning"`, `"harmless"` or `"silent"`.

    Args:
        read: function from a path to the content of the file.
        path: path of the damaged file.
        intact: content of the file before the damage.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            content = read(path)
        except InputError:
            return "error"
    if caught:
        return "warning"
    return "harmless" if content == intact else "silent"


def outcomes(read, path, count, seed=0):
    """Returns the outcomes of `count` copies of a file, each with one flipped bit."""
    intact, content, rng = read(path), path.read_bytes(), np.random.default_rng(seed)
    damaged = path.with_name(f"damaged-{path.name}")
    results = []
    for _ in range(count):
        damaged.write_bytes(flipped(content, rng))
        results.append(outcome(read, damaged, intact))
    return results


# Values that stand in the place of every entry of foreign metadata, in turn.
FOREIGN = [None, 3, -1, 1e999, 10**400, "x", "../../x", "", True, [], [[1]], {}, {"x": {"y": None}}]


def mutations(content):
    """Yields copies of a dictionary, each with one entry replaced, missing or unknown.

    Entries of dictionaries inside it are changed too.
    """
    for place in _places(content):
        for value in FOREIGN:
            yield _changed(content, place, lambda section, key, value=value: {key: value})
        yield _changed(content, place, lambda section, key: {})
        yield _changed(content, place, lambda section, key: {"unknown": 1, key: section[key]})


def _places(content, path=()):
    for key, value in content.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _places(value, (*path, key))


def _changed(content, place, change):
    changed = copy.deepcopy(content)
    section = changed
    for key in place[:-1]:
        section = section[key]
    replaced = change(section, place[-1])
    del section[place[-1]]
    section.update(replaced)
    return changed
