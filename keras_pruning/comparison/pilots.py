"""The pilots of a sweep, whose results lie beside the runs of their method."""

import logging

from keras_pruning.entries import describe
from keras_pruning.pilot.choice import PolicyChoice
from keras_pruning.pilot.plan import Pilot
from keras_pruning.recipes import require_same_recipe
from keras_pruning.selection import get
from keras_pruning.selection.auto import Auto
from keras_pruning.selection.methods import fraction_name, method_name
from keras_pruning.storage import new_file, read_json, write_json

PILOT = "pilot.json"
logger = logging.getLogger("keras_pruning")


def pilot_choices(methods, keep_fractions, training, table, folder):
    """Runs the pilots of the methods that ask for one, or reuses their results.

    Args:
        methods: list of dictionaries, as in `sweep.methods`.
        keep_fractions: list of floats below 1.
        training: `TrainingPlan` of the runs.
        table: `ScoreTable` of the training examples.
        folder: folder of the runs on these examples.

    Returns:
        Dictionary from the position of a method and a keep fraction to a `PolicyChoice`.

    Raises:
        InputError: if a result has another recipe.
    """
    choices = {}
    for number, method in enumerate(methods):
        policy = get(method["policy"])
        for fraction in keep_fractions if isinstance(policy, Auto) else []:
            seed = training.settings["seed"]
            pilot = Pilot(training, table, method["by"], fraction, method["quota"], policy, seed)
            choices[number, fraction] = _choice(pilot, pilot_path(folder, method, fraction))
    return choices


def pilot_path(folder, method, fraction):
    """Returns the path of the result of a pilot.

    Args:
        folder: folder of the runs on the examples.
        method: dictionary, as in `sweep.methods`.
        fraction: keep fraction.
    """
    return folder / method_name(describe(method)) / f"keep-{fraction_name(fraction)}" / PILOT


def _choice(pilot, path):
    """Returns the `PolicyChoice` of a pilot, from its file if there is one."""
    if path.exists():
        return _from_file(pilot, path)
    # Of several tasks, one runs it. All take its choice from the file.
    with pilot.plan.tasks.alone(path):
        if not path.exists():
            choice = pilot.run()
            for sentence in choice.sentences():
                logger.info("%s", sentence)
            with new_file(path) as partial:
                write_json(partial, choice.as_dict())
            return choice
    return _from_file(pilot, path)


def _from_file(pilot, path):
    record = read_json(path)
    require_same_recipe(path, record["recipe"], pilot.recipe)
    return PolicyChoice.from_dict(record, pilot.keep_fraction, pilot.quota)
