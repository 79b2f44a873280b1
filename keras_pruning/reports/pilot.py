"""The result of a pilot on the terminal."""

from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.selection.policies import BASELINE


def as_lines_and_table(choice):
    """Yields the table of the policies, sentences on the choice and on the cost.

    Args:
        choice: `keras_pruning.pilot.choice.PolicyChoice`.
    """
    columns = ["policy", "held-out accuracy", "to random", "adjusted p"]
    table = new_table(
        columns,
        words=columns[:1],
        title=f"Pilot for {choice.score} at keep fraction {choice.keep_fraction:g}, accuracy in %: "
        f"{len(choice.seeds)} splits, ± half of the 95 % interval",
    )
    for entry in choice.comparisons:
        width = "" if entry.half_width is None else f" ± {100 * entry.half_width:.2f}"
        difference = f"{100 * entry.difference:+.2f}{width}"
        table.add_row(
            entry.policy, f"{100 * entry.accuracy:.2f}", difference, f"{entry.p_adjusted:.2g}"
        )
    mean = sum(choice.accuracies[BASELINE]) / len(choice.seeds)
    table.add_row(BASELINE, f"{100 * mean:.2f}", "", "")
    yield table
    yield from choice.sentences()
    if choice.cost:
        yield f"The pilot trained {choice.cost['runs']} models in {choice.cost['seconds']:.1f} s."
