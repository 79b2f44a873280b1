"""The comparison as a table on the terminal, as CSV and for TensorBoard."""

import csv
import dataclasses
import logging
from pathlib import Path

from keras_pruning.comparison.runs import FULL, compare, find_runs
from keras_pruning.config import DatasetConfig
from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.reports.tensorboard import write_tensorboard
from keras_pruning.storage import new_folder, read_json
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")
FOLDER = "comparison"


def write_comparison(folder):
    """Compares all runs below `folder` and writes the result to `folder/comparison`.

    What lies there is a view of the runs, made anew each time.

    Args:
        folder: folder with runs, as a sweep leaves it.

    Returns:
        List of `Row`.

    Raises:
        InputError: if there are no runs, or they cannot be compared.
    """
    folder = Path(folder)
    runs = find_runs(folder)
    rows = compare(runs)
    tables = _score_tables(folder)
    examples = _examples(runs, tables)
    _require_own(folder / FOLDER)
    with new_folder(folder / FOLDER, overwrite=True) as partial:
        write_csv(partial / "comparison.csv", rows)
        write_tensorboard(partial, runs, rows, tables, examples)
    return rows


def _require_own(folder):
    """Raises an `InputError` if an earlier comparison holds anything that a new one would lose."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    own = ("comparison.csv", "accuracy", "scores", "events.out.tfevents")
    foreign = [name for name in names if not name.startswith(own)]
    if foreign:
        raise InputError(
            f"{folder} is made anew by each comparison. Expected nothing else in it. "
            f"Received: {', '.join(foreign)}. Move that elsewhere."
        )


def write_csv(path, rows):
    """Writes one line for each `Row`; accuracies are fractions in [0, 1]."""
    with open(path, "w", newline="") as file:
        fields = [field.name for field in dataclasses.fields(rows[0])]
        writer = csv.DictWriter(file, [*fields, "verdict"])
        writer.writeheader()
        writer.writerows({**dataclasses.asdict(row), "verdict": row.verdict} for row in rows)


def as_table(rows):
    """The comparison as a `rich.table.Table`, accuracies in percent."""
    from rich.table import Table

    table = Table(title="Test accuracy in %: mean ± half of the 95 % interval")
    several = len({row.data_fraction for row in rows}) > 1
    columns = ["data"] * several + ["kept", "method", "accuracy", "to random", "verdict"]
    for column in [*columns, "worst class", "runs", "seconds"]:
        words = column in ("method", "verdict")
        width = max(len(row.method) for row in rows) if column == "method" else None
        table.add_column(
            column, justify="left" if words else "right", overflow="fold", min_width=width
        )
    previous = None
    for row in rows:
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
        _with_half_width(row.accuracy, row.half_width, ""),
        _with_half_width(row.difference, row.difference_half_width, "+"),
        row.verdict,
        f"{100 * row.lowest_class_accuracy:.1f}",
        str(row.runs),
        f"{row.seconds:.1f}",
    ]


def _with_half_width(value, half_width, sign):
    if value is None:
        return ""
    return f"{100 * value:{sign}.2f}" + ("" if half_width is None else f" ± {100 * half_width:.2f}")


def cost_lines(folder, rows):
    """What scoring cost beside training: a list of sentences, empty where it is not recorded."""
    full = {row.data_fraction: row.seconds for row in rows if row.method == FULL}
    lines = []
    for path in _results(folder, "scoring.json"):
        cost = read_json(path)
        metadata = ScoreTable.load(path.parent / "scores.parquet").metadata
        if not _is_of_training(metadata):
            continue
        fraction = metadata["examples"]["fraction"]
        if cost["probes"]:
            seconds = sum(probe["seconds"] for probe in cost["probes"])
            line = f"Scoring took {seconds:.1f} s of training and scoring probes"
        else:
            seconds = cost["seconds"]
            line = f"Scoring took {seconds:.1f} s with checkpoints, their training not counted"
        if "extrapolation" in metadata:
            line += f", on {100 * metadata['extrapolation']['fraction']:g} % of the examples"
        if full.get(fraction):
            line += f", {seconds / full[fraction]:.1f} times a training run on the full data"
        lines.append(f"{line}.")
    return lines


def _score_tables(folder):
    tables = [ScoreTable.load(path) for path in _results(folder, "scores.parquet")]
    tables = [table for table in tables if _is_of_training(table.metadata)]
    # Of several for one fraction the last is shown: one whose scores are all its own.
    tables.sort(key=lambda table: not table.extrapolated.any())
    return {table.metadata["examples"]["fraction"]: table for table in tables}


def _is_of_training(metadata):
    """Whether scores are of training examples, which can be pruned, and not of the test split."""
    return metadata["examples"]["split"] == "train"


def _results(folder, name):
    """The files of that name below a folder, without those of the doctor, of wrong labels."""
    paths = sorted(Path(folder).rglob(name))
    doctors = [path.match("doctor/noise-*/*") or path.match("doctor/clean/*") for path in paths]
    return [path for path, is_doctors in zip(paths, doctors, strict=True) if not is_doctors]


def _examples(runs, tables):
    """The training examples of each score table, for pictures; none where they are gone."""
    found = {}
    for run in runs:
        fraction = run.data_fraction
        if fraction in tables and fraction not in found:
            dataset = DatasetConfig(**run.metrics["config"]["dataset"])
            try:
                examples = load_examples(split="train", **dataclasses.asdict(dataset))
                table = tables[fraction]
                provenance = table.metadata["examples"]
                examples.require_same(provenance, table.ids, table.labels, "score table")
            except InputError as error:
                logger.info("Pictures of the examples are left out: %s", error)
                return {}
            found[fraction] = examples
    return found
