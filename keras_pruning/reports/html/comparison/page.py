"""Writes the page of a comparison."""

import re

from keras_pruning.reports.html.agreement import agreement_section
from keras_pruning.reports.html.comparison.classes import class_section
from keras_pruning.reports.html.comparison.curves import curve_section, method_styles
from keras_pruning.reports.html.comparison.dynamic import dynamic_section
from keras_pruning.reports.html.comparison.ledger import ledger_section
from keras_pruning.reports.html.comparison.recipe import recipe_section
from keras_pruning.reports.html.comparison.scaling import scaling_section
from keras_pruning.reports.html.comparison.verdicts import verdict_section
from keras_pruning.reports.html.data_map import data_map_section
from keras_pruning.reports.html.figures import listed, shares
from keras_pruning.reports.html.gallery import gallery_section
from keras_pruning.reports.html.gallery_entries import Scored
from keras_pruning.reports.html.page import write_page
from keras_pruning.reports.html.short_texts import cut
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import BASELINE as RANDOM
from keras_pruning.statistics.verdict import BASELINE

# Bytes of all pictures of examples, which take a third more as text.
_PICTURES = 1_000_000


def write_comparison_page(path, comparison, beside):
    """Writes `report.html`, the comparison on one page.

    Args:
        path: path of the file, which must not exist.
        comparison: `keras_pruning.comparison.comparison.Comparison`.
        beside: folder in which the page will lie. Links lead from there to files of the examples.

    Raises:
        InputError: if the file cannot be written.
    """
    rows = comparison.rows
    looks = method_styles(rows)
    # Dynamic methods are not compared with random pruning, and see examples instead of keeping them
    static = [row for row in rows if not row.is_dynamic]
    names = {
        fraction: list(map(cut, examples.class_names))
        for fraction, examples in comparison.examples.items()
    }
    sections = [
        verdict_section(rows, comparison.smallest, len(comparison.missing)),
        curve_section(static, looks),
        dynamic_section(comparison.runs, looks, names),
        scaling_section(comparison.scaling, looks),
        ledger_section(comparison.ledger, comparison.smallest),
        class_section(comparison.classes, list(looks), names),
        *_score_sections(comparison, beside),
        recipe_section(comparison.runs, comparison.tables),
    ]
    sections = [section for section in sections if section is not None]
    write_page(path, _title(comparison.runs), sections, _summary(comparison))


def _score_sections(comparison, beside):
    """Returns the sections about the examples and their scores, of the largest data fraction."""
    if not comparison.tables:
        return []
    largest = max(comparison.tables)
    examples = comparison.examples.get(largest)
    scored = Scored(comparison.tables[largest], examples, comparison.suspects, beside)
    return [
        gallery_section(scored, most_bytes=_PICTURES),
        data_map_section(scored.table, scored.class_names),
        agreement_section(scored.table),
    ]


def _title(runs):
    """Returns the title, with the last part of the source of the data."""
    name = str(runs[0].metrics["config"]["dataset"]["name"]).rstrip("/\\")
    *_, last = re.split(r"[:/\\]", name)
    return f"Was pruning worth it? {last}"


def _summary(comparison):
    """Returns a sentence about the runs that are compared."""
    runs, rows = comparison.runs, comparison.rows
    model = runs[0].metrics["config"]["model"].get("name")
    dynamic = {row.method for row in rows if row.is_dynamic}
    rows = [row for row in rows if not row.is_dynamic]
    methods = {row.method for row in rows if row.method != FULL}
    compared = {row.method for row in rows if row.outcome and row.outcome.verdict == BASELINE}
    others = len(methods - compared)
    text = f"{len(runs):,} runs"
    if isinstance(model, str):
        text += f" of the model {model}"
    # All of the data goes without saying
    data = dict.fromkeys(row.data_fraction for row in rows)
    if list(data) != [1.0]:
        text += f" on {shares(data)} of the data"
    kept = dict.fromkeys(row.keep_fraction for row in rows if row.keep_fraction < 1)
    if kept:
        beside = f" beside {RANDOM} pruning" if compared else ""
        word = "method" if others == 1 else "methods"
        text += f": {others} {word}{beside}, which keep {shares(kept)} of the examples"
    if dynamic:
        text += f"{'; ' if kept else ': '}{len(dynamic)} that prune while training"
    seeds = sorted({row.runs for row in comparison.rows})
    return f"{text}, with {listed(seeds, 'or')} evaluation seeds each."
