"""The section of pruning while training: the part of the examples that each epoch kept."""

import numpy as np

from keras_pruning.reports.html.charts import styles
from keras_pruning.reports.html.comparison.kept_losses import loss_chart
from keras_pruning.reports.html.comparison.verdicts import by_data_fraction
from keras_pruning.reports.html.figures import NONE, listed, share
from keras_pruning.reports.html.line_charts import Axes, Curve, Point, line_chart
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.selection.dynamic_methods import DYNAMIC_BASELINES

# Points on a curve, and classes in a table.
_MOST_POINTS, _MOST_CLASSES = 40, 50
_READING = (
    "Losses are those that the examples last had in training, from the training step itself. An "
    "example counts once for each epoch that trained on it, whatever its weight in the loss."
)


def dynamic_section(runs, looks, class_names):
    """Returns the `Section` of the methods that prune while training, `None` without any.

    Args:
        runs: list of `Run`.
        looks: dictionary from methods to their `Style`. Others get a style of their own.
        class_names: dictionary from data fractions to lists of the names of the classes. Classes
            have their numbers without it.
    """
    runs = [run for run in runs if run.metrics.get("epochs")]
    if not runs:
        return None
    # The baselines choose without losses. The charts leave them out beside other methods.
    deciding = [run for run in runs if _entry_name(run) not in DYNAMIC_BASELINES]
    lines = [_READING]
    if deciding and len(deciding) < len(runs):
        lines.append(f"The baselines {listed(DYNAMIC_BASELINES)} are left out: they use no losses.")
    parts = []
    for fraction, members in by_data_fraction(deciding or runs).items():
        methods = {}
        for run in members:
            methods.setdefault(run.method, []).append(run)
        looks = {**{look.name: look for look in styles(list(methods))}, **looks}
        charts = [_kept_chart(methods, looks)]
        charts += [
            loss_chart(min(members, key=lambda run: run.metrics["seed"]), looks[method])
            for method, members in methods.items()
        ]
        parts.append(
            {
                "title": f"{share(fraction)} of the data",
                "charts": [chart for chart in charts if chart is not None],
                **_class_table(methods, class_names.get(fraction)),
            }
        )
    context = {"parts": parts, "lines": lines}
    return Section("Pruning while training", "dynamic.html.j2", context, "dynamic")


def _entry_name(run):
    """Returns the name of the method of a run, without its options."""
    entry = run.metrics["config"]["training"].get("dynamic") or {}
    return entry.get("name", run.method)


def _kept_chart(methods, looks):
    """Returns the `Chart` of the share that is kept by epoch.

    Args:
        methods: dictionary from methods to lists of their runs.
        looks: dictionary from methods to their `Style`.
    """
    shares = {method: _kept_shares(runs) for method, runs in methods.items()}
    curves = []
    for method, kept in shares.items():
        line = [(epoch, 100 * part) for epoch, part in enumerate(kept, 1)]
        every = -(-len(line) // _MOST_POINTS)
        points = [
            Point(epoch, y, notes=_notes(method, epoch, y, len(methods[method])))
            for epoch, y in line[::every]
        ]
        curves.append(Curve(looks[method], points, line))
    longest = max(map(len, shares.values()))
    rows = [
        [f"{epoch + 1}", *(_percent(kept, epoch) for kept in shares.values())]
        for epoch in range(longest)
    ]
    table = Table(
        "Examples kept in %, mean over seeds. The last row is the mean over the epochs.",
        ["epoch", *shares],
        [*rows, ["all", *(f"{100 * kept.mean():.1f}" for kept in shares.values())]],
    )
    return line_chart(
        "Part of the examples that each epoch trained on, mean over seeds.",
        curves,
        Axes("epoch", "examples kept in %", spread=0),
        table,
    )


def _kept_shares(runs):
    """Returns the mean share that each epoch kept, floats `(epochs,)`."""
    shares = [
        [epoch["kept"] / run.metrics["examples_kept"] for epoch in run.metrics["epochs"]]
        for run in runs
    ]
    # All runs of a method have as many epochs
    return np.mean(shares, axis=0)


def _percent(kept, epoch):
    return f"{100 * kept[epoch]:.1f}" if epoch < len(kept) else NONE


def _notes(method, epoch, percent, seeds):
    return {
        "Method": method,
        "Epoch": f"{epoch}",
        "Kept": f"{percent:.1f} %",
        "Seeds": f"{seeds}",
    }


def _class_table(methods, names):
    """Returns the variables of the table of the classes, pooled over epochs and seeds."""
    shares = {method: _class_shares(runs) for method, runs in methods.items()}
    # A class without examples comes last
    least = np.min([np.nan_to_num(part, nan=np.inf) for part in shares.values()], axis=0)
    shown = sorted(np.argsort(least, kind="stable")[:_MOST_CLASSES].tolist())
    rows = [
        [
            f"{label}" if names is None else names[label],
            *(_cell(shares[method], label) for method in shares),
        ]
        for label in shown
    ]
    caption = (
        "Part of the examples of each class that an epoch trained on in %, mean over epochs and "
        "seeds."
    )
    left_out = "" if len(shown) == len(least) else f"{len(shown)} of {len(least):,} classes"
    return {"classes": Table(caption, ["class", *shares], rows), "left_out": left_out}


def _class_shares(runs):
    """Returns the share of each class that epochs kept on average, NaN for an empty class."""
    kept, total = 0, 0
    for run in runs:
        epochs = run.metrics["epochs"]
        kept = kept + np.sum([epoch["class_kept"] for epoch in epochs], axis=0)
        total = total + len(epochs) * np.asarray(run.metrics["class_examples"])
    return np.where(total > 0, kept / np.maximum(total, 1), np.nan)


def _cell(shares, label):
    return NONE if np.isnan(shares[label]) else f"{100 * shares[label]:.1f}"
