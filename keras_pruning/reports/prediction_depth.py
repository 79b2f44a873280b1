"""What prediction depth tells about the network: a table for the terminal, curves for TensorBoard.

Probe and depth count alike: an example of depth 2 is one whose class is settled from probe 2 on.
"""

from keras_pruning.reports.event_files import EventFile

_NAME = "prediction_depth"
_COLUMNS = ("depth", "settled from", "probe right, %", "examples", "network right, %")
_DESCRIPTIONS = {
    "probe_accuracy": "How often each probe is right: the vote of the nearest neighbours after a "
    f"layer. The step is the number of the probe, 0 for the input; the text `{_NAME}/probes` "
    "names them.",
    "accuracy_by_depth": "How often the network is right about the examples of a depth. The step "
    "is the depth.",
    "examples_by_depth": "How many examples have a depth. The step is the depth.",
}


def as_table(details, probes=1):
    """The details of prediction depth as a `rich.table.Table`, accuracies in percent.

    Args:
        details: dictionary as in `table.metadata["scores"]["prediction_depth"]`, with
            `probe_accuracy`, `network_accuracy`, `accuracy_by_depth` and `support`.
        probes: how many models have scored; the details are those of the first.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=_title(details, probes))
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "settled from" else "right")
    rows = _rows(details)
    for number, cells in enumerate(rows):
        # As it is: a name may look like markup.
        table.add_row(*map(Text, cells), end_section=number == len(rows) - 2)
    return table


def write_depth_curves(folder, details, probes=1):
    """Writes the details of prediction depth as a TensorBoard event file.

    The scalars `prediction_depth/probe_accuracy`, over the number of the probe, and
    `prediction_depth/accuracy_by_depth` and `prediction_depth/examples_by_depth`, over the depth;
    and `prediction_depth/probes`, a text that says which probe has which number.

    Args:
        folder: where to write; made if it is missing. Files already there are left alone.
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
            what = f"{_DESCRIPTIONS[name]} Set *Smoothing* to 0."
            for step, value in points:
                events.scalar(f"{_NAME}/{name}", value, step, what)
        events.text(f"{_NAME}/probes", _markdown(details, probes))


def _depths(details):
    """Depth, number of examples and accuracy of each depth there can be, `None` without any."""
    rows = details["accuracy_by_depth"]
    found = {row["depth"]: (row["examples"], row["accuracy"]) for row in rows}
    possible = range(len(details["probe_accuracy"]) + 1)
    return [(depth, *found.get(depth, (0, None))) for depth in possible]


def _rows(details):
    """The cells of the table: each probe, the depth beyond the last one, and all examples."""
    depths = _depths(details)
    probes = [*details["probe_accuracy"].items(), ("(none)", None)]
    rows = [
        [str(depth), name, _percent(probe_right), f"{examples:,}", _percent(network_right)]
        for (depth, examples, network_right), (name, probe_right) in zip(
            depths, probes, strict=True
        )
    ]
    count = sum(examples for _, examples, _ in depths)
    return [*rows, ["all", "", "", f"{count:,}", _percent(details["network_accuracy"])]]


def _percent(accuracy):
    return "" if accuracy is None else f"{100 * accuracy:.1f}"


def _title(details, probes):
    of_first = f", the first of {probes} probes" if probes > 1 else ""
    return f"Prediction depth, neighbours among {details['support']:,} examples{of_first}"


def _markdown(details, probes):
    # As code, or a name such as <input> would be taken for HTML.
    rows = [[depth, f"`{name}`" if name else "", *rest] for depth, name, *rest in _rows(details)]
    lines = [_COLUMNS, ["---:", "---", *["---:"] * 3], *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    last = len(details["probe_accuracy"])
    return f"""{_title(details, probes)}:

{table}

A probe is the vote of the nearest neighbours after a layer. The depth of an example is the number
of the first probe from which on all of them agree with the network; it is {last} where the last
one, on the softmax, does not agree.

Set *Smoothing* to 0: TensorBoard draws a running mean over neighbouring steps.

- `probe_accuracy` rises where layers bring the examples of a class together. Layers over which it
  stays level hardly change what is decided.
- `accuracy_by_depth` usually falls: the later an example is settled, the less is the network to be
  trusted about it, and the more often its label is wrong.
- `examples_by_depth` says how many examples that is about; few examples make a rough curve.
"""
