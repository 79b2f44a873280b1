"""The costs of training runs, from the measurement of one."""

import math
import statistics

from keras_pruning.preflight.forecast import Disk, Row
from keras_pruning.preflight.lines import Line
from keras_pruning.preflight.runs import BASELINES, DYNAMIC, PILOTS

# Bytes of the files of a run beside its model: recipe and metrics, the curves of each epoch, and a
# row of the subset.
_FILES, _OF_EPOCH, _OF_ROW = 12 * 1024, 300, 8


def saved_states(epochs, seconds, every):
    """Returns how many states a run saves, as `RunCheckpoint.offer` does.

    Args:
        epochs: number of epochs.
        seconds: seconds of all of them.
        every: seconds of work that a kill may cost if epochs are shorter.
    """
    # Epochs from one saved state to the next
    between = max(1, math.ceil(every * epochs / seconds) - 1) if seconds else epochs
    return epochs // max(1, between)


class RunCosts:
    """The seconds, operations and files of training runs on one data fraction.

    Args:
        training: `TrainingPlan`.
        results: list of the results of `keras_pruning.preflight.work:measure_training`, one for
            each process that works at the same time.
        tested: number of test examples.
        fresh: whether each run has a process of its own, so that it traces its graphs anew.
    """

    def __init__(self, training, results, tested, fresh=False):
        self._training, self._results, self._tested = training, results, tested
        self._fresh = fresh
        self._epoch = Line(self._mean("constant"), self._mean("slope"))

    def seconds(self, run):
        """Returns the seconds of a `PlannedRun` in a process that has trained before."""
        batch_size = self._training.training.batch_size
        in_epochs = run.models * run.epochs * self._epoch.at(run.epoch_examples(batch_size))
        saving = self._mean("save") * saved_states(run.epochs, in_epochs, self._results[0]["every"])
        return run.models * self._mean("warm") + in_epochs + saving * (run.what != PILOTS)

    def wall_seconds(self, run):
        """Returns the same with the start of the process, if the run has one of its own."""
        return self.seconds(run) + self._mean("beginning") * self._is_fresh(run)

    def beginning_of_pool(self, run):
        """Returns the seconds before the first run of processes that take one after the other."""
        # Every process reads the data and traces its first graph.
        return self._mean("beginning") * (not self._is_fresh(run))

    def row(self, what, runs):
        """Returns the `Row` of runs of one kind, a list of `PlannedRun`, without its time."""
        to_do = [run for run in runs if not run.is_finished]
        seen = sum(run.seen(self._training.training.batch_size) for run in to_do)
        passed = sum(run.models * (run.evaluated or self._tested) for run in to_do)
        flops = self._results[0]["flops"], self._results[0]["forward_flops"]
        counted = None if None in flops else flops[0] * seen + flops[1] * passed
        models = max((run.models for run in runs), default=1)
        return Row(
            what,
            models * len(to_do),
            models * (len(runs) - len(to_do)),
            seen + passed,
            counted,
            is_estimate=what in (DYNAMIC, BASELINES) and bool(to_do),
        )

    def disk(self, runs):
        """Returns the `Disk` of what runs keep."""
        models = self._results[0]["model_bytes"] * sum(run.what != PILOTS for run in runs)
        return Disk(sum(map(self._files, runs)) + models, models)

    @property
    def unfinished(self):
        """Bytes of the state of an unfinished run, which is written beside the last one."""
        return 2 * self._results[0]["checkpoint_bytes"]

    @property
    def extra(self):
        """Peak of a process in bytes, beyond the memory that it shares with others."""
        return max(result["peak"] - result["resident"] for result in self._results)

    @property
    def server(self):
        """Bytes of the process that starts the others."""
        return self._results[0]["server"]

    @property
    def server_seconds(self):
        """Seconds from its start to that of the first process."""
        return min(result["server_seconds"] for result in self._results)

    def _is_fresh(self, run):
        # A pilot has a process for each of its splits.
        return self._fresh or run.what == PILOTS

    def _files(self, run):
        """Returns the bytes that a run keeps beside its model."""
        if run.what == PILOTS:
            return 0
        # A subset has the id of each example and whether it is kept.
        subset = _OF_ROW * self._total if run.kept < self._total else 0
        return _FILES + _OF_EPOCH * run.epochs + subset

    @property
    def _total(self):
        return len(self._training.data.train)

    def _mean(self, name):
        return statistics.fmean(result[name] for result in self._results)
