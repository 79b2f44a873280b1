"""The whole walk over a grid: score, prune, train, compare."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.comparison.report import write_comparison
from keras_pruning.comparison.runs import fraction_name
from keras_pruning.config import seed_list
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.jobs.local import progress, run_each, thread_count
from keras_pruning.probing import scoring
from keras_pruning.probing.probes import score_entries
from keras_pruning.probing.scored_examples import require_training_split
from keras_pruning.selection import select
from keras_pruning.training.run import TrainingRun, load_both, run_folder, run_training

logger = logging.getLogger("keras_pruning")


def sweep(config, output):
    """Scores the data, prunes it by every method, retrains and compares.

    Runs that are there already are reused if they have the same recipe. The full data and random
    pruning are always part of the grid; both the random subset and the order of ties are drawn
    anew for each evaluation seed.

    Args:
        config: `Config`.
        output: folder of all results.

    Returns:
        List of `keras_pruning.comparison.runs.Row`.

    Raises:
        InputError: before anything is trained, if the config is invalid or the output holds the
            results of another recipe.
    """
    output = Path(output)
    _require_scored(config)
    require_training_split(config, "sweep")
    parts = _data_fractions(config, output)
    for part, folder in parts:
        _require_examples(part)
        scoring.find_scores(part, folder)
    runs = []
    for part, folder in parts:
        table = scoring.score(part, folder)
        runs += _grid(part, folder, table)
    to_do = [run for run in runs if not run.is_finished()]
    if len(to_do) < len(runs):
        logger.info("Reused %d finished runs: they have the same recipe.", len(runs) - len(to_do))
    if to_do:
        logger.info("Training %d models, %d at a time.", len(to_do), config.sweep.jobs)
    calls = [{"run": run, "verbose": progress(len(to_do), config.sweep.jobs)} for run in to_do]
    threads = thread_count(config.sweep.jobs, config.sweep.threads)
    for _ in run_each(run_training, calls, config.sweep.jobs, threads, "training runs"):
        pass
    return write_comparison(output)


def _data_fractions(config, output):
    """The config and the folder of each data fraction."""
    fractions = config.sweep.data_fractions or [config.dataset.fraction]
    parts = []
    for fraction in fractions:
        dataset = dataclasses.replace(config.dataset, fraction=fraction)
        folder = output / f"data-{fraction_name(fraction)}" if len(fractions) > 1 else output
        parts.append((dataclasses.replace(config, dataset=dataset), folder))
    return parts


def _grid(config, folder, table):
    """All runs on one data fraction: each method, keep fraction and seed, and the full data."""
    examples, test = load_both(config)
    shared = {
        "config": config,
        "examples": examples.provenance,
        "test_examples": test.provenance,
        "threads": thread_count(config.sweep.jobs, config.sweep.threads),
        "save_model": config.sweep.save_models,
    }
    runs = []
    for seed in seed_list(config.sweep.seeds, config.seed):
        subsets = [None]
        for keep_fraction in dict.fromkeys(config.sweep.keep_fractions):
            if keep_fraction == 1:
                continue
            for method in _with_baselines(config.sweep.methods):
                subsets.append(select(table, keep_fraction=keep_fraction, seed=seed, **method))
        for subset in subsets:
            path = folder / run_folder(subset, seed)
            runs.append(TrainingRun(subset=subset, seed=seed, folder=path, **shared))
    return runs


def _with_baselines(methods):
    """The methods, and before them random pruning under each of their class quotas."""
    quotas = dict.fromkeys([None, *[method["quota"] for method in methods]])
    baselines = [{"by": None, "policy": "random", "quota": quota} for quota in quotas]
    return baselines + [method for method in methods if method["policy"] != "random"]


def _require_scored(config):
    taken = [score["name"] for score in score_entries(config)]
    for method in config.sweep.methods:
        if method["policy"] != "random" and method["by"] not in taken:
            raise InputError(
                "A method of the sweep uses a score that is not taken. "
                f"Expected `by` among `scores`: {taken}. Received: {method['by']!r}"
            )


def _require_examples(config):
    """Checks the data, and that every keep fraction keeps something of it, before any training."""
    examples, _ = load_both(config)
    for keep_fraction in config.sweep.keep_fractions:
        keep_count(keep_fraction, len(examples))
