"""What the command `score` says about a score table."""

from keras_pruning.reports.prediction_depth import as_table
from keras_pruning.statistics.reliability import ENOUGH

# A rank correlation of the price below which scores are not worth carrying over.
_USELESS = 0.5


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


def price_lines(extrapolation):
    """What there is to say about how well scores carry over, a line for each.

    Args:
        extrapolation: the `extrapolation` of a table's metadata; `None`, of which there is nothing
            to say, if it has none.
    """
    if extrapolation is None:
        return
    k, fewest = extrapolation["k"], extrapolation["fewest"]
    yield f"The others have the mean of the {k} nearest that are scored and of the same label."
    if fewest < k:
        yield (
            f"Classes with few scored examples have fewer neighbours, down to {fewest}: their "
            "examples get nearly the same score. Score a larger part."
        )
    yield "Scored examples, if they had that too, against their own scores (not in this price:"
    yield "probes that see all examples score otherwise):"
    for name, found in extrapolation["scores"].items():
        correlation = found["rank_correlation"]
        text = "does not vary" if correlation is None else f"rank correlation {correlation:.3f}"
        yield f"{name:>20}  {text}, mean absolute error {found['mean_absolute_error']:.4g}"
        if correlation is None or correlation < _USELESS:
            yield f"{'':>20}  Do not prune by that: neighbours do not tell this score."


def reliability_lines(found):
    """What there is to say about the reliability of scores, a line for each.

    Args:
        found: dictionary from the name of a score to what `reliability` found.
    """
    for name, of_score in found.items():
        if of_score["seeds"] == 1:
            text = "one probe, so it is unknown; 2 or more tell (probe.seeds)"
        elif of_score["spearman_brown"] is None:
            text = f"none: the {of_score['seeds']} probes do not agree"
        else:
            text = (
                f"{of_score['spearman_brown']:.2f} of {of_score['seeds']} probes; "
                f"{ENOUGH} takes {of_score['seeds_for_0.9']}"
            )
        yield f"{name:>20}  {text}"
