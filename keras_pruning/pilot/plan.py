"""The pilot of a config: its plan, and its runs in child processes."""

import dataclasses
import logging
import math
import time
from dataclasses import dataclass

from keras_pruning.jobs.local import run_each
from keras_pruning.jobs.ray_jobs import workers_of
from keras_pruning.models.architecture import architecture
from keras_pruning.pilot.choice import decide
from keras_pruning.pilot.trials import splits
from keras_pruning.recipes import environment, settings, source_digest, versions
from keras_pruning.selection.methods import description
from keras_pruning.training.run import CANNOT_MATTER, TrainingPlan

logger = logging.getLogger("keras_pruning")


@dataclass(frozen=True, eq=False)
class Pilot:
    """One pilot: a budget, and the policies that it tries for it.

    Args:
        plan: `TrainingPlan` of a run on the whole budget. Only its training examples are loaded.
        table: `ScoreTable` of the training examples.
        by: name of the score.
        keep_fraction: float in (0, 1).
        quota: as for `select`.
        auto: `Auto`, the options of the pilot.
        seed: integer from which the seeds of the splits count.
    """

    plan: TrainingPlan
    table: object
    by: str
    keep_fraction: float
    quota: object
    auto: object
    seed: int

    @property
    def seeds(self):
        """The seeds of the splits, a list."""
        return list(range(self.seed, self.seed + self.auto.seeds))

    @property
    def training(self):
        """`TrainingConfig` of a pilot run: fewer epochs, at least one."""
        epochs = max(1, math.floor(self.auto.length * self.plan.training.epochs + 0.5))
        return dataclasses.replace(self.plan.training, epochs=epochs)

    @property
    def request(self):
        """The part of a `selection` that names the method."""
        method = description(self.by, self.auto, self.quota)
        return {key: method[key] for key in ("by", "policy", "policy_options")}

    @property
    def recipe(self):
        """Dictionary of everything that the accuracies of the pilot depend on."""
        plan, train = self.plan, self.plan.data.train
        config = {**plan.as_config(), "training": dataclasses.asdict(self.training)}
        method = description(self.by, self.auto, self.quota)
        return {
            "examples": train.provenance,
            "table": self.table.digest,
            "higher_is_harder": self.table.higher_is_harder(self.by),
            "selection": {**method, "keep_fraction": self.keep_fraction},
            "split_seeds": self.seeds,
            **settings(config, CANNOT_MATTER),
            "model_source": source_digest(plan.model.name),
            "model_as_built": architecture(plan.model, train.spec, train.num_classes, plan.threads),
            "threads": plan.threads,
            "versions": versions(),
            "environment": environment(),
        }

    def run(self):
        """Trains and evaluates the runs of the pilot and returns its `PolicyChoice`."""
        drawn = splits(
            self.table, self.by, self.keep_fraction, self.quota, self.seeds, self.auto.part
        )
        recipe = self.recipe
        logger.info("%s", self.estimate(drawn))
        calls = [{"plan": self.plan, "training": self.training, "split": part} for part in drawn]
        function = "keras_pruning.pilot.work:run_split"
        start, results = time.perf_counter(), {}
        jobs, threads = self.plan.jobs, self.plan.threads
        workers = workers_of(self.plan.backend, None, threads, "sweep.threads")
        for result in run_each(function, calls, jobs, threads, "pilot", workers=workers):
            results[result["seed"]] = result
        # In the order of the seeds: the splits end in any order
        results = [results[seed] for seed in self.seeds]
        names = list(drawn[0].kept)
        accuracies = {name: [result["accuracies"][name] for result in results] for name in names}
        cost = {
            "runs": len(names) * len(drawn),
            **{name: _total(results, name) for name in ("examples_seen", "examples_forward")},
            "examples_with_gradients": 0,
            "flops": _total(results, "flops"),
            "seconds": round(time.perf_counter() - start, 1),
        }
        return decide(
            accuracies,
            max(part.ratio for part in drawn),
            self.by,
            self.keep_fraction,
            self.seeds,
            self.quota,
            table=self.table.digest,
            request=self.request,
            recipe=recipe,
            cost=cost,
        )

    def estimate(self, drawn):
        """Returns a sentence on the cost of a pilot before it runs.

        Args:
            drawn: list of `Split`.
        """
        full, short, pool = self.plan.training, self.training, drawn[0].pool
        kept = len(next(iter(drawn[0].kept.values())))
        batches = math.ceil((pool if full.budget == "steps" else kept) / full.batch_size)
        runs = len(drawn) * len(drawn[0].kept)
        steps = short.epochs * batches
        whole = full.epochs * math.ceil(len(self.table) / full.batch_size)
        return (
            f"Pilot for {self.by} at keep fraction {self.keep_fraction:g}: training {runs} models "
            f"on {kept:,} examples for {steps:,} steps, as many steps as "
            f"{runs * steps / whole:.1f} training runs on the full data."
        )


def _total(results, name):
    """Returns the sum of a number of all splits, `None` if one of them does not know it."""
    values = [result[name] for result in results]
    return None if None in values else sum(values)
