"""`cache`: shows or clears the cache of decoded images."""

import time

from keras_pruning.examples.sources import decoded_cache

HELP = "Show or clear the cache of decoded images."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument(
        "--clear",
        action="store_true",
        help="remove the decoded images, which the next command decodes again",
    )


def run(values):
    """Shows the folder, the entries and their size, and removes them if asked to."""
    entries = decoded_cache.entries()
    total, limit = sum(entry.size for entry in entries), decoded_cache.size_limit()
    yield f"Decoded images in {decoded_cache.cache_folder()}"
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        # Written as Python does, because a path may hold control characters.
        name = f"{entry.key.get('location', 'damaged')!r}, {entry.key.get('split', 'unknown')!r}"
        yield f"  {_readable(entry.size):>9}  last used {used}  {name}"
    yield f"{len(entries)} entries, {_readable(total)} of at most {_readable(limit)}"
    if values.clear:
        decoded_cache.clear()
        left = decoded_cache.entries()
        yield f"Removed {len(entries) - len(left)} entries and the leftovers of killed processes."
        if left:
            yield f"{len(left)} could not be removed. Check the permissions of the folder."


def _readable(size):
    """Returns a number of bytes in MiB or GiB."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
