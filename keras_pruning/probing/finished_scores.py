"""The files of finished scores: prepared in one folder, then placed one by one, the table last.

No moment of a kill leaves a folder from which the next run cannot go on: a file that is there
already belongs to the scores if the prepared one has the same bytes.
"""

import contextlib
import filecmp
import shutil

from keras_pruning.errors import InputError
from keras_pruning.recipes import require_same_recipe
from keras_pruning.reports.prediction_depth import write_depth_curves
from keras_pruning.storage import ANY, clear_leftovers, new_file, new_folder, write_json
from keras_pruning.tables.score_table import ScoreTable

SCORES, CSV, COST, DEPTH = "scores.parquet", "scores.csv", "scoring.json", "prediction_depth"
# Below the folder of the probes. Comparisons skip folders of this ending.
_PREPARED = "scores.partial"


def prepare(folder, table, cost):
    """Writes all files of a score table into a new folder.

    If there are prepared ones of the same recipe, they are kept.

    Args:
        folder: folder of the probes.
        table: `ScoreTable` of all probes, with its recipe.
        cost: content of `scoring.json`.
    """
    try:
        with new_folder(folder / _PREPARED) as partial:
            table.to_csv(partial / CSV)
            if DEPTH in table.names:
                probes = table.metadata["reliability"][DEPTH]["seeds"]
                write_depth_curves(partial / DEPTH, table.metadata["scores"][DEPTH], probes)
            write_json(partial / COST, cost)
            table.save(partial / SCORES)
    except InputError:
        if not is_prepared(folder, table.metadata["recipe"]):
            raise


def is_prepared(folder, recipe):
    """Returns whether the files of a recipe are prepared.

    Raises:
        InputError: if those of another recipe are.
    """
    path = folder / _PREPARED / SCORES
    if not path.exists():
        return False
    require_same_recipe(path, ScoreTable.load(path).metadata.get("recipe"), recipe)
    return True


def place(folder, output):
    """Copies the prepared files to the output.

    Args:
        folder: folder of the probes.
        output: folder of the scores.

    Raises:
        InputError: if another file is in the way.
    """
    prepared = folder / _PREPARED
    files = [path for path in sorted(prepared.rglob("*")) if path.is_file()]
    # The table comes last: if it is there, the other output files are complete.
    for path in sorted(files, key=lambda path: path.name == SCORES):
        target = output / path.relative_to(prepared)
        try:
            with new_file(target) as partial:
                shutil.copyfile(path, partial)
        except InputError:
            if not _is_same(path, target):
                raise
            # A process can be killed after it has given the file its name.
            clear_leftovers(target)


def require_free(folder, output):
    """Raises an `InputError` if files are in the way that no interrupted scoring has left."""
    for name in (CSV, COST):
        target = output / name
        if target.exists() and not _is_same(folder / _PREPARED / name, target):
            raise InputError(
                f"{target} is there without {SCORES}. Expected no such file before scoring. "
                "Remove it, or choose another --output."
            )


def clear(folder, output):
    """Removes the prepared files, and the partial files that killed processes have left.

    Args:
        folder, output: as for `place`, with the table in its place.
    """
    prepared = folder / _PREPARED
    placed = [output / path.relative_to(prepared) for path in prepared.rglob("*")]
    for path in (prepared, *(output / name for name in (SCORES, CSV, COST)), *placed):
        clear_leftovers(path, ANY)
    shutil.rmtree(prepared, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _is_same(path, target):
    return path.is_file() and target.is_file() and filecmp.cmp(path, target, shallow=False)
