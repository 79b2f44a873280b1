"""Ties the fork server to the process that started it and imports TensorFlow silently.

The fork server imports this module before any other, and nothing else imports it.
"""

import ctypes
import os
import re
import signal
import sys

from keras_pruning.backend.startup import import_tensorflow

# The option of Linux' `prctl` for the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1
_SERVER = os.getpid()
# The command of the server lists the modules to preload, and with them `local` names the parent.
_PARENT = re.search(r"parent=(\d+)", sys.orig_argv[-1])


def _die_with_parent():
    """Makes Linux kill this process when its parent dies, even in the middle of an import."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _after_fork():
    """Ties a child of the fork server to it. Whatever the child forks belongs to the child."""
    if os.getppid() == _SERVER:
        _die_with_parent()


# Ctrl-C reaches the whole group of processes. The parent ends the others.
signal.signal(signal.SIGINT, signal.SIG_IGN)
if sys.platform == "linux" and _PARENT:
    _die_with_parent()
    os.register_at_fork(after_in_child=_after_fork)
    # The parent may have died before.
    if os.getppid() != int(_PARENT[1]):
        os._exit(1)
import_tensorflow()
