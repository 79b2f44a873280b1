"""The hardest, the easiest and the suspected mislabelled examples of each class, as a section."""

import numpy as np

from keras_pruning.reports.html.gallery_entries import SUSPECTED, Group
from keras_pruning.reports.html.page import Section
from keras_pruning.selection.ranking import hardest_first

# Examples of a class in a group, and classes, from the most to the fewest that are tried.
_SIZES = [(8, 40), (6, 40), (4, 40), (3, 40), (2, 40), (1, 40), (1, 20), (1, 10), (1, 4), (1, 1)]
# Most entries of a gallery. One takes about 400 bytes of HTML.
_MOST_ENTRIES = 1500
# Bytes of all pictures of a gallery. As text in the page they take a third more.
MOST_BYTES = 1_400_000
# Seed of the order of equally hard examples.
_SEED = 0


def gallery_section(scored, id="gallery", most_bytes=MOST_BYTES):
    """Returns the section of a page with the hardest and easiest examples of each class.

    Suspects have a group of their own. Without examples there are ids and scores only.

    Args:
        scored: `Scored`, at least one example.
        id: anchor of the section, unique on the page.
        most_bytes: bytes of all pictures of the section, before they are written as text.

    Returns:
        `Section`.
    """
    table = scored.table
    ranks = difficulty_ranks(table)
    groups, inputs = _fitting(scored, ranks, most_bytes)
    context = {
        "id": id,
        "scores": table.names,
        "classes": _classes(scored, groups, ranks, inputs),
        "number_of_classes": len(np.unique(table.labels)),
        "sprite": inputs.sprite,
        "suspected": SUSPECTED,
        "has_estimates": bool(table.extrapolated.any()),
        "has_links": bool(groups) and scored.link(0) is not None,
    }
    title = "Hardest and easiest examples"
    return Section(title, "gallery.html.j2", context, id, "gallery.js", "gallery.css")


def _classes(scored, groups, ranks, inputs):
    """Returns the classes with their groups and entries, a list of dictionaries."""
    sizes, classes = np.bincount(scored.table.labels), {}
    for group in groups:
        name, size = scored.class_names[group.label], int(sizes[group.label])
        shown = classes.setdefault(group.label, {"name": name, "examples": size, "groups": []})
        entries = [scored.entry(group, row, ranks, inputs) for row in group.rows.tolist()]
        shown["groups"].append({"kind": group.kind, "score": group.score, "entries": entries})
    return list(classes.values())


def difficulty_ranks(table, seed=_SEED):
    """Returns the rank of each example by each score, 0 for the hardest, ties in random order.

    Args:
        table: `ScoreTable`.
        seed: integer >= 0, the seed of the order of ties.

    Returns:
        Dictionary from names to integers `(examples,)`.
    """
    ranks = {}
    for name in table.names:
        order = hardest_first(table.difficulty(name), np.random.default_rng(seed))
        ranks[name] = np.empty(len(table), np.int64)
        ranks[name][order] = np.arange(len(table))
    return ranks


def _fitting(scored, ranks, most_bytes):
    """Returns as many groups as the page has room for, and the inputs of their examples."""
    inputs, table = None, scored.table
    orders = {name: _by_class(rank, table.labels) for name, rank in ranks.items()}
    for count, most_classes in _SIZES:
        # Without room for more, a last try has one class
        groups = _groups(scored, orders, count, _shown_classes(table, ranks, most_classes))
        if sum(len(group.rows) for group in groups) > _MOST_ENTRIES and most_classes > 1:
            continue
        # Each example has one picture, although several groups may have it
        rows = np.unique(np.concatenate([group.rows for group in groups]))
        inputs = scored.inputs(rows, most_bytes, inputs)
        if inputs.fit:
            break
    return groups, inputs


def _by_class(ranks, labels):
    """Returns the rows sorted by class, and within a class from the hardest to the easiest."""
    order = np.empty(len(ranks), np.int64)
    order[ranks] = np.arange(len(ranks))
    # NumPy sorts short integers many times faster
    short = labels.astype(np.uint16) if labels.max() < 2**16 else labels
    return order[np.argsort(short[order], kind="stable")]


def _shown_classes(table, ranks, most):
    """Returns the classes with examples, ascending. If there are too many, the hardest of them."""
    sizes = np.bincount(table.labels)
    labels = np.flatnonzero(sizes)
    if len(labels) > most:
        first = ranks[table.names[0]]
        mean_ranks = np.bincount(table.labels, first)[labels] / sizes[labels]
        labels = np.sort(labels[np.argsort(mean_ranks, kind="stable")[:most]])
    return labels.tolist()


def _groups(scored, orders, count, labels):
    """Returns the groups of some classes, with up to `count` examples for each kind and score."""
    table, suspects, groups = scored.table, scored.suspects, []
    ends = np.cumsum(np.bincount(table.labels)).tolist()
    for label in labels:
        for name, order in orders.items():
            rows = order[ends[label - 1] if label else 0 : ends[label]]
            # No example is among the hardest and among the easiest of its class.
            half = len(rows) // 2
            groups.append(Group(label, "Hardest", name, rows[: min(count, len(rows) - half)]))
            if half:
                groups.append(Group(label, "Easiest", name, rows[::-1][: min(count, half)]))
        # The suspects stay in the order of their list
        if suspects is not None:
            rows = suspects.rows[table.labels[suspects.rows] == label][:count]
            if len(rows):
                groups.append(Group(label, SUSPECTED, suspects.score, rows))
    return groups
