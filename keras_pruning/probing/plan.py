"""The plan of a scoring run: made once from the config, which goes no further."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

from keras_pruning.config import ModelConfig, TrainingConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.jobs.local import thread_count
from keras_pruning.jobs.tasks import ALONE, Tasks
from keras_pruning.probing.recipe import scoring_recipe
from keras_pruning.probing.score_entries import entries_of_each_seed, listed_entries
from keras_pruning.probing.scored_examples import ScoredExamples


@dataclass(frozen=True, eq=False)
class ScoringPlan:
    """Everything that a scoring run needs.

    Args:
        data: `ScoredExamples`.
        model: the model of the probes.
        training: how probes train, `epochs` being the length of a probe's run.
        entries: list of score entries, dictionaries of `name` and options; `all` is replaced.
        scores_of_each_seed: dictionary from the seed of each probe to the entries it takes.
        jobs: number of probes that train at the same time.
        threads: CPU threads of each process.
        settings: the config as nested dictionaries, for the recipe.
        checkpoints: tuple of paths of `.keras` files, the oldest first, that take the place of
            probes; `None` to train probes.
        batch_size: examples in a batch of the scoring passes.
        tasks: `Tasks`, this one among those that share the work.
        backend: where probes train, `"local"`, or `"ray"` for a Ray cluster.
    """

    data: ScoredExamples
    model: ModelConfig
    training: TrainingConfig
    entries: list
    scores_of_each_seed: dict
    jobs: int
    threads: int
    settings: dict
    checkpoints: tuple | None = None
    batch_size: int = 256
    tasks: Tasks = ALONE
    backend: str = "local"

    @classmethod
    def from_config(cls, config, checkpoints=None, tasks=ALONE):
        """Makes the plan of a `Config`. Nothing is loaded yet.

        Args:
            config: `Config`.
            checkpoints: paths of `.keras` files of one training run, the oldest first; by default
                probes are trained.
            tasks: `Tasks`, this one among those that share the work.
        """
        probe = config.probe
        entries = listed_entries(config.scores)
        splits = Splits(**dataclasses.asdict(config.dataset))
        jobs = 1 if checkpoints else probe.jobs
        return cls(
            data=ScoredExamples(splits, probe.split, probe.fraction, config.seed),
            model=config.model,
            # Probes train on all examples
            training=dataclasses.replace(
                config.training, epochs=probe.epochs, budget="epochs", dynamic=None
            ),
            entries=entries,
            scores_of_each_seed=entries_of_each_seed(entries, probe.seeds, config.seed),
            jobs=jobs,
            threads=thread_count(jobs, probe.threads),
            settings=config.as_dict(),
            checkpoints=tuple(checkpoints) if checkpoints else None,
            batch_size=probe.scoring_batch_size,
            tasks=tasks,
        )

    def with_splits(self, splits):
        """Returns the same plan for other examples, a `Splits`."""
        data = ScoredExamples(splits, self.data.split, self.data.fraction, self.data.seed)
        return dataclasses.replace(self, data=data)

    @property
    def names(self):
        """The names of the scores."""
        return [entry["name"] for entry in self.entries]

    def as_config(self):
        """Returns the config as nested dictionaries, with the values that the plan has now."""
        training = dataclasses.asdict(self.training)
        probe = {**self.settings["probe"], "epochs": training["epochs"]}
        model = dataclasses.asdict(self.model)
        dataset = {**self.settings["dataset"], **self.data.splits.drawn}
        parts = {"dataset": dataset, "model": model, "training": training, "probe": probe}
        return {**self.settings, **parts}

    @cached_property
    def recipe(self):
        """Everything that the score table depends on. Loads and hashes the examples."""
        return scoring_recipe(self)

    def require_training_split(self, command):
        """Raises an `InputError` if a command that prunes is told to score the test split."""
        if self.data.split != "train":
            raise InputError(
                f"The command `{command}` scores training examples. Expected probe.split: train. "
                f"Received: {self.data.split}. The command `score` scores the test split."
            )
