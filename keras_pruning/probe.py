"""Probes: the models that examples are scored with, one for each seed."""

import dataclasses
import time

from keras_pruning.backend import import_tensorflow
from keras_pruning.config import seed_list
from keras_pruning.examples import load_examples
from keras_pruning.processes import progress, run_each


def probe_tables(config, threads, extra=()):
    """Trains the probes of `config` and takes their scores.

    Args:
        config: `Config`.
        threads: CPU threads of each probe's process.
        extra: functions of no arguments that make a `Score`, in the process of each probe, for
            what every probe takes besides the scores of `config`.

    Returns:
        Tuple of two lists in the order of the seeds: a `ScoreTable` and a dictionary of what it
        cost for each probe.
    """
    calls = [
        {"config": config, "seed": seed, "scores": [*scores, *extra]}
        for seed, scores in scores_of_each_seed(config).items()
    ]
    for call in calls:
        call["verbose"] = progress(len(calls), config.probe.jobs)
    probes = dict(run_each(score_with_probe, calls, config.probe.jobs, threads, "probes"))
    tables, costs = zip(*[probes[seed] for seed in sorted(probes)], strict=True)
    return list(tables), list(costs)


def score_entries(config):
    """The entries of `config.scores`, `all` replaced by every score that is not named beside it."""
    named = [entry for entry in config.scores if entry["name"] != "all"]
    others = [entry for entry in config.scores if entry["name"] == "all"]
    if others:
        import_tensorflow()  # without its greetings, before the next line does it
        from keras_pruning.scores import SCORES

        names = [name for name in SCORES if name not in {entry["name"] for entry in named}]
        others = [{**others[0], "name": name} for name in names]
    return named + others


def scores_of_each_seed(config):
    """The scores that each probe takes: a dictionary from seed to a list of score entries."""
    of_seed = {}
    for entry in score_entries(config):
        for seed in seed_list(entry.get("seeds", config.probe.seeds), config.seed):
            scores = of_seed.setdefault(seed, [])
            scores.append({key: value for key, value in entry.items() if key != "seeds"})
    return of_seed


def require_scores(config, num_classes):
    """Raises an `InputError` if a score of `config` is unknown or cannot be taken by its probes.

    In a process of its own, before any probe trains.

    Args:
        config: `Config`.
        num_classes: number of classes of the data.
    """
    from keras_pruning.scores import get
    from keras_pruning.scores.recorder import require_classes

    for entry in score_entries(config):
        score = get({key: value for key, value in entry.items() if key != "seeds"})
        score.epochs_due(config.probe.epochs)
        require_classes(score, num_classes)


def score_with_probe(config, seed, scores, verbose=0):
    """Trains one probe and scores the training examples with it, in a process of its own.

    Args:
        config: `Config`.
        seed: seed of the probe.
        scores: list of score entries, as in the config, and of functions that make a `Score`.
        verbose: as in `keras.Model.fit`.

    Returns:
        Tuple of the seed and a tuple of `ScoreTable` and a dictionary of what it cost.
    """
    import keras

    from keras_pruning import models, training
    from keras_pruning.scores import ScoreCallback, get

    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    scores = [entry() if callable(entry) else get(entry) for entry in scores]
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
        scores=callback,
        verbose=verbose,
    )
    cost = {
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "examples_seen": log.examples_seen,
    }
    return seed, (callback.table(), cost)
