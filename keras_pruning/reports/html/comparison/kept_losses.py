"""Histograms of the losses that one epoch decided by, with the part that it kept."""

from keras_pruning.reports.html.charts import MUTED, OUTLINES, Chart, Style
from keras_pruning.reports.html.frame import Frame
from keras_pruning.reports.html.tables import Table

# Size of the static picture, and the room of its axes.
_FRAME = Frame(height=240, left=64)
_ALL, _KEPT = "all examples", "kept"


def loss_chart(run, look):
    """Returns the `Chart` of the losses in the middle of a run, `None` if none were known.

    Args:
        run: `Run` of a method that prunes while training.
        look: `Style` of the method.
    """
    epochs = run.metrics["epochs"]
    number = len(epochs) // 2
    log = epochs[number]
    if log["edges"] is None:
        return None
    bars = [
        {"low": low, "high": high, _ALL: count, _KEPT: kept}
        for low, high, count, kept in zip(
            log["edges"][:-1], log["edges"][1:], log["losses"], log["kept_losses"], strict=True
        )
    ]
    unseen = run.metrics["examples_kept"] - sum(log["losses"])
    caption = (
        f"{run.method}: examples by the loss that epoch {number + 1} of {len(epochs)} decided by, "
        f"and those that it kept (seed {run.metrics['seed']})."
    )
    if unseen:
        caption += f" {unseen:,} examples had no loss yet."
    colors = {_ALL: MUTED, _KEPT: look.color}
    legend = [Style(name, color, [], OUTLINES[1]) for name, color in colors.items()]
    return Chart(_spec(bars, colors), _svg(bars, colors), caption, _table(run, bars), legend)


def _table(run, bars):
    return Table(
        f"{run.method}: examples by loss, and those that were kept",
        ["loss from", "to", _ALL, _KEPT, "kept in %"],
        [
            [
                f"{bar['low']:.4g}",
                f"{bar['high']:.4g}",
                f"{bar[_ALL]:,}",
                f"{bar[_KEPT]:,}",
                f"{100 * bar[_KEPT] / bar[_ALL]:.1f}",
            ]
            # An empty bucket has no part that is kept
            for bar in bars
            if bar[_ALL]
        ],
        "rrrrr",
    )


def _svg(bars, colors):
    """Returns the static picture."""
    ends = [bars[0]["low"], bars[-1]["high"]]
    x = _FRAME.across("loss", ends)
    y = _FRAME.upwards("examples", [0, max(bar[_ALL] for bar in bars)])
    layers = [
        (color, [(x.place(bar["low"]), y.place(bar[name]), x.place(bar["high"])) for bar in bars])
        for name, color in colors.items()
    ]
    return _FRAME.fill("bars.svg.j2", x, y, layers=layers)


def _spec(bars, colors):
    """Returns the Vega-Lite specification."""
    tooltip = [
        {"field": "low", "type": "quantitative", "title": "loss from"},
        {"field": "high", "type": "quantitative", "title": "to"},
        *({"field": name, "type": "quantitative"} for name in colors),
    ]
    x_axis = {"title": "loss", "grid": False, "labelOverlap": True}
    x = {
        "field": "low",
        "type": "quantitative",
        "bin": "binned",
        "axis": x_axis,
        "scale": {"zero": False},
    }
    y_axis = {"title": "examples", "tickCount": 5}
    return {
        "height": _FRAME.height,
        "data": {"values": bars},
        "encoding": {"x": x, "x2": {"field": "high"}, "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "bar", "color": color},
                "encoding": {"y": {"field": name, "type": "quantitative", "axis": y_axis}},
            }
            for name, color in colors.items()
        ],
    }
