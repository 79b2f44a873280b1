"""Finished training runs that nobody trained."""

from keras_pruning.selection.methods import dynamic_name, run_method_name
from keras_pruning.storage import write_json

RANDOM = {"by": None, "policy": "random", "quota": None}
EL2N = {"by": "el2n", "policy": "hardest", "quota": None}
# Accuracies by the name of the method. All others have 0.8.
ACCURACY = {"full": 0.9, "random": 0.6, "random-floor-least=2": 0.65}


def write_run(folder, accuracy, method=None, keep_fraction=1.0, seed=0, fraction=1.0, **changes):
    """Writes the `metrics.json` of one run and returns its content.

    Args:
        folder: the folder of all runs.
        accuracy: test accuracy.
        method: `RANDOM`, `EL2N` or the like; `None` for the full data.
        keep_fraction: part that was kept.
        seed: evaluation seed.
        fraction: part of the data set before pruning.
        **changes: entries of the metrics that differ from the usual.
    """
    selection = method and {**method, "keep_fraction": keep_fraction, "seed": seed}
    metrics = {
        "test_accuracy": accuracy,
        "test_loss": 1 - accuracy,
        "class_accuracy": [accuracy + 0.01, accuracy - 0.01],
        "examples_kept": round(1000 * fraction * keep_fraction),
        "examples_seen": 5000,
        "steps": 40,
        "seconds": 2.0 + seed,
        "seed": seed,
        "selection": selection,
        "config": {
            "dataset": {"name": "digits", "fraction": fraction},
            "model": {"name": "mlp"},
            "training": {"epochs": 5},
        },
        **changes,
    }
    name = "full" if method is None else "-".join(part for part in method.values() if part)
    path = folder / f"data-{fraction}" / name / f"keep-{keep_fraction}" / f"seed-{seed}"
    path.mkdir(parents=True)
    write_json(path / "metrics.json", metrics)
    return metrics


def epoch_logs(class_kept):
    """Returns the `epochs` of the metrics of a run that prunes while training.

    Losses rise from bucket to bucket. The method kept those of the upper half.

    Args:
        class_kept: list of the numbers of kept examples by class, for each epoch. The first epoch
            had no losses.
    """
    logs = [{"kept": sum(kept), "class_kept": list(kept)} for kept in class_kept]
    known = {
        "edges": [0.1 * edge for edge in range(31)],
        "losses": [30 - bucket for bucket in range(30)],
        "kept_losses": [0 if bucket < 15 else 30 - bucket for bucket in range(30)],
    }
    return [{**log, **(known if epoch else dict.fromkeys(known))} for epoch, log in enumerate(logs)]


def write_dynamic_run(folder, accuracy, dynamic, share, seed=0, **changes):
    """Writes the `metrics.json` of a run that prunes while training.

    Args:
        folder: the folder of all runs.
        accuracy: test accuracy.
        dynamic: dictionary of a name and options.
        share: part of the examples of all five epochs that it saw.
        seed: evaluation seed.
        **changes: entries of the metrics that differ from the usual.
    """
    kept = round(1000 * share)
    config = {
        "dataset": {"name": "digits", "fraction": 1.0},
        "model": {"name": "mlp"},
        "training": {"epochs": 5, "dynamic": dynamic},
    }
    epochs = epoch_logs([[kept - 100, 100]] * 5)
    counts = {"class_examples": [900, 100]}
    seen = {**counts, "examples_seen": 5 * kept, "steps": round(40 * share), "epochs": epochs}
    place = folder / dynamic_name(dynamic)
    changes = {**seen, "config": config, **changes}
    return write_run(place, accuracy, seed=seed, **changes)


# The part of the examples that a dynamic method without an option `f` sees, beside its seed.
SHARE = 0.6


def pretend_to_train(runs, failed=None):
    """Writes the files of a training run, with an accuracy by its method."""
    for finished in runs:
        selection = None if finished.subset is None else finished.subset.selection
        method = run_method_name(selection, finished.dynamic)
        accuracy = ACCURACY.get(method, 0.8) + 0.01 * finished.seed
        share = 1.0
        if finished.dynamic is not None:
            share = finished.dynamic.get("f", SHARE + 0.01 * finished.seed)
        finished.folder.mkdir(parents=True)
        write_json(finished.folder / "recipe.json", finished.recipe)
        metrics = {
            "test_accuracy": accuracy,
            "test_loss": 1 - accuracy,
            "class_accuracy": [accuracy] * 10,
            "examples_kept": 144 if selection is None else selection["kept"],
            "examples_seen": round(finished.training.epochs * 144 * share),
            "steps": 4,
            "seconds": 1.0,
            "seed": finished.seed,
            "selection": selection,
            "config": finished.config,
        }
        if finished.dynamic is not None:
            metrics["class_examples"] = [15] * 4 + [14] * 6
            metrics["epochs"] = epoch_logs([[10] * 10] * finished.training.epochs)
        write_json(finished.folder / "metrics.json", metrics)
        yield metrics
