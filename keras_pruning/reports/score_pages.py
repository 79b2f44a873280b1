"""Writes the scores for TensorBoard: histograms, rank correlations and extreme examples."""

import numpy as np

from keras_pruning.reports.captions import caption
from keras_pruning.reports.pictures import are_images, correlation_map, grid
from keras_pruning.selection.ranking import hardest_first
from keras_pruning.statistics.ranks import rank_correlations

# Examples in a picture.
EXAMPLES_SHOWN = 25


def write_scores(events, table, examples, seed):
    """Writes the pages of a score table.

    Args:
        events: open `EventFile`.
        table: `ScoreTable`.
        examples: `Examples` of the table, `None` for no pictures of them.
        seed: integer that draws among equally hard examples.

    Raises:
        InputError: if the table scores other examples.
    """
    for name in table.names:
        harder = "Higher" if table.higher_is_harder(name) else "Lower"
        events.histogram(f"scores/{name}", table[name], description=f"{harder} is harder.")
    if len(table.names) > 1:
        _write_correlations(events, table)
    if examples is not None and are_images(examples.shape):
        examples.require_same(table.metadata.get("examples", {}), table.ids, table.labels, "table")
        _write_examples(events, table, examples, seed)


def _write_correlations(events, table):
    correlations = rank_correlations([table.difficulty(name) for name in table.names])
    description = "Spearman rank correlations of the scores, oriented so that higher is harder."
    # Two tags, because TensorBoard shows only the first kind of data under one tag.
    text = _markdown(correlations, table.names)
    events.text("rank_correlation/table", text, description=description)
    pixels = correlation_map(correlations, table.names)
    events.image("rank_correlation/map", pixels, description=description)


def _markdown(correlations, names):
    """Returns the correlations as a table."""
    lines = [["", *names], ["---"] + ["---:"] * len(names)]
    for name, row in zip(names, correlations, strict=True):
        numbers = [f"{value:z.2f}" if np.isfinite(value) else "–" for value in row]
        lines.append([f"**{name}**", *numbers])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _write_examples(events, table, examples, seed):
    """Writes pictures of the hardest and the easiest examples of each score."""
    for name in table.names:
        difficulty = table.difficulty(name)
        for end, ranked_by in (("hardest", difficulty), ("easiest", -difficulty)):
            ranking = hardest_first(ranked_by, np.random.default_rng(seed))
            rows = ranking[:EXAMPLES_SHOWN]
            captions = [caption(examples, row, table[name][row]) for row in rows]
            pixels = grid(examples.stored_inputs(rows), captions)
            description = f"The {len(rows)} {end} examples by {name}: id, class and score."
            events.image(f"{end}/{name}", pixels, description=description)
