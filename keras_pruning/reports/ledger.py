"""The ledger of costs and the scaling of errors, as CSV and on the terminal."""

import dataclasses

from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import BASELINE
from keras_pruning.storage import csv_files


def write_ledger_csv(path, ledger):
    """Writes one line for each `LedgerRow`. Figures that are not known are empty."""
    records = [dataclasses.asdict(row) for row in ledger]
    csv_files.write_csv(path, list(records[0]), [list(record.values()) for record in records])


def write_scaling_csv(path, scaling):
    """Writes one line for each `ScalingRow`, with the number of its sizes."""
    records = [dataclasses.asdict(row) | {"sizes": len(row.sizes)} for row in scaling]
    for record in records:
        # The points are in the CSV of the comparison.
        del record["errors"]
    csv_files.write_csv(path, list(records[0]), [list(record.values()) for record in records])


def as_table(ledger):
    """Returns the ledger as a `rich.table.Table`.

    Args:
        ledger: list of `LedgerRow`.
    """
    several = len({row.data_fraction for row in ledger}) > 1
    columns = ["data"] * several + ["kept", "method", "examples", "FLOPs", "seconds"]
    table = new_table(
        [*columns, "pays after", "by seconds"],
        words=("method",),
        # Names of methods stay whole on a narrow terminal.
        min_widths={"method": max(len(row.method) for row in ledger)},
        title="Cost of scoring, selecting and one training, in trainings on the full data",
    )
    previous = None
    for row in ledger:
        group = (row.data_fraction, row.keep_fraction)
        if previous not in (None, group):
            table.add_section()
        previous = group
        table.add_row(*[f"{row.data_fraction:.0%}"] * several, *_cells(row))
    return table


def _cells(row):
    return [
        f"{100 * row.keep_fraction:g} %",
        row.method,
        _times(row.examples_ratio),
        _times(row.flops_ratio),
        _times(row.seconds_ratio),
        _pays(row.pays, row.pays_after),
        _pays(row.pays_seconds, row.pays_after_seconds),
    ]


def _times(ratio):
    return "unknown" if ratio is None else f"{ratio:.2f}"


def _pays(pays, trainings):
    """Returns when scoring and selecting have paid for themselves."""
    if trainings is None:
        return pays
    return "at once" if trainings == 0 else f"{trainings:,}"


def lines(comparison):
    """Yields sentences on the costs, on the smallest subsets and on the scaling of errors.

    Args:
        comparison: `keras_pruning.comparison.comparison.Comparison`.
    """
    ledger = comparison.ledger
    full = {row.data_fraction: row for row in ledger if row.method == FULL}
    yield from _reading_lines(ledger)
    if any(map(_is_embedded, comparison.runs)):
        yield "Embeddings come from files: their making is not counted."
    for scoring in comparison.scorings:
        yield _scoring_line(scoring, full.get(scoring.data_fraction))
    for row in ledger:
        if row.pilot:
            measures = (row.selecting_examples, row.selecting_flops, row.selecting_seconds)
            yield (
                f"Pilot of {row.method} at {100 * row.keep_fraction:g} %: "
                f"{_amounts(measures, full.get(row.data_fraction))}. It chose {row.pilot}."
            )
    yield from _smallest_lines(comparison)
    yield from _scaling_lines(comparison.scaling)


def _reading_lines(ledger):
    """Yields sentences that say how to read the table."""
    pruned = [row for row in ledger if row.method != FULL]
    if not pruned:
        return
    measure = "FLOPs" if all(row.pays_by in ("FLOPs", "") for row in pruned) else "examples"
    yield (
        f"pays after: trainings on the subset until the saved {measure} exceed those of scoring "
        "and selecting. Seconds depend on the load of the machine."
    )
    if any(row.budget == "steps" for row in pruned):
        yield (
            "never: with training.budget=steps a subset trains for as many steps as the full data. "
            "Only training.budget=epochs makes training shorter."
        )
    if all(row.flops is None for row in ledger):
        yield (
            "FLOPs are unknown: an earlier version has trained the runs, or the model has "
            "operations that cannot be counted."
        )
    if any(row.selecting_seconds is None for row in pruned):
        yield "Seconds are without those of selecting, which some runs have not recorded."


def _is_embedded(run):
    """Returns whether the subset of a run was selected by vectors of a file."""
    return bool((run.metrics["selection"] or {}).get("embedding"))


def _scoring_line(scoring, full):
    """Returns the sentence on the cost of one score table.

    Args:
        scoring: `Scoring`.
        full: `LedgerRow` of the full data, or `None`.
    """
    # Checkpoints come trained, so only probes add training to the cost
    if scoring.probes:
        probes = "1 probe" if scoring.probes == 1 else f"{scoring.probes} probes"
        line = f"Scoring, with the training of {probes}"
    else:
        line = "Scoring with checkpoints, without their training"
    if scoring.part < 1:
        line += f", on {100 * scoring.part:g} % of the examples"
    line += f": {_amounts(scoring.cost.measures, full)}."
    if len(scoring.names) > 1:
        line += f" {len(scoring.names)} scores share it, and each method is charged the whole."
    if scoring.searches:
        line += " Searches for neighbours and prototypes are in its seconds, not in its FLOPs."
    return line


def _amounts(measures, full):
    """Returns a cost in words, each measure with its ratio to a training on the full data.

    Args:
        measures: examples, FLOPs and seconds, `None` if unknown.
        full: `LedgerRow` of the full data, or `None`.
    """
    wholes = (full.examples, full.flops, full.seconds) if full else (None, None, None)
    examples, flops, seconds = (
        "" if whole is None or not part or not whole else f" ({part / whole:.1f} ×)"
        for part, whole in zip(measures, wholes, strict=True)
    )
    parts = []
    if measures[0] is not None:
        parts.append(f"{measures[0]:,.0f} examples through models{examples}")
    if measures[1] is not None:
        parts.append(f"{measures[1]:.3g} FLOPs{flops}")
    if measures[2] is not None:
        parts.append(f"{measures[2]:.1f} s{seconds}")
    # The first ratio says of what all are
    text = ", ".join(parts).replace(" ×)", " × one training on the full data)", 1)
    return text or "its cost is unknown"


def _smallest_lines(comparison):
    """Yields a sentence on the smallest subsets that keep full accuracy, for each data fraction."""
    judged = [row for row in comparison.rows if row.retention is not None and not row.is_dynamic]
    fractions = list(dict.fromkeys(row.data_fraction for row in judged))
    for fraction in fractions:
        methods = dict.fromkeys(row.method for row in judged if row.data_fraction == fraction)
        smallest = {method: comparison.smallest.get((fraction, method)) for method in methods}
        shown = [f"{name} {100 * kept:g} %" for name, kept in smallest.items() if kept is not None]
        place = f" of {fraction:.0%} of the data" if len(fractions) > 1 else ""
        others = ", no other method" if len(shown) < len(smallest) else ""
        yield (
            f"Smallest subset{place} that is shown to keep full accuracy: {', '.join(shown)}"
            f"{others}."
            if shown
            else f"No subset{place} is shown to keep full accuracy."
        )


def _scaling_lines(scaling):
    """Yields a sentence on the slopes of each group of curves with a fit of random pruning."""
    for random in scaling:
        if random.method != BASELINE or random.slope is None:
            continue
        fitted = [
            row
            for row in scaling
            if row.slope is not None
            and (row.data_fraction, row.keep_fraction)
            == (random.data_fraction, random.keep_fraction)
        ]
        yield (
            f"Test error ~ examples^slope over {_span(random)}, ± half of the 95 % interval: "
            f"{', '.join(map(_slope, fitted))}."
        )
        bending = [row.method for row in fitted if row.bends]
        steeper = [row.method for row in fitted if row.steeper and not row.bends]
        if bending:
            yield (
                f"Bends the curve, a steeper slope than {BASELINE}'s and better at the largest "
                f"subset: {', '.join(bending)}."
            )
        elif len(fitted) > 1:
            yield "Not shown that any method bends the curve."
        if steeper:
            yield (
                f"Steeper than {BASELINE}, but not shown to be better at the largest subset: "
                f"{', '.join(steeper)}. With few examples these lose most."
            )


def _span(row):
    """Returns the sizes of a curve in words."""
    sizes = f"{row.sizes[0]:,} to {row.sizes[-1]:,} examples"
    if row.keep_fraction is not None:
        return f"{sizes}, {100 * row.keep_fraction:g} % of several data fractions"
    return sizes


def _slope(row):
    return f"{row.method} {row.slope:.2f} ± {row.half_width:.2f}"
