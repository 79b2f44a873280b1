"""One training run in a child process: trains, evaluates and writes the folder of the run."""

import dataclasses

import keras
import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.models import loading
from keras_pruning.recipes import require_same_source
from keras_pruning.reports.dynamic_curves import write_epoch
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_run_summary
from keras_pruning.reports.training_curves import TrainingCurves
from keras_pruning.selection.methods import run_method_name
from keras_pruning.storage import RECIPE, new_folder, read_json, write_json
from keras_pruning.training import dynamic, evaluation, fit
from keras_pruning.training.checkpoint import RunCheckpoint
from keras_pruning.training.run import METRICS


def check_dynamic(plan, subset, entries):
    """Checks that methods that prune while training can be made for the examples of a plan.

    Args:
        plan: `TrainingPlan`.
        subset: `Subset` that they choose from, `None` for all examples.
        entries: list of dynamic entries.

    Raises:
        InputError: if there is no such method or option, or its value does not fit the data.
    """
    examples = plan.data.train if subset is None else plan.data.train.keep(subset)
    for entry in entries:
        dynamic.get(entry, examples, plan.training.epochs)


def run_training(run, verbose=0):
    """Trains and evaluates one model and writes the folder of the run.

    Args:
        run: `TrainingRun`.
        verbose: as in `keras.Model.fit`.

    Returns:
        The content of its `metrics.json`, a dictionary.
    """
    checkpoint = RunCheckpoint(run.checkpoint_path, run.recipe)
    # Another process may finish the same run before this one begins, or while it trains.
    if not run.is_finished():
        try:
            # The folder gets its name when everything is written.
            with new_folder(run.folder) as folder:
                _write(run, folder, verbose, checkpoint)
        except (InputError, OSError):
            # Whoever has finished it removes the partial folders of other machines
            if not run.is_finished():
                raise
    run.clear()
    return read_json(run.folder / METRICS)


def _write(run, folder, verbose, checkpoint):
    """Trains and writes all files of a run into its folder."""
    write_json(folder / RECIPE, run.recipe)
    require_same_source(run.plan.model.name, run.recipe["model_source"])
    if run.subset is not None:
        run.subset.save(folder / "subset.parquet")
    write_json(folder / METRICS, _train(run, folder, verbose, checkpoint))


def _train(run, folder, verbose, checkpoint):
    """Trains and evaluates the model of a run and returns its metrics."""
    plan = run.plan
    examples, test = plan.data.train, plan.data.test
    kept = examples if run.subset is None else examples.keep(run.subset)
    selection = None if run.subset is None else run.subset.selection
    # Seed the initialisation and dropout, then train.
    seed = fit.derived_seed("training", run.seed)
    keras.utils.set_random_seed(seed)
    spec, classes = examples.spec, examples.num_classes
    model = loading.build(plan.model.name, spec, classes, **plan.model.options)
    log = fit.train(
        model,
        kept,
        run.training,
        full_size=len(examples),
        seed=seed,
        callbacks=[TrainingCurves(folder)],
        verbose=verbose,
        checkpoint=checkpoint,
    )
    # Evaluate.
    metrics = {
        **evaluation.evaluate(model, test),
        "examples_kept": len(kept),
        "class_examples": np.bincount(kept.labels, minlength=kept.num_classes).tolist(),
        **dataclasses.asdict(log),
        "flops": fit.training_flops(model, kept, run.training, log.examples_seen),
        "selecting_seconds": run.selecting_seconds,
        "seed": run.seed,
        "selection": selection,
        "config": run.config,
    }
    # Write the event file and the model. The caller writes the metrics.
    keep_fraction = 1.0 if selection is None else selection["keep_fraction"]
    data_fraction = plan.data.drawn["fraction"]
    with EventFile(folder) as events:
        method = run_method_name(selection, run.training.dynamic)
        write_run_summary(events, method, keep_fraction, data_fraction, metrics)
        for number, epoch in enumerate(log.epochs or (), 1):
            write_epoch(events, number, epoch, examples)
    if plan.save_models:
        model.save(folder / "model.keras")
    return metrics
