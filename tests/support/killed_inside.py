"""A scoring that is killed inside its writes, in processes without TensorFlow.

python tests/support/killed_inside.py FOLDER FRACTION [MOST_MOMENTS]

Prints one line for the scoring that is not killed, then one for each moment: its number and the
files after the rerun.
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import keras_pruning as kp
from keras_pruning.config import Config, DatasetConfig, ProbeConfig
from keras_pruning.probing import probes, scoring
from keras_pruning.probing.estimates import Extrapolation
from keras_pruning.probing.plan import ScoringPlan

DETAILS = {
    "higher_is_harder": True,
    "probe_accuracy": {"<input>": 0.5},
    "network_accuracy": 0.9,
    "accuracy_by_depth": [{"depth": 0, "examples": 9, "accuracy": 1.0}],
    "support": 9,
}


def plan_of(fraction):
    """A plan of three probes."""
    return ScoringPlan.from_config(
        Config(
            dataset=DatasetConfig("digits", fraction=0.05),
            probe=ProbeConfig(epochs=2, seeds=3, fraction=fraction),
            scores=["el2n", "prediction_depth"],
        )
    )


def scored(plan, seed):
    """The scores of a probe that nobody trained."""
    examples = plan.data.all
    rng = np.random.default_rng(seed)
    metadata = {"examples": examples.provenance, "scores": {"el2n": {"higher_is_harder": True}}}
    metadata["scores"]["prediction_depth"] = DETAILS
    columns = {name: rng.random(len(examples)) for name in plan.names}
    if plan.data.fraction == 1:
        return kp.ScoreTable(examples.ids, examples.labels, columns, metadata=metadata)
    rest = ~np.isin(examples.ids, plan.data.scored.ids)
    table = kp.ScoreTable(examples.ids, examples.labels, columns, None, metadata, rest)
    estimates = {name: rng.random((~rest).sum()) for name in plan.names}
    held_out = kp.ScoreTable(examples.ids[~rest], examples.labels[~rest], estimates, None, metadata)
    return Extrapolation(table, held_out)


def run_each(function, calls, *rest, **options):
    """Does the work of the child processes in this one."""
    for call in calls:
        if "check" in function:
            yield 3
        elif not call["files"].has(call["seed"]):
            call["files"].write(call["seed"], scored(call["plan"], call["seed"]), {"seconds": 1})
            yield None


def count_moments(kill_at):
    """Counts the moments before and after each write, and kills the process at one of them."""
    counter = iter(range(10**9))

    def moment():
        number = next(counter)
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call):
        def write(*args, **options):
            moment()
            result = call(*args, **options)
            moment()
            return result

        return write

    for module, name in ((os, "replace"), (os, "rename"), (os, "link"), (pq, "write_table")):
        setattr(module, name, watched(getattr(module, name)))
    return lambda: next(counter)


def in_process(plan, folder, kill_at=None):
    """Scores in a process of its own and returns its exit code, negative for a signal."""
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    moments = count_moments(kill_at)
    scoring.score(plan, folder)
    os._exit(moments())


def files_of(folder):
    """Returns the files of a folder with a hash of their content, one text."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    # The names and the content of event files have the time.
    return " ".join(
        f"{path.relative_to(folder)}={hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        if path.suffix in (".parquet", ".csv")
        else str(path.relative_to(folder)).partition(".tfevents")[0]
        for path in paths
    )


def main(folder, fraction, most=10**9):
    """Kills at every moment in turn, or at as many as `most`, evenly spread."""
    scoring.run_each = probes.run_each = run_each
    plan = plan_of(fraction)
    # Load and hash the examples once, before the processes part.
    plan.recipe, plan.data.all, plan.data.scored  # noqa: B018
    moments = in_process(plan, folder / "whole")
    print("whole", files_of(folder / "whole"), flush=True)
    for number in range(0, moments, -(-moments // most)):
        output = folder / str(number)
        killed, rerun = in_process(plan, output, number), in_process(plan, output)
        assert killed == -signal.SIGKILL, killed
        print(number, files_of(output) if rerun >= 0 else "error", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:]))
