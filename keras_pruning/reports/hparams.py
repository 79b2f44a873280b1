"""Writes training runs for the page HParams of TensorBoard."""

import hashlib
import json

from keras_pruning.selection.methods import fraction_name

# Tag of each metric in the event files, and its name on the page.
METRICS = {"test/accuracy": "test accuracy", "test/loss": "test loss"}


def write_run_summary(event_file, method, keep_fraction, data_fraction, metrics):
    """Writes the result of one training run: its hyperparameters and its test metrics.

    Runs that differ in their evaluation seed only are one group. HParams shows the mean.

    Args:
        event_file: open `EventFile` in the folder of the run.
        method: name of the method, as `selection.methods.method_name` gives it.
        keep_fraction: fraction of the examples that was kept.
        data_fraction: fraction of the data set before pruning.
        metrics: content of the run's `metrics.json`, with `test_accuracy`, `test_loss`, `steps`,
            `seconds` and `config`.
    """
    values = _hparams(method, keep_fraction, data_fraction)
    group = f"{method} keep-{fraction_name(keep_fraction)} data-{fraction_name(data_fraction)}"
    group = f"{group} {_digest(metrics['config'])}"
    event_file.hparams(values, group, metrics["seconds"])
    for tag in METRICS:
        event_file.scalar(tag, metrics[tag.replace("/", "_")], metrics["steps"])


def write_experiment(event_file, runs):
    """Writes the hyperparameters and metrics that HParams shows, and their values.

    Args:
        event_file: open `EventFile` anywhere below the log directory.
        runs: list of `Run`.
    """
    values = [_hparams(run.method, run.keep_fraction, run.data_fraction) for run in runs]
    domains = {name: [value[name] for value in values] for name in values[0]}
    event_file.hparams_experiment(domains, METRICS)


def _hparams(method, keep_fraction, data_fraction):
    return {
        "method": method,
        "keep_fraction": float(keep_fraction),
        "data_fraction": float(data_fraction),
    }


def _digest(config):
    """Returns a short hash of the recipe, so that a log directory may hold several sweeps."""
    recipe = {name: config[name] for name in ("dataset", "model", "training")}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:8]
