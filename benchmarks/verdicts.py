"""Verdicts on simulated accuracies: how often equal methods get one, and a better one is found.

Nine methods with 8 seeds each against random with 16. The verdicts of one sweep are false if any
of equal methods is called better or worse.

python benchmarks/verdicts.py [SWEEPS]
"""

from rows import Row, main

METHODS, SEEDS, RANDOM_SEEDS = 9, 8, 16
SPREADS = {"equal spreads": [1] * 9, "threefold spreads": [3] * 9, "both": [1, 3] * 4 + [1]}


def measure(sweeps=5000):
    for name, spread in SPREADS.items():
        false = sum(set(found) != {"not shown"} for found in verdicts(sweeps, spread, 0))
        work = f"sweeps with a verdict on {METHODS} equal methods, {name} ({sweeps:,} sweeps)"
        yield Row(work, "6 %", 100 * false / sweeps, unit="%")
    for shift, expected in ((1.5, 59), (2, 87), (3, 100)):
        found = sum(
            found[0] == "better" for found in verdicts(sweeps, SPREADS["equal spreads"], shift)
        )
        work = f"a method that is better by {shift:g} standard deviations is found"
        yield Row(work, f"{expected} %", 100 * found / sweeps, unit="%")


def verdicts(sweeps, spread, shift):
    """Yields the verdicts of all methods in each sweep. The first is better by some deviations."""
    import numpy as np

    import keras_pruning as kp
    from keras_pruning.statistics import verdict

    # The number of seeds that a verdict would need takes longer than the verdict.
    verdict.runs_needed = lambda *_: None
    rng = np.random.default_rng(0)
    for _ in range(sweeps):
        accuracies = {"random": rng.normal(0.5, 0.01, RANDOM_SEEDS)}
        for number, factor in enumerate(spread):
            mean = 0.5 + 0.01 * shift * (number == 0)
            accuracies[f"method {number}"] = rng.normal(mean, 0.01 * factor, SEEDS)
        found = kp.verdict(accuracies)
        yield [found[name].verdict for name in accuracies if name != "random"]


if __name__ == "__main__":
    main(measure)
