"""Writes score tables of scores that were computed elsewhere."""

from keras_pruning.errors import InputError
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import AlreadyExists
from keras_pruning.tables.score_table import ScoreTable


def import_scores(examples, files, higher_is_harder, path):
    """Writes the score table of some examples, or keeps the same one that is there.

    Args:
        examples: `Examples` that the scores are about.
        files: dictionary from the names of the scores to files, as for `ScoreTable.from_scores`.
        higher_is_harder: dictionary from the same names to booleans.
        path: path of the file to write.

    Returns:
        Tuple of the `ScoreTable` and whether it was written now.

    Raises:
        InputError: if a file is about other examples, or `path` holds another table.
    """
    table = ScoreTable.from_scores(examples.ids, examples.labels, files, higher_is_harder)
    table.metadata["examples"] = examples.provenance
    # An existing table stays: it is the same one, or that is an error
    try:
        table.save(path)
    except AlreadyExists:
        _require_same(path, table)
        return table, False
    return table, True


def _require_same(path, table):
    """Raises an `InputError` unless a file holds this table."""
    other = ScoreTable.load(path)
    require_same_recipe(path, other.metadata, table.metadata)
    if other.digest != table.digest:
        raise InputError(
            f"{path} holds other values of these scores. Nothing was overwritten. Expected the "
            f"digest {table.digest}. Received: {other.digest}. Choose another --output, or remove "
            "that file yourself."
        )
