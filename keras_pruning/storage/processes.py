"""The computer and the processes that temporary names are about."""

import contextlib
import os
import platform
from pathlib import Path


def _host():
    """Returns a name of this computer and of its namespace of process numbers, without dots.

    Containers may share the name of their computer, and each counts its processes by itself.
    Copies of a virtual machine share all but the number of their start.
    """
    name = platform.node().partition(".")[0]
    with contextlib.suppress(OSError):
        name += f"-{os.stat('/proc/self/ns/pid').st_ino}"
    with contextlib.suppress(OSError):
        name += f"-{Path('/proc/sys/kernel/random/boot_id').read_text().strip()[:8]}"
    return name


HOST = _host()


def is_running(number):
    """Returns whether a process of this computer has this number, a string or an integer."""
    try:
        # Signal 0 checks the process and sends nothing.
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
