"""Reports on a score table, for the terminal."""

from keras_pruning.reports.prediction_depth import as_table
from keras_pruning.statistics.reliability import ENOUGH

# Rank correlation below which estimated scores are not recommended for pruning.
_USELESS = 0.5


def report(table):
    """Yields the report on a score table: the number of examples, then each score's reliability.

    Args:
        table: `ScoreTable` of the command `score`.

    Yields:
        Lines, and a `rich.table.Table` of prediction depth if the table has that score.
    """
    scored = len(table) - table.extrapolated.sum()
    total = f" of {len(table):,}" if scored < len(table) else ""
    yield f"Scored {scored:,}{total} examples: {', '.join(table.names)}."
    yield from price_lines(table.metadata.get("extrapolation"))
    if "prediction_depth" in table.names:
        yield as_table(
            table.metadata["scores"]["prediction_depth"],
            table.metadata["reliability"]["prediction_depth"]["seeds"],
        )
    # A score without epochs needs no model, so its probes cannot differ.
    reliabilities = {
        name: reliability
        for name, reliability in table.metadata["reliability"].items()
        if table.metadata["scores"][name]["epochs"]
    }
    if reliabilities and "checkpoints" not in table.metadata["recipe"]:
        yield "Reliability (expected rank correlation with a new set of the same number of probes):"
        yield from reliability_lines(reliabilities)


def price_lines(extrapolation):
    """Yields lines on how well neighbours predict scores.

    Args:
        extrapolation: the `extrapolation` of a table's metadata. There are no lines for `None`.
    """
    if extrapolation is None:
        return
    k, fewest = extrapolation["k"], extrapolation["fewest"]
    yield f"The others have the mean of the {k} nearest scored examples with the same label."
    if fewest < k:
        yield (
            f"Classes with few scored examples have fewer neighbours, down to {fewest}. Their "
            "examples get nearly the same score. Score a larger part."
        )
    yield "Mean of the neighbours compared with the score itself, on scored examples (without the"
    yield "further error that probes which see all examples would give other scores):"
    for name, errors in extrapolation["scores"].items():
        correlation = errors["rank_correlation"]
        text = "does not vary" if correlation is None else f"rank correlation {correlation:.3f}"
        yield f"{name:>20}  {text}, mean absolute error {errors['mean_absolute_error']:.4g}"
        if correlation is None or correlation < _USELESS:
            yield (
                f"{'':>20}  Not recommended for pruning: nearest neighbours do not predict this "
                "score."
            )


def reliability_lines(reliabilities):
    """Yields a line on the reliability of each score.

    Args:
        reliabilities: dictionary from names of scores to the results of
            `keras_pruning.statistics.reliability.reliability`.
    """
    for name, reliability in reliabilities.items():
        yield f"{name:>20}  {reliability_text(reliability)}"


def reliability_text(reliability):
    """Returns words on the reliability of a score.

    Args:
        reliability: result of `keras_pruning.statistics.reliability.reliability`.
    """
    probes, enough = reliability["seeds"], reliability["seeds_for_0.9"]
    if probes == 1:
        return "unknown with 1 probe; use 2 or more (probe.seeds)"
    if reliability["spearman_brown"] is None:
        return f"none: the {probes} probes do not agree"
    needed = f"{enough} probe{' is' if enough == 1 else 's are'} enough for {ENOUGH}"
    return f"{reliability['spearman_brown']:.2f} with {probes} probes; {needed}"
