"""Runs of a sweep that failed, while the others went on."""

import logging
import traceback

from keras_pruning.errors import InputError

logger = logging.getLogger("keras_pruning")
# So many runs that fail before any succeeds end a sweep: the others would fail as well.
_ENOUGH = 3


class Failures:
    """The failed runs of a sweep.

    Args:
        folder: `Path` of the sweep, to which the folders of the runs are told.
        successes: number of runs that have succeeded before.
    """

    def __init__(self, folder, successes=0):
        self._folder = folder
        self._errors = {}
        self.successes = successes

    def __len__(self):
        return len(self._errors)

    def add(self, run, error):
        """Tells that a run failed, with the traceback of an error that is not the user's.

        Args:
            run: `TrainingRun`.
            error: the exception that ended it.

        Raises:
            InputError: if three runs have failed and none succeeded.
        """
        name = run.folder.relative_to(self._folder)
        is_new = str(error) not in map(str, self._errors.values())
        self._errors[name] = error
        logger.error("Run %s failed: %s", name, _text(error))
        if is_new and not isinstance(error, InputError):
            logger.error("%s", "".join(traceback.format_exception(error)).rstrip())
        if len(self) >= _ENOUGH and not self.successes:
            raise InputError(
                f"The first {len(self)} training runs failed, the last with: {_text(error)}. "
                "The others were not tried."
            ) from error

    def require_none(self):
        """Raises an `InputError` if a run failed."""
        if self._errors:
            name, error = next(iter(self._errors.items()))
            number = "One training run" if len(self) == 1 else f"{len(self)} training runs"
            raise InputError(
                f"{number} failed, and the comparison does without. Expected "
                f"all to finish. The first is {name}: {_text(error)}. Repeat the command to try "
                "them again: finished runs are kept."
            )


def _text(error):
    """Returns an exception in words: the type of one that is not the user's comes first."""
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
