"""Training runs of this version and of an earlier one in turn, whose results must be equal.

python benchmarks/versions.py CHECKOUT [REPETITIONS]

Make the checkout by `git worktree add CHECKOUT REVISION`. Both versions run with the libraries of
this Python.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import bits
from rows import Row, say
from table import show
from timing import FASHION_MNIST, ratios, seconds

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "the demo, `configs/digits.yaml`": ["--config", "configs/digits.yaml"],
    "Fashion-MNIST, 12,000 images, `cnn`, 5 epochs": [
        *("--dataset.name", FASHION_MNIST, "--dataset.fraction", "0.2"),
        *("--model.name", "cnn", "--training.epochs", "5"),
    ],
}


def main():
    parser = argparse.ArgumentParser(description="Compares training runs of two versions.")
    parser.add_argument("checkout", type=Path, help="folder of the earlier version")
    parser.add_argument("repetitions", type=int, nargs="?", default=6)
    arguments = parser.parse_args()
    found, others = [], []
    for row, is_equal in measure(arguments.checkout, arguments.repetitions):
        found.append(row)
        others += [] if is_equal else [row.measured]
    show({"versions.py": found})
    if others:
        sys.exit(f"Other weights, losses or accuracies than the earlier version: {others}")


def measure(checkout, repetitions):
    """Yields rows of the fit and of the whole command, each with whether all results are equal."""
    versions = [ROOT, checkout]
    for title, command in COMMANDS.items():
        pairs = []
        with tempfile.TemporaryDirectory() as folder:
            # The first pair fills the caches of both
            for number in range(1 + repetitions):
                pair = {}
                for version in versions if number % 2 else versions[::-1]:
                    output = Path(folder, f"{number}-{versions.index(version)}")
                    pair[version] = train(version, command, output)
                pairs.append(pair)
        results = [result for pair in pairs for _, _, result in pair.values()]
        is_equal = all(result == results[0] for result in results)
        say(f"{title}: {'equal' if is_equal else 'OTHER'} weights, losses and accuracies")
        for part, place in (("the fit", 0), ("the whole command", 1)):
            times = [[pair[version][place] for pair in pairs[1:]] for version in versions]
            yield Row(f"{title}: {part}", "the earlier version", **ratios(*times)), is_equal


def train(root, command, output):
    """Returns the seconds of a training and of its command, and what must be equal."""
    environment = {**os.environ, "PYTHONPATH": f"{root}"}
    arguments = [sys.executable, "cli.py", "train", *command, "--output", output]
    # Errors stay visible
    options = {"cwd": root, "env": environment, "stdout": subprocess.DEVNULL, "check": True}
    taken = seconds(lambda: subprocess.run(arguments, **options))
    metrics = json.loads((output / "metrics.json").read_text())
    same = {key: metrics[key] for key in ("test_accuracy", "test_loss")}
    return metrics["seconds"], taken, {**same, "weights": bits(output)["model.keras"]}


if __name__ == "__main__":
    main()
