"""What training runs gave, read back from their folders and put side by side."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.recipes import completed, differing
from keras_pruning.selection.methods import FULL, RANDOM, method_name
from keras_pruning.statistics import intervals
from keras_pruning.storage import read_json

logger = logging.getLogger("keras_pruning")


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Args:
        folder: where it lies.
        method: `"full"`, `"random"`, or score, policy and quota joined by hyphens.
        data_fraction: part of the data set that was there before pruning.
        keep_fraction: part of that which was kept.
        metrics: content of its `metrics.json`.
    """

    folder: Path
    method: str
    data_fraction: float
    keep_fraction: float
    metrics: dict


@dataclass(frozen=True)
class Row:
    """One method at one keep fraction, over its evaluation seeds.

    Args:
        data_fraction: part of the data set that was there before pruning.
        keep_fraction: part of that which was kept.
        method: name of the method.
        runs: number of runs n.
        accuracy: mean test accuracy in [0, 1].
        half_width: half the width of its 95 % interval, `None` for one run.
        difference: mean test accuracy minus that of random pruning at the same fraction, with the
            same class quota where the method has one; `None` for random itself and the full data.
        difference_half_width: half the width of its 95 % interval (Welch), `None` for one run
            and where neither side varies.
        lowest_class_accuracy: mean accuracy of the class that comes off worst.
        examples_kept: number of examples trained on.
        seconds: mean training time.
    """

    data_fraction: float
    keep_fraction: float
    method: str
    runs: int
    accuracy: float
    half_width: float | None
    difference: float | None
    difference_half_width: float | None
    lowest_class_accuracy: float
    examples_kept: int
    seconds: float

    @property
    def verdict(self):
        """`"better"` or `"worse"` than random where the interval excludes 0, else `"unclear"`.

        Empty where there is nothing to compare, or only one run.
        """
        if self.difference_half_width is None:
            return ""
        if abs(self.difference) <= self.difference_half_width:
            return "unclear"
        return "better" if self.difference > 0 else "worse"


def find_runs(folder):
    """All finished runs below `folder`.

    Raises:
        InputError: if there are none, if their recipes differ in more than what was kept, or if
            two are of the same method, fraction and seed.
    """
    paths = sorted(Path(folder).rglob("metrics.json"))
    # Below `train` lie the single runs of `cli.py train`, which repeat some of a sweep's.
    parts = {path: path.relative_to(folder).parts for path in paths}
    paths = [path for path in paths if not any(p.endswith(".partial") for p in parts[path])]
    swept = [path for path in paths if parts[path][0] != "train"]
    if swept and len(swept) < len(paths):
        logger.info("Left out %d single runs below train/.", len(paths) - len(swept))
    runs = [_read(path) for path in swept or paths]
    if not runs:
        raise InputError(f"No finished runs. Expected metrics.json files below {folder}.")
    for run in runs[1:]:
        keys = differing(_shared(run), _shared(runs[0]))
        if keys:
            raise InputError(
                "Runs of different recipes cannot be compared. "
                f"Expected the same {', '.join(keys)} in all. "
                f"Received: others in {run.folder} than in {runs[0].folder}"
            )
    cells = {}
    for run in runs:
        cell = (run.data_fraction, run.keep_fraction, run.method, run.metrics["seed"])
        if cell in cells:
            raise InputError(
                f"Two runs of the same method, fraction and seed: {cells[cell]} and {run.folder}. "
                "Expected each once. Compare their folders one at a time."
            )
        cells[cell] = run.folder
    return runs


_NEEDED = ("test_accuracy", "test_loss", "class_accuracy", "examples_kept", "seconds", "seed")


def _read(path):
    metrics = read_json(path)
    try:
        selection = metrics["selection"]
        keep_fraction = 1.0 if selection is None else selection["keep_fraction"]
        data_fraction = metrics["config"]["dataset"]["fraction"]
        for key in _NEEDED:
            metrics[key]
        return Run(path.parent, method_name(selection), data_fraction, keep_fraction, metrics)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is not the metrics of a training run: {error!r}") from error


def _shared(run):
    """The part of a run's recipe that must not differ among runs that are compared."""
    config = run.metrics["config"]
    dataset = completed(config["dataset"], "dataset")
    dataset = {key: dataset.get(key) for key in ("name", "image_size", "label_noise")}
    return {"dataset": dataset, "model": config["model"], "training": config["training"]}


def compare(runs):
    """One `Row` for each data fraction, keep fraction and method: the full data first, then the
    keep fractions downwards, random before the others."""
    groups = {}
    for run in runs:
        groups.setdefault((run.data_fraction, run.keep_fraction, run.method), []).append(run)
    ordered = sorted(
        groups, key=lambda key: (-key[0], -key[1], key[2] != FULL, not _is_random(key[2]), key[2])
    )
    return [_row(key, groups) for key in ordered]


def _row(key, groups):
    data_fraction, keep_fraction, method = key
    runs = groups[key]
    accuracies = _accuracies(runs)
    baseline = groups.get((data_fraction, keep_fraction, _baseline(runs[0], groups)))
    difference = difference_half_width = None
    if baseline and method != FULL and baseline is not runs:
        difference = float(accuracies.mean() - _accuracies(baseline).mean())
        difference_half_width = intervals.difference_half_width(accuracies, _accuracies(baseline))
    by_class = np.array([run.metrics["class_accuracy"] for run in runs], float).mean(axis=0)
    return Row(
        data_fraction,
        keep_fraction,
        method,
        len(runs),
        float(accuracies.mean()),
        intervals.half_width(accuracies),
        difference,
        difference_half_width,
        float(np.nanmin(by_class)),
        int(np.mean([run.metrics["examples_kept"] for run in runs])),
        float(np.mean([run.metrics["seconds"] for run in runs])),
    )


def _is_random(method):
    return method.split("-")[0] == RANDOM


def _baseline(run, groups):
    """The random pruning to hold a run against: with the same class quota, if there is one."""
    quota = (run.metrics["selection"] or {}).get("quota")
    same = f"{RANDOM}-{quota}"
    there = any(method == same for _, _, method in groups)
    return same if quota and there and run.method != same else RANDOM


def _accuracies(runs):
    return np.array([run.metrics["test_accuracy"] for run in runs])
