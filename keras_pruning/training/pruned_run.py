"""The state of a run that prunes while training: the logs of its epochs and its losses."""

import dataclasses
import hashlib
import json
import math

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.training.epoch_log import EpochLog


class PrunedRun:
    """The batches of a run, the logs of its finished epochs and the losses of its examples.

    An epoch that was interrupted leaves nothing behind: if it begins again, its losses are those
    that it began with the first time.

    Args:
        name: name of the class of the method, for messages.

    Attributes:
        logs: list of the `EpochLog` of each finished epoch.
        losses: `LossStore` that the training step writes to, or `None`.
        backup: `Backup` of the run, or `None`.
        reading: dictionary that identifies the arguments of the batches, `None` before there are
            any.
    """

    def __init__(self, name):
        self.name = name
        self.logs, self.losses, self.backup, self.reading = [], None, None, None
        # The epoch that is next or has begun, and the losses that it began with.
        self._epoch, self._start = 0, None

    def record_to(self, losses):
        """Puts a new `LossStore` in the place of the old one, whose losses are no part of it."""
        self.losses, self._epoch, self._start = losses, 0, None

    def read_as(self, batch_size, weights, augmentation):
        """Remembers the arguments of the batches.

        Args:
            batch_size: number of examples in a batch.
            weights: float32 `(examples,)`.
            augmentation: function or `None`. All functions count as the same.

        Raises:
            InputError: if they were others before.
        """
        reading = {
            "batch_size": batch_size,
            "sample_weight": hashlib.sha256(weights.tobytes()).hexdigest()[:16],
            "augmentation": augmentation is not None,
        }
        before = self.reading or reading
        differing = [name for name in reading if reading[name] != before[name]]
        if differing:
            raise InputError(
                "`batches` was called with other arguments before. Expected the same batch size, "
                "sample weights and augmentation in each call, because the plan of an epoch "
                f"depends on them. Received: another {', '.join(differing)}. Make another "
                f"{self.name} for another run."
            )
        self.reading = reading

    def require_batches(self):
        """Raises an `InputError` if there are no batches yet."""
        if self.reading is None:
            raise InputError(
                "The fit trains on other batches. Expected "
                "`model.fit(pruning.batches(...), callbacks=[pruning])`. Received: a fit before "
                f"`batches` of this {self.name} was called"
            )

    def steps(self, count):
        """Returns the number of batches that `count` examples of an epoch make."""
        return math.ceil(count / self.reading["batch_size"])

    def knows_losses(self, epoch):
        """Returns whether the losses before an epoch are known, or it is the first."""
        return epoch in (0, self._epoch) or self._is_saved(epoch)

    def begin(self, epoch):
        """Puts losses and logs into the state before an epoch, an empty one if it is not known.

        Returns:
            The losses, float32 `(examples,)`.
        """
        if epoch > 0 and epoch == self._epoch:
            if self._start is not None:
                # The epoch was interrupted
                self.losses.restore(self._start)
        elif self._is_saved(epoch):
            self.restore(epoch, self.backup.load(epoch))
        else:
            # Nothing of an earlier run belongs to this one
            self.losses.clear()
            self.logs = []
        self._epoch, self._start = epoch, self.losses.read()
        self.losses.count()
        return self._start

    def end(self, epoch, log):
        """Adds the log of a finished epoch, and saves the state if there is a backup."""
        self.logs.append(log)
        self._epoch, self._start = epoch + 1, None
        if self.backup is not None:
            self.backup.save(epoch + 1, self.state())

    def state(self):
        """Returns the losses and logs after a finished epoch, a dictionary of arrays."""
        logs = json.dumps([dataclasses.asdict(log) for log in self.logs])
        return {"losses": self.losses.read(), "history": np.array(logs)}

    def restore(self, epoch, state):
        """Puts the result of `state` after `epoch` epochs in the place of the losses and logs."""
        self.losses.restore(state["losses"])
        self.logs = [EpochLog(**log) for log in json.loads(str(state["history"]))]
        self._epoch, self._start = epoch, None

    def require_trained(self, planned, least, received, was_read):
        """Raises an `InputError` unless an epoch trained on the batches as they are.

        Args:
            planned: number of examples of the epoch.
            least: number of them that it had to train on.
            received: number of losses that were recorded.
            was_read: whether the batches were read.
        """
        if not was_read or received > planned:
            raise InputError(
                "The fit trained on other batches. Expected those of `batches` of this very "
                f"{self.name}. Received: {received:,} recorded examples in an epoch of {planned:,}"
            )
        if received < least:
            raise InputError(
                "The fit did not train on all examples of the epoch. Expected "
                f"{planned:,}. Received: {received:,}. Call `fit` without `steps_per_epoch`, and "
                "leave the batches as they are."
            )

    def _is_saved(self, epoch):
        return self.backup is not None and epoch in self.backup.epochs
