"""Training runs on the full data or on subsets: the plan, each run and the folder it writes."""

import dataclasses
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keras_pruning.config import ModelConfig, TrainingConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.jobs import claims
from keras_pruning.jobs.local import progress, run_each, thread_count
from keras_pruning.jobs.ray_jobs import workers_of
from keras_pruning.jobs.tasks import ALONE, Item, Tasks
from keras_pruning.models.architecture import architecture
from keras_pruning.recipes import (
    EXAMPLES_SAY,
    environment,
    require_same_recipe,
    settings,
    source_digest,
    versions,
)
from keras_pruning.selection import Subset
from keras_pruning.selection.methods import fraction_name, run_method_name
from keras_pruning.storage import ANY, RECIPE, clear_leftovers, read_json, require_writable
from keras_pruning.storage.unfinished import read_identity

METRICS = "metrics.json"
# Keys of the config that cannot change a training run, each with the reason.
CANNOT_MATTER = {
    **EXAMPLES_SAY,
    "probe": "`selection` and `kept` record the effect of the scores",
    "scores": "`selection` and `kept` record their effect",
    "sweep.methods": "`selection` or `training.dynamic` has the method",
    "sweep.keep_fractions": "`selection` and `kept` have the fraction",
    "sweep.data_fractions": "`examples.fraction`",
    "sweep.seeds": "each run has a seed",
    "sweep.baseline_seeds": "each run has a seed",
    "sweep.jobs": "runs do not see each other",
    "sweep.threads": "`threads` has the number that is used",
    "sweep.save_models": "`save_model` has it",
    "sweep.backend": "`versions` and `environment` hold for each worker, which checks its own",
    "seed": "each run has its seed",
}


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Everything that training runs on one data set share.

    Args:
        data: `Splits`.
        model: `ModelConfig`.
        training: `TrainingConfig`.
        settings: the config as nested dictionaries, for recipes and `metrics.json`.
        jobs: number of runs at the same time.
        threads: number of CPU threads of each process.
        save_models: whether each run saves its trained model as `model.keras`.
        tasks: `Tasks`, this one among those that share the runs.
        backend: `"local"`, or `"ray"` for a Ray cluster.
    """

    data: Splits
    model: ModelConfig
    training: TrainingConfig
    settings: dict
    jobs: int = 1
    threads: int = 1
    save_models: bool = True
    tasks: Tasks = ALONE
    backend: str = "local"

    @classmethod
    def from_config(cls, config):
        """Returns the plan of a single run of a `Config`. Does not load the examples."""
        splits = Splits(**dataclasses.asdict(config.dataset))
        return cls(splits, config.model, config.training, config.as_dict(), threads=thread_count(1))

    def as_config(self):
        """Returns the config as nested dictionaries, with the values that the plan has now."""
        return {
            **self.settings,
            "dataset": {**self.settings["dataset"], **self.data.drawn},
            "model": dataclasses.asdict(self.model),
            "training": dataclasses.asdict(self.training),
        }

    @cached_property
    def recipe(self):
        """Dictionary of everything that all results of the plan depend on.

        The first access loads and hashes the examples.
        """
        train = self.data.train
        built = architecture(self.model, train.spec, train.num_classes, self.threads)
        return {
            "examples": train.provenance,
            "test_examples": self.data.test.provenance,
            **settings(self.as_config(), CANNOT_MATTER),
            "model_source": source_digest(self.model.name),
            "model_as_built": built,
            "threads": self.threads,
            "save_model": self.save_models,
            "versions": versions(),
            "environment": environment(),
        }


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training run: the subset, the seed and the folder of the result.

    Args:
        plan: `TrainingPlan`.
        subset: `Subset` to train on, `None` for all examples.
        seed: evaluation seed, an integer >= 0.
        folder: path of the result.
        selecting_seconds: seconds that selecting the subset took, `None` if it is not known. The
            result does not depend on it.
        dynamic: a method that prunes while training in the place of the plan's, a dictionary of a
            name and options, or `None`.
    """

    plan: TrainingPlan
    subset: Subset | None
    seed: int
    folder: Path
    selecting_seconds: float | None = None
    dynamic: dict | None = None

    @property
    def training(self):
        """The `TrainingConfig` of this run."""
        if self.dynamic is None:
            return self.plan.training
        return dataclasses.replace(self.plan.training, dynamic=self.dynamic)

    @property
    def config(self):
        """The config of this run, as nested dictionaries."""
        return {**self.plan.as_config(), "training": dataclasses.asdict(self.training)}

    @property
    def recipe(self):
        """Dictionary of everything that the result depends on."""
        return {
            **self.plan.recipe,
            "training": dataclasses.asdict(self.training),
            "selection": None if self.subset is None else self.subset.selection,
            "kept": None if self.subset is None else self.subset.digest,
            "seed": self.seed,
        }

    @property
    def checkpoint_path(self):
        """Path of the file from which the run goes on if it is killed, beside its folder."""
        return self.folder.with_name(f"{self.folder.name}.unfinished.npz")

    def is_finished(self):
        """Returns whether the folder contains a run of the same recipe.

        Raises:
            InputError: if it contains anything else, or a run of another recipe was killed.
        """
        if not self.folder.exists():
            # Another recipe would begin again and replace what a killed run has left
            unfinished = read_identity(self.checkpoint_path)
            if unfinished is not None:
                require_same_recipe(self.checkpoint_path, unfinished, self.recipe)
            return False
        if not self.folder.is_dir():
            raise InputError(
                f"Invalid output. Expected a folder as --output. Received: the file {self.folder}"
            )
        # An empty folder is free. Any other must be a run.
        if not ((self.folder / RECIPE).is_file() and (self.folder / METRICS).is_file()):
            if any(self.folder.iterdir()):
                raise InputError(
                    f"{self.folder} is not empty and contains no finished run. "
                    "Choose another --output, or remove it yourself."
                )
            return False
        require_same_recipe(self.folder, read_json(self.folder / RECIPE), self.recipe)
        return True

    def clear(self):
        """Removes what killed processes have left beside the folder of a finished run."""
        clear_leftovers(self.folder, ANY)
        clear_leftovers(self.checkpoint_path, ANY)
        claims.remove(self.folder)
        self.checkpoint_path.unlink(missing_ok=True)


def run_folder(subset, seed, dynamic=None):
    """Returns the path of a run below the folder of its data set, as a relative `Path`.

    For example, `el2n-hardest/keep-0.50/seed-0`. A method that prunes while training chooses from
    all examples, as in `infobatch/keep-1.00/seed-0`.

    Args:
        subset: `Subset`, `None` for the full data.
        seed: evaluation seed.
        dynamic: the dynamic entry of a run that prunes while training, or `None`.
    """
    selection = None if subset is None else subset.selection
    keep_fraction = 1.0 if selection is None else selection["keep_fraction"]
    name = f"seed-{seed}"
    # A subset of another seed is another run.
    if selection is not None and selection["seed"] != seed:
        name += f"-subset-{selection['seed']}"
    return Path(run_method_name(selection, dynamic)) / f"keep-{fraction_name(keep_fraction)}" / name


def require_dynamic(plan, entries, subset=None):
    """Checks methods that prune while training, in a child process, before any run trains.

    Args:
        plan: `TrainingPlan` of the runs.
        entries: list of dynamic entries.
        subset: `Subset` that they choose from, `None` for all examples.

    Raises:
        InputError: if there is no such method or option, or its value does not fit the data. If a
            subset is to train for as many steps as the full data.
    """
    if entries and subset is not None and plan.training.budget == "steps":
        raise InputError(
            "A subset whose examples are pruned while training takes fewer steps than the full "
            "data. Expected training.budget: epochs. Received: steps, with training.dynamic: "
            f"{entries[0]['name']}. Take --training.budget epochs, or leave out --subset."
        )
    if entries:
        call = {"plan": plan, "subset": subset, "entries": entries}
        function = "keras_pruning.training.work:check_dynamic"
        list(run_each(function, [call], 1, plan.threads, "check"))


def run_all(runs, failed=None):
    """Trains and evaluates one model for each run, in child processes.

    Args:
        runs: list of `TrainingRun` whose plans have the same jobs and threads.
        failed: function that is called with a run and the exception that ended it. The other runs
            go on. Without it the first exception is raised.

    Yields:
        The content of each `metrics.json`, a dictionary, in the order in which the runs finish.
        `None` for a run of another task.

    Raises:
        InputError: before any run trains, if the folder of one cannot be written.
    """
    if not runs:
        return
    for run in runs:
        require_writable(run.folder)
    # All runs share the settings of the first one's plan.
    plan = runs[0].plan
    verbose = progress(len(runs))
    # The parent computes the recipe of each data fraction before any run trains. It travels with
    # the plan, so that no child computes it again.
    for run in runs:
        run.plan.recipe  # noqa: B018
    items = [Item(run.folder, {"run": run, "verbose": verbose}, run.is_finished) for run in runs]
    calls = plan.tasks.calls(items, "training run")
    function = "keras_pruning.training.work:run_training"
    report = None if failed is None else lambda call, error: failed(call["run"], error)
    # The code of an own model may keep what the next run would see
    keep = plan.recipe["model_as_built"] is None
    options = (plan.jobs, plan.threads, "training run", report, keep)
    place = Path(os.path.commonpath([run.folder.absolute().parent for run in runs]))
    try:
        workers = workers_of(plan.backend, place, plan.threads, "sweep.threads")
        yield from run_each(function, calls, *options, workers=workers)
    finally:
        # A process that was ended may not have removed its partial folder.
        for run in runs:
            clear_leftovers(run.folder)
