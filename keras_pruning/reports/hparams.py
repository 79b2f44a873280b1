"""Writes the methods for the page HParams of TensorBoard: one row each, a column a fraction."""

import hashlib
import json

from keras_pruning.selection.methods import fraction_name

METHOD = "method"
# Tags of the test metrics of a run.
_METRICS = ("test/accuracy", "test/loss")


def accuracy_tag(keep_fraction, data_fraction):
    """Returns the tag of the test accuracy in % at one fraction, a column of HParams."""
    data = "" if data_fraction == 1 else f"/data-{fraction_name(data_fraction)}"
    return f"hparams/keep-{fraction_name(keep_fraction)}{data}"


def write_run_summary(event_file, method, keep_fraction, data_fraction, metrics):
    """Writes the result of one training run: its method and its test metrics.

    All runs of a method are one group. HParams shows the mean over those of a fraction.

    Args:
        event_file: open `EventFile` in the folder of the run.
        method: name of the method, as `selection.methods.method_name` gives it.
        keep_fraction: fraction of the examples that was kept.
        data_fraction: fraction of the data set before pruning.
        metrics: content of the run's `metrics.json`, with `test_accuracy`, `test_loss`, `steps`,
            `seconds`, `selection` and `config`.
    """
    group = _group(method, metrics["config"])
    event_file.hparams(_hparams(method, metrics["selection"]), group, metrics["seconds"])
    for tag in _METRICS:
        event_file.scalar(tag, metrics[tag.replace("/", "_")], metrics["steps"])
    tag = accuracy_tag(keep_fraction, data_fraction)
    event_file.scalar(tag, 100 * metrics["test_accuracy"], metrics["steps"])


def write_session(event_file, method, runs):
    """Writes a method as one row of HParams, the group of its runs.

    Args:
        event_file: open `EventFile` in the folder of the method.
        method: name of the method.
        runs: list of `Run`, some of which are of the method.
    """
    metrics = next(run.metrics for run in runs if run.method == method)
    seconds = sum(run.metrics["seconds"] for run in runs if run.method == method)
    group = _group(method, metrics["config"])
    event_file.hparams(_hparams(method, metrics["selection"]), group, seconds)


def write_experiment(event_file, runs):
    """Writes the columns of HParams: the parts of a method, and the accuracy at each fraction.

    Args:
        event_file: open `EventFile` anywhere below the log directory.
        runs: list of `Run`.
    """
    values = [_hparams(run.method, run.metrics["selection"]) for run in runs]
    domains = {name: {value[name] for value in values} for name in values[0]}
    # A part that all methods share tells nothing.
    domains = {name: part for name, part in domains.items() if len(part) > 1 or name == METHOD}
    cells = sorted({(-run.data_fraction, run.keep_fraction) for run in runs})
    several = len({data for data, _ in cells}) > 1
    metrics = {}
    for data, keep in cells:
        part = f" of {-100 * data:g} % of the data" if several else ""
        tag = accuracy_tag(keep, -data)
        metrics[tag] = f"test accuracy in %, {100 * keep:g} % kept{part}"
    event_file.hparams_experiment(domains, metrics)


def _hparams(method, selection):
    """Returns the name of a method and the parts that it is made of."""
    selection = selection or {}
    # A pilot chooses a policy for each fraction. The method is the request.
    selection = {**selection, **((selection.get("auto") or {}).get("request") or {})}
    parts = {"score": "by", "policy": "policy", "quota": "quota"}
    return {METHOD: method} | {name: selection.get(key) or "none" for name, key in parts.items()}


def _group(method, config):
    """Returns the name of a group. A hash of the recipe keeps apart several sweeps."""
    recipe = {name: config[name] for name in ("dataset", "model", "training")}
    recipe["dataset"] = {
        name: value for name, value in recipe["dataset"].items() if name != "fraction"
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:8]
    return f"{method} {digest}"
