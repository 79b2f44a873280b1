"""Probes: the models that examples are scored with, one for each seed."""

import dataclasses
import time

from keras_pruning.backend.startup import import_tensorflow
from keras_pruning.config import seed_list
from keras_pruning.jobs.local import progress, run_each
from keras_pruning.probing.extrapolation import extrapolate, require_penultimate
from keras_pruning.probing.scored_examples import scored_examples


def probe_tables(config, threads, extra=()):
    """Trains the probes of `config` and takes their scores.

    Args:
        config: `Config`.
        threads: CPU threads of each probe's process.
        extra: functions of no arguments that make a `Score`, in the process of each probe, for
            what every probe takes besides the scores of `config`.

    Returns:
        Tuple of two lists in the order of the seeds: a `ScoreTable`, or with `probe.fraction` below
        1 a `keras_pruning.probing.extrapolation.Carried`, and a dictionary of what it cost for each probe.
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
        seeds = seed_list(entry.get("seeds", config.probe.seeds), config.seed)
        # An embedding that the user brought is the same with every probe.
        for seed in seeds[:1] if entry.get("embedding") else seeds:
            scores = of_seed.setdefault(seed, [])
            scores.append({key: value for key, value in entry.items() if key != "seeds"})
    return of_seed


def require_scores(config, num_classes):
    """Raises an `InputError` if a score of `config` is unknown or cannot be taken by its probes.

    Or, where the probes score a part, if their model does not show how to carry scores over. In a
    process of its own, before any probe trains.

    Args:
        config: `Config`.
        num_classes: number of classes of the data.

    Returns:
        How many probes have to be trained.
    """
    from keras_pruning.probing.recorder import ScoreRecorder, require_classes
    from keras_pruning.scores import get

    without_model = []
    for entry in score_entries(config):
        score = get({key: value for key, value in entry.items() if key != "seeds"})
        score.epochs_due(config.probe.epochs)
        require_classes(score, num_classes)
        if not score.needs_model:
            without_model.append(score)
    if without_model:
        sets = scored_examples(config)
        recorder = ScoreRecorder(sets.scored, without_model, support=sets.trained_on)
        recorder.start(config.probe.epochs)
    if config.probe.fraction < 1:
        require_penultimate(_new_model(config, scored_examples(config).all))
    return sum(
        _needs_training(config, map(get, entries))
        for entries in scores_of_each_seed(config).values()
    )


def score_with_probe(config, seed, scores, verbose=0):
    """Trains one probe and scores examples with it, in a process of its own.

    No probe is trained for scores that need none.

    Args:
        config: `Config`.
        seed: seed of the probe.
        scores: list of score entries, as in the config, and of functions that make a `Score`.
        verbose: as in `keras.Model.fit`.

    Returns:
        Tuple of the seed and a tuple of `ScoreTable`, or `Carried` as in `probe_tables`, and a
        dictionary of what it cost.
    """
    import keras

    from keras_pruning.scores import ScoreCallback, get
    from keras_pruning.training import fit as training

    sets = scored_examples(config)
    scores = [entry() if callable(entry) else get(entry) for entry in scores]
    epochs = config.probe.epochs
    if not _needs_training(config, scores):
        return seed, _without_probe(seed, sets, scores)
    due = [epoch for each in scores for epoch in each.epochs_due(epochs)]
    stop_epoch = max(due, default=epochs)
    seed_of_probe = training.derived_seed("probe", seed)
    keras.utils.set_random_seed(seed_of_probe)
    model = _new_model(config, sets.trained_on)
    callback = ScoreCallback(sets.scored, scores, epochs=epochs, support=sets.trained_on)
    options = dataclasses.asdict(config.training) | {"epochs": epochs, "budget": "epochs"}
    start = time.perf_counter()
    log = training.train(
        model,
        sets.trained_on,
        **options,
        stop_epoch=stop_epoch,
        seed=seed_of_probe,
        # The training step says nothing about examples that it does not see.
        **({"callbacks": [callback]} if sets.unseen else {"scores": callback}),
        verbose=verbose,
    )
    table = callback.table()
    if sets.carried_over:
        table = extrapolate(table, model, sets.all)
    cost = {
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "examples_seen": log.examples_seen,
    }
    return seed, (table, cost)


def _needs_training(config, scores):
    """Whether scores need a trained probe, be it to carry them over from a part."""
    return config.probe.fraction < 1 or any(score.needs_model for score in scores)


def _without_probe(seed, sets, scores):
    from keras_pruning.scores import score_checkpoints

    start = time.perf_counter()
    table = score_checkpoints([], sets.scored, scores, support=sets.trained_on)
    cost = {"seed": seed, "seconds": time.perf_counter() - start, "examples_seen": 0}
    return table, cost


def _new_model(config, examples):
    from keras_pruning.models import networks as models

    shape, classes = examples.shape, examples.num_classes
    return models.build(config.model.name, shape, classes, **config.model.options)
