"""Reports on prediction depth: a table for the terminal and curves for TensorBoard.

Layer votes and depths have the same numbers: the class of an example of depth 2 is settled from
layer vote 2 on.
"""

from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.terminal_tables import new_table

_NAME = "prediction_depth"
_COLUMNS = ("depth", "settled from", "vote right, %", "examples", "network right, %")
_DESCRIPTIONS = {
    "probe_accuracy": "Accuracy of each layer vote, the vote of the nearest neighbours after a "
    f"layer. The step is the number of the layer vote, 0 for the input. The text `{_NAME}/probes` "
    "names them.",
    "accuracy_by_depth": "Accuracy of the network on the examples of a depth. The step is the "
    "depth.",
    "examples_by_depth": "Number of examples of a depth. The step is the depth.",
}


def as_table(details, probes=1):
    """Returns the details of prediction depth as a `rich.table.Table`, accuracies in percent.

    Args:
        details: dictionary as in `table.metadata["scores"]["prediction_depth"]`, with
            `probe_accuracy`, `network_accuracy`, `accuracy_by_depth` and `support`.
        probes: number of probes. The details are from the first.
    """
    from rich.text import Text

    table = new_table(_COLUMNS, words=("settled from",), title=_title(details, probes))
    rows = _rows(details)
    for number, cells in enumerate(rows):
        # The name of a layer may look like markup.
        table.add_row(*map(Text, cells), end_section=number == len(rows) - 2)
    return table


def write_depth_curves(folder, details, probes=1):
    """Writes the details of prediction depth as a TensorBoard event file.

    It has the scalars `prediction_depth/probe_accuracy` over the number of the layer vote, and
    `prediction_depth/accuracy_by_depth` and `prediction_depth/examples_by_depth` over the depth.
    The text `prediction_depth/probes` names the layer votes.

    Args:
        folder: folder to write to, made if it is missing. Existing files are left alone.
        details: as for `as_table`.
        probes: as for `as_table`.
    """
    depths = _depths(details)
    curves = {
        "probe_accuracy": enumerate(details["probe_accuracy"].values()),
        "accuracy_by_depth": ((depth, right) for depth, _, right in depths if right is not None),
        "examples_by_depth": ((depth, examples) for depth, examples, _ in depths),
    }
    with EventFile(folder) as events:
        for name, points in curves.items():
            description = f"{_DESCRIPTIONS[name]} Set *Smoothing* to 0."
            for step, value in points:
                events.scalar(f"{_NAME}/{name}", value, step, description)
        events.text(f"{_NAME}/probes", _markdown(details, probes))


def _depths(details):
    """Returns each possible depth with its number of examples and accuracy, `None` without any."""
    rows = details["accuracy_by_depth"]
    by_depth = {row["depth"]: (row["examples"], row["accuracy"]) for row in rows}
    # One more than there are layer votes: the last one may disagree with the network.
    possible = range(len(details["probe_accuracy"]) + 1)
    return [(depth, *by_depth.get(depth, (0, None))) for depth in possible]


def _rows(details):
    """Returns the cells: each layer vote, the depth beyond the last one, and all examples."""
    depths = _depths(details)
    votes = [*details["probe_accuracy"].items(), ("(none)", None)]
    rows = [
        [str(depth), name, _percent(vote_right), f"{examples:,}", _percent(network_right)]
        for (depth, examples, network_right), (name, vote_right) in zip(depths, votes, strict=True)
    ]
    count = sum(examples for _, examples, _ in depths)
    return [*rows, ["all", "", "", f"{count:,}", _percent(details["network_accuracy"])]]


def _percent(accuracy):
    return "" if accuracy is None else f"{100 * accuracy:.1f}"


def _title(details, probes):
    first = f", the first of {probes} probes" if probes > 1 else ""
    return f"Prediction depth, neighbours among {details['support']:,} examples{first}"


def _markdown(details, probes):
    """Returns the table and its explanation for TensorBoard."""
    # As code, or a name such as <input> would be taken for HTML.
    rows = [[depth, f"`{name}`" if name else "", *rest] for depth, name, *rest in _rows(details)]
    lines = [_COLUMNS, ["---:", "---", *["---:"] * 3], *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    last = len(details["probe_accuracy"])
    return f"""{_title(details, probes)}:

{table}

A layer vote is the vote of the nearest neighbours after a layer. The depth of an example is the
number of the first layer vote from which on all of them agree with the network. The depth is {last}
if the last one, on the softmax, does not agree.

Set *Smoothing* to 0: TensorBoard draws a running mean over neighbouring steps.

- `probe_accuracy` is the accuracy of the layer votes. It rises at layers that bring the examples of
  a class together. Layers at which it stays level hardly change the decision.
- `accuracy_by_depth` usually falls. The later an example is settled, the less reliable is the
  network, and the more often its label is wrong.
- `examples_by_depth` is the number of examples. Few examples make a rough curve.
"""
