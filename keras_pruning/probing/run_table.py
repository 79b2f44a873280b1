"""Makes the score table of a run, and says if its scores are of a part of the run."""

import warnings

from keras_pruning.errors import InputError, unknown
from keras_pruning.probing.progress import spans
from keras_pruning.probing.run_warnings import HOW_TO_MEND
from keras_pruning.tables.score_table import ScoreTable


def run_table(recorder, names, partial):
    """Returns the `ScoreTable` of the run that a recorder has observed.

    Args:
        recorder: `ScoreRecorder`.
        names: list of the scores to put into it, `None` for all.
        partial: whether to allow scores of several epochs that have seen only some of them.

    Raises:
        InputError: if a score is unknown, has no values, or is of a part and `partial` is false.
    """
    scores = {score.name: score for score in recorder.scores}
    if unknown_names := [name for name in names or [] if name not in scores]:
        raise unknown("score of this run", unknown_names[0], scores)
    chosen = [scores[name] for name in (scores if names is None else names)]
    # Refuse scores without values before those of a part
    for score in chosen:
        _require_values(score, recorder)
    _require_whole(chosen, recorder, partial)
    metadata = run_metadata(recorder, chosen)
    values = {score.name: score.result() for score in chosen}
    table = ScoreTable(recorder.examples.ids, recorder.examples.labels, values, metadata=metadata)
    warn_of_constants(table)
    return table


def run_metadata(recorder, scores):
    """Returns the metadata of the table of some `scores` of a run."""
    progress = recorder.progress
    metadata = {"examples": recorder.examples.provenance}
    if recorder.support is not None:
        metadata["support"] = recorder.support.provenance
    metadata["run"] = {"epochs": progress.epochs, "observed": progress.observed}
    metadata["scores"] = {score.name: _metadata(score, recorder) for score in scores}
    return metadata


def _require_values(score, recorder):
    """Raises an `InputError` if the run ended before a score was due."""
    if score.is_complete:
        return
    progress = recorder.progress
    raise InputError(
        f"`{score.name}` has no values. Expected a finished run that reaches {score.needed} of "
        f"the epochs {progress.due[score.name]} and shows every example as often. Received: "
        f"one that reached {progress.seen[score.name]}. {_other_scores(recorder)}"
        "`score_checkpoints([model], ...)` scores the model as it is now."
    )


def _require_whole(scores, recorder, partial):
    """Raises an `InputError` or warns if scores are of a part of the run."""
    progress = recorder.progress
    parts = [score for score in scores if progress.is_part(score)]
    if parts and not partial:
        score = parts[0]
        raise InputError(
            f"`{score.name}` would be the score of a part of the run. Expected the epochs "
            f"{spans(progress.due[score.name])}. Received: {spans(progress.seen[score.name])}. "
            f"`table(partial=True)` gives it for this part. {_other_scores(recorder)}{HOW_TO_MEND}"
        )
    # Scores of one epoch or of the trained model are given too, with a warning.
    if missing := [score.name for score in scores if progress.missed(score)]:
        warnings.warn(
            f"The callback has seen the epochs {spans(progress.observed)} of a run of "
            f"{progress.epochs} epochs, because the run began late or ended early. Scores of this "
            f"part: {', '.join(missing)}.",
            UserWarning,
            stacklevel=5,
        )


def _other_scores(recorder):
    """Returns the sentence of an error about the other scores, if there are any."""
    names = [
        score.name
        for score in recorder.scores
        if score.is_complete and not recorder.progress.is_part(score)
    ]
    return f"`table({names})` gives the other scores. " if names else ""


def _metadata(score, recorder):
    """Returns the metadata of one score in the table."""
    progress, trained = recorder.progress, {}
    if score.needs_model and recorder.sees_trained_model(score):
        trained["weights_changed"] = progress.weights_changed
    return {
        "higher_is_harder": score.higher_is_harder,
        "config": score.get_config(),
        "epochs": progress.seen[score.name],
        "partial": bool(progress.missed(score)),
        **trained,
        "mode": recorder.mode(score),
        "over_seeds": score.over_seeds,
        **score.details(),
    }


def warn_of_constants(table):
    """Warns of scores that are the same for all examples of a `ScoreTable`."""
    for name in table.names:
        # One example is always like itself.
        if len(table) > 1 and (table[name] == table[name][0]).all():
            warnings.warn(
                f"The score `{name}` is the same for all examples: {table[name][0]:g}. It ranks "
                "nothing. The model has learned all examples alike, or the part of it that the "
                "score looks at is frozen or untrained.",
                UserWarning,
                stacklevel=5,
            )
