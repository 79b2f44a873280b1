"""Selects the examples to keep."""

from keras_pruning.arguments import kind_of, require_fraction, require_seed, require_type
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.selection import policies, quotas
from keras_pruning.selection.candidates import (
    CONFIDENCE,
    DIFFICULTY,
    EMBEDDING,
    LABELS,
    Candidates,
)
from keras_pruning.selection.cautions import warn_of
from keras_pruning.selection.choice import choose
from keras_pruning.selection.embedding import open_embedding, require_embedding
from keras_pruning.selection.methods import description
from keras_pruning.selection.subset import Subset

# The noun for each need that may be missing, and how to give it.
_HOW_TO_GIVE = {
    DIFFICULTY: ("a score", "`by`, the name of one"),
    EMBEDDING: (
        "an embedding",
        "`embedding`, an array (examples, dimensions) or the path of a .npy file, in the order of "
        "`table.ids`",
    ),
    CONFIDENCE: ("the score `confidence`", "it in the table: add it to `scores`"),
}


def select(table, by=None, keep_fraction=0.5, policy="hardest", quota=None, seed=0, embedding=None):
    """Selects the examples to keep.

    Args:
        table: `ScoreTable`.
        by: name of a score in the table, `None` for a policy that needs no difficulty.
        keep_fraction: float in (0, 1]. Exactly round-half-up(keep_fraction · N) are kept.
        policy: a name among `POLICIES`, `{"name": name, option: value}`, or a `Policy`.
        quota: `None`, or the number of examples of each class: a name among `QUOTAS`,
            `{"name": name, option: value}`, or a `Quota`.
        seed: integer that breaks ties and draws. The same seed selects the same examples.
        embedding: floats `(examples, dimensions)` in the order of `table.ids`, an array or the
            path of a `.npy` file. Only a policy that needs an embedding reads it.

    Returns:
        A `Subset` in the order of `table.ids`.

    Raises:
        InputError: if an argument is invalid, the policy needs something that is missing, or
            nothing is kept.

    Warns:
        UserWarning: if a class is lost or nearly so, if keeping the hardest is known to fail with
            so few examples, or if the labels of many kept examples are in doubt.
    """
    require_type("table", table, "difficulty", "a ScoreTable, as ScoreTable.load(path) returns it")
    # Check every argument before anything is selected
    policy, quota = policies.get(policy), quotas.get(quota)
    keep_fraction = require_fraction(keep_fraction)
    total = keep_count(keep_fraction, len(table))
    policy.require_keep_fraction(keep_fraction)
    seed = require_seed(seed)
    require_embedding(embedding)
    if not isinstance(by, str | None):
        raise InputError(
            f"Invalid `by`. Expected the name of a score of the table, one of {table.names}. "
            f"Received: {kind_of(by)}"
        )
    difficulty = table.difficulty(by) if by is not None else None
    require_needs(policy, by, table.names, embedding)
    method = description(by, policy, quota)
    # Give the policy the arrays that it needs and no others
    candidates, digest = _candidates(policy, table, difficulty, embedding)
    mask = choose(policy, candidates, table.labels, total, quota, seed)
    warn_of(table, mask, keep_fraction, policy, quota)
    # Recorded, because scores of neighbours may select worse than an example's own
    reads_scores = DIFFICULTY in policy.needs or CONFIDENCE in policy.needs
    selection = {
        **method,
        "keep_fraction": keep_fraction,
        "kept": total,
        "seed": seed,
        "extrapolated": bool(reads_scores and table.extrapolated.any()),
        "embedding": digest,
    }
    metadata = {**table.metadata, "selection": selection, "table": table.digest}
    subset = Subset.of_table(table, mask, metadata)
    # Kept for `subset.explain()`, which reads the difficulty
    subset.table = table
    return subset


def require_needs(policy, by, scores, embedding):
    """Raises an `InputError` that names everything that a policy needs and does not get.

    Args:
        policy: `Policy`.
        by: name of the score that gives the difficulty, or `None`.
        scores: names of the scores that there are.
        embedding: source of the embedding, or `None`.
    """
    missing = {}
    if DIFFICULTY in policy.needs and by is None:
        missing[DIFFICULTY] = "by=None"
    if EMBEDDING in policy.needs and embedding is None:
        missing[EMBEDDING] = "embedding=None"
    if CONFIDENCE in policy.needs and CONFIDENCE not in scores:
        missing[CONFIDENCE] = f"the scores {list(scores)}"
    if missing:
        nouns, ways = zip(*(_HOW_TO_GIVE[need] for need in missing), strict=True)
        raise InputError(
            f"The policy {policy.name!r} needs {' and '.join(nouns)}. "
            f"Expected {', and '.join(ways)}. Received: {', '.join(missing.values())}"
        )


def require_no_more(policy, by, embedding):
    """Raises an `InputError` if a policy gets a score or an embedding that it does not read.

    Commands and configs call it. `select` takes the same arguments for every policy.

    Args:
        policy: `Policy`.
        by: name of the score that gives the difficulty, or `None`.
        embedding: source of the embedding, or `None`.
    """
    unread = {}
    if DIFFICULTY not in policy.needs and by is not None:
        unread["by"] = by
    if EMBEDDING not in policy.needs and embedding is not None:
        unread["embedding"] = embedding
    if unread:
        names = " or ".join(f"`{name}`" for name in unread)
        raise InputError(
            f"The policy {policy.name!r} does not read {names}. Expected none, or another policy. "
            f"Received: {', '.join(f'{name}={value!r}' for name, value in unread.items())}"
        )


def _candidates(policy, table, difficulty, embedding):
    """Returns the `Candidates` with the arrays that a policy needs, and the embedding's hash."""
    arrays, digest = {}, None
    if DIFFICULTY in policy.needs:
        arrays[DIFFICULTY] = difficulty
    if LABELS in policy.needs:
        arrays[LABELS] = table.labels
    if CONFIDENCE in policy.needs:
        arrays[CONFIDENCE] = table[CONFIDENCE]
    if EMBEDDING in policy.needs:
        opened = open_embedding(embedding, len(table))
        arrays[EMBEDDING], digest = opened.vectors, opened.digest
    return Candidates(len(table), arrays), digest
