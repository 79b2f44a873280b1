"""Shape and dtype of the inputs of one example, as batches have them."""

from dataclasses import dataclass

from keras_pruning.errors import InputError

# The most arrays that a text lists.
_MOST_DESCRIBED = 8


@dataclass(frozen=True)
class ArraySpec:
    """Shape and dtype of one array of a batch. A leaf in the structure of nested inputs.

    Args:
        shape: shape of one example, a tuple without the batch axis.
        dtype: name of the dtype in batches, for example `"float32"` or `"string"`.
    """

    shape: tuple
    dtype: str = "float32"


def shapes(spec):
    """Returns the shapes in the same structure as `spec`: a tuple for a single array."""
    return mapped(lambda leaf: leaf.shape, spec)


def described(spec):
    """Returns shapes and dtypes as a short text, for example `"(8, 8, 1) float32"`."""
    if isinstance(spec, ArraySpec):
        return f"{spec.shape} {spec.dtype}"
    # A data frame may have hundreds of columns.
    if len(spec) > _MOST_DESCRIBED:
        return f"{len(spec)} arrays"
    if isinstance(spec, dict):
        return f"{{{', '.join(f'{name!r}: {described(part)}' for name, part in spec.items())}}}"
    return f"({', '.join(map(described, spec))})"


def mapped(function, structure):
    """Returns the structure with `function` applied to each leaf.

    The structure is a dictionary, a tuple, a list or a leaf. Not `keras.tree.map_structure`, so
    that a command that only reads its examples does not import Keras.
    """
    if isinstance(structure, dict):
        return {name: mapped(function, part) for name, part in structure.items()}
    if isinstance(structure, tuple | list):
        return type(structure)(mapped(function, part) for part in structure)
    return function(structure)


def leaves(structure):
    """Returns the leaves of a structure, in the order of its entries."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, tuple | list):
        return [leaf for part in structure for leaf in leaves(part)]
    return [structure]


def flattened(structure, name):
    """Returns a dictionary from the path of each leaf to the leaf, for files without structure.

    Args:
        structure: dictionary, tuple or list of leaves and structures, or a single leaf.
        name: first part of every path, for example `"x"`. The leaf at the key `age` has the path
            `"x/age"`, and the second one of a tuple `"x/1"`.

    Raises:
        InputError: if `nested` could not make the same structure of the paths.
    """
    if isinstance(structure, tuple | list):
        entries = enumerate(structure)
    elif isinstance(structure, dict):
        entries = structure.items()
        _require_paths(list(structure), name)
    else:
        return {name: structure}
    parts = [flattened(part, f"{name}/{key}") for key, part in entries]
    return {path: leaf for part in parts for path, leaf in part.items()}


def nested(leaves_by_path, name):
    """Returns the structure that `flattened` made paths of, with lists as tuples."""
    if list(leaves_by_path) == [name]:
        return leaves_by_path[name]
    # Collect the leaves below each key, in the order of the keys.
    below = {}
    for path, leaf in leaves_by_path.items():
        key = path.removeprefix(f"{name}/").partition("/")[0]
        below.setdefault(key, {})[path] = leaf
    parts = {key: nested(part, f"{name}/{key}") for key, part in below.items()}
    return tuple(parts.values()) if _are_positions(list(parts)) else parts


def _require_paths(keys, name):
    if not all(isinstance(key, str) and key and "/" not in key for key in keys):
        raise InputError(
            f"Invalid keys of the dictionary `{name}`. Expected strings without a slash. "
            f"Received: {keys[:10]}"
        )
    if _are_positions(keys):
        raise InputError(
            f"Invalid keys of the dictionary `{name}`. Expected names. Received: {keys[:10]}, as "
            "if it were a tuple. Pass a tuple, or rename them."
        )


def _are_positions(keys):
    return keys == [str(position) for position in range(len(keys))]
