"""Kills of a small sweep at random moments and inside writes, each followed by a rerun.

python benchmarks/kills.py [RANDOM] [INSIDE] [SEED]

The sweep scores, prunes, trains and compares. A kill is SIGKILL of the command alone.
"""

import random
import tempfile
import time
from pathlib import Path

from commands import Place, bits, kill
from rows import Row, main, say

# Runs the command line, and kills it before or after the write whose number is the first argument.
KILLED_INSIDE = """
import itertools, os, signal, sys
import pyarrow.parquet as pq
from keras_pruning import cli

kill_at, counter = int(sys.argv.pop(1)), itertools.count()

def watched(call):
    def write(*args, **options):
        moment()
        result = call(*args, **options)
        moment()
        return result
    return write

def moment():
    if next(counter) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

for module, name in ((os, "replace"), (os, "rename"), (os, "link"), (pq, "write_table")):
    setattr(module, name, watched(getattr(module, name)))
code = cli.main()
print("moments", next(counter))
sys.exit(code)
"""


def measure(kills=60, inside=20, seed=0):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Place(Path(folder, "whole"))
        begin = time.monotonic()
        process = whole.start("-c", KILLED_INSIDE, -1, *_sweep(whole), script=None)
        shown, _ = process.communicate()
        seconds, moments = time.monotonic() - begin, int(shown.rpartition("moments")[2])
        expected = bits(whole.folder / "out")
        say(f"A whole sweep takes {seconds:.1f} s and has {moments} moments inside writes.")
        trials = {
            "at random moments": [(None, rng.uniform(0, seconds)) for _ in range(kills)],
            "inside writes": [(rng.randrange(moments), None) for _ in range(inside)],
        }
        for name, moments_of in trials.items():
            ended = []
            for number, moment in enumerate(moments_of):
                place = Place(Path(folder, name, str(number)))
                ended.append(_trial(place, *moment, expected))
                say(f"{name} {number + 1}/{len(moments_of)}: {moment} {ended[-1]}")
            yield from _rows(name, ended)


def _sweep(place):
    return "sweep", "--config", place.config, "--output", place.folder / "out"


def _trial(place, inside, after, expected):
    """Kills one sweep and runs it again.

    Returns:
        Tuple: whether the rerun gave the same bits, whether nothing is left behind, and the seconds
        until the last child has ended, `None` if one has not.
    """
    if inside is None:
        process = place.start(*_sweep(place))
        time.sleep(after)
        if process.poll() is None:
            lived = kill(process)
        else:
            process.communicate()
            lived = 0.0
    else:
        process = place.start("-c", KILLED_INSIDE, inside, *_sweep(place), script=None)
        process.communicate()
        lived = 0.0
    code, shown = place.run(*_sweep(place))
    is_same = code == 0 and "Traceback" not in shown and bits(place.folder / "out") == expected
    if not is_same:
        say(shown)
    left = place.leftovers()
    if left:
        say(f"left: {left}")
    return is_same, not left, lived


def _rows(name, ended):
    if not ended:
        return
    for column, title in enumerate(("same bits after the rerun", "nothing left behind")):
        held = sum(trial[column] for trial in ended)
        yield Row.of_one_pair(f"kills {name}: {title}", "all kills", held, len(ended), unit="kills")
    survivors = sum(trial[2] is None for trial in ended)
    longest = max(trial[2] or 0 for trial in ended)
    yield Row(f"kills {name}: children alive after 10 s", "", survivors, unit="kills")
    yield Row(f"kills {name}: seconds until the last child has ended", "", longest)


if __name__ == "__main__":
    main(measure)
