"""Claims of other tasks, dead or alive."""

import json
import os
import subprocess
import sys
import time

from keras_pruning.jobs import claims
from keras_pruning.storage.processes import HOST


def a_dead_process():
    """Returns the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave_claim(result, host=HOST, process=None, seconds=0):
    """Writes the claim of another task, whose last sign of life is some seconds old."""
    result.parent.mkdir(parents=True, exist_ok=True)
    content = {"host": host, "machine": "there", "process": process, "token": "theirs"}
    path = claims.claim_path(result)
    path.write_text(json.dumps(content))
    os.utime(path, (time.time() - seconds,) * 2)
    return path
