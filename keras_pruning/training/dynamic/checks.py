"""Checks of the weights and losses of a method that prunes while training."""

import warnings

import numpy as np

from keras_pruning.errors import InputError


def checked_weights(sample_weight, count):
    """Returns the weights of the examples as float32 `(examples,)`, ones if there are none.

    Raises:
        InputError: if they are not one finite number >= 0 for each example.
    """
    if sample_weight is None:
        return np.ones(count, np.float32)
    weights = np.asarray(sample_weight)
    if weights.shape != (count,) or weights.dtype.kind not in "fiu":
        raise InputError(
            f"Invalid `sample_weight`. Expected a number for each of {count:,} examples, in the "
            f"order of `examples.ids`. Received: {weights.dtype} of shape {weights.shape}"
        )
    return _as_weights(weights, np.arange(count), "`sample_weight`")


def checked_choice(chosen, count, name):
    """Returns the rows and the weights that `choose` has given, the weights `None` if all are 1.

    Args:
        chosen: result of `DynamicPruning.choose`.
        count: number of examples to choose from.
        name: name of the class of the method, for messages.

    Raises:
        InputError: if they are not rows of examples, each at most once, and a weight for each.
    """
    expected = f"Invalid result of `{name}.choose`. Expected the rows of some examples, integers "
    parts = chosen if isinstance(chosen, tuple) else (chosen, None)
    if len(parts) != 2:
        raise InputError(f"{expected}(kept,), or a tuple of them and weights. Received: {chosen!r}")
    rows, weights = np.asarray(parts[0]), parts[1]
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise InputError(f"{expected}(kept,). Received: {rows.dtype} of shape {rows.shape}")
    if rows.min() < 0 or rows.max() >= count or np.bincount(rows, minlength=count).max() > 1:
        raise InputError(
            f"{expected}from 0 to {count - 1}, each at most once. Received: {len(rows):,} rows "
            f"from {rows.min()} to {rows.max()}, {len(np.unique(rows)):,} of them different"
        )
    if weights is None:
        return rows, None
    weights = np.asarray(weights)
    if weights.shape != rows.shape or weights.dtype.kind not in "fiu":
        raise InputError(
            f"Invalid weights of `{name}.choose`. Expected a number for each of {len(rows):,} "
            f"rows. Received: {weights.dtype} of shape {weights.shape}"
        )
    return rows, _as_weights(weights, rows, f"weights of `{name}.choose`")


def _as_weights(weights, rows, noun):
    """Returns weights as float32, in which they are used.

    Args:
        weights: numbers `(rows,)`.
        rows: integers `(rows,)`, the rows of the examples.
        noun: name of the weights for the message.

    Raises:
        InputError: unless all are finite and at least 0 as float32.
    """
    with np.errstate(over="ignore"):
        used = weights.astype(np.float32)
    wrong = np.flatnonzero(~(np.isfinite(used) & (used >= 0)))
    if len(wrong):
        raise InputError(
            f"Invalid {noun}. Expected finite numbers of at least 0 that float32 can hold. "
            f"Received: {len(wrong):,} others, the first of them {weights[wrong[0]]} at row "
            f"{rows[wrong[0]]:,}"
        )
    return used


def require_finite(losses, epoch):
    """Raises an `InputError` if a loss has become NaN. An infinite one counts as not seen."""
    if np.isnan(losses).any():
        raise InputError(
            f"Training diverged. Expected finite losses. Received: {int(np.isnan(losses).sum()):,} "
            f"losses that are NaN before epoch {epoch + 1}. Lower the learning rate, or look for "
            "extreme input values."
        )


def warn_of_lost_losses(name, epoch):
    """Warns that a run goes on in an epoch without the losses of the epochs before."""
    warnings.warn(
        f"{name} begins in epoch {epoch + 1} without the losses of the earlier ones: all examples "
        "count as hard. If training was resumed from a backup, give it `backup_dir`, the folder of "
        "`BackupAndRestore`.",
        UserWarning,
        stacklevel=4,
    )
