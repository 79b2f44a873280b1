"""Scoring in a child process: checks the scores, trains a probe, scores with it."""

import importlib
import time

import keras

from keras_pruning.models import loading
from keras_pruning.probing.checkpoints import record_checkpoints
from keras_pruning.probing.collectors.passes import Passes, passes_of
from keras_pruning.probing.cost_of_passes import cost_of
from keras_pruning.probing.extrapolation import extrapolate, require_extrapolation
from keras_pruning.probing.recorder import ScoreRecorder, require_classes
from keras_pruning.probing.score_callback import ScoreCallback
from keras_pruning.probing.score_entries import without_seeds
from keras_pruning.recipes import require_same_source
from keras_pruning.scores import get
from keras_pruning.training import fit
from keras_pruning.training.checkpoint import RunCheckpoint


def check_scores(plan):
    """Checks that the probes of a plan can take its scores, before any probe trains.

    Args:
        plan: `ScoringPlan`.

    Returns:
        How many probes have to be trained.

    Raises:
        InputError: if a score is unknown or cannot be taken, if the model cannot be built, or if
            scores have to be estimated for other examples and the model does not show the input of
            its last layer.
    """
    data, epochs = plan.data, plan.training.epochs
    scores = [get(without_seeds(entry)) for entry in plan.entries]
    for score in scores:
        score.epochs_due(epochs)
        require_classes(score, plan.recipe["examples"]["classes"])
    without_model = [score for score in scores if not score.needs_model]
    if without_model:
        recorder = ScoreRecorder(data.scored, without_model, support=data.trained_on)
        recorder.start(epochs)
    probes = sum(
        _needs_training(plan, map(get, entries)) for entries in plan.scores_of_each_seed.values()
    )
    # Built here too, so that a mistake in `model` comes before anything is announced
    model = _new_model(plan, data.all) if probes or data.fraction < 1 else None
    if data.fraction < 1:
        require_extrapolation(model)
    return probes


def keep_probe(files, plan, seed, extra=(), verbose=0):
    """Trains one probe, scores examples with it and keeps the scores in a file.

    Args:
        files: `ProbeFiles`.
        plan, seed, extra, verbose: as for `score_with_probe`.
    """
    identity = {"recipe": files.recipe, "seed": seed}
    checkpoint = RunCheckpoint(files.checkpoint_path(seed), identity)
    # Another process may score at the same time.
    if not files.has(seed):
        _, (scored, cost) = score_with_probe(plan, seed, extra, verbose, checkpoint)
        files.write(seed, scored, cost)
    checkpoint.remove()


def score_with_probe(plan, seed, extra=(), verbose=0, checkpoint=None):
    """Trains one probe and scores examples with it.

    No probe is trained for scores that need no model.

    Args:
        plan: `ScoringPlan`.
        seed: seed of the probe.
        extra: further scores, as for `keras_pruning.probing.probes.probe_tables`.
        verbose: as in `keras.Model.fit`.
        checkpoint: `RunCheckpoint` from which the training goes on if it is killed.

    Returns:
        Tuple of the seed and a tuple of `ScoreTable`, or `Extrapolation` if a part is scored, and a
        dictionary of the cost.
    """
    data, epochs = plan.data, plan.training.epochs
    scores = [get(entry) for entry in plan.scores_of_each_seed[seed]]
    scores += [_imported(name)(**arguments) for name, arguments in extra]
    start = time.perf_counter()
    if not _needs_training(plan, scores):
        recorder = record_checkpoints([], data.scored, scores, plan.batch_size, data.trained_on)
        table = recorder.table()
        cost = cost_of(passes_of(recorder), time.perf_counter() - start)
        return seed, (table, {"seed": seed, **cost})
    due = [epoch for score in scores for epoch in score.epochs_due(epochs)]
    seed_of_probe = fit.derived_seed("probe", seed)
    keras.utils.set_random_seed(seed_of_probe)
    model = _new_model(plan, data.trained_on)
    support, size = data.trained_on, plan.batch_size
    callback = ScoreCallback(data.scored, scores, size, epochs=epochs, support=support)
    start = time.perf_counter()
    log = fit.train(
        model,
        data.trained_on,
        plan.training,
        stop_epoch=max(due, default=epochs),
        seed=seed_of_probe,
        callbacks=[callback],
        verbose=verbose,
        checkpoint=checkpoint,
    )
    table, passes = callback.table(), callback.passes
    if data.extrapolates:
        table = extrapolate(table, model, data.all, seed=data.seed, batch_size=plan.batch_size)
        passes.append(Passes(forward=len(data.all), searches=True))
    seconds = time.perf_counter() - start + (0 if checkpoint is None else checkpoint.spent)
    # Counted last, because nothing of the probe depends on it
    in_training = fit.training_flops(model, data.trained_on, plan.training, log.examples_seen)
    spec = data.scored.spec
    cost = cost_of(passes, seconds, model, spec, log.examples_seen, in_training)
    return seed, (table, {"seed": seed, **cost})


def score_with_checkpoints(plan, path=None):
    """Scores examples with saved models.

    Args:
        plan: `ScoringPlan` with `checkpoints`.
        path: path of the file from which the scoring goes on if it is killed. The caller removes
            it.

    Returns:
        Tuple of a `ScoreTable`, or an `Extrapolation` by the last of the checkpoints if a part is
        scored, and a dictionary of the cost, without the training of the models.
    """
    start = time.perf_counter()
    data = plan.data
    scores = [without_seeds(entry) for entry in plan.entries]
    last = loading.load(plan.checkpoints[-1])
    if data.extrapolates:
        require_extrapolation(last)
    examples = data.scored, scores, plan.batch_size, data.trained_on
    unfinished = None if path is None else RunCheckpoint(path, plan.recipe)
    recorder = record_checkpoints(plan.checkpoints, *examples, unfinished=unfinished)
    table, passes = recorder.table(), passes_of(recorder)
    if data.extrapolates:
        table = extrapolate(table, last, data.all, seed=data.seed, batch_size=plan.batch_size)
        passes.append(Passes(forward=len(data.all), searches=True))
    seconds = time.perf_counter() - start + (0 if unfinished is None else unfinished.spent)
    return table, cost_of(passes, seconds, last, data.scored.spec)


def _needs_training(plan, scores):
    """Returns whether a probe has to be trained, be it to estimate the scores of others."""
    return plan.data.fraction < 1 or any(score.needs_model for score in scores)


def _new_model(plan, examples):
    require_same_source(plan.model.name, plan.recipe["model_source"])
    spec, classes = examples.spec, examples.num_classes
    return loading.build(plan.model.name, spec, classes, **plan.model.options)


def _imported(name):
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
