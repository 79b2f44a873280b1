"""Reads the list of suspects that the doctor has left in the folder of other results."""

import logging
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.probing.finished_scores import SCORES
from keras_pruning.storage import RECIPE, read_json
from keras_pruning.tables import parquet
from keras_pruning.tables.score_table import ScoreTable
from keras_pruning.wrong_labels.examination import FOLDER
from keras_pruning.wrong_labels.suspect_list import SuspectList, suspect_rows
from keras_pruning.wrong_labels.suspects import KIND

logger = logging.getLogger("keras_pruning")


def finished_suspects(output, examples):
    """Returns the suspects that `doctor --suspects` has listed with the same output.

    A list about other examples, or one that cannot be read, is left out with a line that says so.

    Args:
        output: folder of the results.
        examples: `Examples`.

    Returns:
        `SuspectList`, or `None` if there is none of these examples.
    """
    folder = Path(output) / FOLDER
    if not (folder / "suspects" / RECIPE).is_file():
        return None
    try:
        recipe = read_json(folder / "suspects" / RECIPE)
        table = ScoreTable.load(folder / "clean" / SCORES)
        recorded = table.metadata.get("examples", {})
        examples.require_same(recorded, table.ids, table.labels, "list of suspects")
        columns, _ = parquet.read(folder / "clean" / "predictions.parquet", KIND)
        score = recipe.get("ranked_by")
        rows = suspect_rows(table.difficulty(score), columns["predicted"], table.labels)
    except InputError as error:
        logger.info("The suspects in %s are left out: %s", folder, error)
        return None
    values = table[score], columns["predicted"], columns["share"]
    return SuspectList(examples, rows, score, *values).at_most(recipe.get("suspects"))
