"""Finished training runs that nobody trained."""

from keras_pruning.selection.methods import method_name
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


def pretend_to_train(runs, failed=None):
    """Writes the files of a training run, with an accuracy by its method."""
    for finished in runs:
        selection = None if finished.subset is None else finished.subset.selection
        accuracy = ACCURACY.get(method_name(selection), 0.8) + 0.01 * finished.seed
        finished.folder.mkdir(parents=True)
        write_json(finished.folder / "recipe.json", finished.recipe)
        metrics = {
            "test_accuracy": accuracy,
            "test_loss": 1 - accuracy,
            "class_accuracy": [accuracy] * 10,
            "examples_kept": 144 if selection is None else selection["kept"],
            "steps": 4,
            "seconds": 1.0,
            "seed": finished.seed,
            "selection": selection,
            "config": finished.plan.as_config(),
        }
        write_json(finished.folder / "metrics.json", metrics)
        yield metrics
