"""The computer and the processes that temporary names are about."""

import os
import platform

# Without dots, because the parts of temporary names are separated by dots.
HOST = platform.node().partition(".")[0]


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
