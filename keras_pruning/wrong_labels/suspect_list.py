"""A list of examples whose label is most likely wrong."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.arguments import kind_of, require_positive_integer, require_type
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.examples import Examples
from keras_pruning.reports.pictures import are_images, grid
from keras_pruning.selection.ranking import hardest_first
from keras_pruning.storage import new_file
from keras_pruning.storage.csv_files import write_csv
from keras_pruning.tables.data_frames import data_frame

# Size of the picture, in examples.
SHOWN, COLUMNS = 40, 8


@dataclass(frozen=True, repr=False)
class SuspectList:
    """Suspects, the most likely one first.

    Args:
        examples: `Examples`, all that were searched.
        rows: rows of the suspects in `examples`, integers `(suspects,)`.
        score: name of the score that ranks them.
        values: the scores of all examples, floats `(examples,)`.
        predicted: classes that a model predicts for all examples, integers `(examples,)`, or `None`
            if no model was asked.
        share: fraction of the probes that predict them `(examples,)`, or `None`.
    """

    examples: Examples
    rows: np.ndarray
    score: str
    values: np.ndarray
    predicted: np.ndarray | None = None
    share: np.ndarray | None = None

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        first = ", ".join(self.ids[:3].tolist()) + (", …" if len(self) > 3 else "")
        return f"<SuspectList of {len(self):,} of {len(self.examples):,} by {self.score}: {first}>"

    @property
    def ids(self):
        """The ids of the suspects, strings `(suspects,)`."""
        return self.examples.ids[self.rows]

    def at_most(self, count):
        """Returns a list of the first `count` suspects."""
        columns = (self.score, self.values, self.predicted, self.share)
        return SuspectList(self.examples, self.rows[:count], *columns)

    def columns(self):
        """Returns a dictionary of the columns of the list, one entry for each suspect."""
        rows, names = self.rows, np.array(self.examples.class_names, dtype=object)
        labels = self.examples.labels[rows]
        columns = {"id": self.ids, "label": labels, "label_name": names[labels]}
        if self.predicted is not None:
            predicted = self.predicted[rows]
            columns |= {"predicted": predicted, "predicted_name": names[predicted]}
        if self.share is not None:
            columns["probes_agree"] = self.share[rows]
        return {**columns, self._score_column: self.values[rows]}

    @property
    def _score_column(self):
        """Name of the column of the score, which may not be that of another column."""
        taken = ("rank", "id", "label", "label_name", "predicted", "predicted_name", "probes_agree")
        return f"score {self.score}" if self.score in taken else self.score

    def to_pandas(self):
        """Returns the list as a pandas data frame, with the ids as its index.

        Raises:
            InputError: if pandas is not installed.
        """
        return data_frame(self.columns())

    def to_csv(self, path):
        """Writes the list as a CSV file, with a column `rank` that begins with 1.

        Raises:
            InputError: if the file exists or cannot be written.
        """
        with new_file(path) as partial:
            self.write_csv(partial)

    def write_csv(self, path):
        """Writes the list as a CSV file, which is replaced if it exists."""
        columns = self.columns()
        for name, digits in (("probes_agree", "4g"), (self._score_column, "6g")):
            if name in columns:
                columns[name] = np.array([f"{value:.{digits}}" for value in columns[name]], object)
        cells = [range(1, len(self) + 1), *(column.tolist() for column in columns.values())]
        lines = zip(*cells, strict=True)
        write_csv(path, ["rank", *columns], lines)

    def save_picture(self, path):
        """Writes a PNG picture of the first 40 suspects with label, predicted class and id.

        Raises:
            InputError: if the examples are not images, or if the file exists.
        """
        if not (are_images(self.examples.shape) and len(self)):
            raise InputError(
                "Cannot draw the suspects. Expected one or more images of shape (height, width, 1 "
                f"or 3). Received: {len(self):,} of shape {self.examples.shape}"
            )
        with new_file(path) as partial:
            self.write_picture(partial)

    def write_picture(self, path):
        """Writes the picture of `save_picture`, and replaces a file that exists."""
        from PIL import Image

        rows = self.rows[:SHOWN]
        captions = [self._caption(rank, row) for rank, row in enumerate(rows, start=1)]
        pixels = grid(self.examples.stored_inputs(rows), captions, COLUMNS)
        Image.fromarray(pixels).save(path, format="png")

    def _caption(self, rank, row):
        classes = [self.examples.labels[row]]
        if self.predicted is not None:
            classes.append(self.predicted[row])
        names = [_in_ascii(self.examples.class_names[number], f"#{number}") for number in classes]
        other = [f"or {name}?" for name in names[1:]]
        return [names[0], *other, _in_ascii(_tail(self.examples.ids[row]), f"rank {rank}")]


def suspect_rows(difficulty, predicted, labels, seed=0):
    """Returns the rows whose label is contradicted, hardest first, ties in random order.

    Args:
        difficulty: floats `(examples,)`, higher is harder.
        predicted: integers `(examples,)`, or `None` to return all rows.
        labels: integers `(examples,)`.
        seed: integer >= 0, the seed of the order of ties.
    """
    ranking = hardest_first(difficulty, np.random.default_rng(seed))
    return ranking if predicted is None else ranking[(predicted != labels)[ranking]]


def suspects(table, examples, by=None, model=None, predictions=None, count=100):
    """Returns the examples whose label is most likely wrong, hardest first.

    With a model or its predictions, only the examples whose label these contradict are listed. Use
    a model that has trained for a few epochs, or other models than those that trained on these
    examples: a model that has trained for long may have learned the wrong labels by heart.

    Args:
        table: `ScoreTable` of exactly these examples.
        examples: `Examples`.
        by: name of the score that ranks them. Defaults to the first one of the table.
            `keras_pruning.doctor` measures which score finds wrong labels best.
        model: Keras model, or the path of a `.keras` file, whose largest logit is the predicted
            class.
        predictions: predicted classes, integers `(examples,)`, or their probabilities or logits,
            floats `(examples, classes)`, instead of a model.
        count: number of suspects to list at most.

    Returns:
        `SuspectList`.

    Raises:
        InputError: if the table is about other examples, or if an argument is invalid.

    Example:
        >>> table = callback.table()
        >>> kp.suspects(table, examples, by="aum").to_csv("suspects.csv")
    """
    require_type("table", table, "difficulty", "a ScoreTable")
    require_type("examples", examples, "stored_inputs", "Examples")
    recorded = table.metadata.get("examples", {})
    examples.require_same(recorded, table.ids, table.labels, "score table")
    count = require_positive_integer("count", count)
    by = table.names[0] if by is None else by
    if not isinstance(by, str) or by not in table.names:
        raise unknown("score in the table", by, table.names)
    if model is not None and predictions is not None:
        raise InputError(
            "Too many arguments. Expected `model` or `predictions`. Received: both of them"
        )
    predicted = _predicted(examples, model, predictions)
    rows = suspect_rows(table.difficulty(by), predicted, examples.labels)
    return SuspectList(examples, rows, by, table[by], predicted).at_most(count)


def _predicted(examples, model, predictions):
    """Returns the predicted classes, integers `(examples,)`, or `None`."""
    if model is not None:
        # Imported here, because `--help` does without Keras.
        from keras_pruning.probing.checkpoints import score_checkpoints
        from keras_pruning.wrong_labels.predicted_class import PredictedClass

        classes = score_checkpoints([model], examples, [PredictedClass(epoch=1)])
        return classes[PredictedClass.name].astype(np.int64)
    if predictions is None:
        return None
    try:
        array = np.asarray(predictions)
        shape = (len(examples), examples.num_classes)
        if array.dtype.kind == "f" and array.shape == shape and np.isfinite(array).all():
            return array.argmax(axis=1)
        is_integer = array.dtype.kind in "iu" and array.shape == (len(examples),)
        if is_integer and array.min() >= 0 and array.max() < examples.num_classes:
            return array
    except ValueError:  # Arrays of different shapes in a list
        pass
    raise InputError(
        f"Invalid `predictions`. Expected classes in 0 … {examples.num_classes - 1} of shape "
        f"({len(examples)},), or finite floats of shape ({len(examples)}, {examples.num_classes}). "
        f"Received: {kind_of(predictions)}"
    )


def _in_ascii(text, otherwise):
    """Returns `text`, or `otherwise` if Pillow's font lacks a character or would obey it."""
    return text if text.isascii() and text.isprintable() else otherwise


def _tail(identifier, length=11):
    """Returns the end of an id. Its beginning is often the same folder for all."""
    return identifier if len(identifier) <= length else f"..{identifier[2 - length :]}"
