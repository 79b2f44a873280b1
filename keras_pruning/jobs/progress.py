"""Tells how far several calls are: a line that moves on a terminal, and lines in a log."""

import logging
import sys
import time

logger = logging.getLogger("keras_pruning")
# Seconds between two lines of a log.
_EVERY = 30
_MINUTE, _HOUR = 60, 3600


def with_progress(results, total, description, every=_EVERY):
    """Yields results and tells after each how many there are and how long the others will take.

    A terminal shows one line that moves. Elsewhere, as in a log file, a line follows the first
    result and later ones after half a minute each.

    Args:
        results: iterable of results in the order in which they finish.
        total: number of results.
        description: singular of the calls, for example `"training run"`.
        every: seconds between two lines of a log.
    """
    from tqdm import tqdm

    # A single call shows its own progress.
    is_shown = total > 1 and sys.stderr.isatty()
    layout = "{desc} {n_fmt} of {total_fmt} |{bar:20}| {remaining} left"
    bar = tqdm(
        results, total=total, desc=description, bar_format=layout, disable=not is_shown, leave=False
    )
    start = shown = time.monotonic()
    for finished, result in enumerate(bar, start=1):
        now = time.monotonic()
        is_due = finished in (1, total) or now - shown >= every
        if total > 1 and not is_shown and is_due:
            shown = now
            logger.info(
                "%s %d of %d%s.",
                description.capitalize(),
                finished,
                total,
                _left((now - start) / finished * (total - finished)),
            )
        yield result


def _left(seconds):
    """Returns a phrase for the remaining time, empty if there is none."""
    if not seconds:
        return ""
    if seconds < _MINUTE:
        return ", less than a minute left"
    unit, name = (_HOUR, "hour") if seconds >= 2 * _HOUR else (_MINUTE, "minute")
    number = round(seconds / unit)
    return f", about {number} {name}{'' if number == 1 else 's'} left"
