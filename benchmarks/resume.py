"""Kills of score, doctor, train and sweep at random moments, each followed by a rerun.

python benchmarks/resume.py [KILLS] [SEED]

A kill is SIGKILL of the command alone. Lost work is the time from the last checkpoint to the kill,
of kills within a training run that has one.
"""

import random
import tempfile
import time
from pathlib import Path

import numpy as np
from commands import Place, bits, kill
from rows import Row, main, say

# Epochs of about a second: each of them is saved
CONFIG = """
dataset: {name: digits}
model: {name: cnn, width: 16}
probe: {epochs: 5, seeds: 1}
scores: [aum, el2n, vog]
training: {epochs: 5, batch_size: 16, budget: epochs, augmentation: flip_crop}
sweep: {methods: [el2n, {dynamic: infobatch}], keep_fractions: [0.5], seeds: 1}
"""
COMMANDS = {
    "score": ["score"],
    "doctor": ["doctor", "--scores", "[aum, el2n]", "--probe.seeds", "1"],
    "train": ["train"],
    "sweep": ["sweep"],
}


def measure(kills=100, seed=0):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for name, command in COMMANDS.items():
            whole = _place(Path(folder, name, "whole"))
            begin = time.monotonic()
            code, shown = whole.run(*_arguments(command, whole))
            seconds = time.monotonic() - begin
            assert code == 0, shown
            expected = bits(whole.folder / "out")
            say(f"{name} takes {seconds:.1f} s")
            ended = []
            for number in range(kills // len(COMMANDS)):
                place = _place(Path(folder, name, str(number)))
                ended.append(_trial(place, command, rng.uniform(0, seconds), expected))
                say(f"{name} {number + 1}: {ended[-1]}")
            yield from _rows(name, ended)


def _place(folder):
    place = Place(folder)
    place.config.write_text(CONFIG)
    return place


def _arguments(command, place):
    return *command, "--config", place.config, "--output", place.folder / "out"


def _trial(place, command, after, expected):
    """Kills one command and runs it again.

    Returns:
        Tuple: whether the rerun gave the same bits, whether nothing is left behind, and seconds of
        lost work and of an epoch, or `None` for both.
    """
    process = place.start(*_arguments(command, place))
    time.sleep(after)
    killed, lost = time.time(), None
    if process.poll() is None:
        kill(process)
        lost = _lost(place.folder, killed)
    else:
        process.communicate()
    code, shown = place.run(*_arguments(command, place))
    is_same = code == 0 and "Traceback" not in shown and bits(place.folder / "out") == expected
    left = [*place.leftovers(), *place.folder.rglob("*.unfinished.npz*")]
    if left or not is_same:
        say(f"{shown}\nleft: {left}")
    return is_same, not left, lost


def _lost(folder, killed):
    """Returns seconds of lost work and of an epoch, `None` without a checkpoint.

    Args:
        folder: folder of the trial.
        killed: time of the kill.
    """
    for path in folder.rglob("*.unfinished.npz"):
        with np.load(path) as state:
            # The last epoch is followed by the scores of the trained model, or the evaluation
            if state["epoch"] < 5:
                return killed - path.stat().st_mtime, float(state["seconds"] / state["epoch"])
    return None


def _rows(name, ended):
    for column, title in enumerate(("same bits after the rerun", "nothing left behind")):
        held = sum(trial[column] for trial in ended)
        yield Row.of_one_pair(
            f"{name}, kills: {title}", "all kills", held, len(ended), unit="kills"
        )
    lost = [trial[2] for trial in ended if trial[2] is not None]
    if lost:
        worst, epoch = max(lost, key=lambda pair: pair[0] / max(1.0, pair[1]))
        title = f"{name}, kills: most lost work, of {len(lost)} kills within training"
        yield Row.of_one_pair(title, "an epoch, at least a second", worst, max(1.0, epoch))


if __name__ == "__main__":
    main(measure)
