"""The page of a score table."""

from pathlib import Path

from keras_pruning.arguments import require_examples, require_path, require_type
from keras_pruning.errors import InputError
from keras_pruning.reports.html.agreement import agreement_section
from keras_pruning.reports.html.data_map import data_map_section
from keras_pruning.reports.html.distributions import distribution_section
from keras_pruning.reports.html.gallery import gallery_section
from keras_pruning.reports.html.gallery_entries import Scored
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.score_recipe import score_recipe_section
from keras_pruning.reports.html.tables import Table
from keras_pruning.reports.html.views import require_free, write_view
from keras_pruning.reports.scores import price_lines, reliability_text


def write_report(path, table, examples=None, suspects=None):
    """Writes a page about a score table: one self-contained HTML file, which fetches nothing.

    It shows the hardest and the easiest examples of each class with id, label and score, the
    distribution and the agreement of the scores, a data map if the table has the scores
    `confidence` and `variability`, and the recipe of the scores.

    Args:
        path: path of the file. An earlier report is replaced.
        table: `ScoreTable`.
        examples: `Examples` of the table. Images of shape `(height, width, 1 or 3)` are shown as
            pictures, other inputs as a line of text. By default there are only ids.
        suspects: `SuspectList` of `keras_pruning.suspects`, which is shown too. Defaults to none.

    Raises:
        InputError: if the table is empty or about other examples, if the suspects are of other
            examples, if another file is in the way, or if an argument is of another kind.

    Example:
        >>> kp.write_report("report.html", callback.table(), examples)
    """
    # Check every argument before anything is drawn
    require_path("path", path)
    require_type("table", table, "difficulty", "a ScoreTable")
    if len(table) == 0 or not table.names:
        raise InputError(
            "There is nothing to report. Expected a table of one or more scores and examples. "
            f"Received: {table!r}"
        )
    if examples is not None:
        require_examples(examples)
        recorded = table.metadata.get("examples", {})
        examples.require_same(recorded, table.ids, table.labels, "score table")
    if suspects is not None:
        _require_suspects(suspects, table)
    scored = Scored(table, examples, suspects, Path(path).parent)
    write_scores_page(path, scored, score_recipe_section(table))


def write_scores_page(path, scored, recipe):
    """Writes the page of a score table, and replaces an earlier one.

    Args:
        path: path of the page.
        scored: `Scored`.
        recipe: `Section` with the recipe.

    Raises:
        InputError: if another file is in the way.
    """
    table = scored.table
    # Checked before the work, and again when the page is written
    require_free(path)
    sections = [
        overview_section(table),
        gallery_section(scored),
        data_map_section(table, scored.class_names),
        distribution_section(table),
        agreement_section(table),
        recipe,
    ]
    # Without their scores some sections are missing
    present = [section for section in sections if section is not None]
    write_view(path, "Which examples are hard?", present, summary(table))


def summary(table):
    """Returns a sentence about the scores and the examples.

    Args:
        table: `ScoreTable`.
    """
    recorded = table.metadata.get("examples", {})
    kind = {"train": "training ", "test": "test "}.get(recorded.get("split"), "")
    source = f" ({recorded['source']})" if recorded.get("source") else ""
    scores = f"{len(table.names)} score{'s' if len(table.names) > 1 else ''}"
    examples = "example" if len(table) == 1 else "examples"
    return f"{scores} of {len(table):,} {kind}{examples}{source}: {', '.join(table.names)}."


def overview_section(table, id="scores"):
    """Returns the section of a page with the origin and the reliability of each score.

    Args:
        table: `ScoreTable`.
        id: anchor of the section, unique on the page.
    """
    rows = []
    # Tables of other programs record less, which is shown as unknown
    for name in table.names:
        recorded = table.metadata.get("scores", {}).get(name, {})
        rows.append(
            [
                name,
                "higher" if table.higher_is_harder(name) else "lower",
                _epochs(recorded.get("epochs")),
                recorded.get("mode") or "–",
                _reliability(table.metadata.get("reliability", {}).get(name)),
            ]
        )
    numbers = Table(
        "The scores. Harder: whether higher or lower scores mean harder examples. Reliability: the "
        "expected rank correlation with a new set of as many probes.",
        ["score", "harder", "epochs", "outputs", "reliability"],
        rows,
        "lllll",
    )
    lines = list(price_lines(table.metadata.get("extrapolation")))
    context = {"tables": [numbers], "lines": lines, "items": []}
    return Section("Scores", "tables.html.j2", context, id)


def _reliability(measured):
    """Returns the reliability of a score as a text. Tables of other programs may have none."""
    is_ours = {"seeds", "spearman_brown", "seeds_for_0.9"} <= set(measured or {})
    return reliability_text(measured) if is_ours else "–"


def _epochs(epochs):
    """Returns the epochs that a score looked at as a text, `1–10` or `2, 5`."""
    if not epochs or not all(isinstance(epoch, int) for epoch in epochs):
        return "–"
    numbers = list(epochs)
    is_range = len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]}–{numbers[-1]}" if is_range else ", ".join(map(str, numbers))


def _require_suspects(suspects, table):
    """Raises an `InputError` unless a list of suspects is about the examples of a table."""
    expected = "a SuspectList, as `suspects` returns it"
    require_type("suspects", suspects, "at_most", expected)
    recorded = table.metadata.get("examples", {})
    suspects.examples.require_same(recorded, table.ids, table.labels, "score table")
