"""The data map: how sure training is of each label, and how much that varies, as a section."""

from dataclasses import replace

import numpy as np

from keras_pruning.reports.html.charts import Chart, scales, styles
from keras_pruning.reports.html.frame import Frame
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.short_texts import cut
from keras_pruning.reports.html.tables import Table

NEEDED = ("confidence", "variability")
# Half of the largest deviation that a probability can have
AMBIGUOUS = 0.25
SURE = 0.5
REGIONS = ("easy to learn", "ambiguous", "hard to learn")
# Points of the chart, and classes of its table. One point takes about 60 bytes.
_MOST_POINTS, _MOST_CLASSES = 2500, 60
_SEED = 0
# Size of the static picture, and the room of its axes.
_FRAME = Frame(height=400, inset=12)
_CONFIDENCE = "Confidence (mean probability of the label)"
_VARIABILITY = "Variability (standard deviation)"


def regions(confidence, variability):
    """Returns the position in `REGIONS` of each example, integers `(examples,)`.

    An example is ambiguous if the probability of its label varies by 0.25 or more. Otherwise it is
    easy to learn from a confidence of 0.5 up, and hard to learn below.

    Args:
        confidence: floats `(examples,)`.
        variability: floats `(examples,)`.
    """
    calm = np.where(confidence >= SURE, 0, 2)
    return np.where(variability >= AMBIGUOUS, 1, calm)


def data_map_section(table, class_names, id="data-map"):
    """Returns the section of a page with the data map, or `None` if the scores for it are missing.

    Args:
        table: `ScoreTable`.
        class_names: list of the names of the classes.
        id: anchor of the section, unique on the page.

    Returns:
        `Section`, or `None`.

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2 (arXiv 2009.10795). There, regions
        are thirds of the data. Here they have fixed borders, so that their sizes say something.
    """
    if not set(NEEDED) <= set(table.names):
        return None
    region = regions(*(table[name] for name in NEEDED))
    # The table counts all examples, the chart draws a sample of them
    rows = _sample(len(table))
    caption = (
        f"Each point is an example{_of_all(rows, table)}. On the right, training becomes sure of "
        "the label. On the left, it does not. Further up, the probability of the label changes "
        "more."
    )
    spec = _spec(table, region, rows, class_names)
    counts = _counts(table, region, class_names)
    chart = Chart(spec, _svg(table, region, rows), caption, counts, _looks())
    lines = [
        f"Ambiguous: the probability of the label varies by {AMBIGUOUS} or more. Otherwise easy to "
        f"learn from a confidence of {SURE} up, and hard to learn below. Wrong labels are often "
        "hard to learn."
    ]
    parts = [{"title": "", "charts": [chart]}]
    return Section("Data map", "charts.html.j2", {"parts": parts, "lines": lines}, id)


def _sample(count):
    """Returns the rows to draw, ascending, at random if there are too many."""
    if count <= _MOST_POINTS:
        return np.arange(count)
    rng = np.random.default_rng(_SEED)
    return np.sort(rng.choice(count, _MOST_POINTS, replace=False))


def _of_all(rows, table):
    if len(rows) == len(table):
        return ""
    return f", {len(rows):,} of {len(table):,} drawn at random (seed {_SEED})"


def _counts(table, region, class_names):
    """Returns the `Table` of the number of examples in each region, in all and by class."""
    classes = len(class_names)
    # Count each region in each class
    counts = np.stack(
        [np.bincount(table.labels[region == number], minlength=classes) for number in range(3)]
    )
    # Classes with the most examples that are hard to learn, if there are too many
    labels = np.flatnonzero(np.bincount(table.labels, minlength=classes))
    part = ""
    if len(labels) > _MOST_CLASSES:
        order = np.argsort(-counts[2, labels], kind="stable")[:_MOST_CLASSES]
        part = f" The {_MOST_CLASSES} classes with most examples that are hard to learn."
        labels = np.sort(labels[order])
    rows = [["all examples", *_row(counts.sum(axis=1))]]
    rows += [[class_names[label], *_row(counts[:, label])] for label in labels]
    return Table(
        f"Number of examples by region of the data map, with their share.{part}",
        ["class", *REGIONS],
        rows,
    )


def _row(counts):
    total = counts.sum()
    return [f"{count:,} ({100 * count / total:.1f} %)" for count in counts.tolist()]


def _looks():
    # Points alone, without the line that curves have in a legend
    return [replace(look, dash=[0, 36]) for look in styles(list(REGIONS))]


def _svg(table, region, rows):
    """Returns the static picture."""
    confidence, variability = (table[name][rows].tolist() for name in NEEDED)
    x = _FRAME.across(_CONFIDENCE, [0.0, 1.0])
    y = _FRAME.upwards(_VARIABILITY, [0.0, 0.5])
    places = [(x.place(a), y.place(b)) for a, b in zip(confidence, variability, strict=True)]
    clouds = [
        (look, [places[at] for at in np.flatnonzero(region[rows] == number)])
        for number, look in enumerate(_looks())
    ]
    return _FRAME.fill("cloud.svg.j2", x, y, clouds=clouds)


def _points(table, region, rows, class_names):
    """Returns the points of the chart, a list of dictionaries."""
    columns = zip(
        # Four decimals are finer than a pixel
        *(np.round(table[name][rows].astype(float), 4).tolist() for name in NEEDED),
        region[rows].tolist(),
        table.labels[rows].tolist(),
        table.ids[rows].tolist(),
        strict=True,
    )
    return [
        {"x": a, "y": b, "region": REGIONS[number], "class": class_names[label], "id": cut(name)}
        for a, b, number, label, name in columns
    ]


def _spec(table, region, rows, class_names):
    """Returns the Vega-Lite specification, with a list of the classes to look at one of them."""
    values = _points(table, region, rows, class_names)
    shown = dict.fromkeys(value["class"] for value in values)
    names = [name for name in class_names if name in shown]
    options = {"options": [None, *names], "labels": ["all", *names]}
    bind = {"input": "select", "name": "Class", **options}
    looks = scales(_looks(), "region")
    notes = ["id", "class", "region"]
    return {
        "height": _FRAME.height,
        "params": [{"name": "shown", "value": None, "bind": bind}],
        "data": {"values": values},
        "transform": [{"filter": "shown === null || datum.class === shown"}],
        "mark": {"type": "point", "filled": True, "opacity": 0.55, "clip": True},
        "encoding": {
            "x": _channel("x", _CONFIDENCE, 1),
            "y": _channel("y", _VARIABILITY, 0.5),
            "color": looks["color"],
            "shape": looks["shape"],
            "size": {"value": 3},
            "tooltip": [
                *({"field": name, "type": "nominal"} for name in notes),
                {"field": "x", "type": "quantitative", "title": "confidence"},
                {"field": "y", "type": "quantitative", "title": "variability"},
            ],
        },
    }


def _channel(name, title, largest):
    return {
        "field": name,
        "type": "quantitative",
        "axis": {"title": title, "grid": name == "y", "labelOverlap": True},
        "scale": {"domain": [0, largest], "nice": False},
    }
