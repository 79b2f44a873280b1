"""Probes: the models that examples are scored with, one for each seed."""

import dataclasses
import logging
import time
from pathlib import Path

from keras_pruning.config import seed_list
from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.processes import run_each, thread_count
from keras_pruning.score_table import ScoreTable
from keras_pruning.storage import new_file, require_same_recipe, write_json
from keras_pruning.versions import versions

logger = logging.getLogger("keras_pruning")

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
    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    threads = thread_count(config.probe.jobs, config.probe.threads)
    recipe = _recipe(config, examples.provenance, threads)
    path = output / "scores.parquet"
    if path.exists():
        table = ScoreTable.load(path)
        require_same_recipe(path, table.metadata.get("recipe"), recipe)
        logger.info("Reused %s: it has the same recipe.", path)
        return table
    for name in ("scores.csv", "scoring.json"):
        if (output / name).exists():
            raise InputError(f"{output / name} is there without scores.parquet. Remove it first.")
    start = time.perf_counter()
    calls = [
        {"config": config, "seed": seed, "scores": scores}
        for seed, scores in _scores_of_each_seed(config).items()
    ]
    probes = dict(run_each(score_with_probe, calls, config.probe.jobs, threads, "probes"))
    tables, costs = zip(*[probes[seed] for seed in sorted(probes)], strict=True)
    table = ScoreTable.mean(tables)
    table.metadata["recipe"] = recipe
    table.save(path)
    table.to_csv(output / "scores.csv")
    with new_file(output / "scoring.json") as partial:
        write_json(partial, {"seconds": time.perf_counter() - start, "probes": costs})
    return table


def _recipe(config, provenance, threads):
    """All that a score table depends on."""
    values = config.as_dict()
    return {
        "examples": provenance,
        "model": values["model"],
        "probe": {
            "epochs": config.probe.epochs,
            "seeds": seed_list(config.probe.seeds, config.seed),
        },
        "scores": values["scores"],
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


def score_with_probe(config, seed, scores):
    """Trains one probe and scores the training examples with it, in a process of its own.

    Args:
        config: `Config`.
        seed: seed of the probe.
        scores: list of score entries, as in the config.

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
    )
    cost = {
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "examples_seen": log.examples_seen,
    }
    return seed, (callback.table(), cost)
