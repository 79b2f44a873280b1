"""`train`: trains one model on all examples or on a subset."""

from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.selection import Subset
from keras_pruning.training.run import (
    TrainingPlan,
    TrainingRun,
    require_dynamic,
    run_all,
    run_folder,
)

HELP = "Train on all examples or on a subset."


def add_arguments(parser):
    """Adds the options of the command."""
    default = "runs/CONFIG NAME/train/METHOD/keep-FRACTION/seed-SEED"
    add_config(parser, default, "this one run, no folder of several")
    parser.add_argument("--subset", type=str | None, help="subset file of `prune`")


def run(values):
    """Trains the model, or reuses the run, and reports its accuracy."""
    config, output = config_and_output(values)
    subset = Subset.load(values.subset) if values.subset else None
    plan = TrainingPlan.from_config(config)
    if subset is not None:
        plan.data.train.keep(subset)
    if not values.output:
        output = output / "train" / run_folder(subset, config.seed, config.training.dynamic)
    single = TrainingRun(plan, subset, config.seed, output)
    if single.is_finished():
        single.clear()
        yield f"Reused {output}: it has the same recipe."
    else:
        dynamic = config.training.dynamic
        require_dynamic(plan, [] if dynamic is None else [dynamic], subset)
        (metrics,) = run_all([single])
        yield (
            f"Test accuracy {metrics['test_accuracy']:.2%} after training on "
            f"{metrics['examples_kept']:,} examples, {metrics['steps']:,} steps, "
            f"{metrics['seconds']:.1f} s."
        )
        if dynamic is not None:
            in_all = metrics["examples_kept"] * config.training.epochs
            yield (
                f"Its {config.training.epochs} epochs saw {metrics['examples_seen']:,} of "
                f"{in_all:,} examples, {1 - metrics['examples_seen'] / in_all:.1%} fewer than "
                "without pruning."
            )
    yield f"{output / 'metrics.json'}"
