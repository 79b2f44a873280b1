"""The page of the doctor: which scores find wrong labels, and which labels may be wrong."""

import numpy as np

from keras_pruning.reports.html.agreement import correlation_section
from keras_pruning.reports.html.gallery import gallery_section
from keras_pruning.reports.html.gallery_entries import SUSPECTED, Group, Scored
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.views import write_view

# Suspects on the page, and bytes of their pictures.
_MOST_SUSPECTS, _MOST_BYTES = 100, 700_000


def write_doctor_page(path, tables, examination, recipe):
    """Writes the page of the doctor, and replaces an earlier one.

    Args:
        path: path of the page.
        tables: list of `Table`, the diagnosis. The first one shows which scores find wrong labels.
        examination: `keras_pruning.wrong_labels.examination.Examination`.
        recipe: `Section` with the recipe.

    Raises:
        InputError: if another file is in the way.
    """
    diagnosis, suspects = examination.diagnosis, examination.suspects
    names = [finding.score for finding in diagnosis.findings]
    first, *others = tables
    # The measurements first, then the advice and the suspects
    sections = [
        _section("Planted wrong labels", "diagnosis", [first]),
        _section("Advice", "advice", items=examination.advice),
    ]
    if suspects is not None and len(suspects.ranked):
        scored = Scored(suspects.table, suspects.ranked.examples, suspects.ranked, path.parent)
        sections += [suspect_section(scored, suspects.sentences), gallery_section(scored)]
    elif suspects is not None:
        sections.append(_section("Suspects", "suspects", lines=suspects.sentences))
    sections.append(_section("Classes among the hardest examples", "classes", others))
    if len(names) > 1:
        sections.append(correlation_section(names, diagnosis.correlations))
    best = diagnosis.best
    summary = (
        f"{diagnosis.planted:,} of {diagnosis.examples:,} labels were replaced on purpose. The "
        f"score {best.score} finds them best, with an AUROC of {best.auroc:.3f}."
    )
    title = "Which scores find wrong labels?" if suspects is None else "Which labels are wrong?"
    write_view(path, title, [*sections, recipe], summary)


def suspect_section(scored, sentences, id="suspects"):
    """Returns the section of a page with the suspects, the most likely one first.

    Args:
        scored: `Scored` with one or more suspects.
        sentences: list of sentences about the list.
        id: anchor of the section, unique on the page.
    """
    suspects = scored.suspects
    rows = suspects.rows[:_MOST_SUSPECTS]
    # Read in the order of the rows, shown in the order of the list
    inputs = scored.inputs(np.sort(rows), _MOST_BYTES)
    group = Group(0, SUSPECTED, suspects.score, rows)
    context = {
        "id": id,
        "sentences": sentences,
        "entries": [scored.entry(group, row, {}, inputs) for row in rows.tolist()],
        "listed": len(suspects),
        "sprite": inputs.sprite,
        "has_links": scored.link(0) is not None,
    }
    return Section("Suspects", "suspects.html.j2", context, id, style="gallery.css")


def _section(title, id, tables=(), lines=(), items=()):
    context = {"tables": tables, "lines": lines, "items": items}
    return Section(title, "tables.html.j2", context, id)
