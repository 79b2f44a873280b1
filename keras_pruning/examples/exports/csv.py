"""`csv`: the ids, labels and class names alone, for programs that have the inputs already."""

from keras_pruning.storage.csv_files import write_csv

FILE = "examples.csv"


def write(examples, folder, path):
    """Writes the columns `id`, `label` and `class_name`.

    A text that a spreadsheet would run as a formula has an apostrophe in front, and so has one that
    begins with an apostrophe. Remove one leading apostrophe to get the text again.

    Args:
        examples: `Examples`.
        folder: new folder.
        path: not used.
    """
    names = examples.class_names
    rows = (
        (name, int(label), names[label])
        for name, label in zip(examples.ids, examples.labels, strict=True)
    )
    write_csv(folder / FILE, ["id", "label", "class_name"], rows)
