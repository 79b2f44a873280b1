"""One training run on the full data or on a subset, and the folder it leaves."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.config import ModelConfig, TrainingConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.jobs.local import progress, run_each, thread_count
from keras_pruning.recipes import (
    EXAMPLES_SAY,
    require_same_recipe,
    settings,
    source_digest,
    versions,
)
from keras_pruning.selection import Subset
from keras_pruning.selection.methods import fraction_name, method_name
from keras_pruning.storage import RECIPE, read_json

# Keys of the config that cannot change a training run, and the reason of each.
CANNOT_MATTER = {
    **EXAMPLES_SAY,
    "probe": "`selection` and `kept` have what follows from the scores",
    "scores": "`selection` and `kept` have what follows from them",
    "sweep": "it lists runs",
    "seed": "each run has a seed",
}


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Everything that training runs on one data set share.

    Args:
        data: `Splits`.
        model: the model.
        training: how it trains.
        settings: the config as nested dictionaries, for recipes and `metrics.json`.
        jobs: number of runs at the same time.
        threads: CPU threads of each process.
        save_models: keep the trained model of each run as `model.keras`.
    """

    data: Splits
    model: ModelConfig
    training: TrainingConfig
    settings: dict
    jobs: int = 1
    threads: int = 1
    save_models: bool = True

    @classmethod
    def from_config(cls, config):
        """Makes the plan of a single run of a `Config`. Nothing is loaded yet."""
        splits = Splits(**dataclasses.asdict(config.dataset))
        return cls(splits, config.model, config.training, config.as_dict(), threads=thread_count(1))

    @property
    def recipe(self):
        """Everything that all results of the plan depend on. Loads and hashes the examples."""
        return {
            "examples": self.data.train.provenance,
            "test_examples": self.data.test.provenance,
            **settings(self.settings, CANNOT_MATTER),
            "model_source": source_digest(self.model.name),
            "threads": self.threads,
            "save_model": self.save_models,
            "versions": versions(),
        }


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A subset to train on and the folder of the result.

    Args:
        plan: `TrainingPlan`.
        subset: `Subset` to train on, or `None` for all examples.
        seed: evaluation seed.
        folder: folder of the finished run.
    """

    plan: TrainingPlan
    subset: Subset | None
    seed: int
    folder: Path

    @property
    def recipe(self):
        """Everything that the result depends on."""
        return {
            **self.plan.recipe,
            "selection": None if self.subset is None else self.subset.selection,
            "kept": None if self.subset is None else self.subset.digest,
            "seed": self.seed,
        }

    def is_finished(self):
        """Returns whether the folder holds a run of the same recipe.

        Raises:
            InputError: if it holds anything else.
        """
        if not self.folder.exists():
            return False
        if not self.folder.is_dir():
            raise InputError(f"Expected a folder as --output. Received: the file {self.folder}")
        if not ((self.folder / RECIPE).is_file() and (self.folder / "metrics.json").is_file()):
            if any(self.folder.iterdir()):
                raise InputError(
                    f"{self.folder} is not empty and holds no finished run. "
                    "Choose another --output, or remove it yourself."
                )
            return False
        require_same_recipe(self.folder, read_json(self.folder / RECIPE), self.recipe)
        return True


def run_folder(subset, seed):
    """Returns the path of a run below its data set's folder: `el2n-hardest/keep-0.50/seed-0`.

    Args:
        subset: `Subset`, `None` for the full data.
        seed: evaluation seed.
    """
    selection = None if subset is None else subset.selection
    keep_fraction = 1.0 if selection is None else selection["keep_fraction"]
    name = f"seed-{seed}"
    if selection is not None and selection["seed"] != seed:
        name += f"-subset-{selection['seed']}"
    return Path(method_name(selection)) / f"keep-{fraction_name(keep_fraction)}" / name


def run_all(runs):
    """Trains and evaluates models, each in a process of its own.

    Args:
        runs: list of `TrainingRun` whose plans have the same jobs and threads.

    Yields:
        The content of each `metrics.json`, in the order in which the runs finish.
    """
    if not runs:
        return
    plan = runs[0].plan
    verbose = progress(len(runs), plan.jobs)
    calls = [{"run": run, "recipe": run.recipe, "verbose": verbose} for run in runs]
    function = "keras_pruning.training.work:run_training"
    description = "training runs" if len(runs) > 1 else "training run"
    yield from run_each(function, calls, plan.jobs, plan.threads, description)
