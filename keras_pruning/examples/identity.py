"""Identifies examples by their content, and checks that a result belongs to them."""

import hashlib

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.strings import encoded
from keras_pruning.recipes import completed


def fingerprint(source, split, digest_of_inputs, ids, labels):
    """Returns a hash over source, split, ids, labels and stored inputs, 32 hexadecimal digits.

    Args:
        source: kind of source.
        split: name of the split.
        digest_of_inputs: hash of the inputs.
        ids: strings `(examples,)`.
        labels: integers `(examples,)`.
    """
    digest = hashlib.sha256()
    _update(digest, np.array([source, split, digest_of_inputs]))
    _update(digest, ids)
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()[:32]


def _update(digest, texts):
    """Adds strings `(texts,)` to a hash, block by block: their number, lengths and bytes."""
    digest.update(np.array([len(texts)], "<i8"))
    # Lengths come first, because no separator is certain to be absent from the text.
    for lengths, _ in encoded(texts):
        digest.update(lengths.astype("<i8"))
    for _, data in encoded(texts):
        digest.update(data)


def require_same(examples, recorded, ids, labels, noun):
    """Raises an `InputError` unless an earlier result is about exactly these examples.

    Args:
        examples: `Examples`.
        recorded: the `provenance` in the result, empty if the result has none.
        ids: the ids of the result, in order.
        labels: the labels of the result, in order.
        noun: name of the result in the message, for example `"score table"`.
    """
    if recorded:
        recorded = completed(recorded, "examples")
    known = {key: value for key, value in examples.provenance.items() if key in recorded}
    differing = [key for key, value in known.items() if recorded[key] != value]
    if differing:
        # Name the hashes only if no readable key differs.
        keys = [key for key in differing if key not in ("inputs", "fingerprint")] or differing
        older = " Version 0.2.0 and earlier had other hashes." if keys == differing else ""
        raise InputError(
            f"This {noun} was made from other examples. "
            f"Expected {', '.join(f'{key}={known[key]!r}' for key in keys)}, as in {examples!r}. "
            f"Received: {', '.join(f'{key}={recorded[key]!r}' for key in keys)} in the {noun}."
            f"{older}"
        )
    if not (np.array_equal(ids, examples.ids) and np.array_equal(labels, examples.labels)):
        raise InputError(
            f"This {noun} was made from other examples. Expected the {len(examples)} ids and "
            f"labels of {examples!r} in their order. Received: {len(ids)} that differ from them"
        )
