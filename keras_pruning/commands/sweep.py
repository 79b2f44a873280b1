"""`sweep`: scores, prunes, trains and compares over a grid."""

from keras_pruning.commands.compare import show_comparison
from keras_pruning.commands.config_options import add_config, config_and_output

HELP = "Score, prune, train and compare over a grid."
add_arguments = add_config


def run(values):
    """Runs the sweep and shows its comparison."""
    from keras_pruning.comparison.sweep import SweepPlan, sweep
    from keras_pruning.wrong_labels.finished_suspects import finished_suspects

    config, output = config_and_output(values)
    comparison, failures = sweep(SweepPlan.from_config(config), output, finished_suspects)
    yield from show_comparison(comparison, output)
    failures.require_none()
