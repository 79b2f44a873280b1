"""Shape and dtype of the inputs of one example, as batches have them."""

from dataclasses import dataclass

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
