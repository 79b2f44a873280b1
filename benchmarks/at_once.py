"""Pairs of commands that write to the same folder at the same time.

python benchmarks/at_once.py [REPETITIONS] [PAIRS] [SEED]
"""

import random
import tempfile
import time
from pathlib import Path

from commands import Place, bits
from rows import Row, main, say

# Seconds that the second command starts later, at most.
LATER = 3


def measure(repetitions=1, pairs=8, seed=0):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Place(Path(folder, "prepared"))
        code, shown = prepared.run(*_commands(prepared)["score"])
        assert code == 0, shown
        for pair in _commands(prepared)["pairs"][:pairs]:
            held = 0
            for number in range(repetitions):
                place = Place(Path(folder, "-".join(pair), str(number)))
                held += _trial(place, prepared, pair, rng.uniform(0, LATER))
            title = f"{pair[0]} beside {pair[1]}: no traceback, nothing lost, nothing left behind"
            yield Row.of_one_pair(title, "all", held, repetitions, unit="trials")


def _commands(place, scores=None):
    """Returns the command lines by name, and as `pairs` the names of eight pairs."""
    config, out = ["--config", place.config], ["--output", place.folder / "out"]
    prune = ["prune", "--scores", scores, "--by", "el2n", "--keep-fraction", 0.5]
    subset = place.folder / "out" / "subset.parquet"
    return {
        "score": ["score", *config, *out],
        "sweep": ["sweep", *config, *out],
        "compare": ["compare", "--runs", place.folder / "out"],
        "train": ["train", *config, *out[:1], place.folder / "out" / "trained"],
        "doctor": ["doctor", *config, *out, "--noise", 0.2, "--suspects", 5],
        "prune": [*prune, "--output", subset],
        "prune by another seed": [*prune, "--seed", 1, "--output", subset],
        "pairs": [
            ("prune", "prune"),
            ("prune", "prune by another seed"),
            ("score", "score"),
            ("sweep", "sweep"),
            ("compare", "sweep"),
            ("compare", "compare"),
            ("train", "train"),
            ("doctor", "doctor"),
        ],
    }


def _trial(place, prepared, pair, later):
    """Runs a pair and returns whether all went well."""
    scores = prepared.folder / "out" / "scores.parquet"
    commands = _commands(place, scores)
    if "compare" in pair:
        # There must be runs to compare, of which the sweep trains one again.
        code, shown = place.run(*commands["sweep"])
        assert code == 0, shown
        if "sweep" in pair:
            (path,) = (place.folder / "out").glob("random/*/seed-0")
            path.rename(place.folder / "aside")
    processes = [place.start(*commands[pair[0]])]
    time.sleep(0 if "prune" in pair[0] else later)
    processes.append(place.start(*commands[pair[1]]))
    shown = [process.communicate()[0] for process in processes]
    codes = [process.returncode for process in processes]
    # Of two that want different results one must get a message.
    allowed = [[0, 0]] if "another" not in pair[1] else [[0, 2], [2, 0]]
    before = bits(place.folder / "out")
    again = place.run(*commands[pair[codes.index(0)]]) if 0 in codes else (1, "")
    problems = {
        "exit codes": codes not in allowed,
        "a traceback": any("Traceback" in text for text in shown),
        "the rerun": again[0] != 0 or bits(place.folder / "out") != before,
        "leftovers": place.leftovers(),
    }
    problems = [problem for problem, occurred in problems.items() if occurred]
    say(f"{pair[0]} beside {pair[1]}, {later:.1f} s later: {problems or 'well'}")
    if problems:
        say("\n---\n".join([*shown, again[1], str(place.leftovers())]))
    return not problems


if __name__ == "__main__":
    main(measure)
