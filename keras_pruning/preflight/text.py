"""The forecast of a command as a table and sentences."""

import shutil

from keras_pruning.preflight.limits import nearest_folder, short_size
from keras_pruning.reports.terminal_tables import new_table

_MINUTE, _HOUR = 60, 3600


def lines(command, forecast, output, available):
    """Yields the table of a forecast and sentences on data, memory, disk and time.

    Args:
        command: name of the command.
        forecast: `Forecast`.
        output: folder of the results.
        available: bytes of memory that processes can take.
    """
    yield from forecast.reads
    yield f"Would write to {output}. This plan writes nothing there."
    table = new_table(
        ["to do", "number", "reused", "examples", "FLOPs", "time"],
        words=("to do",),
        title=f"Plan of `{command}`",
    )
    for row in forecast.rows:
        examples = f"{'about ' if row.is_estimate else ''}{row.examples:,}"
        flops = "unknown" if row.flops is None else f"{row.flops:.2g}"
        table.add_row(
            row.what,
            f"{row.number:,}",
            f"{row.reused:,}",
            examples,
            flops,
            duration(row.seconds),
        )
    yield table
    if not any(row.number for row in forecast.rows):
        yield "Everything is finished: the command only reports."
        return
    if any(row.is_estimate for row in forecast.rows):
        yield (
            "about: the examples of methods that prune while training are an estimate, and those "
            "of their baselines follow from what the methods will see."
        )
    yield from forecast.notes
    yield from _memory_lines(forecast, available)
    yield from _disk_lines(forecast.disk, output)
    yield (
        f"Time: about {duration(forecast.seconds)}, from a measurement of "
        f"{duration(forecast.measured)} under the present load of the machine. "
        f"{duration(forecast.beside)} of it are for starting, checking and reporting."
    )


def _memory_lines(forecast, available):
    memory = forecast.largest
    if memory is None:
        return
    processes = "a process" if memory.jobs == 1 else f"each of {memory.jobs} processes"
    yield (
        f"Memory: {short_size(forecast.base + memory.together)} at most, "
        f"{short_size(memory.extra)} for {processes} beside {short_size(forecast.base)} of the "
        f"command itself. Available for the processes: {short_size(available)}."
    )


def _disk_lines(disk, output):
    free = shutil.disk_usage(nearest_folder(output)).free
    models = f", {short_size(disk.models)} of it models" if disk.models else ""
    yield (
        f"Disk: {short_size(disk.kept)} are kept{models}, and {short_size(disk.unfinished)} at "
        f"most for unfinished work. Free: {short_size(free)}."
    )
    if disk.temporary:
        yield f"Temporary files: {short_size(disk.temporary)}."


def duration(seconds):
    """Returns a number of seconds as a short text."""
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        # Two units at least, so that the rounding is small
        if seconds >= 2 * unit or name == "s":
            value = seconds / unit
            return f"{value:.1f} {name}" if value < 10 else f"{value:.0f} {name}"
