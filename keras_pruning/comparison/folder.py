"""The folder of a comparison, in which its files replace those of earlier ones and no others."""

import contextlib
import os
import re
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.reports.html.views import require_free
from keras_pruning.reports.projector import FILES as PROJECTOR_FILES
from keras_pruning.storage.temporary import temporary_folder

# Folder of the comparison, below the folder of the runs.
FOLDER = "comparison"
CSV = "comparison.csv"
CLASSES = "classes.csv"
PAGE = "report.html"
LEDGER = "ledger.csv"
SCALING = "scaling.csv"
# Folders of the curves, of the points that scale them, of the scores and of their embeddings.
_PROJECTOR = ("projector",)
_PARTS = (("accuracy",), ("scale",), ("scores",), _PROJECTOR)
_FIRST_COLUMNS = "data_fraction,keep_fraction,method,"
# The names that `EventFile` gives. Those of other programs name the computer too.
_EVENTS = re.compile(r"events\.out\.tfevents\.\d{10}\.\d{3}")


@contextlib.contextmanager
def comparison_folder(folder):
    """Yields a folder to write to, whose files go to `folder/comparison` when the block ends.

    Event files of earlier comparisons are removed. All other files stay. Several processes may
    write at the same time: the newest event file of each curve stays.

    Args:
        folder: folder of the runs.

    Raises:
        InputError: if the files cannot be written, or if one of somebody else is in the way.
    """
    target = Path(folder) / FOLDER
    _require_ours(target / CSV)
    require_free(target / PAGE)
    with temporary_folder(folder, FOLDER, ".partial") as name:
        yield Path(name)
        try:
            _replace(Path(name), target)
        except OSError as error:
            raise InputError(
                f"Cannot write {target}: {error.strerror} ({error.filename}). Expected a folder "
                "that can be written. Move that file or folder elsewhere."
            ) from error


def _replace(folder, target):
    """Moves the files of a folder to their place and removes those of earlier comparisons."""
    written = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    # Listed before the move: of two comparisons at once, the one that is later stays.
    earlier = _event_files(target, {path.parent for path in written})
    earlier += [path for path in target.rglob("*") if _is_of_projector(path, target)]
    for path in written:
        _move(folder / path, target / path)
    for path in set(earlier) - {target / path for path in written}:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _event_files(target, places):
    """Returns the event files of comparisons in some places, and in the folders of all curves."""
    return [
        path
        for path in target.rglob("events.out.tfevents.*")
        if _EVENTS.fullmatch(path.name)
        and ((place := path.parent.relative_to(target)) in places or place.parts[:1] in _PARTS)
    ]


def _is_of_projector(path, target):
    """Returns whether a file is one that the event file of an embedding needs beside it."""
    return path.name in PROJECTOR_FILES and path.relative_to(target).parts[:1] == _PROJECTOR


def _move(path, target, trials=10):
    """Moves a file, although another process may remove the empty folder meanwhile."""
    for trial in range(trials):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
            return
        except FileNotFoundError:
            if trial == trials - 1:
                raise


def _require_ours(path):
    """Raises an `InputError` if a file of this name is no comparison."""
    if os.path.lexists(path):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8").startswith(_FIRST_COLUMNS):
                return
        raise InputError(
            f"{path} is in the way of a comparison. Expected no such file, or one of an earlier "
            "comparison. Received: another file. Move it elsewhere."
        )
