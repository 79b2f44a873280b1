"""What other processes use of the machine while a benchmark runs."""

import time

import psutil


def beside(rows):
    """Yields rows, each with the CPU cores that other processes used while it was measured.

    Args:
        rows: iterator of `Row`s. Asking for the next one measures it.
    """
    start, others = _used(), None
    for row in rows:
        clock, machine, ours = (
            after - before for after, before in zip(_used(), start, strict=True)
        )
        # Rows that were measured together follow each other at once
        if others is None or clock > 1:
            others = max(0.0, (machine - ours) / clock)
        row.others = others
        yield row
        start = _used()


def _used():
    """Returns the time, and the seconds of CPU that the machine and that our processes used."""
    times = psutil.cpu_times()
    # Other guests of the same computer steal time, and slow us like other processes.
    idle = times.idle + getattr(times, "iowait", 0.0)
    busy = sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return time.perf_counter(), busy, _of_family(psutil.Process())


def _of_family(process):
    """Returns the CPU seconds of a process and of its children, running or ended."""
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
