"""How far the scores agree, as a section: rank correlations as a coloured table."""

import numpy as np

from keras_pruning.reports.html.figures import MINUS, NONE
from keras_pruning.reports.html.page import Section
from keras_pruning.statistics.ranks import rank_correlations

# Part of a full colour that the strongest correlation has, so that text stays readable on it.
_STRONGEST = 45


def agreement_section(table, id="agreement"):
    """Returns the section of a page with the rank correlations of the scores.

    Args:
        table: `ScoreTable`.
        id: anchor of the section, unique on the page.

    Returns:
        `Section`, or `None` for a single score.
    """
    if len(table.names) < 2:
        return None
    correlations = rank_correlations([table.difficulty(name) for name in table.names])
    return correlation_section(table.names, correlations, id)


def correlation_section(names, correlations, id="agreement"):
    """Returns the section of a page with the rank correlations of some scores.

    Args:
        names: names of the scores.
        correlations: floats `(scores, scores)`, NaN for a score that is the same for all examples.
        id: anchor of the section, unique on the page.
    """
    rows = [
        {"name": name, "cells": [_cell(value) for value in row]}
        for name, row in zip(names, correlations.tolist(), strict=True)
    ]
    context = {"names": names, "rows": rows}
    return Section("Agreement of the scores", "agreement.html.j2", context, id)


def _cell(value):
    """Returns the text and the colour of a correlation."""
    if not np.isfinite(value):
        return {"text": NONE, "style": None}
    # Mixed with the paper, so that light and dark pages have their own shades
    color = "var(--series-2)" if value < 0 else "var(--series-1)"
    strength = round(_STRONGEST * abs(value))
    return {
        "text": f"{value:z.2f}".replace("-", MINUS),
        "style": f"background: color-mix(in srgb, {color} {strength}%, var(--paper))",
    }
