"""The memory that a call takes, as Linux counts it."""

import re
import threading
from pathlib import Path

_STATUS = Path("/proc/self/status")
_INTERVAL = 0.005


def peaks(function):
    """Calls `function` and returns the most MiB that this process took beyond what it held before.

    Args:
        function: function of no arguments.

    Returns:
        Tuple of two floats. The first is of all resident memory. The second leaves out the pages
        of mapped files, which the system takes back when it needs them; it is read off every few
        milliseconds.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    resident, anonymous, done = mebibytes("VmRSS"), [mebibytes("RssAnon")], threading.Event()
    sampler = threading.Thread(target=_sample, args=(anonymous, done))
    sampler.start()
    try:
        function()
    finally:
        done.set()
        sampler.join()
    return mebibytes("VmHWM") - resident, max(anonymous) - anonymous[0]


def mebibytes(field):
    """A field of the memory of this process: `"VmRSS"` now, `"VmHWM"` at most, `"RssAnon"`."""
    return int(re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)[1]) / 1024


def _sample(readings, done):
    while not done.wait(_INTERVAL):
        readings.append(mebibytes("RssAnon"))
