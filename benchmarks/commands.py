"""Commands in folders of their own, for the trials of kills and of writers at once."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
probe: {epochs: 2, seeds: 2}
scores: [el2n, {name: prediction_depth, k: 3, seeds: 1}]
training: {epochs: 2, batch_size: 32}
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 1}
"""


class Place:
    """A folder with a config, and a folder for temporary files.

    Args:
        folder: path of the folder, which is made.
    """

    def __init__(self, folder):
        self.folder, self.temporary = Path(folder), Path(folder, "tmp")
        self.temporary.mkdir(parents=True)
        self.config = self.folder / "small.yaml"
        self.config.write_text(CONFIG)

    def start(self, *arguments, script="cli.py"):
        """Starts a command in a session of its own."""
        environment = {"PYTHONPATH": f"{ROOT}", "TMPDIR": f"{self.temporary}"}
        # Other threads would give other bits.
        environment |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(
            [sys.executable, *([script] if script else []), *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments):
        """Runs a command to its end and returns its exit code and its output."""
        process = self.start(*arguments)
        shown, _ = process.communicate()
        return process.returncode, shown

    def leftovers(self):
        """Returns what no command should leave behind."""
        names = ("*.partial", "probes", "clean-probes")
        left = [path for name in names for path in self.folder.rglob(name)]
        return [*left, *self.temporary.glob("keras_pruning-*")]


def kill(process):
    """Kills a command by SIGKILL, waits for its children and returns the seconds they took.

    Returns:
        Seconds, or `None` if a child lives after ten.
    """
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    begin = time.monotonic()
    while time.monotonic() < begin + 10:
        if not _members(process.pid):
            return time.monotonic() - begin
        time.sleep(0.05)
    return None


def _members(session):
    running = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number, *_ = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(number) == session and state not in "ZX":
            running.append(path)
    return running


def bits(folder):
    """Returns a dictionary from the files of results to hashes of all that must not change."""
    hashes = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.name == "metrics.json":
            content = json.loads(path.read_text())
            # The digest is of the whole file, with the seconds.
            changing = ("seconds", "selecting_seconds", "digest")
            text = json.dumps({key: content[key] for key in content if key not in changing})
            hashes[str(path.relative_to(folder))] = hashlib.sha256(text.encode()).hexdigest()
        elif path.suffix == ".parquet" or path.name == "scores.csv":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            hashes[str(path.relative_to(folder))] = digest
        elif path.suffix == ".keras":
            # The file has a date beside the weights.
            weights = zipfile.ZipFile(path).read("model.weights.h5")
            hashes[str(path.relative_to(folder))] = hashlib.sha256(weights).hexdigest()
    return hashes
