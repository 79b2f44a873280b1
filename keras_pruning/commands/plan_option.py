"""The option `--plan` of commands that take long."""

import time


def add_plan(parser):
    """Adds `--plan`."""
    parser.add_argument(
        "--plan",
        action="store_true",
        help="print what will be read, trained and kept, and its time, memory and disk, by a short "
        "measurement; nothing is written to the output",
    )


def show_plan(command, forecast, output):
    """Yields a forecast, and raises an error if what it needs is not there.

    Args:
        command: name of the command.
        forecast: function of no arguments that returns a `Forecast`.
        output: folder of the results.

    Raises:
        InputError: if memory or disk are too small.
    """
    import psutil

    from keras_pruning.preflight.limits import require_fit
    from keras_pruning.preflight.text import lines
    from keras_pruning.storage.memory import available_memory

    process = psutil.Process()
    plan = forecast()
    # This process has read the data and checked the output, as the command will.
    plan.other_seconds += time.time() - process.create_time() - plan.measured
    plan.base = process.memory_info().rss + plan.server
    available = available_memory()
    yield from lines(command, plan, output, available)
    require_fit(plan, output, available)
