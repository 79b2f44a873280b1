"""The memory of a function call, as Linux counts it."""

import re
import threading
from pathlib import Path

_STATUS = Path("/proc/self/status")
_INTERVAL = 0.005


def peaks(function):
    """Calls `function` and returns the peak memory of this process minus its memory before.

    Args:
        function: function of no arguments.

    Returns:
        Tuple of two floats, in MiB. The first counts all resident memory. The second excludes the
        pages of mapped files, which the system can take back. It is sampled every few milliseconds.
    """
    Path("/proc/self/clear_refs").write_text("5")  # Resets the peak.
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
    """Returns a field of the memory of this process in MiB.

    Args:
        field: `"VmRSS"` (resident now), `"VmHWM"` (peak) or `"RssAnon"` (without mapped files).
    """
    return int(re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)[1]) / 1024


def _sample(readings, done):
    while not done.wait(_INTERVAL):
        readings.append(mebibytes("RssAnon"))
