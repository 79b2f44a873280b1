"""The training runs that a sweep will do, counted before any of them is selected or trained."""

import math
from dataclasses import dataclass

from keras_pruning.comparison.grid import with_baselines
from keras_pruning.entries import describe
from keras_pruning.examples.fractions import keep_count
from keras_pruning.pilot.plan import Pilot
from keras_pruning.pilot.trials import candidates, held_out_count
from keras_pruning.selection import get
from keras_pruning.selection.auto import Auto
from keras_pruning.selection.methods import is_baseline

FULL, METHODS, RANDOM = "full data", "methods", "random pruning"
DYNAMIC, BASELINES, PILOTS = "dynamic methods", "their baselines", "pilots"


@dataclass(frozen=True)
class PlannedRun:
    """One training run.

    Args:
        what: kind of the run.
        kept: number of examples that it trains on.
        epochs: number of epochs of the config, a float if a dynamic method takes fewer.
        is_finished: whether it is done already.
        whole: number of examples before pruning, the length of an epoch with a budget of steps.
            `None` if the epochs have the kept examples.
        evaluated: number of examples to evaluate on if they are not the test examples.
        models: number of models that one process trains in turn.
    """

    what: str
    kept: int
    epochs: float
    is_finished: bool = False
    whole: int | None = None
    evaluated: int | None = None
    models: int = 1

    def steps(self, batch_size):
        """Returns the number of steps of an epoch."""
        return math.ceil((self.whole or self.kept) / batch_size)

    def epoch_examples(self, batch_size):
        """Returns the number of examples in an epoch."""
        steps = self.steps(batch_size)
        passes, rest = divmod(steps, math.ceil(self.kept / batch_size))
        return passes * self.kept + rest * batch_size

    def seen(self, batch_size):
        """Returns the number of examples in all training steps, counting repeats."""
        if self.whole is None or isinstance(self.epochs, float):
            return round(self.models * self.epochs * self.kept)
        steps = self.epochs * self.steps(batch_size)
        passes, rest = divmod(steps, math.ceil(self.kept / batch_size))
        return self.models * (passes * self.kept + rest * batch_size)


def static_counts(plan, training):
    """Returns the runs on the full data and on subsets, for one data fraction.

    Args:
        plan: `SweepPlan`.
        training: `TrainingPlan` of the data fraction.
    """
    total, epochs = len(training.data.train), training.training.epochs
    whole = total if training.training.budget == "steps" else None
    runs = [PlannedRun(FULL, total, epochs, whole=whole) for _ in dict.fromkeys(plan.seeds)]
    for method in with_baselines(plan.grid.methods):
        is_random = is_baseline(describe(method))
        seeds = dict.fromkeys(plan.baseline_seeds if is_random else plan.seeds)
        for fraction in dict.fromkeys(part for part in plan.grid.keep_fractions if part < 1):
            kept = keep_count(fraction, total)
            what = RANDOM if is_random else METHODS
            runs += [PlannedRun(what, kept, epochs, whole=whole) for _ in seeds]
    return runs


def existing_counts(runs):
    """Returns the same of runs whose subsets are selected, with those that are finished.

    Args:
        runs: list of `TrainingRun`.

    Raises:
        InputError: if the folder of a run has another recipe.
    """
    planned = []
    for run in runs:
        training, total = run.training, len(run.plan.data.train)
        whole = total if training.budget == "steps" else None
        if run.subset is None:
            what, kept = FULL, total
        else:
            kept = len(run.subset)
            what = RANDOM if is_baseline(run.subset.selection) else METHODS
        planned.append(PlannedRun(what, kept, training.epochs, run.is_finished(), whole))
    return planned


def dynamic_counts(what, runs, shares):
    """Returns the runs of methods that prune while training, or of their baselines.

    Args:
        what: kind of the runs.
        runs: list of `TrainingRun`.
        shares: list of the share of the examples that each will see.
    """
    return [
        PlannedRun(
            what, len(run.plan.data.train), float(share * run.training.epochs), run.is_finished()
        )
        for run, share in zip(runs, shares, strict=True)
    ]


def pilot_counts(plan, training, is_done):
    """Returns a run for each split of each pilot of a data fraction.

    Args:
        plan: `SweepPlan`.
        training: `TrainingPlan` of the data fraction.
        is_done: function from a method and a keep fraction to whether its pilot is finished.
    """
    runs, total = [], len(training.data.train)
    for method in with_baselines(plan.grid.methods):
        policy = get(method["policy"])
        fractions = dict.fromkeys(part for part in plan.grid.keep_fractions if part < 1)
        for fraction in fractions if isinstance(policy, Auto) else ():
            drawn = keep_count(policy.part, total, "part")
            held_out = held_out_count(drawn)
            pool = drawn - held_out
            short = Pilot(training, None, method["by"], fraction, method["quota"], policy, 0)
            run = PlannedRun(
                PILOTS,
                keep_count(fraction, pool),
                short.training.epochs,
                is_done(method, fraction),
                pool if short.training.budget == "steps" else None,
                held_out,
                len(candidates(fraction)) + 1,
            )
            runs += [run] * policy.seeds
    return runs
