"""Probes: the models that examples are scored with, one for each seed."""

import dataclasses
import logging
import time
from pathlib import Path

from keras_pruning.config import seed_list
from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.processes import progress, run_each, thread_count
from keras_pruning.score_table import ScoreTable
from keras_pruning.storage import new_file, require_same_recipe, write_json
from keras_pruning.versions import source_digest, versions

logger = logging.getLogger("keras_pruning")
SCORES = "scores.parquet"

_SHARED_WITH_PROBES = (
    "batch_size",
    "optimizer",
    "learning_rate",
    "schedule",
    "weight_decay",
    "augmentation",
)


def score(config, output):
    """Trains the probes of `config` and writes the mean of their scores.

    A score table that is there already is reused if it has the same recipe.

    Args:
        config: `Config`.
        output: folder for `scores.parquet`, `scores.csv` and `scoring.json`, what it cost.

    Returns:
        `ScoreTable`.

    Raises:
        InputError: if the output holds other scores, or the config does not fit the data.
    """
    output = Path(output)
    table, recipe = find_scores(config, output)
    if table is not None:
        logger.info("Reused %s: it has the same recipe.", output / SCORES)
        return table
    threads = recipe["threads"]
    start = time.perf_counter()
    calls = [
        {"config": config, "seed": seed, "scores": scores}
        for seed, scores in _scores_of_each_seed(config).items()
    ]
    logger.info("Training and scoring with %d probes, %d at a time.", len(calls), config.probe.jobs)
    for call in calls:
        call["verbose"] = progress(len(calls), config.probe.jobs)
    probes = dict(run_each(score_with_probe, calls, config.probe.jobs, threads, "probes"))
    tables, costs = zip(*[probes[seed] for seed in sorted(probes)], strict=True)
    table = ScoreTable.mean(tables)
    table.metadata["recipe"] = recipe
    if find_scores(config, output)[0] is not None:
        logger.info("Reused %s: another process wrote it meanwhile.", output / SCORES)
        return table
    table.to_csv(output / "scores.csv")
    with new_file(output / "scoring.json") as partial:
        write_json(partial, {"seconds": time.perf_counter() - start, "probes": costs})
    # Last: where it lies, the others do.
    table.save(output / SCORES)
    return table


def find_scores(config, output):
    """The scores that lie in `output` already, and the recipe of those that are asked for.

    Args:
        config: `Config`.
        output: folder that `score` writes to.

    Returns:
        Tuple of `ScoreTable`, `None` if there is none, and the recipe.

    Raises:
        InputError: if the output holds other scores, or something in the way of new ones.
    """
    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    threads = thread_count(config.probe.jobs, config.probe.threads)
    recipe = _recipe(config, examples.provenance, threads)
    if output.exists() and not output.is_dir():
        raise InputError(f"Expected a folder as --output. Received: the file {output}")
    if (output / SCORES).exists():
        table = ScoreTable.load(output / SCORES)
        require_same_recipe(output / SCORES, table.metadata.get("recipe"), recipe)
        return table, recipe
    for name in ("scores.csv", "scoring.json"):
        if (output / name).exists():
            raise InputError(f"{output / name} is there without {SCORES}. Remove it first.")
    return None, recipe


def _recipe(config, provenance, threads):
    """All that a score table depends on."""
    values = config.as_dict()
    return {
        "examples": provenance,
        "model": values["model"],
        "model_source": source_digest(config.model.name),
        "probe": {"epochs": config.probe.epochs},
        "scores_of_each_seed": _scores_of_each_seed(config),
        "training": {key: values["training"][key] for key in _SHARED_WITH_PROBES},
        "threads": threads,
        "versions": versions(),
    }


def _scores_of_each_seed(config):
    """The scores that each probe takes: a dictionary from seed to a list of score entries."""
    of_seed = {}
    for entry in config.scores:
        for seed in seed_list(entry.get("seeds", config.probe.seeds), config.seed):
            scores = of_seed.setdefault(seed, [])
            scores.append({key: value for key, value in entry.items() if key != "seeds"})
    return of_seed


def score_with_probe(config, seed, scores, verbose=0):
    """Trains one probe and scores the training examples with it, in a process of its own.

    Args:
        config: `Config`.
        seed: seed of the probe.
        scores: list of score entries, as in the config.
        verbose: as in `keras.Model.fit`.

    Returns:
        Tuple of the seed and a tuple of `ScoreTable` and a dictionary of what it cost.
    """
    import keras

    from keras_pruning import models, training
    from keras_pruning.scores import ScoreCallback, get

    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    scores = [get(entry) for entry in scores]
    epochs = config.probe.epochs
    stop_epoch = max(max(each.epochs_due(epochs)) for each in scores)
    seed_of_probe = training.derived_seed("probe", seed)
    keras.utils.set_random_seed(seed_of_probe)
    model = models.build(
        config.model.name, examples.shape, examples.num_classes, **config.model.options
    )
    callback = ScoreCallback(examples, scores, epochs=epochs)
    options = dataclasses.asdict(config.training) | {"epochs": epochs, "budget": "epochs"}
    start = time.perf_counter()
    log = training.train(
        model,
        examples,
        **options,
        stop_epoch=stop_epoch,
        seed=seed_of_probe,
        callbacks=[callback],
        verbose=verbose,
    )
    cost = {
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "examples_seen": log.examples_seen,
    }
    return seed, (callback.table(), cost)
