"""`sweep`: scores, prunes, trains and compares over a grid."""

from keras_pruning.commands.compare import show_comparison
from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.commands.plan_option import add_plan, show_plan
from keras_pruning.commands.task_options import add_tasks, tasks_of

HELP = "Score, prune, train and compare over a grid."


def add_arguments(parser):
    """Adds the options of the command."""
    add_config(parser)
    add_tasks(parser)
    add_plan(parser)


def run(values):
    """Runs the sweep and shows its comparison, or shows what it would take."""
    from keras_pruning.comparison.sweep import SweepPlan, sweep
    from keras_pruning.wrong_labels.finished_suspects import finished_suspects

    tasks = tasks_of(values)
    config, output = config_and_output(values)
    plan = SweepPlan.from_config(config, tasks)
    if values.plan:
        from keras_pruning.preflight.sweep import forecast_sweep

        yield from show_plan("sweep", lambda: forecast_sweep(plan, output), output)
        return
    comparison, failures = sweep(plan, output, finished_suspects)
    yield from show_comparison(comparison, output)
    failures.require_none()
