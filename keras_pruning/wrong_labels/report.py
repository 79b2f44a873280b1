"""A diagnosis as files and as tables on the terminal."""

import dataclasses

import numpy as np

from keras_pruning.reports.html.tables import Table
from keras_pruning.reports.html.views import NAME
from keras_pruning.reports.pictures import correlation_map
from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.storage import new_file, write_json
from keras_pruning.storage.csv_files import write_csv

# Most classes in a table, so that it fits on a terminal.
CLASSES_SHOWN = 10
FILES = ("doctor.json", "doctor.csv", "correlations.png", NAME)


def write_report(folder, diagnosis, advice):
    """Writes `doctor.json`, `doctor.csv` and `correlations.png`. Earlier ones are replaced.

    Args:
        folder: folder of the scores that the diagnosis is about.
        diagnosis: `Diagnosis`.
        advice: list of sentences.
    """
    from PIL import Image

    with new_file(folder / "doctor.json", overwrite=True) as partial:
        write_json(partial, {**diagnosis.as_dict(), "advice": advice})
    with new_file(folder / "doctor.csv", overwrite=True) as partial:
        _write_csv(partial, diagnosis.findings)
    names = [finding.score for finding in diagnosis.findings]
    with new_file(folder / "correlations.png", overwrite=True) as partial:
        Image.fromarray(correlation_map(diagnosis.correlations, names)).save(partial, format="png")


def _write_csv(path, findings):
    rows = [dataclasses.asdict(finding) for finding in findings]
    for row in rows:
        # A list does not fit in a cell. The JSON file has it.
        del row["class_shares"]
    write_csv(path, list(rows[0]), [row.values() for row in rows])


def page_tables(diagnosis):
    """Returns the diagnosis as a list of tables of a page, that of the scores first."""
    tables = []
    for (title, headings, rows), align in (
        (_findings(diagnosis), "lrrrrrl"),
        (_class_shares(diagnosis), ""),
    ):
        tables.append(Table(f"{title}.", headings, rows, align))
    return tables


def as_tables(diagnosis):
    """Returns the diagnosis as a list of titles, each with its `rich.table.Table`."""
    title, *cells = _findings(diagnosis)
    tables = [(title, _rich(*cells, words=("score", "mode")))]
    if len(diagnosis.findings) > 1:
        tables.append(_correlations(diagnosis))
    title, *cells = _class_shares(diagnosis)
    return [*tables, (title, _rich(*cells, words=("score",), head=1))]


def _findings(diagnosis):
    """Returns the title, the headings and the rows of the table of scores."""
    chance, width = diagnosis.planted / diagnosis.examples, diagnosis.chance_half_width
    title = (
        f"Finding {diagnosis.planted:,} wrong labels among {diagnosis.examples:,} examples. By "
        f"chance the AUROC is 0.5 ± {width:.2g}, the precision {chance:.2g}"
    )
    numbers = ("AUROC", "average precision", "probes", "reliability", "probes for 0.9")
    rows = [
        [
            finding.score,
            f"{finding.auroc:.3f}",
            f"{finding.average_precision:.3f}",
            _number(finding.probes, ""),
            _number(finding.reliability, ".2f"),
            _number(finding.probes_for_90, ""),
            finding.mode or "",
        ]
        for finding in sorted(diagnosis.findings, key=lambda finding: -finding.auroc)
    ]
    return title, ["score", *numbers, "mode"], rows


def _correlations(diagnosis):
    # Hundredths under numbered columns, so that twenty scores fit on a terminal.
    numbers = [str(number) for number in range(1, len(diagnosis.findings) + 1)]
    table = _new_table(["", *numbers], words=("",), min_widths=dict.fromkeys(numbers, 3), gap=0)
    for number, finding, row in zip(
        numbers, diagnosis.findings, diagnosis.correlations, strict=True
    ):
        values = [_number(100 * value, "z.0f") for value in row]
        table.add_row(f"{number} {finding.score}", *values)
    return "Rank correlations (Spearman) of the scores, in %", table


def _class_shares(diagnosis):
    """Returns the title, the headings and the rows of the table of classes."""
    shares = np.array([finding.class_shares for finding in diagnosis.findings])
    data = np.array(diagnosis.class_shares)
    shown = _most_unlike(shares, data)
    part = "" if len(shown) == len(data) else f" (the {len(shown)} of {len(data)} that differ most)"
    names = [diagnosis.class_names[index] for index in shown]
    rows = [["all examples", *[f"{100 * data[index]:.0f}" for index in shown]]]
    for finding, row in zip(diagnosis.findings, shares, strict=True):
        rows.append([finding.score, *[f"{100 * row[index]:.0f}" for index in shown]])
    title = f"Share of each class{part} among the hardest 10 % of the right labels, in %"
    return title, ["score", *names], rows


def _most_unlike(shares, data):
    """Returns the classes to show, in ascending order.

    Args:
        shares: share of each class among the hardest examples, floats `(scores, classes)`.
        data: share of each class in the data, floats `(classes,)`.
    """
    distance = np.abs(shares - data).max(axis=0)
    return sorted(np.argsort(-distance, kind="stable")[:CLASSES_SHOWN].tolist())


def _rich(headings, rows, words, head=0):
    """Returns a table for the terminal, with a line below the first `head` rows."""
    table = _new_table(headings, words=words)
    for number, row in enumerate(rows, start=1):
        table.add_row(*row, end_section=number == head)
    return table


def _new_table(columns, gap=1, **options):
    from rich.box import SIMPLE_HEAD

    return new_table(columns, box=SIMPLE_HEAD, padding=(0, gap, 0, 0), **options)


def _number(value, style):
    return "–" if value is None or not np.isfinite(value) else f"{value:{style}}"
