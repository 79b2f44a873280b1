"""One training run on the full data or a subset, and the folder it leaves."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.comparison.runs import fraction_name, method_name
from keras_pruning.config import Config
from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.recipes import require_same_recipe, source_digest, versions
from keras_pruning.selection import Subset
from keras_pruning.storage import RECIPE, new_folder, read_json, write_json


@dataclass
class TrainingRun:
    """What to train, and where it goes.

    Args:
        config: `Config`.
        subset: `Subset` to train on, or `None` for all examples.
        seed: evaluation seed.
        folder: where the finished run will lie.
        examples: the provenance of the training examples before pruning.
        test_examples: the provenance of the test examples.
        threads: CPU threads of the process.
        save_model: keep the trained model as `model.keras`.
    """

    config: Config
    subset: Subset | None
    seed: int
    folder: Path
    examples: dict
    test_examples: dict
    threads: int
    save_model: bool = True

    @property
    def recipe(self):
        """All that the result depends on."""
        values = self.config.as_dict()
        return {
            "examples": self.examples,
            "test_examples": self.test_examples,
            "selection": None if self.subset is None else self.subset.selection,
            "kept": None if self.subset is None else self.subset.digest,
            "model": values["model"],
            "model_source": source_digest(self.config.model.name),
            "training": values["training"],
            "seed": self.seed,
            "threads": self.threads,
            "save_model": self.save_model,
            "versions": versions(),
        }

    def is_finished(self):
        """Whether the folder holds a run of the same recipe.

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
    """Where a run lies below its data set's folder, for example `el2n-hardest/keep-0.50/seed-0`.

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


def run_training(run, verbose=0):
    """Trains and evaluates one model, in a process of its own, and writes the folder of the run.

    Args:
        run: `TrainingRun`.
        verbose: as in `keras.Model.fit`.

    Returns:
        The content of its `metrics.json`.
    """
    with new_folder(run.folder) as folder:
        write_json(folder / RECIPE, run.recipe)
        if run.subset is not None:
            run.subset.save(folder / "subset.parquet")
        metrics = _train(run, folder, verbose)
        write_json(folder / "metrics.json", metrics)
    return metrics


def _train(run, folder, verbose):
    import keras
    import numpy as np

    from keras_pruning.models import networks as models
    from keras_pruning.reports.event_files import EventFile
    from keras_pruning.reports.hparams import write_run_summary
    from keras_pruning.reports.training_curves import TrainingCurves
    from keras_pruning.training import fit as training

    config = run.config
    examples, test = load_both(config)
    kept = examples if run.subset is None else examples.keep(run.subset)
    seed = training.derived_seed("training", run.seed)
    keras.utils.set_random_seed(seed)
    model = models.build(
        config.model.name, examples.shape, examples.num_classes, **config.model.options
    )
    selection = None if run.subset is None else run.subset.selection
    log = training.train(
        model,
        kept,
        **dataclasses.asdict(config.training),
        full_size=len(examples),
        seed=seed,
        callbacks=[TrainingCurves(folder)],
        verbose=verbose,
    )
    metrics = {
        **training.evaluate(model, test),
        "examples_kept": len(kept),
        "class_examples": np.bincount(kept.labels, minlength=kept.num_classes).tolist(),
        **dataclasses.asdict(log),
        "seed": run.seed,
        "selection": selection,
        "config": config.as_dict(),
    }
    keep_fraction = 1.0 if selection is None else selection["keep_fraction"]
    with EventFile(folder) as events:
        write_run_summary(
            events, method_name(selection), keep_fraction, config.dataset.fraction, metrics
        )
    if run.save_model:
        model.save(folder / "model.keras")
    return metrics


def load_both(config):
    """The training and the test examples of a config.

    Raises:
        InputError: if they do not fit each other.
    """
    dataset = dataclasses.asdict(config.dataset)
    examples = load_examples(split="train", **dataset)
    test = load_examples(split="test", **{**dataset, "fraction": 1.0})
    if test.shape != examples.shape:
        raise InputError(
            "Training and test examples differ. "
            f"Expected test examples of shape {examples.shape}. Received: {test.shape}"
        )
    return examples, test
