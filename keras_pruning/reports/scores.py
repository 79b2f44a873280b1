"""What the command `score` says about a score table."""

from keras_pruning.probing.extrapolation import price_lines
from keras_pruning.reports.prediction_depth import as_table
from keras_pruning.statistics.reliability import reliability_lines


def report(table):
    """How many examples were scored, and what can be said about each score.

    Args:
        table: `ScoreTable` of the command `score`.

    Yields:
        Lines, and a `rich.table.Table` of prediction depth if there is that.
    """
    scored = len(table) - table.extrapolated.sum()
    of_all = f" of {len(table):,}" if scored < len(table) else ""
    yield f"Scored {scored:,}{of_all} examples: {', '.join(table.names)}."
    yield from price_lines(table.metadata.get("extrapolation"))
    if "prediction_depth" in table.names:
        yield as_table(
            table.metadata["scores"]["prediction_depth"],
            table.metadata["reliability"]["prediction_depth"]["seeds"],
        )
    of_probes = {
        name: found
        for name, found in table.metadata["reliability"].items()
        if table.metadata["scores"][name]["epochs"]  # else no model was needed
    }
    if of_probes and "checkpoints" not in table.metadata["recipe"]:
        yield "Reliability, the rank correlation to expect of as many other probes:"
        yield from reliability_lines(of_probes)
