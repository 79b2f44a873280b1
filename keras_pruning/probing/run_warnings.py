"""Warns while a model trains that the scores will not be those of a whole run."""

import warnings

from keras_pruning.probing.progress import spans

HOW_TO_MEND = (
    "If several fits make one run, give `ScoreCallback(epochs=...)` its length. If training is "
    "resumed from a backup, give `ScoreCallback(backup_dir=...)` the folder of `BackupAndRestore`."
)


def warn_of_late_begin(recorder, reason):
    """Warns of scores that a run begins too late for, and of the reason for another run."""
    progress = recorder.progress
    late = [
        name for name, due in progress.due.items() if any(epoch <= progress.first for epoch in due)
    ]
    if late:
        warnings.warn(
            f"The callback has not seen the epochs 1-{progress.first} of a run of "
            f"{progress.epochs} epochs. Scores that look at them: {', '.join(late)}. {HOW_TO_MEND} "
            f"This fit begins a run of its own because {reason}.",
            UserWarning,
            stacklevel=2,
        )


def warn_of_unread_scores(progress, reason):
    """Warns of the scores of an earlier run, which another run replaces."""
    warnings.warn(
        f"The scores of the epochs {spans(progress.observed)} were not read and are replaced by "
        f"those of this fit, which begins another run because {reason}. "
        "Expected `table()` after every run. If several fits make one run, give "
        "`ScoreCallback(epochs=...)` its length.",
        UserWarning,
        stacklevel=2,
    )


def warn_of_validation_split(trained_on, validated_on, scored):
    """Warns if the scored examples are those of training and those of validation.

    Args:
        trained_on: number of examples that an epoch trains on.
        validated_on: number of examples that it validates on, 0 if not known.
        scored: number of scored examples.
    """
    if validated_on and trained_on + validated_on == scored:
        warnings.warn(
            f"The model trains on {trained_on:,} examples and validates on {validated_on:,}, "
            "together as many as the callback scores. With `validation_split` those "
            f"{validated_on:,} are scored although the model never trains on them. Expected the "
            "examples of training. Split them first, and score those of training.",
            UserWarning,
            stacklevel=2,
        )


def examples_in_loss(model):
    """Returns the number of examples that Keras has averaged its loss over, 0 if not known."""
    first = next(iter(model.metrics), None)
    known = first is not None and first.name == "loss" and hasattr(first, "count")
    return int(first.count) if known else 0
