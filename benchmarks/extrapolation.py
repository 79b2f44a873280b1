"""Scores of a fifth of Fashion-MNIST, extrapolated to the rest, against scores of all of it.

python benchmarks/extrapolation.py [OUTPUT] [KEEP_FRACTION ...]

Prints the rank correlation on the rest, and the accuracy after pruning by both and at random.
Results in OUTPUT (by default runs/extrapolation) are reused.
"""

import dataclasses
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PART, JOBS, SEEDS = 0.2, 2, 3
SCORES = [
    {"name": "el2n", "epoch": 2, "seeds": 5},
    {"name": "aum", "epochs": 3, "seeds": 2},
    {"name": "confidence", "epochs": 3, "seeds": 2},
]


def experiment():
    """Returns the config: `configs/fashion_mnist.yaml` with EL2N and two scores of train mode."""
    from keras_pruning.config import Config, DatasetConfig, ProbeConfig, TrainingConfig

    return Config(
        dataset=DatasetConfig("idx:/usr/share/datasets/fashion-mnist"),
        probe=ProbeConfig(epochs=10),
        scores=SCORES,
        training=TrainingConfig(epochs=4),
    )


def rank_correlation(full, part, rows):
    """Returns Spearman's correlation of two scores on the examples where `rows` is true."""
    from scipy.stats import spearmanr

    return spearmanr(full[rows], part[rows])[0]


def train_all(config, tables, keep_fractions, output):
    """Trains on random subsets and on the hardest by EL2N of each table, with all seeds."""
    from keras_pruning.jobs.local import thread_count
    from keras_pruning.selection import select
    from keras_pruning.training.run import TrainingPlan, TrainingRun, run_all, run_folder

    options = {"jobs": JOBS, "threads": thread_count(JOBS), "save_models": False}
    plan = dataclasses.replace(TrainingPlan.from_config(config), **options)
    methods = [{"policy": "random"}, *[{"table": table, "by": "el2n"} for table in tables]]
    runs = []
    for keep_fraction in keep_fractions:
        for seed in range(SEEDS):
            for method in methods:
                arguments = {"table": tables[0], **method}
                subset = select(keep_fraction=keep_fraction, seed=seed, **arguments)
                runs.append(TrainingRun(plan, subset, seed, output / run_folder(subset, seed)))
    for _ in run_all([run for run in runs if not run.is_finished()]):
        pass


def main(output="runs/extrapolation", *keep_fractions):
    """Scores, trains, compares and prints the results."""
    from rich.console import Console

    from keras_pruning.comparison.report import write_comparison
    from keras_pruning.probing.plan import ScoringPlan
    from keras_pruning.probing.scoring import score
    from keras_pruning.reports.comparison import as_table
    from keras_pruning.reports.ledger import lines

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    config, output = experiment(), Path(output)
    probe = dataclasses.replace(config.probe, fraction=PART)
    partial = dataclasses.replace(config, probe=probe)
    full = score(ScoringPlan.from_config(config), output / "scores-full")
    part = score(ScoringPlan.from_config(partial), output / "scores-part")
    held_out = part.metadata["extrapolation"]["scores"]
    for name in full.names:
        rest, own = [
            rank_correlation(full[name], part[name], rows)
            for rows in (part.extrapolated, ~part.extrapolated)
        ]
        expected = held_out[name]["rank_correlation"]
        print(f"{name:>12}  on the rest {rest:.3f}, on the part {own:.3f}, printed {expected:.3f}")
    train_all(config, [full, part], map(float, keep_fractions or (0.7, 0.5, 0.3)), output)
    found = write_comparison(output)
    Console(width=108).print(as_table(found.rows, found.classes))
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
