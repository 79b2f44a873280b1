"""Reads finished training runs from their folders."""

import dataclasses
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.comparison.metrics import require_metrics
from keras_pruning.comparison.result_files import files_named
from keras_pruning.comparison.shares import is_dynamic_baseline, seen_share, trained_share
from keras_pruning.config import DatasetConfig
from keras_pruning.errors import InputError
from keras_pruning.recipes import completed, differing
from keras_pruning.selection.methods import run_method_name
from keras_pruning.storage import load_json

logger = logging.getLogger("keras_pruning")


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Args:
        folder: folder of the run.
        method: `"full"`, `"random"`, or score, policy and quota joined by hyphens. The name and
            options of a method that prunes while training.
        data_fraction: fraction of the data set before pruning.
        keep_fraction: fraction of those examples that was kept. Of a method that prunes while
            training, the share of examples seen, of all that the epochs have: a mean over its runs,
            to half a percent.
        metrics: content of its `metrics.json`.
    """

    folder: Path
    method: str
    data_fraction: float
    keep_fraction: float
    metrics: dict

    @property
    def cell(self):
        """The runs of one cell differ in their evaluation seed only."""
        return self.data_fraction, self.keep_fraction, self.method

    @property
    def dynamic(self):
        """The method that prunes while training, a dictionary of a name and options, or `None`."""
        return self.metrics["config"]["training"].get("dynamic")

    @property
    def chosen_fraction(self):
        """Fraction of the examples that was selected before training, as in the run's folder."""
        selection = self.metrics["selection"]
        return 1.0 if selection is None else selection["keep_fraction"]


def find_runs(folder):
    """Returns all finished runs below `folder`.

    Warns once if some of their metrics have no digest.

    Raises:
        InputError: if there are none, if one is damaged, if their recipes differ in more than the
            kept examples, or if two are of the same method, fraction and seed.
    """
    runs, unverified = [], []
    for path in _metrics_files(folder):
        metrics, is_verified = load_json(path)
        runs.append(_as_run(path, metrics))
        unverified += [] if is_verified else [path]
    if not runs:
        raise InputError(f"No finished runs. Expected metrics.json files below {folder}.")
    if unverified:
        warnings.warn(
            f"{len(unverified)} of {len(runs)} metrics.json have no digest, so damage to them "
            f"cannot be noticed. The first is {unverified[0]}. Version 0.2.0 or earlier, or "
            "another program, wrote them.",
            UserWarning,
            stacklevel=2,
        )
    _require_same_recipe(runs)
    _require_each_once(runs)
    return _with_shares(runs)


def _with_shares(runs):
    """Returns the runs, those of dynamic methods with the share that the method saw."""
    groups = {}
    for run in runs:
        groups.setdefault(run.cell, []).append(run.metrics)
    trained = {}
    for run in filter(is_dynamic_baseline, runs):
        trained.setdefault(run.data_fraction, set()).add(trained_share(run.dynamic))
    shares = {
        run.cell: seen_share(run.dynamic, groups[run.cell], trained.get(run.data_fraction, ()))
        for run in runs
        if run.dynamic is not None
    }
    return [
        dataclasses.replace(run, keep_fraction=run.keep_fraction * shares[run.cell])
        if run.cell in shares
        else run
        for run in runs
    ]


def _metrics_files(folder):
    """Returns the `metrics.json` of each finished run, the runs of a sweep if there are any."""
    paths = files_named(folder, "metrics.json")
    # The single runs of `cli.py train` lie below `train` and repeat some of a sweep's.
    swept = [path for path in paths if path.relative_to(folder).parts[0] != "train"]
    if swept and len(swept) < len(paths):
        logger.info("Left out %d single runs below train/.", len(paths) - len(swept))
    return swept or paths


def _require_same_recipe(runs):
    for run in runs[1:]:
        classes = [len(other.metrics["class_accuracy"]) for other in (runs[0], run)]
        if classes[0] != classes[1]:
            raise InputError(
                "Runs of different data cannot be compared. Expected the same number of classes. "
                f"Received: {classes[0]} in {runs[0].folder}, {classes[1]} in {run.folder}"
            )
        keys = differing(_shared(run), _shared(runs[0]))
        if keys:
            raise InputError(
                "Runs of different recipes cannot be compared. "
                f"Expected the same {', '.join(keys)} in all. "
                f"Received: others in {run.folder} than in {runs[0].folder}"
            )


def _require_each_once(runs):
    folders = {}
    for run in runs:
        key = (*run.cell, run.metrics["seed"])
        if key in folders:
            raise InputError(
                f"Two runs of the same method, fraction and seed: {folders[key]} and {run.folder}. "
                "Expected each once. Compare their folders one at a time."
            )
        folders[key] = run.folder


def _as_run(path, metrics):
    """Returns the `Run` of the content of a `metrics.json`.

    Raises:
        InputError: if an entry is missing or of another type.
    """
    try:
        require_metrics(metrics)
        dataset = DatasetConfig(**metrics["config"]["dataset"])
    except (InputError, TypeError) as error:
        raise InputError(
            f"{path} is not the metrics of a training run of this version: {error}"
        ) from error
    selection, dynamic = metrics["selection"], metrics["config"]["training"].get("dynamic")
    method = run_method_name(selection, dynamic)
    run = Run(path.parent, method, dataset.fraction, 1.0, metrics)
    return dataclasses.replace(run, keep_fraction=run.chosen_fraction)


# Keys of the section `dataset` that all compared runs share.
_SHARED = (
    "name",
    "image_size",
    "scale",
    "test_fraction",
    "label_column",
    "input_columns",
    "image_column",
    "skip_broken",
    "train_split",
    "test_split",
    "label_noise",
)


def _shared(run):
    """Returns the part of a run's recipe that must be the same in all compared runs."""
    config = run.metrics["config"]
    dataset = completed(config["dataset"], "dataset")
    dataset = {key: dataset.get(key) for key in _SHARED}
    # The method that prunes while training is no part of it
    training = {key: value for key, value in config["training"].items() if key != "dynamic"}
    return {"dataset": dataset, "model": config["model"], "training": training}
