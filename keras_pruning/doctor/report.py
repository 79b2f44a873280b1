"""A diagnosis as files and as tables on the terminal."""

import csv
import dataclasses

import numpy as np

from keras_pruning.reports.pictures import correlation_map
from keras_pruning.storage import new_file, write_json

CLASSES_SHOWN = 10
FILES = ("doctor.json", "doctor.csv", "correlations.png")


def write_report(folder, diagnosis, advice):
    """Writes `doctor.json`, `doctor.csv` and `correlations.png`, anew each time.

    Args:
        folder: where the scores lie that the diagnosis is about.
        diagnosis: `Diagnosis`.
        advice: list of sentences.
    """
    from PIL import Image

    with new_file(folder / "doctor.json", overwrite=True) as partial:
        write_json(partial, {**diagnosis.as_dict(), "advice": advice})
    with new_file(folder / "doctor.csv", overwrite=True) as partial:
        _write_csv(partial, diagnosis.findings)
    names = [found.score for found in diagnosis.findings]
    with new_file(folder / "correlations.png", overwrite=True) as partial:
        Image.fromarray(correlation_map(diagnosis.correlations, names)).save(partial, format="png")


def _write_csv(path, findings):
    rows = [dataclasses.asdict(found) for found in findings]
    for row in rows:
        del row["class_shares"]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def as_tables(diagnosis):
    """The diagnosis as a list of titles, each with its `rich.table.Table`."""
    tables = [_findings(diagnosis), _class_shares(diagnosis)]
    if len(diagnosis.findings) > 1:
        tables.insert(1, _correlations(diagnosis))
    return tables


def _findings(diagnosis):
    chance, width = diagnosis.planted / diagnosis.examples, diagnosis.chance_half_width
    title = (
        f"Finding {diagnosis.planted:,} wrong labels among {diagnosis.examples:,} examples; by "
        f"chance the AUROC is 0.5 ± {width:.2g}, the precision {chance:.2g}"
    )
    table = _table()
    table.add_column("score")
    for column in ("AUROC", "average precision", "probes", "reliability", "probes for 0.9"):
        table.add_column(column, justify="right")
    table.add_column("mode")
    for found in sorted(diagnosis.findings, key=lambda found: -found.auroc):
        table.add_row(
            found.score,
            f"{found.auroc:.3f}",
            f"{found.average_precision:.3f}",
            _number(found.probes, ""),
            _number(found.reliability, ".2f"),
            _number(found.probes_for_90, ""),
            found.mode or "",
        )
    return title, table


def _correlations(diagnosis):
    """Hundredths under numbered columns, so that twenty scores fit on a terminal."""
    table = _table(gap=0)
    table.add_column("")
    for number in range(1, len(diagnosis.findings) + 1):
        table.add_column(str(number), justify="right", min_width=3)
    for number, found in enumerate(diagnosis.findings):
        values = [_number(100 * value, "z.0f") for value in diagnosis.correlations[number]]
        table.add_row(f"{number + 1} {found.score}", *values)
    return "Rank correlations (Spearman) of the scores, in %", table


def _class_shares(diagnosis):
    shares = np.array([found.class_shares for found in diagnosis.findings])
    own = np.array(diagnosis.class_shares)
    shown = _most_unlike(shares, own)
    part = "" if len(shown) == len(own) else f" (the {len(shown)} of {len(own)} that differ most)"
    table = _table()
    table.add_column("score")
    for index in shown:
        table.add_column(diagnosis.class_names[index], justify="right", overflow="fold")
    table.add_row("all examples", *[f"{100 * own[index]:.0f}" for index in shown])
    table.add_section()
    for found, row in zip(diagnosis.findings, shares, strict=True):
        table.add_row(found.score, *[f"{100 * row[index]:.0f}" for index in shown])
    title = f"Share of each class{part} among the hardest 10 % of the right labels, in %"
    return title, table


def _most_unlike(shares, own):
    """The classes to show, in ascending order: those that differ most from their own share."""
    distance = np.abs(shares - own).max(axis=0)
    return sorted(np.argsort(-distance, kind="stable")[:CLASSES_SHOWN].tolist())


def _table(gap=1):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, padding=(0, gap, 0, 0))


def _number(value, style):
    return "–" if value is None or not np.isfinite(value) else f"{value:{style}}"
