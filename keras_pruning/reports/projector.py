"""Writes embeddings of the examples, with their scores, for the projector of TensorBoard."""

import logging
import math
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.examples.fractions import stratified_rows
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.html.sprites import read_tiles
from keras_pruning.reports.pictures import are_images
from keras_pruning.reports.principal_components import grouped, principal_components
from keras_pruning.reports.terminal_text import defused
from keras_pruning.selection.embedding import open_embedding
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.subset import Subset

logger = logging.getLogger("keras_pruning")

# Examples that are shown.
_MOST_EXAMPLES = 2500
# Pixels of the longer side of an example in the sprite.
_SIDE = 32
# Dimensions of the points.
_DIMENSIONS = 50
_TENSORS, _METADATA, _SPRITE = "tensors.tsv", "metadata.tsv", "sprite.png"
FILES = (PROJECTOR_FILENAME, _TENSORS, _METADATA, _SPRITE)


def write_projector(folder, table, examples, runs, seed=0):
    """Writes the points of the projector, with ids, classes, scores and who keeps an example.

    At most 2,500 examples are drawn, with the class shares of the data. A point is made of the
    first 50 principal components of the embedding that a method of the sweep was given or,
    without one, of the inputs. There are no points if the inputs are not one array of numbers
    either. Examples that are images are shown as such, large ones at 32 pixels.

    Args:
        folder: folder to write to.
        table: `ScoreTable`.
        examples: `Examples` of the table.
        runs: list of `Run` on these examples.
        seed: integer that draws the examples.
    """
    count = min(_MOST_EXAMPLES, len(examples))
    rows = stratified_rows(examples.labels, count, np.random.default_rng(seed))
    tiles = _tiles(examples, rows) if are_images(examples.shape) else []
    vectors, origin = _vectors(examples, runs, rows, tiles)
    if vectors is None:
        return
    points = principal_components(vectors, _DIMENSIONS)
    # The event file makes the folder, and a run of it
    text = (
        f"The first {points.shape[1]} principal components of {origin}, of {len(rows):,} of "
        f"{len(examples):,} examples."
    )
    with EventFile(folder) as events:
        events.text("projector/points", text)
    # Write the files, and then the configuration that names them
    config = ProjectorConfig()
    embedding = config.embeddings.add(
        tensor_name=origin, tensor_path=_TENSORS, metadata_path=_METADATA
    )
    _write_lines(folder / _TENSORS, [[f"{value:.5g}" for value in point] for point in points])
    columns = _columns(table, examples, runs, rows)
    _write_lines(folder / _METADATA, [columns, *zip(*columns.values(), strict=True)])
    if tiles:
        picture, side = _sprite(tiles)
        picture.save(folder / _SPRITE, "png")
        embedding.sprite.image_path = _SPRITE
        embedding.sprite.single_image_dim.extend([side, side])
    (folder / PROJECTOR_FILENAME).write_text(text_format.MessageToString(config), "utf-8")


def _write_lines(path, lines):
    """Writes text separated by tabs, one line for each example."""
    text = "".join("\t".join(map(defused, map(str, line))) + "\n" for line in lines)
    path.write_text(text, "utf-8", newline="\n")


def _tiles(examples, rows):
    """Returns images as a list of pictures of Pillow, all of one size."""
    tiles = read_tiles(examples, rows)
    for tile in tiles:
        tile.thumbnail((_SIDE, _SIDE))
    return tiles


def _vectors(examples, runs, rows, tiles):
    """Returns floats `(rows, dimensions)` and the name of their origin, `None` without any.

    Images are the pixels of their tiles, because large ones would take long.
    """
    path, vectors = _given_embedding(examples, runs)
    if vectors is not None:
        return grouped(vectors[rows]), Path(path).name
    if tiles:
        size = "" if max(examples.shape[:2]) <= _SIDE else " at {} × {}".format(*tiles[0].size)
        pixels = np.stack([np.asarray(tile) for tile in tiles])
        return grouped(pixels[..., : examples.shape[-1]]), f"pixels{size}"
    if not isinstance(examples.spec, ArraySpec) or examples.spec.dtype == "string":
        return None, ""
    return grouped(examples.stored_inputs(rows)), "inputs"


def _given_embedding(examples, runs):
    """Returns the path and the vectors of an embedding that a run was selected by, if any.

    The vectors count only if they still are those that the run has recorded.
    """
    recorded = {(run.metrics["selection"] or {}).get("embedding") for run in runs} - {None}
    methods = runs[0].metrics["config"].get("sweep", {}).get("methods", []) if recorded else []
    paths = [method.get("embedding") for method in methods]
    for path in dict.fromkeys(filter(None, paths)):
        try:
            opened = open_embedding(path, len(examples), examples)
        except InputError as error:
            logger.info("The projector shows the inputs: %s", error)
            continue
        if opened.digest in recorded:
            return path, opened.vectors
        logger.info("The projector shows the inputs: %s has changed since the sweep.", path)
    return None, None


def _columns(table, examples, runs, rows):
    """Returns the columns of some examples by their names, each one `(rows,)`."""
    names = [examples.class_names[label] for label in examples.labels[rows]]
    columns = {"id": examples.ids[rows], "class": names}
    for name in table.names:
        columns[f"score {name}"] = [f"{value:.5g}" for value in table[name][rows]]
    # One run for each method: the subset closest to one half of the examples, the first seed
    chosen = {}
    for run in sorted(runs, key=lambda run: (abs(run.keep_fraction - 0.5), run.metrics["seed"])):
        path = run.folder / "subset.parquet"
        if run.method != FULL and run.method not in chosen and path.exists():
            chosen[run.method] = run.keep_fraction, Subset.load(path)
    for method in sorted(chosen):
        keep_fraction, subset = chosen[method]
        if np.array_equal(subset.all_ids, examples.ids):
            name = f"{method}, {100 * keep_fraction:g} %"
            columns[name] = np.where(subset.mask[rows], "kept", "dropped")
    return columns


def _sprite(tiles):
    """Returns tiles side by side in a picture, and the side of the square around one of them.

    Args:
        tiles: list of pictures of Pillow, all of one size.
    """
    from PIL import Image

    # Enlarged by a whole factor, as the other pictures are
    factor = _SIDE // max(tiles[0].size)
    width, height = tiles[0].width * factor, tiles[0].height * factor
    side = max(width, height)
    # The projector takes a sprite to have as many rows as columns.
    columns = math.ceil(math.sqrt(len(tiles)))
    picture = Image.new("RGB", (columns * side, columns * side))
    for position, tile in enumerate(tiles):
        row, column = divmod(position, columns)
        corner = column * side + (side - width) // 2, row * side + (side - height) // 2
        picture.paste(tile.resize((width, height), Image.Resampling.NEAREST), corner)
    return picture, side
