"""The time and memory that `--plan` forecasts, against those that the command then takes.

Each command runs in a folder of its own, its plan right before it, because the machine is shared.

python benchmarks/plan.py [THOUSANDTHS] [FIRST] [LAST]
"""

import contextlib
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from commands import ROOT
from rows import Row, main, say

_CNN = """
dataset: {{name: "npz:{data}", fraction: {fraction}}}
model: {{name: cnn, width: 16}}
training: {{epochs: 3, batch_size: 128, optimizer: adam, learning_rate: 0.001}}
"""
CONFIGS = {
    "score, digits": (
        "score",
        """
dataset: {{name: digits}}
model: {{name: mlp}}
probe: {{epochs: 60, seeds: 4}}
training: {{batch_size: 32}}
scores: [el2n, forgetting, vog, prediction_depth]
""",
    ),
    "score, Fashion-MNIST": (
        "score",
        _CNN
        + """
probe: {{epochs: 6, seeds: 1}}
scores: [el2n, aum, {{name: vog, every: 3}}, prediction_depth]
""",
    ),
    "score, grand, two at a time": (
        "score",
        _CNN
        + """
probe: {{epochs: 4, seeds: 4, jobs: 2}}
scores: [{{name: grand, epoch: 2}}]
""",
    ),
    "score --checkpoints": (
        "score --checkpoints {folder}/*.keras",
        _CNN
        + """
scores: [el2n, forgetting, vog]
""",
    ),
    "sweep, digits": (
        "sweep",
        """
dataset: {{name: digits}}
model: {{name: mlp}}
probe: {{epochs: 20, seeds: 2, jobs: 2}}
scores: [el2n]
training: {{epochs: 20, batch_size: 32}}
sweep: {{methods: [el2n, {{dynamic: infobatch}}], keep_fractions: [0.5, 0.2], seeds: 2, jobs: 2}}
""",
    ),
    "sweep, Fashion-MNIST": (
        "sweep",
        _CNN
        + """
probe: {{epochs: 3, seeds: 1}}
scores: [el2n]
sweep: {{methods: [el2n], keep_fractions: [0.5], seeds: 2, save_models: true}}
""",
    ),
}


def measure(thousandths=100, first=0, last=6):
    """Yields the time and the memory of each command against its plan.

    Args:
        thousandths: part of Fashion-MNIST in thousandths, which is left out with 0.
        first, last: commands to measure, by their positions.
    """
    for name, (command, config) in list(CONFIGS.items())[first:last]:
        if "{data}" in config and not thousandths:
            continue
        say(name)
        with tempfile.TemporaryDirectory() as folder:
            planned, taken = _plan_and_run(Path(folder), command, config, thousandths / 1000)
        for place, unit in enumerate(("s", "MiB")):
            measured = f"{name}: {'time' if unit == 's' else 'memory'} of the plan"
            pair = planned[place], taken[place]
            yield Row.of_one_pair(measured, "of the command", *pair, unit=unit)


def _plan_and_run(folder, command, config, fraction):
    """Returns the seconds and MiB of a plan, and those of its command, two tuples."""
    data = folder / "fashion.npz"
    if "{data}" in config:
        _write_fashion(data)
    path = folder / "config.yaml"
    path.write_text(config.format(data=data, fraction=fraction))
    if "--checkpoints" in command:
        _write_checkpoints(folder, path)
    arguments = [*command.format(folder=folder).split(), "--config", path]
    arguments += ["--output", folder / "out"]
    shown, _, _ = run([*arguments, "--plan"])
    _, seconds, memory = run(arguments)
    return forecast(shown), (seconds, memory)


def run(arguments):
    """Runs a command and returns its output, its seconds and the peak of its memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "cli.py", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    readings, done = [0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, readings, done))
    sampler.start()
    shown, _ = process.communicate()
    seconds = time.perf_counter() - start
    done.set()
    sampler.join()
    if process.returncode:
        raise RuntimeError(f"{arguments} failed: {shown}")
    return shown, seconds, max(readings) / 2**20


def forecast(shown):
    """Returns the seconds and the MiB in the output of `--plan`."""
    text = re.sub(r"\s+", " ", shown)
    units = {"s": 1, "min": 60, "h": 3600, "KiB": 2**-10, "MiB": 1, "GiB": 2**10}
    number = r"([\d.]+) (s|min|h|[KMG]iB)"
    time_of_all = re.search(rf"Time: about {number}", text)
    memory = re.search(rf"Memory: {number} at most", text)
    return tuple(float(match[1]) * units[match[2]] for match in (time_of_all, memory))


def _sample(number, readings, done):
    """Adds the memory of a process and its descendants, in bytes."""
    pause = 0.05  # Short commands have a reading too
    while not done.wait(pause):
        pause = 0.3
        try:
            process = psutil.Process(number)
            members = [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        readings.append(_memory(members))


def _memory(members):
    """Returns the bytes of processes. Memory that they share counts once.

    Other programs on the machine may have mapped the same libraries, so the share of these does not
    tell what the processes would take alone.
    """
    own, files = 0, [0]
    for member in members:
        place, text = Path(f"/proc/{member.pid}"), ""
        # A process that has just ended has no memory, and its files are empty or gone.
        with contextlib.suppress(OSError):
            text = (place / "smaps_rollup").read_text() + (place / "status").read_text()
        sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE))
        own += 1024 * (int(sizes.get("Pss_Anon", 0)) + int(sizes.get("Pss_Shmem", 0)))
        files.append(1024 * int(sizes.get("RssFile", 0)))
    return own + max(files)


def _write_fashion(path):
    """Writes Fashion-MNIST as a .npz file with a training and a test split."""
    import gzip

    import numpy as np

    arrays, folder = {}, Path("/usr/share/datasets/fashion-mnist")
    for split, prefix in (("train", "train"), ("test", "t10k")):
        for key, name, header in (("x", "images-idx3", 16), ("y", "labels-idx1", 8)):
            (file,) = folder.glob(f"{prefix}-{name}-ubyte*")
            content = file.read_bytes()
            content = gzip.decompress(content) if file.suffix == ".gz" else content
            values = np.frombuffer(content, np.uint8, offset=header)
            arrays[f"{key}_{split}"] = values.reshape(-1, 28, 28, 1) if key == "x" else values
    np.savez(path, **arrays)


def _write_checkpoints(folder, config):
    """Trains three models of different lengths, which stand for the epochs of one run."""
    for epochs in (1, 2, 3):
        place = folder / f"trained-{epochs}"
        run(["train", "--config", config, "--training.epochs", epochs, "--output", place])
        (place / "model.keras").rename(folder / f"epoch-{epochs}.keras")


if __name__ == "__main__":
    main(measure)
