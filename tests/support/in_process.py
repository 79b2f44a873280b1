"""Work of child processes, done in the process of the tests."""

import importlib


def run_each(function, calls, *rest, **options):
    """Does the work of `keras_pruning.jobs.local.run_each` without a child process."""
    if isinstance(function, str):
        module, _, name = function.partition(":")
        function = getattr(importlib.import_module(module), name)
    return [function(**call) for call in calls]
