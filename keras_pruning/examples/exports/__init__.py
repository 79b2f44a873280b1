"""Examples as files for other programs: one file for each format, and the registry `EXPORTS`."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keras_pruning.arguments import require_examples, require_one_of, require_path
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.exports import csv, folder, npz, parquet, tfds
from keras_pruning.recipes import require_same_recipe, versions
from keras_pruning.storage import (
    RECIPE,
    AlreadyExists,
    new_folder,
    read_json,
    require_writable,
    write_json,
)

logger = logging.getLogger("keras_pruning")


@dataclass(frozen=True)
class Export:
    """A format that `export` writes.

    Args:
        write: function of `Examples`, a new folder, the path that the folder gets at the end, and
            the options that the format takes.
        file: name of the file in the folder that readers open, empty for the folder itself.
        takes: dictionary from the options of `write`, which may be `None`, to their other values.
    """

    write: Callable
    file: str = ""
    takes: dict = field(default_factory=dict)


EXPORTS = {
    "tfds": Export(tfds.write),
    "npz": Export(npz.write, npz.FILE),
    "csv": Export(csv.write, csv.FILE),
    "folder": Export(folder.write, takes={"link": tuple(folder.LINKS)}),
    "parquet": Export(parquet.write, parquet.FILE),
}


def export(examples, format, path, link=None):
    """Writes examples into a new folder that other programs read, with their ids.

    The inputs are those stored in the source, without `scale`. They are read in blocks, so that
    they need not fit into memory. A folder with an export of the same recipe is reused.

    Args:
        examples: `Examples`, for example `examples.keep(subset)`.
        format: `"tfds"`, a data set for `tfds.builder_from_directory(path)`, with the features
            `image`, `text` or `x`, and `label` and `id`. `"npz"`, a file with `x_train`, `y_train`,
            `ids_train` and `class_names`. `"csv"`, a file of ids, labels and class names alone.
            `"folder"`, images in a folder for each class. `"parquet"`, a table with the columns
            `id`, `label` and those of the inputs.
        path: path of the folder.
        link: `"symbolic"` or `"hard"`, to link the images of a `folder:` source in place of copies.
            Only for `"folder"`.

    Returns:
        Path of the folder, or of the file in it that readers open.

    Raises:
        InputError: if an argument is invalid, the format cannot hold the examples, or the folder
            holds anything else.
    """
    require_examples(examples)
    require_path("path", path, "the path of a folder")
    options = require_format(format, link=link)
    entry, place = EXPORTS[format], Path(path)
    recipe = _recipe(examples, format, options)
    if _is_exported(place, recipe):
        logger.info("Reused %s: it has the same recipe.", place)
        return place / entry.file
    require_writable(place)
    try:
        with new_folder(place) as partial:
            entry.write(examples, partial, place.resolve(), **options)
            write_json(partial / RECIPE, recipe)
    except AlreadyExists:
        # Another process may have written the same meanwhile.
        if not _is_exported(place, recipe):
            raise
    return place / entry.file


def require_format(format, **options):
    """Returns the options that a format takes, without the others, which must be `None`.

    Args:
        format: name of the format.
        **options: options of all formats, `None` if they are not given.

    Raises:
        InputError: if there is no such format, or if it does not take an option that is given.
    """
    if not isinstance(format, str) or format not in EXPORTS:
        raise unknown("format", format, EXPORTS)
    for name, value in options.items():
        takers = [f"`{key}`" for key, entry in EXPORTS.items() if name in entry.takes]
        if value is not None and name not in EXPORTS[format].takes:
            raise InputError(
                f"Invalid `{name}`. Expected none, except for the format {', '.join(takers)}. "
                f"Received: {name}={value!r} for {format!r}"
            )
        if value is not None:
            require_one_of(name, value, EXPORTS[format].takes[name])
    return {name: options[name] for name in EXPORTS[format].takes}


def _recipe(examples, format, options):
    """Returns the dictionary of everything that an export depends on."""
    recipe = {
        "format": format,
        **options,
        "examples": examples.provenance,
        # No part of the fingerprint, but of the files.
        "class_names": examples.class_names,
        "selection": examples.selection,
        "versions": versions(),
    }
    if options.get("link") and examples.folder is not None:
        recipe["linked_folder"] = str(Path(examples.folder).resolve())
    return recipe


def _is_exported(place, recipe):
    """Returns whether a folder holds an export of the same recipe.

    Raises:
        InputError: if it holds anything else.
    """
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return False
    if not (place / RECIPE).is_file():
        raise InputError(
            f"{place} exists already and holds no export. Expected a free path or an empty folder. "
            "Received: another content. Choose another --output, or remove it yourself."
        )
    require_same_recipe(place, read_json(place / RECIPE), recipe)
    return True
