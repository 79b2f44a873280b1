"""The doctor for any model and any training: a function of the user scores the examples."""

from numbers import Real

from keras_pruning.arguments import require_type
from keras_pruning.errors import InputError
from keras_pruning.wrong_labels.diagnosis import diagnose


def doctor(score, examples, noise=0.1, seed=0):
    """Plants wrong labels in examples, scores them, and measures which scores find these labels.

    The examples themselves do not change. Their labels may contain wrong ones already: these count
    as right, and lower the figures of a good score.

    Args:
        score: function that takes `Examples` with planted labels and returns a `ScoreTable` of
            them, in any way: it trains a new model with a `ScoreCallback`, or passes a trained one
            to `score_checkpoints`. A model that has trained on the examples with their own labels
            has seen the answer, so that its figures are too good.
        examples: `Examples`.
        noise: float in (0, 0.5], the fraction of the labels to replace by other classes.
        seed: integer >= 0, the seed that chooses them.

    Returns:
        `Diagnosis`, with `findings` (AUROC and average precision of each score), `best`, the
        finding of the highest AUROC, and `advice`, a list of sentences.

    Raises:
        InputError: if an argument is invalid, or if the function returns anything but the scores
            of the examples that it was passed.

    Example:
        >>> def score(noisy):
        ...     model, callback = make_model(), kp.ScoreCallback(noisy, ["el2n", "aum"])
        ...     batches = noisy.batches(64, shuffle=True)
        ...     model.fit(batches, epochs=5, shuffle=False, callbacks=[callback])
        ...     return callback.table()
        >>> print(kp.doctor(score, examples).best.score)
    """
    if not callable(score) or isinstance(score, type):
        raise InputError(
            "Invalid `score`. Expected a function of Examples that returns a ScoreTable. "
            f"Received: {score!r}"
        )
    if isinstance(noise, bool) or not isinstance(noise, Real) or not 0 < noise <= 0.5:
        raise InputError(f"Invalid `noise`. Expected a float in (0, 0.5]. Received: noise={noise}")
    require_type("examples", examples, "stored_inputs", "Examples")
    noisy = examples.with_label_noise(noise, seed)
    table = score(noisy)
    expected = "a ScoreTable, as `callback.table()` returns it"
    require_type("result of score", table, "difficulty", expected)
    recorded = table.metadata.get("examples", {})
    noisy.require_same(recorded, table.ids, table.labels, "score table")
    return diagnose(table, examples.labels, examples.class_names, noise)
