"""The log of an epoch of a pruned run: the kept examples, their classes and their losses."""

from dataclasses import dataclass

import numpy as np

BUCKETS = 30


@dataclass(frozen=True)
class EpochLog:
    """The examples that a dynamic method chose for one epoch.

    Args:
        kept: number of examples.
        class_kept: list of their numbers by class.
        edges: list of the edges of 30 buckets of the losses that the method decided by, which an
            infinite loss is not in. `None` if no example had one.
        losses: list of the number of examples in each bucket, or `None`.
        kept_losses: list of the number of kept examples in each bucket, or `None`.
        seen: number of examples trained on, fewer than `kept` if training stopped within the epoch.
            `None` before the end of the epoch.
    """

    kept: int
    class_kept: list
    edges: list | None = None
    losses: list | None = None
    kept_losses: list | None = None
    seen: int | None = None

    @classmethod
    def of(cls, examples, losses, rows):
        """Returns the log of an epoch that begins.

        Args:
            examples: `Examples` to choose from.
            losses: floats `(examples,)`.
            rows: integers `(kept,)`.
        """
        class_kept = np.bincount(examples.labels[rows], minlength=examples.num_classes)
        counted = len(rows), class_kept.tolist()
        known = np.isfinite(losses)
        if not known.any():
            return cls(*counted)
        counts, edges = np.histogram(losses[known].astype(np.float64), BUCKETS)
        kept = losses[rows]
        kept_counts, _ = np.histogram(kept[np.isfinite(kept)].astype(np.float64), edges)
        return cls(*counted, edges.tolist(), counts.tolist(), kept_counts.tolist())
