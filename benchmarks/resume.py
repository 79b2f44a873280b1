"""Kills of score, doctor, train and sweep at random moments, each followed by a rerun.

python benchmarks/resume.py [KILLS] [SEED]

A kill is SIGKILL of the command alone. Lost work is the time from the last checkpoint to the kill,
of kills within a training run that has one.
"""

import os
import random
import tempfile
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
from commands import Place, bits, kill
from rows import Row, main, say

# Trials that run beside each other
AT_ONCE = 2

# Epochs of about a second: each of them is saved
EPOCHS = 5
CONFIG = f"""
dataset: {{name: digits}}
model: {{name: cnn, width: 16}}
probe: {{epochs: {EPOCHS}, seeds: 1}}
scores: [aum, el2n, vog]
training: {{epochs: {EPOCHS}, batch_size: 16, budget: epochs, augmentation: flip_crop}}
sweep: {{methods: [el2n, {{dynamic: infobatch}}], keep_fractions: [0.5], seeds: 1}}
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
            with ThreadPool(AT_ONCE) as pool:
                whole = [
                    (command, _place(Path(folder, name, f"whole-{i}"))) for i in range(AT_ONCE)
                ]
                (expected, seconds), (again, _) = pool.starmap(_whole, whole)
                assert again == expected
                say(f"{name} takes {seconds:.1f} s")
                trials = [
                    (command, _place(Path(folder, name, str(i))), rng.uniform(0, seconds), expected)
                    for i in range(kills // len(COMMANDS))
                ]
                yield from _rows(name, pool.starmap(_trial, trials, chunksize=1))


def _whole(command, place):
    """Runs a command to its end and returns its bits and its seconds."""
    begin = time.monotonic()
    code, shown = place.run(*_arguments(command, place))
    assert code == 0, shown
    return bits(place.folder / "out"), time.monotonic() - begin


def _place(folder):
    place = Place(folder)
    place.config.write_text(CONFIG)
    return place


def _arguments(command, place):
    return *command, "--config", place.config, "--output", place.folder / "out"


def _trial(command, place, after, expected):
    """Kills one command and runs it again.

    Returns:
        Tuple: whether the rerun gave the same bits, whether nothing is left behind, and seconds of
        lost work and of an epoch, or `None` for both.
    """
    process = place.start(*_arguments(command, place))
    time.sleep(after)
    killed, lost = time.time(), None
    if process.poll() is None:
        assert kill(process) is not None, "A child outlived the command"
        lost = _lost(place.folder, killed)
    else:
        process.communicate()
    code, shown = place.run(*_arguments(command, place))
    is_same = code == 0 and "Traceback" not in shown and bits(place.folder / "out") == expected
    left = [*place.leftovers(), *place.folder.rglob("*.unfinished.npz*")]
    if left or not is_same:
        say(f"{shown}\nleft: {left}")
    say(f"{place.folder}, killed after {after:.1f} s: {is_same}, {not left}, {lost}")
    return is_same, not left, lost


def _lost(folder, killed):
    """Returns seconds of lost work and of an epoch, `None` without a checkpoint.

    Args:
        folder: folder of the trial.
        killed: time of the kill.
    """
    for path in sorted(folder.rglob("*.unfinished.npz"), key=os.path.getmtime, reverse=True):
        with np.load(path) as state:
            # The last epoch is followed by the scores of the trained model, or the evaluation
            if state["epoch"] < EPOCHS:
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
