"""Pilots of `prune --policy auto`: the config they need, and results that are reused."""

import dataclasses
import os

from keras_pruning.commands.parser import ConfigFile, Parser
from keras_pruning.config import Config
from keras_pruning.errors import InputError
from keras_pruning.jobs.local import thread_count
from keras_pruning.pilot.choice import PolicyChoice
from keras_pruning.pilot.plan import Pilot
from keras_pruning.recipes import require_same_recipe
from keras_pruning.selection import Subset
from keras_pruning.selection.auto import Auto
from keras_pruning.training.run import TrainingPlan


def is_auto(policy):
    """Returns whether a policy asks for a pilot."""
    return isinstance(policy, Auto)


def pilots(requests, paths, table, values):
    """Returns a dictionary from paths to a `Pilot` and the `PolicyChoice` of an earlier one.

    The choice is `None` if there is no such file.

    Args:
        requests: list of tuples of policy, score, embedding and keep fraction.
        paths: list of the paths of their subset files.
        table: `ScoreTable`.
        values: values of the command.

    Raises:
        InputError: if the config is missing or of other examples, or a file has another recipe.
    """
    asked_for = [
        (path, *request)
        for path, request in zip(paths, requests, strict=True)
        if is_auto(request[0])
    ]
    if not asked_for:
        if values.config is not None:
            raise InputError(
                "Only the policy 'auto' reads --config. Expected none, or --policy auto. "
                f"Received: {values.config}"
            )
        return {}
    plan = _plan(_config(values.config))
    recorded = table.metadata.get("examples", {})
    plan.data.train.require_same(recorded, table.ids, table.labels, "score table")
    prepared = {}
    for path, policy, by, _, fraction in asked_for:
        pilot = Pilot(plan, table, by, fraction, values.quota, policy, values.seed)
        prepared[path] = pilot, _earlier(path, pilot)
    return prepared


def _plan(config):
    """Returns the `TrainingPlan` of a `Config`, with the jobs and threads of its sweep."""
    jobs = config.sweep.jobs
    threads = thread_count(jobs, config.sweep.threads)
    return dataclasses.replace(TrainingPlan.from_config(config), jobs=jobs, threads=threads)


def _config(path):
    """Returns the `Config` of a file."""
    if path is None:
        raise InputError(
            "The policy 'auto' trains models in a pilot. Expected --config, the config that the "
            "examples were scored with. Received: none"
        )
    parser = Parser()
    parser.add_argument("--config", action=ConfigFile)
    parser.add_class_arguments(Config)
    values = parser.instantiate(parser.parse_args(["--config", path]))
    return Config(**{name: values[name] for name in Config.__dataclass_fields__})


def _earlier(path, pilot):
    """Returns the choice that a subset file records, `None` if there is no file.

    Raises:
        InputError: if the file has another recipe.
    """
    if not os.path.exists(path):
        return None
    selection = Subset.load(path).selection
    record = selection.get("auto")
    if record is None:
        require_same_recipe(path, {"policy": selection["policy"]}, {"policy": Auto.name})
    require_same_recipe(path, record["recipe"], pilot.recipe)
    return PolicyChoice.from_dict(record, pilot.keep_fraction, pilot.quota)
