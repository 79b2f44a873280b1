"""Lists the examples of the clean data that are most likely mislabelled."""

import contextlib
import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.probing import probes, scoring
from keras_pruning.probing.probe_files import FOLDER, ProbeFiles
from keras_pruning.recipes import require_same_recipe
from keras_pruning.reports.pictures import are_images
from keras_pruning.storage import RECIPE, new_folder, read_json, require_writable, write_json
from keras_pruning.tables import parquet
from keras_pruning.tables.score_table import ScoreTable
from keras_pruning.wrong_labels.advice import FINDS
from keras_pruning.wrong_labels.suspect_list import SuspectList, suspect_rows

logger = logging.getLogger("keras_pruning")
KIND = "keras_pruning.predictions"
PREDICTED = "predicted_class"
_PREDICTED_CLASS = "keras_pruning.wrong_labels.predicted_class:PredictedClass"
# More contradictions than this fraction point to the probes rather than to the labels.
TOO_MANY = 0.3


def majority(votes, labels):
    """Returns the class that most probes predict for each example.

    If classes tie, the label wins, so that an example in doubt is no suspect. Without the label
    among them, the class that the probe of the lowest seed predicts wins.

    Args:
        votes: integers `(probes, examples)`, in the order of the seeds.
        labels: integers `(examples,)`.

    Returns:
        Tuple of the classes `(examples,)` and of the fraction of the probes that predict them
        `(examples,)`.
    """
    support = np.stack([np.sum(votes == vote, axis=0) for vote in votes])
    predicted = votes[np.argmax(support, axis=0), np.arange(len(labels))]
    in_doubt = np.sum(votes == labels, axis=0) == support.max(axis=0)
    return np.where(in_doubt, labels, predicted), support.max(axis=0) / len(votes)


@dataclass(frozen=True)
class Suspects:
    """A list of suspects that was written.

    Args:
        folder: folder of `suspects.csv`, and of `suspects.png` if the examples are images.
        score: name of the score that ranks them.
        auroc: AUROC of that score on planted wrong labels.
        examples: number of examples.
        contradicted: number of examples whose label the probes contradict.
        listed: number of these in the list.
        ranked: `SuspectList`, the list itself.
        table: `ScoreTable` of the clean data.
    """

    folder: Path
    score: str
    auroc: float
    examples: int
    contradicted: int
    listed: int
    ranked: SuspectList | None = field(default=None, compare=False, repr=False)
    table: ScoreTable | None = field(default=None, compare=False, repr=False)

    @property
    def files(self):
        """The paths of the list and of the picture."""
        paths = [self.folder / name for name in ("suspects.csv", "suspects.png")]
        return [path for path in paths if path.exists()]

    @property
    def sentences(self):
        """Sentences about the list, with warnings if it is unreliable."""
        lines = [
            f"The probes contradict the label of {self.contradicted:,} of {self.examples:,} "
            f"examples. The list has the {self.listed:,} hardest of these by {self.score}. Look at "
            "a suspect before you change its label."
        ]
        if self.auroc < FINDS:
            lines.append(
                f"{self.score} finds planted wrong labels with an AUROC of only {self.auroc:.3f}. "
                "Do not rely on this order."
            )
        if self.contradicted > TOO_MANY * self.examples:
            lines.append(
                "With so many contradictions, the probes have learned too little. Raise `epoch` "
                "of el2n, or `probe.epochs`."
            )
        return lines


class SuspectSearch:
    """Scores the clean data and lists the suspects.

    The scores go to `clean`, and every later search reuses them. The list goes to `suspects`.

    Args:
        plan: `ScoringPlan` of the clean data.
        output: the doctor's folder.
        noise: fraction of the labels that was replaced to find the best score.
        count: number of suspects to list.

    Raises:
        InputError: if the count is not positive, or the folders hold results of another recipe.
    """

    def __init__(self, plan, output, noise, count):
        if count < 1:
            raise InputError(
                "Invalid `suspects`. Expected a positive number of examples to list. "
                f"Received: {count}"
            )
        self.plan, self.count = plan, count
        self._clean, self._folder = output / "clean", output / "suspects"
        self._scores = scoring.find_scores(plan, self._clean)
        # Beside the folder of the scores, which appears at once.
        self._extra = (_PREDICTED_CLASS, {"epoch": self._epoch()})
        self._probes = ProbeFiles.of(plan, output / f"clean-{FOLDER}", [self._extra])
        self._probes.require_same_recipe()
        # `run` adds the name of the score that ranks, which is known after scoring only.
        self._recipe = {**plan.recipe, "noise": noise, "suspects": count}
        _holds(self._folder, self._recipe)
        require_writable(self._folder)

    def run(self, examples, best):
        """Lists the suspects among `examples`.

        Args:
            examples: `Examples`, the clean ones.
            best: `Finding` of the score to rank them by.

        Returns:
            `Suspects`.

        Raises:
            InputError: if the folder holds a list that another score ranked.
        """
        # Look for a finished list before the scores, so that an error comes first
        recipe = {**self._recipe, "ranked_by": best.score}
        is_listed = _holds(self._folder, recipe)
        table, predicted, share = self._predictions()
        rows = suspect_rows(table.difficulty(best.score), predicted, table.labels)
        columns = (table[best.score], predicted, share)
        listed = SuspectList(examples, rows, best.score, *columns).at_most(self.count)
        if is_listed:
            logger.info("Reused %s: it has the same recipe.", self._folder)
        else:
            is_there = partial(_holds, self._folder, recipe)
            with _unless_there(is_there), new_folder(self._folder) as folder:
                write_json(folder / RECIPE, recipe)
                listed.write_csv(folder / "suspects.csv")
                if are_images(examples.shape) and len(listed):
                    listed.write_picture(folder / "suspects.png")
        counts = len(table), len(rows), len(listed)
        return Suspects(self._folder, best.score, best.auroc, *counts, listed, table)

    def _predictions(self):
        """Returns the scores of the clean data, and the classes and shares of `majority`."""
        if self._scores is None:
            with _unless_there(partial(scoring.find_scores, self.plan, self._clean)):
                self._score()
        else:
            logger.info("Reused %s: it has the same recipe.", self._clean)
        self._probes.clear()
        columns, _ = parquet.read(self._clean / "predictions.parquet", KIND)
        scores = ScoreTable.load(self._clean / scoring.SCORES)
        return scores, columns["predicted"], columns["share"]

    def _score(self):
        """Trains probes on the clean data, and writes their scores and predictions."""
        logger.info("Scoring the clean data for the suspects.")
        tables, costs = probes.probe_tables(self.plan, self._probes, [self._extra])
        # The predicted class travels as a score, and leaves the tables before their mean
        votes = np.stack([table[PREDICTED].astype(np.int64) for table in tables])
        table = ScoreTable.over_seeds([_without(table, PREDICTED) for table in tables])
        table.metadata["recipe"] = self.plan.recipe
        predicted, share = majority(votes, table.labels)
        columns = {"id": table.ids, "label": table.labels, "predicted": predicted, "share": share}
        with new_folder(self._clean) as folder:
            write_json(folder / "scoring.json", {"probes": list(costs)})
            parquet.write(folder / "predictions.parquet", KIND, columns, {})
            table.save(folder / scoring.SCORES)

    def _epoch(self):
        """Returns the epoch of `el2n` in the config, `None` for its default."""
        entries = [entry for entry in self.plan.entries if entry["name"] == "el2n"]
        return entries[0].get("epoch") if entries else None


@contextlib.contextmanager
def _unless_there(is_there):
    """Ignores an `InputError` of a block if another process has written the same result meanwhile.

    Args:
        is_there: function that tells whether the result is there.
    """
    try:
        yield
    except InputError:
        if not is_there():
            raise


def _holds(folder, recipe):
    """Returns whether the folder holds a list of the same recipe.

    Without the score that ranks in `recipe`, a list by any score is the same.

    Raises:
        InputError: if the folder holds anything else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / RECIPE).is_file():
        raise InputError(
            f"{folder} holds something else. Expected a list of suspects, or no such folder. "
            f"Received: no {RECIPE} in it. Choose another --output, or remove it yourself."
        )
    recorded = read_json(folder / RECIPE)
    if "ranked_by" not in recipe:
        recorded.pop("ranked_by", None)
    require_same_recipe(folder, recorded, recipe)
    return True


def _without(table, name):
    """Returns a score table without one of its scores."""
    metadata = dict(table.metadata)
    metadata["scores"] = {key: value for key, value in metadata["scores"].items() if key != name}
    scores = {other: table[other] for other in table.names if other != name}
    return ScoreTable(table.ids, table.labels, scores, metadata=metadata)
