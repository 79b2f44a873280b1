"""The options of commands whose work several tasks share."""

import dataclasses
import os

from keras_pruning.errors import InputError
from keras_pruning.jobs.tasks import ALONE, Tasks

# Variables of schedulers that hold the number of a task, and those that hold the first number.
_INDEX = {"SLURM_ARRAY_TASK_ID": "SLURM_ARRAY_TASK_MIN", "JOB_COMPLETION_INDEX": None}


def add_tasks(parser):
    """Adds `--task-index` and `--num-tasks`."""
    parser.add_argument(
        "--task-index",
        type=int | None,
        help="number of this task, from 0 (default with --num-tasks: as Slurm's array or the "
        "indexed job of Kubernetes counts)",
    )
    parser.add_argument(
        "--num-tasks",
        type=int | None,
        help="number of tasks that run this command, with the same output, and share its work",
    )


def tasks_of(values, environment=os.environ):
    """Returns the `Tasks` of a command.

    Args:
        values: the values of its options.
        environment: dictionary of the environment variables.

    Raises:
        InputError: if the options leave open which task this is, or there is no such task.
    """
    index, number = values.task_index, values.num_tasks
    if number is None:
        if index is not None:
            raise InputError(
                "--task-index does not say how many tasks there are. Expected --num-tasks beside "
                f"it. Received: --task-index {index}"
            )
        return ALONE
    shared = Tasks(number=number)
    return dataclasses.replace(
        shared, index=_index(environment, number) if index is None else index
    )


def _index(environment, number):
    """Returns the index of this task from 0, as its scheduler tells it."""
    variables = {name: environment[name] for name in _INDEX if environment.get(name)}
    if len(variables) != 1:
        reason = "Several variables say it" if variables else "Nothing says it"
        raise InputError(
            f"--num-tasks does not say which task this is. {reason}. Expected --task-index beside "
            f"it, or only one of the variables {' and '.join(_INDEX)}. "
            f"Received: {variables or 'none'}"
        )
    ((name, text),) = variables.items()
    first = environment.get(_INDEX[name] or "") or "0"
    try:
        index = int(text) - int(first)
    except ValueError as error:
        raise InputError(
            f"Invalid variable {name}. Expected an integer. Received: {text!r}. "
            "Give --task-index in its place."
        ) from error
    if not 0 <= index < number:
        raise InputError(
            f"The variable {name} does not fit --num-tasks. Expected numbers from {first} to "
            f"{int(first) + number - 1} for {number} tasks. Received: {text}. Start as many tasks "
            "as --num-tasks says, with numbers that follow each other, or give --task-index."
        )
    return index
