"""What is told of an epoch: how many examples it kept, of which classes and of which losses."""

from dataclasses import dataclass

import numpy as np

BUCKETS = 30


@dataclass(frozen=True)
class EpochLog:
    """The examples that one epoch trained on.

    Args:
        kept: number of examples.
        class_kept: list of their numbers by class.
        edges: list of the edges of 30 buckets of the losses that the method decided by, which an
            infinite loss is not in. `None` if no example had one.
        losses: list of the number of examples in each bucket, or `None`.
        kept_losses: list of the number of kept examples in each bucket, or `None`.
    """

    kept: int
    class_kept: list
    edges: list | None = None
    losses: list | None = None
    kept_losses: list | None = None

    @classmethod
    def of(cls, examples, losses, rows):
        """Returns the log of an epoch.

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
