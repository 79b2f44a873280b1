"""Commands in sessions of their own, which end with their process or not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(*arguments, **environment):
    """Starts Python in a new session.

    Args:
        *arguments: its arguments: a script, or `cli.py` and those of a command.
        **environment: variables that differ from those of this process.
    """
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def members(session):
    """Returns the numbers of the running processes of a session."""
    running = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The fields after the name, which may have spaces: state, parent, group, session.
            state, _, _, number, *_ = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(number) == session and state not in "ZX":
            running.append(int(path.parent.name))
    return running


def kill(process):
    """Kills a process by SIGKILL, and not its children."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def seconds_until_alone(session, limit=10):
    """Returns the seconds until no process of a session runs, `None` if some still do."""
    begin = time.monotonic()
    while time.monotonic() < begin + limit:
        if not members(session):
            return time.monotonic() - begin
        time.sleep(0.05)
    return None
