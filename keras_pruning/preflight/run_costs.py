"""The costs of training runs, from the measurement of one."""

import statistics

from keras_pruning.preflight.forecast import Disk, Forecast, Memory, Row
from keras_pruning.preflight.lines import Line, together
from keras_pruning.preflight.runs import BASELINES, DYNAMIC, PILOTS

# Bytes of the files of a run beside its model: recipe and metrics, the curves of each epoch, and a
# row of the subset.
_FILES, _OF_EPOCH, _OF_ROW = 12 * 1024, 300, 8
# Seconds between two saved states of an unfinished run.
_EVERY = 1.0


class RunCosts:
    """The seconds, operations and files of training runs.

    Args:
        training: `TrainingPlan`.
        results: list of the results of `keras_pruning.preflight.work:measure_training`, one for
            each process that works at the same time.
        tested: number of test examples.
    """

    def __init__(self, training, results, tested):
        self._training, self._results, self._tested = training, results, tested
        self._jobs = len(results)
        self._epoch = Line(self._mean("constant"), self._mean("slope"))

    def forecast(self, counts):
        """Returns the `Forecast` of runs.

        Args:
            counts: list of `PlannedRun`.
        """
        to_do = [run for run in counts if not run.is_finished]
        rows = [
            self._row(what, [run for run in counts if run.what == what])
            for what in dict.fromkeys(run.what for run in counts)
        ]
        result = self._results[0]
        extra = max(result["peak"] - result["resident"] for result in self._results)
        memory = Memory(extra, self._jobs, "sweep.jobs", "training.batch_size")
        models = result["model_bytes"] * sum(run.what != PILOTS for run in to_do)
        files = sum(map(self._files, to_do)) + models
        unfinished = self._jobs * 2 * result["checkpoint_bytes"]
        return Forecast(
            rows=rows,
            memories=[memory] if to_do else [],
            disk=Disk(files, models, unfinished if to_do else 0),
            server=result["server"],
            # Every process reads the data and traces its first graph.
            other_seconds=self._mean("beginning") if to_do else 0.0,
        )

    def seconds(self, run):
        """Returns the seconds of a `PlannedRun` in a process that has trained before."""
        batch_size = self._training.training.batch_size
        epochs = run.models * run.epochs * self._epoch.at(run.epoch_examples(batch_size))
        saved = self._mean("save") * min(run.epochs, epochs / _EVERY) * (run.what != PILOTS)
        return run.models * self._mean("warm") + epochs + saved

    def _row(self, what, runs):
        to_do = [run for run in runs if not run.is_finished]
        # A pilot has a process for each of its splits.
        beginning = self._mean("beginning") if what == PILOTS else 0.0
        seconds = together([beginning + self.seconds(run) for run in to_do], self._jobs)
        seen = sum(run.seen(self._training.training.batch_size) for run in to_do)
        passed = sum(run.models * (run.evaluated or self._tested) for run in to_do)
        flops = self._results[0]["flops"], self._results[0]["forward_flops"]
        counted = None if None in flops else flops[0] * seen + flops[1] * passed
        reused = len(runs) - len(to_do)
        models = max((run.models for run in runs), default=1)
        return Row(
            what,
            models * len(to_do),
            models * reused,
            seen + passed,
            counted,
            seconds,
            what in (DYNAMIC, BASELINES) and bool(to_do),
        )

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
