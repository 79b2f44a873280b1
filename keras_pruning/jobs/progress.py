"""Tells how far several calls are: a line that moves on a terminal, and lines in a log."""

import logging
import os
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

    # A single call shows its own progress. A terminal without a width can show no line that moves.
    is_shown = total > 1 and sys.stderr.isatty() and _columns() > 0
    name, start = description.capitalize(), time.monotonic()
    shown = start
    with tqdm(
        total=total, bar_format="{desc} |{bar:20}|", disable=not is_shown, leave=False
    ) as bar:
        bar.set_description_str(f"{name} 1 of {total}")
        for finished, result in enumerate(results, start=1):
            now = time.monotonic()
            left = _left((now - start) / finished * (total - finished))
            text = f"{name} {finished} of {total}{left}"
            bar.set_description_str(text, refresh=False)
            bar.update()
            if total > 1 and not is_shown and (finished in (1, total) or now - shown >= every):
                shown = now
                logger.info("%s.", text)
            yield result


def _columns():
    """Returns the width of the terminal in characters, 0 if it has none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 0


def _left(seconds):
    """Returns a phrase for the remaining time, empty if there is none."""
    if not seconds:
        return ""
    if seconds < _MINUTE:
        return ", less than a minute left"
    unit, name = (_HOUR, "hour") if seconds >= 2 * _HOUR else (_MINUTE, "minute")
    number = round(seconds / unit)
    return f", about {number} {name}{'' if number == 1 else 's'} left"
