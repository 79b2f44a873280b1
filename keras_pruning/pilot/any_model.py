"""The pilot for any model and any training: a function of the user trains and evaluates."""

from keras_pruning.arguments import (
    kind_of,
    require_examples,
    require_fraction,
    require_seed,
    require_type,
)
from keras_pruning.errors import InputError
from keras_pruning.pilot.choice import decide, require_accuracy
from keras_pruning.pilot.trials import splits
from keras_pruning.selection import quotas
from keras_pruning.selection.auto import Auto


def choose_policy(
    accuracy, examples, table, by, keep_fraction, quota=None, seeds=5, part=1.0, seed=0
):
    """Chooses the policy for a data set and a budget by a pilot.

    The training data are split at random several times. On each split, every policy prunes the
    larger part to `keep_fraction`, and `accuracy` trains a model on the kept examples and measures
    it on the held-out ones. The test set plays no part. The best of easiest, middle, stratified
    and hardest is taken if it is better than random beyond doubt (adjusted p below 0.05),
    otherwise random.

    A fifth of the examples is held out, at most 5,000. The number of kept examples is therefore
    that of the budget, or up to a fifth less. The number decides which policy is best: with few
    examples for each parameter the easiest teach more, with many the hardest do (Sorscher et al.
    2022).

    Args:
        accuracy: function `accuracy(kept, held_out, seed)` of two `Examples` and an integer. It
            trains a new model on `kept`, seeded by `seed`, and returns its accuracy on `held_out`,
            a number in [0, 1]. It is called 5 · `seeds` times.
        examples: `Examples`, the training examples.
        table: `ScoreTable` of these examples.
        by: name of the score that gives the difficulty.
        keep_fraction: float in (0, 1), the budget.
        quota: `None`, or a class quota as for `select`.
        seeds: number of splits, at least 2.
        part: float in (0, 1], the fraction of the examples that each split draws first. With less
            data, easier examples teach more, so the pilot leans to these.
        seed: integer >= 0 from which the seeds of the splits count. Do not use seeds that models
            were scored with.

    Returns:
        `PolicyChoice`, with `policy`, `by`, `p_adjusted`, `comparisons` and `accuracies`. Its
        `select(table)` returns the `Subset`.

    Raises:
        InputError: if an argument is invalid, or the function returns no accuracy.

    Example:
        >>> def accuracy(kept, held_out, seed):
        ...     keras.utils.set_random_seed(seed)
        ...     model = make_model()
        ...     model.fit(kept.batches(64, shuffle=True, seed=seed), epochs=5, shuffle=False)
        ...     return model.evaluate(held_out.batches(64), return_dict=True)["accuracy"]
        >>> choice = kp.choose_policy(accuracy, examples, table, "el2n", 0.3)
        >>> subset = choice.select(table)
    """
    if not callable(accuracy) or isinstance(accuracy, type):
        raise InputError(
            "Invalid `accuracy`. Expected a function of the kept and the held-out Examples and a "
            f"seed that returns an accuracy. Received: {accuracy!r}"
        )
    require_examples(examples)
    require_type("table", table, "difficulty", "a ScoreTable, as ScoreTable.load(path) returns it")
    recorded = table.metadata.get("examples", {})
    examples.require_same(recorded, table.ids, table.labels, "score table")
    if not isinstance(by, str):
        raise InputError(
            f"Invalid `by`. Expected the name of a score of the table, one of {table.names}. "
            f"Received: {kind_of(by)}"
        )
    table.difficulty(by)
    keep_fraction = require_fraction(keep_fraction)
    quotas.get(quota)
    request = Auto(seeds=seeds, part=part)
    request.require_keep_fraction(keep_fraction)
    numbers = range(require_seed(seed), seed + request.seeds)
    drawn = splits(table, by, keep_fraction, quota, numbers, request.part)
    accuracies = {}
    for split in drawn:
        held_out = examples.at(split.held_out)
        for name, rows in split.kept.items():
            measured = accuracy(examples.at(rows), held_out, split.seed)
            accuracies.setdefault(name, []).append(require_accuracy(measured))
    # The function of the user decides on the length, so that it is no part of the request.
    options = {"seeds": request.seeds, "part": request.part}
    return decide(
        accuracies,
        max(split.ratio for split in drawn),
        by,
        keep_fraction,
        numbers,
        quota,
        table=table.digest,
        request={"by": by, "policy": request.name, "policy_options": options},
    )
