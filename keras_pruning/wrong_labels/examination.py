"""Plants wrong labels, measures which scores detect them, and lists suspects."""

import logging
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.probing import scoring
from keras_pruning.reports.html.doctor_page import write_doctor_page
from keras_pruning.reports.html.score_recipe import score_recipe_section
from keras_pruning.reports.html.views import NAME, require_free
from keras_pruning.selection.methods import fraction_name
from keras_pruning.wrong_labels.advice import advise
from keras_pruning.wrong_labels.diagnosis import Diagnosis, diagnose
from keras_pruning.wrong_labels.report import page_tables, write_report
from keras_pruning.wrong_labels.suspects import Suspects, SuspectSearch

logger = logging.getLogger("keras_pruning")
FOLDER = "doctor"


@dataclass(frozen=True)
class Examination:
    """The results of the doctor.

    Args:
        folder: folder of the scores of the noisy labels and of the report on them.
        diagnosis: `Diagnosis`.
        advice: list of sentences.
        suspects: `Suspects`, or `None` if no list was requested.
    """

    folder: Path
    diagnosis: Diagnosis
    advice: list[str]
    suspects: Suspects | None


def examine(plan, output, noise=0.1, suspects=None):
    """Plants wrong labels in the training examples and measures which scores detect them.

    The data stay as they are. Existing scores are reused if they have the same recipe. The report
    is written again each time.

    Args:
        plan: `ScoringPlan` of the clean data.
        output: folder of the results, which go to `doctor` below it.
        noise: float in (0, 0.5], the fraction of the labels to replace.
        suspects: number of suspects of the clean data to list, `None` for no list.

    Returns:
        `Examination`.

    Raises:
        InputError: if an argument is invalid, the output holds the results of another recipe, or
            the config does not fit the data. Most of this is checked before anything is trained.
    """
    # Check everything before anything is trained
    _require_noise(plan, noise)
    _require_all(plan)
    plan.require_training_split("doctor")
    output = Path(output) / FOLDER
    folder = output / f"noise-{fraction_name(noise)}"
    noisy = plan.with_splits(plan.data.splits.with_label_noise(noise))
    search = None if suspects is None else SuspectSearch(plan, output, noise, suspects)
    if folder.is_dir():
        require_free(folder / NAME)
    # Score the noisy labels, and compare the scores with the clean ones
    if scoring.find_scores(noisy, folder) is None:
        logger.info("Planting wrong labels in %.4g %% of the examples.", 100 * noise)
    table = scoring.score(noisy, folder)
    clean = plan.data.all
    diagnosis = diagnose(table, clean.labels, clean.class_names, noise)
    advice = advise(diagnosis)
    write_report(folder, diagnosis, advice)
    # Rank the suspects by the score that detects the planted labels best
    listed = None if search is None else search.run(clean, diagnosis.best)
    examination = Examination(folder, diagnosis, advice, listed)
    command = f"doctor --noise {noise:g}" + ("" if suspects is None else f" --suspects {suspects}")
    recipe = score_recipe_section(table, command, plan.settings)
    write_doctor_page(folder / NAME, page_tables(diagnosis), examination, recipe)
    return examination


def _require_noise(plan, noise):
    if not 0 < noise <= 0.5:
        raise InputError(f"Invalid `noise`. Expected a float in (0, 0.5]. Received: noise={noise}")
    if plan.data.splits.label_noise:
        raise InputError(
            "The doctor plants its own label noise. Expected dataset.label_noise: 0. "
            f"Received: {plan.data.splits.label_noise}. Use --noise instead."
        )


def _require_all(plan):
    if plan.data.fraction < 1:
        raise InputError(
            "The doctor compares the labels of all examples. Expected probe.fraction: 1. "
            f"Received: {plan.data.fraction}. For a part of the data use --dataset.fraction."
        )
