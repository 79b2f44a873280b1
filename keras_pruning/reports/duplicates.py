"""The report on near duplicates: files, pictures, and sentences and a table for the terminal."""

import numpy as np

from keras_pruning.reports.pictures import are_images, grid
from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.storage.csv_files import write_csv

# Groups in the table and in a picture, and examples of a group in a picture.
GROUPS_SHOWN, MEMBERS_SHOWN = 8, 5
# Pairs in the picture of leaks.
_PAIRS_SHOWN = 20
# Part of the examples in one group that points to a threshold that is too large.
_TOO_LARGE = 0.2


def summary(train, groups, leaks=None):
    """Returns the figures of a report, a dictionary for JSON.

    Args:
        train: `Examples`.
        groups: `NearDuplicates` of them, with their labels.
        leaks: `Leaks` of the test examples, or `None`.
    """
    sizes, ranked = groups.sizes, groups.largest
    shown = []
    for number in ranked[:GROUPS_SHOWN]:
        rows = groups.rows(number)
        shown.append(
            {
                "examples": len(rows),
                "kept": int(groups.keep[rows].sum()),
                "classes": sorted({str(train.class_names[label]) for label in train.labels[rows]}),
                "first_id": str(train.ids[rows[0]]),
            }
        )
    figures = {
        "examples": len(train),
        "threshold": groups.threshold,
        "groups": len(ranked),
        "in_groups": int(sizes[ranked].sum()),
        "kept": int(groups.keep.sum()),
        "conflicting_groups": len(groups.conflicting),
        "largest": shown,
        "test_examples": None,
    }
    if leaks is not None:
        figures["test_examples"] = len(leaks.counts)
        figures["leaked_test_examples"] = int(leaks.in_test.sum())
        figures["leaked_training_examples"] = int(leaks.in_train.sum())
    return figures


def lines(figures):
    """Yields sentences about a `summary`, and a `rich.table.Table` of the largest groups."""
    threshold, kept = figures["threshold"], figures["kept"]
    yield (
        f"Near duplicates (1 − cos ≤ {threshold:g}): {figures['in_groups']:,} of "
        f"{figures['examples']:,} training examples, in {figures['groups']:,} groups. "
        f"{kept:,} examples are left if one of near ones is kept."
    )
    if figures["largest"]:
        table = new_table(["examples", "kept", "classes", "first id"], ("classes", "first id"))
        for group in figures["largest"]:
            classes = ", ".join(group["classes"][:5]) + (", …" if group["classes"][5:] else "")
            cells = f"{group['examples']:,}", f"{group['kept']:,}", classes, group["first_id"]
            table.add_row(*cells)
        yield table
        if figures["largest"][0]["examples"] > max(10, _TOO_LARGE * figures["examples"]):
            yield (
                "The largest group holds a large part of the examples. These are hardly "
                "duplicates: lower --threshold, or take another --embedding."
            )
    if figures["conflicting_groups"]:
        yield (
            f"Conflicting labels: {figures['conflicting_groups']:,} groups. In each of them a "
            "label is wrong, or the threshold is too large."
        )
    if figures["test_examples"] is not None:
        leaked = figures["leaked_test_examples"], figures["leaked_training_examples"]
        yield (
            f"Leaks: {leaked[0]:,} of {figures['test_examples']:,} test examples are near to "
            f"{leaked[1]:,} training examples."
        )


def write_groups(path, train, groups):
    """Writes a CSV file of all examples in groups of several, the largest group first.

    Args:
        path: path of the file, which is replaced if it exists.
        train, groups: as for `summary`.
    """
    ranked, names = groups.largest, train.class_names
    # Sort all examples of these groups at once, in the order of `NearDuplicates.rows`.
    ranks = np.full(len(groups.sizes), len(ranked))
    ranks[ranked] = np.arange(len(ranked))
    places = ranks[groups.numbers]
    rows = np.lexsort((~groups.keep, groups.kept_instead, places))[
        : np.count_nonzero(places < len(ranked))
    ]
    conflicting, sizes = np.isin(groups.numbers, groups.conflicting), groups.sizes
    # `kept_id` is the example that stands for a dropped one.
    header = ["group", "group_size", "id", "label", "label_name", "kept", "kept_id", "conflicting"]
    cells = (
        (
            int(places[row]) + 1,
            int(sizes[groups.numbers[row]]),
            str(train.ids[row]),
            int(train.labels[row]),
            names[train.labels[row]],
            bool(groups.keep[row]),
            str(train.ids[groups.kept_instead[row]]),
            bool(conflicting[row]),
        )
        for row in rows
    )
    write_csv(path, header, cells)


def write_leaks(path, train, test, leaks):
    """Writes a CSV file of the near pairs of a test and a training example.

    Args:
        path: path of the file, which is replaced if it exists.
        train, test: `Examples`.
        leaks: `Leaks` of them.
    """
    sides = ("test", test, leaks.test_rows), ("train", train, leaks.train_rows)
    header = [f"{side}_{name}" for side, _, _ in sides for name in ("id", "label", "label_name")]
    columns = [
        column
        for _, examples, rows in sides
        for column in (
            map(str, examples.ids[rows]),
            examples.labels[rows].tolist(),
            (examples.class_names[label] for label in examples.labels[rows]),
        )
    ]
    columns += [(f"{distance:.6g}" for distance in leaks.distances), leaks.counts[leaks.test_rows]]
    header += ["distance", "near_training_examples"]
    write_csv(path, header, zip(*columns, strict=True))


def pictures(train, groups, test=None, leaks=None):
    """Returns pictures of groups and leaks, a dictionary from names to pixels and a description.

    There are none unless the examples are images.

    Args:
        train, groups: as for `summary`.
        test, leaks: as for `write_leaks`, or `None`.
    """
    if not are_images(train.shape):
        return {}
    drawn = {}
    ranked = groups.largest
    conflicting = ranked[np.isin(ranked, groups.conflicting)]
    for name, numbers, title in (
        ("largest", ranked, "The largest groups of near duplicates"),
        ("conflicting", conflicting, "Groups of near duplicates with more than one label"),
    ):
        if len(numbers):
            drawn[name] = _groups(train, groups, numbers[:GROUPS_SHOWN]), title
    if leaks is not None and len(leaks.test_rows):
        drawn["leaks"] = _leaks(train, test, leaks), "Test examples beside a near training example"
    return drawn


def _groups(train, groups, numbers):
    """Returns a picture of the first examples of some groups, one of each label at first."""
    rows, captions = [], []
    for place, number in enumerate(numbers, start=1):
        members = groups.rows(number)
        # A conflict that is far down in a large group would not be seen otherwise.
        _, firsts = np.unique(train.labels[members], return_index=True)
        members = np.concatenate([members[np.sort(firsts)], np.delete(members, firsts)])
        for row in members[:MEMBERS_SHOWN]:
            kept = "kept" if groups.keep[row] else "dropped"
            captions.append([f"group {place}", _class_name(train, row), kept])
            rows.append(row)
    return grid(train.stored_inputs(np.array(rows)), captions, MEMBERS_SHOWN)


def _leaks(train, test, leaks):
    """Returns a picture of leaked test examples, each beside the nearest training example."""
    _, firsts = np.unique(leaks.test_rows, return_index=True)
    firsts = firsts[np.argsort(leaks.distances[firsts], kind="stable")][:_PAIRS_SHOWN]
    test_rows, train_rows = leaks.test_rows[firsts], leaks.train_rows[firsts]
    inputs = np.stack([test.stored_inputs(test_rows), train.stored_inputs(train_rows)], axis=1)
    captions = []
    # An even number of columns keeps the pictures of a pair side by side.
    for test_row, train_row in zip(test_rows, train_rows, strict=True):
        captions.append(["test", _class_name(test, test_row)])
        captions.append(["train", _class_name(train, train_row)])
    return grid(inputs.reshape(-1, *inputs.shape[2:]), captions, columns=6)


def _class_name(examples, row):
    """Returns the class of an example, as a number if Pillow's font lacks its characters."""
    label = examples.labels[row]
    name = examples.class_names[label]
    return name if name.isascii() and name.isprintable() else f"class {label}"
